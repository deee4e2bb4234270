"""Reads git's index without git: which folders, submodules and set-aside entries it has. Of damaged or odd ones it says so."""

import hashlib
import os
import re
import stat
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from agor_jupyter.git.files import read_beneath

MAX_BYTES = 512 * 1024 * 1024
_MAX_KNOWN = 2_000
_WIDTHS = (20, 32)
_GITLINK = 0o160000
_FIXED = struct.Struct(">10I")
_ASSUMED, _EXTENDED, _SKIPPED = 0x8000, 0x4000, 0x4000
_SPLIT = b"link"
_PLAIN = rb".{24}\0\0[\x80-\xdf].{33}[\0-\x3f].%b\0{1,8}"
_NAMED = re.compile(_PLAIN % rb"([^\0]+)", re.DOTALL)
_ALL = re.compile(rb"(?:%b)*+" % (_PLAIN % rb"[^\0]+"), re.DOTALL)
"""An entry of version 2 that is no submodule and that nothing sets aside, up to the next. Its name is the group."""


class OddIndex(Exception):
    """It is not one that is read here: split, of an unknown version, or damaged."""


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """An entry whose file git does not look at."""

    path: bytes
    oid: bytes
    mode: int
    mark: tuple[int, int]
    """Size, and time of the last change in seconds, of the file as git last saw it."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """Paths are as git keeps them."""

    count: int = 0
    folders: tuple[bytes, ...] = ()
    """All that hold tracked files, the top excepted."""
    links: dict[bytes, str] = field(default_factory=dict)
    """Submodules, with the commit that is recorded."""
    set_aside: tuple[SetAside, ...] = ()
    attributes: int = 0
    """How many paths may be attribute files: at least so many as are."""
    modules: int = 0
    """How often `.gitmodules` is named."""


_known: dict[str, tuple[tuple[int, ...], Index]] = {}
"""By the path of each index, with its state then."""
_known_lock = threading.Lock()


def read(git_dir: Path) -> Index:
    """The index of a repository, or of git's entry for a worktree. It is read again only when its file changed.

    One that is not there has no entries. Of one that cannot be read here only `attributes` and `modules` are known.
    """
    path = f"{git_dir}/index"
    mark = signature(path)
    if (unchanged := _unchanged(path, mark)) is not None:
        return unchanged
    content = read_beneath(git_dir, "index", MAX_BYTES) or b""
    found = _parse_any(content)
    attributes = max(found.attributes, content.count(b".gitattributes"))
    found = replace(found, attributes=attributes, modules=content.count(b".gitmodules"))
    if mark is not None and is_settled(mark):
        with _known_lock:
            _known[path] = mark, found
            while len(_known) > _MAX_KNOWN:
                del _known[next(iter(_known))]
    return found


def known(git_dir: Path) -> Index | None:
    """What `read` would give, if it would not have to read."""
    path = f"{git_dir}/index"
    return _unchanged(path, signature(path))


def _unchanged(path: str, mark: tuple[int, ...] | None) -> Index | None:
    with _known_lock:
        found = _known.get(path)
    return found[1] if found is not None and found[0] == mark else None


def _parse_any(content: bytes) -> Index:
    for width in _WIDTHS:
        try:
            return parse(content, width)
        except OddIndex:
            continue
    return Index()


def signature(path: Path | str) -> tuple[int, ...] | None:
    """What tells one state of a file from another; `None` when it is not there or not a regular file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_settled(mark: tuple[int, ...] | None) -> bool:
    """The file is there, and older than the clock's grain: another state of it would have another signature."""
    return mark is not None and mark[3] < time.time_ns() - 100_000_000


def parse(content: bytes, width: int = 20) -> Index:
    """`width` is the length of an object's name in bytes.

    Errors:
        OddIndex: as it says.
    """
    if not content:
        return Index()
    try:
        return _parse(content, width)
    except (struct.error, IndexError, ValueError) as error:
        raise OddIndex(str(error)) from error


