"""What the filters of people (`filter.*`: Git LFS, nbstripout and the like) make of files, so that status and diffs are as git's own.

Git runs them whenever it compares a file with its index. The server's git runs none: LFS's pointers are computed here, and every other
filter runs in a sandbox that holds nothing but the files. What it makes is believed only as a content. Each state of a file is tried once.
"""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import time
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import lines, run
from agor_jupyter.git.entries import blob_name
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import filters, unfilled
from agor_jupyter.git.repository import Repository, Setting

_ATTRIBUTES = ("filter", "text", "eol", "ident", "working-tree-encoding")
_CONVERSIONS = re.compile(rb"core\.(autocrlf|eol)")
_MOST_FILES, _MOST_BYTES = 500, 48 * 1024 * 1024
_MOST_UNTRACKED = 2000
_TRIAL_S = 20.0
_AT_ONCE = 2
_KEPT_BYTES = 64 * 1024 * 1024
_SETTLED_NS = 100_000_000
_slots: "dict[asyncio.AbstractEventLoop, asyncio.Semaphore]" = {}


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """One file, as git would store it."""

    filter: str
    oid: str
    content: bytes | None
    """`None`: it is what the index has."""
    is_reversible: bool = True
    """The filter can make the file of it again. Otherwise what it leaves out, such as the outputs of a notebook, is in the file only."""
    is_tracked: bool = True


@dataclass(kw_only=True)
class Compared:
    files: dict[str, Cleaned] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)
    """By path: the filter that could not be tried. Such a file shows as it is."""


@dataclass(kw_only=True)
class _Known:
    """What filters made of files, by their states: nothing, where one could not be tried."""

    made: "OrderedDict[object, bytes | None]" = field(default_factory=OrderedDict)
    size: int = 0

    def keep(self, key: object, content: bytes | None) -> None:
        self.made[key] = content
        self.size += len(content or b"") + 200
        while self.size > _KEPT_BYTES and self.made:
            _, gone = self.made.popitem(last=False)
            self.size -= len(gone or b"") + 200


_known = _Known()


async def compare(repository: Repository, worktree: Path, files: Mapping[str, str], untracked: Sequence[str]) -> Compared:
    """Those of `files`, which differ from what the index has by the name that is given, and of `untracked`, that are under a filter.

    No process unless an attribute file names one.
    """
    asked = [*files, *untracked[:_MOST_UNTRACKED]]
    if not asked or not await unfilled.may_be_filtered(repository, worktree):
        return Compared()
    attributes = await _attributes(repository, worktree, asked)
    found = Compared()
    large = [path for path, one in attributes.items() if one["filter"] == unfilled.LFS]
    await _compare_lfs(repository, worktree, files, large, found)
    others = {path: one for path, one in attributes.items() if one["filter"] != unfilled.LFS}
    if others:
        await _compare_others(repository, worktree, files, others, found)
    return found


