"""What of a worktree's files is not as a person's own checkout would have it: empty submodules, and files that a filter would fill.

The server's git enters no submodule and runs no filter, because both obey what the repository says. So it says what it left out, and what
fills it. Attributes and the list of submodules are read as data.
"""

import asyncio
import hashlib
import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain.work import shown
from agor_jupyter.git import entries
from agor_jupyter.git.entries import Index
from agor_jupyter.git.files import opened_file, read_beneath
from agor_jupyter.git.repository import Repository

LFS = "lfs"
_THROUGH_FILTERS = "git read-tree --empty && git reset -q --hard"
"""Only for a fresh worktree: what somebody changed would go."""
_POINTER = b"version https://git-lfs.github.com/spec/"
_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE = re.compile(rb"^size ([0-9]{1,18})$", re.MULTILINE)
_MAX_POINTER_BYTES = 1024
_MAX_ATTRIBUTES_BYTES = 1024 * 1024
_MAX_COMPARED_BYTES = 16 * 1024 * 1024
_SHA256_DIGITS = 64
_WRITES = re.compile(rb"filter\..+\.(smudge|process)")
_NAMED = 3
_MAX_DIGESTED_BYTES = 64 * 1024 * 1024
_MAX_DIGESTS = 4096
_digests: dict[tuple[int, ...], bytes] = {}
"""Of files that were read, by what the system says of them: a large file is not read again at each look."""


@dataclass(kw_only=True)
class Unfilled:
    """Paths, in the order of the index."""

    submodules: list[str] = field(default_factory=list)
    """Those that are empty."""
    filled: list[str] = field(default_factory=list)
    """The other submodules."""
    filtered: dict[str, str] = field(default_factory=dict)
    """The name of the filter, by path."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Those of `filtered` that a filter of the person's settings would write otherwise, LFS apart."""
    pointers: list[str] = field(default_factory=list)
    """Files of LFS that hold their pointer only."""

    def places(self) -> list[str]:
        """What changes on the disk when this does, beside the index."""
        return [*(f"{path}/.git" for path in (*self.submodules, *self.filled)), *self.pointers, *self.skipped]

    def notices(self) -> list[str]:
        """A sentence for each kind."""
        told = []
        if self.submodules:
            told.append(
                f"{_are(len(self.submodules), 'submodule')} empty: {_named(self.submodules)}. {_filled_by('git submodule update --init')}"
            )
        if self.pointers:
            kind = "a pointer" if len(self.pointers) == 1 else "pointers"
            told.append(f"{_are(len(self.pointers), 'file')} only {kind} of Git LFS: {_named(self.pointers)}. {_filled_by('git lfs pull')}")
        for name, number in Counter(self.skipped.values()).items():
            what = "1 file: it is" if number == 1 else f"{number} files: they are"
            told.append(
                f"The filter “{shown(name)}” did not run for {what} as the repository holds it. "
                f"As `setup: {_THROUGH_FILTERS}` in .agor.yml, each new worktree is written through it."
            )
        return told


def _filled_by(command: str) -> str:
    return f"`{command}` fills them here; as `setup: {command}` in .agor.yml it does so in each new worktree."


async def find(repository: Repository, worktree: Path) -> Unfilled:
    """No process when the index names neither submodules nor attributes, three at most."""
    index = await _index(repository, worktree)
    has_submodules = index.modules > 0
    has_attributes = index.attributes > 0 or os.path.lexists(repository.common_dir / "info" / "attributes")
    if not has_submodules and not has_attributes:
        return Unfilled()
    output = await repository.git("list the files", "ls-files", "--stage", "-z", worktree=worktree)
    found = Unfilled()
    files: dict[str, str] = {}
    for line in output.text.split("\0"):
        about, tab, path = line.partition("\t")
        if about.startswith("160000 "):
            is_filled = os.path.lexists(worktree / path / ".git")
            (found.filled if is_filled else found.submodules).append(path)
        elif tab:
            files[path] = about.split(" ")[1]
    if has_attributes and await asyncio.to_thread(_names_a_filter, repository, worktree, files):
        found.filtered = await filters(repository, worktree, [*files])
        writing = await _that_write(repository) if set(found.filtered.values()) - {LFS} else set()
        files = {path: files[path] for path, name in found.filtered.items() if name in writing}
        same = await asyncio.to_thread(_as_stored, worktree, files)
        found.skipped = {path: found.filtered[path] for path in same}
        found.pointers = await asyncio.to_thread(_pointers, worktree, found.filtered)
    return found


async def _that_write(repository: Repository) -> set[str]:
    """The filters, LFS apart, that the settings of the person and of the repository name for writing files."""
    found = await repository.settings(_WRITES, _WRITES)
    keys = [os.fsdecode(key) for key, value in found if value.strip() not in {b"", b"cat", b"cat %f"}]
    return {key.removeprefix("filter.").rpartition(".")[0] for key in keys} - {LFS}


def _as_stored(worktree: Path, files: Mapping[str, str]) -> list[str]:
    """Those whose content is the blob that the index has."""
    same = []
    for path, sha in files.items():
        content = read_beneath(worktree, path, _MAX_COMPARED_BYTES)
        if content is not None:
            digest = hashlib.sha256() if len(sha) == _SHA256_DIGITS else hashlib.sha1(usedforsecurity=False)
            digest.update(b"blob %d\0" % len(content) + content)
            same += [path] if digest.hexdigest() == sha else []
    return same