def _parse(content: bytes, width: int) -> Index:
    mark, version, count = struct.unpack_from(">4sII", content)
    if mark != b"DIRC" or version not in {2, 3, 4}:
        raise OddIndex(f"version {version}")
    if version == 2 and width == 20 and (quick := _parse_plain(content, count)) is not None:
        return quick
    folders: dict[bytes, None] = {}
    links: dict[bytes, str] = {}
    set_aside: list[SetAside] = []
    position, last, name, attributes = 12, b"", b"", 0
    find, flags_at, name_at = content.find, 40 + width, 42 + width
    for _ in range(count):
        high, low = content[position + flags_at], content[position + flags_at + 1]
        start = position + name_at + (2 if high & 0x40 else 0)
        if version == 4:
            cut, start = _varint(content, start)
            end = content.index(b"\0", start)
            name = name[: len(name) - cut] + content[start:end]
            following = end + 1
            attributes += name.endswith(b".gitattributes")  # it may be nowhere as a whole
        else:
            length = (high & 0x0F) << 8 | low
            end = start + length if length < 0xFFF else find(b"\0", start)
            name = content[start:end]
            following = position + ((end - position + 8) & ~7)
        folder = name[: name.rfind(b"/") + 1]
        if folder != last:
            last = folder
            folders[folder] = None
        if content[position + 26] == 0xE0:
            links[name] = content[position + 40 : position + flags_at].hex()
        elif high & 0xC0 and (high & 0x80 or content[position + name_at] & 0x40):
            fields = _FIXED.unpack_from(content, position)
            oid = content[position + 40 : position + flags_at]
            set_aside.append(SetAside(path=name, oid=oid, mode=fields[6], mark=(fields[9], fields[2])))
        position = following
    if position > len(content) - width:
        raise OddIndex("it is cut off")
    _refuse_split(content, position, len(content) - width)
    return Index(count=count, folders=_with_parents(folders), links=links, set_aside=tuple(set_aside), attributes=attributes)


def _refuse_split(content: bytes, position: int, end: int) -> None:
    """Looks at the extensions, from `position` on."""
    while position < end:
        kind, length = struct.unpack_from(">4sI", content, position)
        if kind == _SPLIT:
            raise OddIndex("it is split")
        position += 8 + length


def _parse_plain(content: bytes, count: int) -> Index | None:
    """In a fourth of the time, when all entries are plain. `None`: some are not, and each has to be looked at."""
    matched = _ALL.match(content, 12, len(content) - 20)
    assert matched is not None  # nothing at all matches too
    names = _NAMED.findall(content, 12, matched.end())
    if len(names) != count:
        return None
    position, end = matched.end(), len(content) - 20
    while position < end:  # what is left has to be extensions and nothing else
        kind, length = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "big")
        if kind == _SPLIT or not (kind.isalpha() and kind.isascii()):
            return None
        position += 8 + length
    if position != end:
        return None
    folders = dict.fromkeys([name.rpartition(b"/")[0] for name in names])
    return Index(count=count, folders=_with_parents({folder + b"/": None for folder in folders if folder}))


def unmerged(content: bytes, width: int = 20) -> list[bytes]:
    """The paths in conflict, in the order of the index.

    Errors:
        OddIndex: it cannot be read here.
    """
    try:
        return _unmerged(content, width) if content else []
    except (struct.error, IndexError, ValueError) as error:
        raise OddIndex(str(error)) from error


def _unmerged(content: bytes, width: int) -> list[bytes]:
    mark, version, count = struct.unpack_from(">4sII", content)
    if mark != b"DIRC" or version not in {2, 3, 4}:
        raise OddIndex(f"version {version}")
    found: dict[bytes, None] = {}
    position, name = 12, b""
    for _ in range(count):
        high, low = content[position + 40 + width], content[position + 41 + width]
        start = position + 42 + width + (2 if high & 0x40 else 0)
        if version == 4:
            cut, start = _varint(content, start)
            end = content.index(b"\0", start)
            name, following = name[: len(name) - cut] + content[start:end], end + 1
        else:
            length = (high & 0x0F) << 8 | low
            end = start + length if length < 0xFFF else content.index(b"\0", start)
            name, following = content[start:end], position + ((end - position + 8) & ~7)
        if not name or b"\0" in name:
            raise OddIndex("an entry has no name")
        if high & 0x30:
            found[name] = None
        position = following
    if position > len(content) - width:
        raise OddIndex("it is cut off")
    _refuse_split(content, position, len(content) - width)
    return list(found)


def _varint(content: bytes, position: int) -> tuple[int, int]:
    byte = content[position]
    value = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = content[position]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, position + 1


def _with_parents(folders: dict[bytes, None]) -> tuple[bytes, ...]:
    """Without the slash at their ends. A folder that only holds folders has no entry of its own."""
    found: dict[bytes, None] = {}
    for folder in folders:
        part = folder[:-1]
        while part and part not in found:
            found[part] = None
            part = part.rpartition(b"/")[0]
    return tuple(found)


def blob_name(content: bytes, width: int = 20) -> bytes:
    """How git would name a file of this content, when nothing converts it."""
    hasher = hashlib.sha256() if width == 32 else hashlib.sha1(usedforsecurity=False)
    hasher.update(b"blob %d\0" % len(content))
    hasher.update(content)
    return hasher.digest()