async def _attributes(repository: Repository, worktree: Path, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Of those that have a filter: what decides how git stores them."""
    output = await repository.git(
        "read the attributes",
        *("check-attr", "-z", "--stdin", *_ATTRIBUTES),
        worktree=worktree,
        stdin=b"".join(os.fsencode(path) + b"\0" for path in paths),
    )
    fields = output.text.split("\0")
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if value != "unspecified":
            found.setdefault(path, {})[name] = value
    return {path: one for path, one in found.items() if one.get("filter", "set") not in {"set", "unset", ""}}


# Git LFS


async def _compare_lfs(repository: Repository, worktree: Path, files: Mapping[str, str], paths: Sequence[str], found: Compared) -> None:
    tracked = [path for path in paths if path in files]
    same = await unfilled.same_by_lfs(repository, worktree, tracked)
    found.files |= {path: Cleaned(filter=unfilled.LFS, oid=files[path], content=None) for path in same}
    rest = [path for path in paths if path not in same]
    made = await asyncio.to_thread(lambda: {path: unfilled.pointer_of(worktree, path) for path in rest})
    for path, content in made.items():
        if content is not None:
            found.files[path] = _cleaned(repository, unfilled.LFS, content, files.get(path))


# Other filters


async def _compare_others(
    repository: Repository, worktree: Path, files: Mapping[str, str], attributes: Mapping[str, Mapping[str, str]], found: Compared
) -> None:
    known = await filters.known(repository)
    conversions = await repository.settings(_CONVERSIONS, _CONVERSIONS)
    waiting: dict[str, list[tuple[str, object]]] = {}
    for path, one in attributes.items():
        name = one["filter"]
        if name not in known:
            continue  # git does nothing either
        key = _key(worktree, path, known[name], conversions, one)
        if key in _known.made:
            _known.made.move_to_end(key)
            _say(repository, name, known[name], path, _known.made[key], files, found)
        else:
            waiting.setdefault(name, []).append((path, key))
    for name, paths in waiting.items():
        made = await _try(repository, worktree, name, [*known[name], *conversions], [path for path, _ in paths], attributes)
        for path, key in paths:
            if key is not None:
                _known.keep(key, made.get(path))
            _say(repository, name, known[name], path, made.get(path), files, found)


def _say(  # noqa: PLR0917 one file, with all that is known of it
    repository: Repository,
    name: str,
    settings: Sequence[Setting],
    path: str,
    content: bytes | None,
    files: Mapping[str, str],
    found: Compared,
) -> None:
    if content is None:
        found.untried[path] = name
        return
    is_reversible = any(
        key.endswith((b".smudge", b".process")) and value.strip() not in {b"", b"cat", b"cat %f"} for key, value in settings
    )
    found.files[path] = _cleaned(repository, name, content, files.get(path), is_reversible=is_reversible)


def _cleaned(repository: Repository, name: str, content: bytes, indexed: str | None, *, is_reversible: bool = True) -> Cleaned:
    oid = _name(repository, content)
    return Cleaned(
        filter=name, oid=oid, content=None if oid == indexed else content, is_reversible=is_reversible, is_tracked=indexed is not None
    )


def _key(
    worktree: Path, path: str, settings: Sequence[Setting], conversions: Sequence[Setting], attributes: Mapping[str, str]
) -> object | None:
    """What decides what a filter makes of a file. `None`: the file is so young that it could change without a sign."""
    try:
        there = os.lstat(f"{worktree}/{path}")
    except OSError:
        return None
    if there.st_ctime_ns > time.time_ns() - _SETTLED_NS:
        return None
    state = (there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    return (path, state, tuple(settings), tuple(conversions), tuple(sorted(attributes.items())))


async def _try(  # noqa: PLR0917 one filter, with all that decides what it makes
    repository: Repository,
    worktree: Path,
    name: str,
    settings: Sequence[Setting],
    paths: Sequence[str],
    attributes: Mapping[str, Mapping[str, str]],
) -> dict[str, bytes]:
    """What it makes of each; of none, where it could not be tried."""
    if repository.filtering is None:
        return {}
    async with _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE)):
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="filter-", dir=repository.view))
        try:
            inside = await repository.filtering(folder)
            if inside is None:
                return {}
            laid = await asyncio.to_thread(_lay_out, repository, worktree, folder, name, settings, paths, attributes)
            output = await run.run(
                "try the filter",
                ["hash-object", "-w", "--stdin-paths"],
                cwd=folder,
                inside=inside,
                stdin="".join(f"{one}\n" for one in laid.values()).encode(),
                timeout_s=_TRIAL_S,
            )
            return await asyncio.to_thread(_read, repository, folder, dict(zip(laid, output.text.split(), strict=True)))
        except (errors.GitFailed, ValueError):
            return {}
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _lay_out(  # noqa: PLR0917 as `_try`
    repository: Repository,
    worktree: Path,
    folder: Path,
    name: str,
    settings: Sequence[Setting],
    paths: Sequence[str],
    attributes: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """The files, as far as there is room: their names there, by path."""
    contents: list[tuple[str, bytes]] = []
    room = _MOST_BYTES
    for path in paths[:_MOST_FILES]:
        content = read_beneath(worktree, path, room)
        if content is not None:
            contents.append((path, content))
            room -= len(content)
    lines_of = [_rendered(attributes[path]) for path, _ in contents]
    names = filters.lay_out(folder, name, settings, contents, lines_of, object_format=_format(repository))
    return dict(zip((path for path, _ in contents), names, strict=True))


def _rendered(attributes: Mapping[str, str]) -> str:
    """As in an attribute file, without the filter."""
    words = []
    for name, value in attributes.items():
        if name != "filter" and value.isascii() and value.isprintable() and " " not in value:
            words.append({"set": name, "unset": f"-{name}"}.get(value, f"{name}={value}"))
    return " ".join(words)


def _read(repository: Repository, folder: Path, made: Mapping[str, str]) -> dict[str, bytes]:
    """The objects that git wrote there, each if it is what its name says."""
    found = {}
    for path, oid in made.items():
        packed = read_beneath(folder, f"git/objects/{oid[:2]}/{oid[2:]}", _MOST_BYTES)
        with contextlib.suppress(zlib.error):
            content = zlib.decompressobj().decompress(packed or b"", _MOST_BYTES).partition(b"\0")[2]
            if packed is not None and _name(repository, content) == oid:
                found[path] = content
    return found


def _name(repository: Repository, content: bytes) -> str:
    return blob_name(content, 32 if _format(repository) == "sha256" else 20).hex()


def _format(repository: Repository) -> str:
    return "sha256" if repository.own.get(b"extensions.objectformat", b"").lower() == b"sha256" else "sha1"


# Counting


async def count(repository: Repository, base_sha: str, files: Mapping[str, Cleaned]) -> dict[str, tuple[int, int]]:
    """Lines added and deleted since the base, by the paths of those that differ from it, as git would count them."""
    if not files:
        return {}
    listed = await repository.git(
        "read what files were",
        "cat-file",
        "--batch-check",
        stdin=b"".join(b"%b:%b\n" % (base_sha.encode(), os.fsencode(path)) for path in files if "\n" not in path),
    )
    before = {path: _blob(line) for path, line in zip((path for path in files if "\n" not in path), listed.text.split("\n"), strict=False)}
    differing = {path: one for path, one in files.items() if before.get(path) != one.oid}
    wanted = {oid for path in differing if (oid := before.get(path))}
    wanted |= {one.oid for one in differing.values() if one.content is None}
    blobs = await repository.blobs.read(wanted) if wanted else {}
    found: dict[str, tuple[int, int]] = {}
    for path, one in differing.items():
        oid = before.get(path)
        old = blobs.get(oid) if oid else b""
        new = one.content if one.content is not None else blobs.get(one.oid)
        counted = lines.differing(old, new) if old is not None and new is not None else (0, 0)
        found[path] = counted if counted is not None else await _counted_by_git(repository, old or b"", new or b"")
    return found


def _blob(line: str) -> str | None:
    oid, *rest = line.rsplit(" ", 2)
    return oid if len(rest) == 2 and rest[0] == "blob" else None


async def _counted_by_git(repository: Repository, old: bytes, new: bytes) -> tuple[int, int]:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="count-", dir=repository.view))
    try:
        (folder / "old").write_bytes(old)
        (folder / "new").write_bytes(new)
        output = await run.run(
            "count lines",
            ["diff", "--no-index", "--no-ext-diff", "--no-textconv", "--numstat", "old", "new"],
            cwd=folder,
            pins={"GIT_DIR": os.devnull},
            ok=(0, 1),
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    plus, minus, *_ = [*output.text.split(), "0", "0"]
    return (int(plus) if plus.isdigit() else 0, int(minus) if minus.isdigit() else 0)
