"""Move a folder with all that is in it, and remove one. Nothing is followed, and nothing is lost halfway.

A rename keeps everything, because nothing is written. Only where the file system ends, a copy is made, put on the disk and compared before
the original goes.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agor_jupyter.domain import errors

_PARTIAL = ".partial"


def move(source: Path, target: Path) -> None:
    """Afterwards `target` is what `source` was. May be repeated after it was cut off.

    Errors:
        OSError: `source` is as it was, and there is no `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(source, target)
    sync(target.parent)
    sync(source.parent)


def finish(source: Path, target: Path) -> None:
    """Go on with a `move` that was cut off."""
    if not os.path.lexists(target):
        move(source, target)
    elif os.path.lexists(source):
        remove(source)  # the copy was complete, or it would have another name


def crosses(source: Path, target: Path) -> bool:
    """Whether a move from `source` to below `target` has to copy."""
    while not target.exists():
        target = target.parent
    return source.lstat().st_dev != target.stat().st_dev


def remove(path: Path) -> None:
    """All of it, also what its owner made unreadable. Silent when there is nothing.

    Errors:
        OSError: something could not be removed; what could is gone.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    try:
        shutil.rmtree(path, onerror=_raise_unless_gone)
    except PermissionError:
        path.chmod(0o700)
        for folder, names, _ in os.walk(path):  # from the top, so that what is below can be read
            for below in (Path(folder, name) for name in names):
                if not below.is_symlink():
                    below.chmod(0o700)
        shutil.rmtree(path, onerror=_raise_unless_gone)


def _raise_unless_gone(_function: object, _path: str, raised: tuple[type[BaseException], BaseException, object]) -> None:
    if not isinstance(raised[1], FileNotFoundError):
        raise raised[1]


def sync(folder: Path) -> None:
    """Let the names in a folder be on the disk."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except PermissionError:
        mode = stat.S_IMODE(source.lstat().st_mode)  # to hang a folder elsewhere, one must be able to write its entry “..”
        if mode & 0o700 == 0o700:
            raise
        source.chmod(mode | 0o700)
        try:
            source.rename(target)
        except OSError:
            source.chmod(mode)
            raise
        target.chmod(mode)


def _carry(source: Path, target: Path) -> None:
    partial = target.with_name(target.name + _PARTIAL)
    remove(partial)
    try:
        _copy(source, partial)
        different = next(_differences(source, partial), None)
        if different is not None:
            raise OSError(errno.EBUSY, "it changed while it was copied", different)
        partial.rename(target)
    except BaseException:
        with contextlib.suppress(OSError):
            remove(partial)
        raise
    sync(target.parent)
    remove(source)


def _copy(source: Path, target: Path) -> None:
    """Folders, files, links, hard links, modes, times and extended attributes."""
    twins: dict[tuple[int, int], Path] = {}
    folders: list[tuple[Path, Path]] = []

    def folder(one: Path, other: Path) -> None:
        other.mkdir(0o700)
        folders.append((one, other))
        for below in one.iterdir():
            found, place = below.lstat(), other / below.name
            if stat.S_ISDIR(found.st_mode):
                folder(below, place)
            elif stat.S_ISLNK(found.st_mode):
                place.symlink_to(below.readlink())
                shutil.copystat(below, place, follow_symlinks=False)
            elif not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "only files, folders and links can be copied", str(below))
            elif (found.st_dev, found.st_ino) in twins:
                os.link(twins[found.st_dev, found.st_ino], place, follow_symlinks=False)
            else:
                _copy_file(below, place)
                if found.st_nlink > 1:
                    twins[found.st_dev, found.st_ino] = place

    folder(source, target)
    for one, other in reversed(folders):  # when nothing more is written into them
        shutil.copystat(one, other, follow_symlinks=False)
        sync(other)


def _copy_file(source: Path, target: Path) -> None:
    with opened(source) as reading, target.open("xb") as writing:
        shutil.copyfileobj(reading, writing, 1024 * 1024)
        writing.flush()
        os.fsync(writing.fileno())
    shutil.copystat(source, target, follow_symlinks=False)


def opened(path: Path) -> BinaryIO:
    """To read, and no link is followed."""
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: PTH123 of a descriptor


def _differences(source: Path, copy: Path) -> Iterator[str]:
    """What is not in both, or not the same in both."""
    for folder, names, files in os.walk(source):
        here = Path(folder)
        there = copy / here.relative_to(source)
        if {*names, *files} != {one.name for one in there.iterdir()}:
            yield folder
            continue
        for name in (*names, *files):
            one, two = (here / name).lstat(), (there / name).lstat()
            if (one.st_mode, one.st_mtime_ns // 1000) != (two.st_mode, two.st_mtime_ns // 1000):
                yield str(here / name)
            elif stat.S_ISLNK(one.st_mode):
                if (here / name).readlink() != (there / name).readlink():
                    yield str(here / name)
            elif stat.S_ISREG(one.st_mode) and not _is_same(here / name, there / name):
                yield str(here / name)


def _is_same(one: Path, other: Path) -> bool:
    with opened(one) as left, opened(other) as right:
        while True:
            piece = left.read(1024 * 1024)
            if piece != right.read(1024 * 1024):
                return False
            if not piece:
                return True


def sentence(action: str, error: OSError) -> errors.AgorError:
    """What an error of the file system means to whoever asked for `action`."""
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.StorageFull(str(error.filename or ""))
    if error.errno == errno.EPERM:
        return errors.Conflict(f"The worktree could not be {action}: the system does not let this server change something{where}.")
    return errors.Conflict(f"The worktree could not be {action}: {(error.strerror or str(error)).lower()}{where}. It is as it was.")
