"""Take out of an archive what can be made again for certain, and put it back before the archive is opened.

That is a tracked file whose bytes are those of the index, as they are, with no filter in between; and folders that say themselves that
they are caches. What goes is written down first, with its mode and time, so that it comes back the same.
"""

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from agor_jupyter.domain import errors
from agor_jupyter.git.archives import moves
from agor_jupyter.git.files import opened_folder
from agor_jupyter.git.repository import Repository

LARGEST = 32 * 1024 * 1024
"""A larger tracked file stays: it would have to be held in memory to be written again."""
_BATCH_BYTES = 48 * 1024 * 1024
_BATCH_FILES = 20_000
_DROPPED = "dropped"
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How a folder says that it is a cache (bford.info/cachedir)."""
_FILE_MODES = {b"100644", b"100755"}


@dataclass(frozen=True)
class Dropped:
    """A file that the repository has, and the folder has no longer; or, without a `sha`, a folder of such files."""

    mode: int
    mtime_ns: int
    size: int
    sha: str
    path: bytes


async def slim(
    repository: Repository, files: Path, *, index: Path, note: Path, caches: Collection[str], is_ended: Callable[[], bool]
) -> None:
    """Drop from the folder `files` what `index` can make again, and the folders named in `caches`. `note` is a folder for the list.

    May be cut off at any moment and repeated. `is_ended` is asked between files.
    """
    try:
        listed = await repository.git("read the index", "ls-files", "-s", "-z", index=index)
    except errors.GitFailed:
        return  # an index that is broken or split: all stays
    await asyncio.to_thread(_slim, files, dict(_tracked(listed.out)), note, caches, is_ended)


def _slim(files: Path, tracked: dict[bytes, str], note: Path, caches: Collection[str], is_ended: Callable[[], bool]) -> None:
    before = _read(note)
    known = {one.path for one in before}
    found = [one for one in _identical(files, tracked, is_ended) if one.path not in known]
    if is_ended():
        return
    _write(note, [*before, *found])
    _drop(files, found, is_ended)
    for cache in _caches(files, caches, set(tracked), is_ended):
        with contextlib.suppress(OSError):
            moves.remove(cache)


async def refill(repository: Repository, files: Path, note: Path) -> int:
    """Write again what was dropped and is not there. How many files that were. May be repeated.

    Errors:
        Conflict: the repository has lost the content of a file.
        OSError: the disk is full, for example.
    """
    noted = await asyncio.to_thread(_read, note)
    missing = [one for one in noted if one.sha and not _exists(files, one.path)]
    for batch in _batches(missing):
        output = await repository.git(
            "write the files",
            *("cat-file", "--buffer", "--batch"),
            stdin="".join(f"{one.sha}\n" for one in batch).encode(),
            cap=2 * _BATCH_BYTES + 200 * _BATCH_FILES,
        )
        await asyncio.to_thread(_fill, files, note, batch, output.out)
    if missing:
        await asyncio.to_thread(_set_times, files, noted)
    return len(missing)


def _tracked(listed: bytes) -> Iterator[tuple[bytes, str]]:
    for entry in listed.split(b"\0"):
        what, _, path = entry.partition(b"\t")
        if path:
            mode, sha, stage = what.split(b" ")
            yield path, sha.decode() if stage == b"0" and mode in _FILE_MODES else ""


def _identical(files: Path, tracked: dict[bytes, str], is_ended: Callable[[], bool]) -> list[Dropped]:
    found: list[Dropped] = []
    last = None
    with _Folders(files) as folders:
        for path, sha in sorted(tracked.items()):
            if is_ended():
                break
            if not sha:
                continue
            folder = folders.of(path)
            if folder is None:
                continue
            above = path.rpartition(b"/")[0]
            if last != above:
                last, status = above, os.fstat(folder)
                found.append(Dropped(stat.S_IMODE(status.st_mode), status.st_mtime_ns, 0, "", above))
            try:
                descriptor = os.open(path.rpartition(b"/")[2], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            except OSError:
                continue
            try:
                status = os.fstat(descriptor)
                if _is_plain(descriptor, status, folders.device) and _digest(descriptor, status.st_size, len(sha)) == sha:
                    found.append(Dropped(stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_size, sha, path))
            except OSError:
                continue
            finally:
                os.close(descriptor)
    return found


def _is_plain(descriptor: int, status: os.stat_result, device: int) -> bool:
    """Whether a file written anew would be just like it."""
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_nlink == 1
        and status.st_dev == device
        and status.st_size <= LARGEST
        and (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())
        and not os.listxattr(descriptor)
    )


def _digest(descriptor: int, size: int, length: int) -> str:
    digest = hashlib.sha1(usedforsecurity=False) if length == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % size)
    while piece := os.read(descriptor, 1024 * 1024):
        digest.update(piece)
    return digest.hexdigest()


def _drop(files: Path, found: list[Dropped], is_ended: Callable[[], bool]) -> None:
    with _Folders(files) as folders:
        for one in found:
            folder = folders.of(one.path) if one.sha and not is_ended() else None
            if folder is None:
                continue
            with contextlib.suppress(OSError):
                os.unlink(one.path.rpartition(b"/")[2], dir_fd=folder)


def _fill(files: Path, note: Path, batch: list[Dropped], content: bytes) -> None:
    position = 0
    temporary = note / "file.new"
    with _Folders(files) as folders:
        for one in batch:
            end = content.index(b"\n", position)
            header = content[position:end].split(b" ")
            if len(header) != 3 or header[1] != b"blob":
                raise errors.Conflict(
                    f"The content of {one.path.decode('utf-8', 'replace')!r} (object {one.sha[:12]}) is no longer in "
                    f"the repository. All else of the worktree lies in {files}, and it stays archived."
                )
            size = int(header[2])
            piece = memoryview(content)[end + 1 : end + 1 + size]
            position = end + 2 + size
            folder = folders.of(one.path)
            if folder is None:
                raise FileNotFoundError(os.fsdecode(one.path))
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:
                file.write(piece)
                file.flush()
                os.fchmod(file.fileno(), one.mode)
                os.utime(file.fileno(), ns=(one.mtime_ns, one.mtime_ns))
            os.rename(temporary, one.path.rpartition(b"/")[2], dst_dir_fd=folder)


def _set_times(files: Path, noted: list[Dropped]) -> None:
    """Of the folders, which changed as files were written into them."""
    with _Folders(files) as folders:
        for one in noted:
            folder = folders.of(one.path + b"/") if not one.sha else None
            if folder is not None:
                os.utime(folder, ns=(one.mtime_ns, one.mtime_ns))


def _batches(missing: list[Dropped]) -> Iterator[list[Dropped]]:
    batch: list[Dropped] = []
    size = 0
    for one in missing:
        if batch and (size + one.size > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def _caches(files: Path, names: Collection[str], tracked: set[bytes], is_ended: Callable[[], bool]) -> Iterator[Path]:
    """Folders that hold nothing but a cache, outermost first. None within a repository inside."""
    above = {path.rpartition(b"/")[0] for path in tracked}
    held = {b"/".join(parts[:depth]) for parts in (one.split(b"/") for one in above) for depth in range(1, len(parts) + 1)}
    device = files.lstat().st_dev
    for folder, folders, inside in os.walk(files):
        if is_ended():
            return
        if folder != str(files) and ".git" in (*folders, *inside):
            folders.clear()
            continue
        for name in list(folders):
            place = Path(folder, name)
            if name in {".git", "node_modules"} or place.is_symlink() or place.lstat().st_dev != device:
                folders.remove(name)
            elif os.path.lexists(place / "pyvenv.cfg"):
                folders.remove(name)  # an environment, which would have to be set up again
            elif os.fsencode(place.relative_to(files)) not in held and (name in names or _is_tagged(place)) and not _has_repository(place):
                folders.remove(name)
                yield place


def _is_tagged(place: Path) -> bool:
    with contextlib.suppress(OSError), moves.opened(place / "CACHEDIR.TAG") as file:
        return file.read(len(_TAG)) == _TAG
    return False


def _has_repository(place: Path) -> bool:
    return any(".git" in (*folders, *files) for _, folders, files in os.walk(place))


def _exists(files: Path, path: bytes) -> bool:
    return os.path.lexists(os.fsencode(files) + b"/" + path)


def _read(note: Path) -> list[Dropped]:
    try:
        content = (note / _DROPPED).read_bytes()
    except OSError:
        return []
    found = []
    for entry in content.split(b"\0"):
        if entry:
            mode, mtime_ns, size, sha, path = entry.split(b" ", 4)
            found.append(Dropped(int(mode), int(mtime_ns), int(size), "" if sha == b"-" else sha.decode(), path))
    return found


def _write(note: Path, dropped: list[Dropped]) -> None:
    """On the disk when it returns."""
    temporary = note / f"{_DROPPED}.new"
    with temporary.open("wb") as file:
        file.writelines(b"%d %d %d %s %s\0" % (one.mode, one.mtime_ns, one.size, one.sha.encode() or b"-", one.path) for one in dropped)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(note / _DROPPED)
    moves.sync(note)


class _Folders:
    """Opens the folder of a path beneath a root, without following links. Paths that come in order share what is open."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.device = root.lstat().st_dev
        self._open: tuple[bytes, contextlib.ExitStack, int | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open is not None:
            self._open[1].close()

    def of(self, path: bytes) -> int | None:
        """`None`: one of its parts is no folder."""
        name = path.rpartition(b"/")[0]
        if self._open is None or self._open[0] != name:
            if self._open is not None:
                self._open[1].close()
            stack = contextlib.ExitStack()
            descriptor: int | None = None
            with contextlib.suppress(OSError):
                descriptor = stack.enter_context(opened_folder(self._root, [os.fsdecode(part) for part in name.split(b"/") if part]))
            self._open = (name, stack, descriptor)
        return self._open[2]