async def filters(repository: Repository, worktree: Path, paths: Sequence[str]) -> dict[str, str]:
    """The name of the filter of each path that has one."""
    output = await repository.git(
        "read the attributes",
        *("check-attr", "-z", "--stdin", "filter"),
        worktree=worktree,
        stdin=b"".join(os.fsencode(path) + b"\0" for path in paths),
    )
    fields = output.text.split("\0")
    triples = zip(fields[::3], fields[2::3], strict=False)
    return {path: value for path, value in triples if value not in {"unspecified", "unset", "set", ""}}


def _names_a_filter(repository: Repository, worktree: Path, files: Collection[str]) -> bool:
    places = [(worktree, path) for path in files if path.rpartition("/")[2] == ".gitattributes"]
    places.append((repository.common_dir, "info/attributes"))
    return any(b"filter" in (read_beneath(folder, path, _MAX_ATTRIBUTES_BYTES) or b"") for folder, path in places)


async def same_by_lfs(repository: Repository, worktree: Path, paths: Sequence[str]) -> set[str]:
    """Those of `paths`, which are under LFS, whose content is what their pointer in the index stands for."""
    under = [path for path in paths if "\n" not in path]
    if not under:
        return set()
    names = b"".join(b":0:" + os.fsencode(path) + b"\n" for path in under)
    output = await repository.git("read the pointers", "cat-file", "--batch", worktree=worktree, stdin=names)
    pairs = [(path, pointer) for path, pointer in zip(under, _blobs(output.out), strict=False) if pointer]
    return set(await asyncio.to_thread(lambda: [path for path, pointer in pairs if _is_content_of(worktree, path, pointer)]))


def pointer_of(worktree: Path, path: str) -> bytes | None:
    """What LFS would store of the file: its pointer; the file itself, where that is one or is empty. `None`: it is very large, or gone."""
    try:
        with opened_file(worktree, path) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > _MAX_DIGESTED_BYTES:
                return None
            begin = os.pread(descriptor, _MAX_POINTER_BYTES, 0)
            if not size or begin.startswith(_POINTER):
                return begin
            oid = _digest_of(descriptor).decode()
    except OSError:
        return None
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n" % (oid.encode(), size)


async def may_be_filtered(repository: Repository, worktree: Path) -> bool:
    """Whether an attribute file names a filter, as far as that is seen without reading them all."""
    attributes = (await _index(repository, worktree)).attributes
    root = _attributes_of(worktree)
    if b"filter" in root or attributes > (1 if root else 0):
        return True
    elsewhere = ((repository.common_dir, "info/attributes"), (_personal_settings(), "attributes"))
    return any(
        os.path.lexists(f"{folder}/{path}") and b"filter" in (read_beneath(Path(folder), path, _MAX_ATTRIBUTES_BYTES) or b"")
        for folder, path in elsewhere
    )


def _attributes_of(worktree: Path) -> bytes:
    if not os.path.lexists(f"{worktree}/.gitattributes"):
        return b""
    return read_beneath(worktree, ".gitattributes", _MAX_ATTRIBUTES_BYTES) or b""


def _personal_settings() -> str:
    home = os.environ.get("HOME") or "/nonexistent"
    return f"{os.environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/git"


async def _index(repository: Repository, worktree: Path) -> Index:
    """A large one takes a while to read."""
    git_dir = repository.worktree_dir(worktree)
    known = entries.known(git_dir)
    return known if known is not None else await asyncio.to_thread(entries.read, git_dir)


def _blobs(output: bytes) -> list[bytes | None]:
    found: list[bytes | None] = []
    position = 0
    while position < len(output):
        end = output.find(b"\n", position)
        head = output[position:end].split(b" ")
        position = end + 1
        if len(head) == 3 and head[1] == b"blob" and head[2].isdigit():
            found.append(output[position : position + int(head[2])])
            position += int(head[2]) + 1
        else:
            found.append(None)
    return found


def _pointers(worktree: Path, filtered: Mapping[str, str]) -> list[str]:
    return [path for path, name in filtered.items() if name == LFS and _is_pointer(worktree, path)]


def _is_pointer(worktree: Path, path: str) -> bool:
    content = read_beneath(worktree, path, _MAX_POINTER_BYTES)
    return content is not None and content.startswith(_POINTER)


def _is_content_of(worktree: Path, path: str, pointer: bytes) -> bool:
    oid, size = _OID.search(pointer), _SIZE.search(pointer)
    if not pointer.startswith(_POINTER) or oid is None or size is None:
        return False
    try:
        with opened_file(worktree, path) as descriptor:
            there = os.fstat(descriptor)
            if there.st_size != int(size[1]):
                return False
            return _digest_of(descriptor) == oid[1]
    except OSError:
        return False


def _digest_of(descriptor: int) -> bytes:
    there = os.fstat(descriptor)
    mark = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    if mark not in _digests:
        if len(_digests) >= _MAX_DIGESTS:
            _digests.clear()
        _digests[mark] = _digest(descriptor)
    return _digests[mark]


def _digest(descriptor: int) -> bytes:
    digest = hashlib.sha256()
    while piece := os.read(descriptor, 1024 * 1024):
        digest.update(piece)
    return digest.hexdigest().encode()


def _are(number: int, what: str) -> str:
    return f"{number} {what} is" if number == 1 else f"{number} {what}s are"


def _named(paths: Sequence[str]) -> str:
    names = ", ".join(shown(path) for path in paths[:_NAMED])
    return names if len(paths) <= _NAMED else f"{names} and {len(paths) - _NAMED} more"
