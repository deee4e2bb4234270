"""Copies data into a worktree, in a process of its own: `python -I -S copier.py KIND SOURCE ROOT PATH`. It ends with 0, or why not and 1.

Folders of the worktree are opened one from another without following links, since whoever works there may put links in between. What is
made has a name of its own until it is whole. A copy shares its blocks with the source where the file system can do that. What only some
copies need is imported there: a gigabyte takes a third of a second.
"""

import contextlib
import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FICLONE = 0x40049409
_PIECE = 64 << 20
_ASIDE = {"sqlite": ("-wal", "-shm", "-journal"), "duckdb": (".wal",)}
"""Files beside a database that belong to it."""
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Data of this worktree: made with it, removed with it.\n"


class Refused(Exception):
    """For a person."""


@contextlib.contextmanager
def opened(root: str, parts: list[str]) -> Iterator[int]:
    """The folder, made if it is not there."""
    descriptor = os.open(root, _FOLDER)
    try:
        for number, part in enumerate(parts):
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=descriptor)
            following = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
            if parts[: number + 1] == [".agor"]:
                _write(descriptor, ".gitignore", "*\n")
                _write(descriptor, "CACHEDIR.TAG", _TAG)
        yield descriptor
    finally:
        os.close(descriptor)


def _write(folder: int, name: str, text: str) -> None:
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def make(kind: str, source: str | None, root: str, path: str) -> None:
    """In place of what is there."""
    *parts, name = path.split("/")
    new = f".{name}.new"
    beside = _ASIDE.get(kind, ())
    with opened(root, parts) as folder:
        for suffix in ("", *beside):
            _remove(folder, new + suffix)
        if kind == "duckdb":
            _check_free(folder, name)
        if source is not None:
            {"sqlite": _sqlite, "duckdb": _duckdb}.get(kind, _any)(source, folder, new)
        elif kind not in _ASIDE:
            os.mkdir(new, dir_fd=folder)
        for suffix in ("", *beside):  # the database first: what is beside it never meets another one
            _remove(folder, name + suffix)
        for suffix in (*beside, ""):
            with contextlib.suppress(FileNotFoundError):
                os.rename(new + suffix, name + suffix, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def _remove(folder: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        import shutil

        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def _check_free(folder: int, name: str) -> None:
    """DuckDB locks what it has open."""
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Refused("a process has it open; stop what uses it, then try again") from None
    finally:
        os.close(descriptor)


def _duckdb(source: str, folder: int, name: str) -> None:
    """DuckDB takes a lock of the whole file: a shared one keeps every writer out, so both files are of one moment."""
    with Path(source).open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"{source} is open in a process that writes to it; close it there, then try again") from None
        _clone(file.fileno(), folder, name)
        with contextlib.suppress(FileNotFoundError), Path(f"{source}.wal").open("rb") as log:
            _clone(log.fileno(), folder, f"{name}.wal")


def _sqlite(source: str, folder: int, name: str) -> None:
    import sqlite3

    try:
        _copy_sqlite(source, folder, name)
    except sqlite3.Error as error:
        raise Refused(f"SQLite says: {error}") from None


def _copy_sqlite(source: str, folder: int, name: str) -> None:
    """While a reader is there, no writer changes the file, unless it has a log beside it: then SQLite itself copies."""
    import sqlite3
    import tempfile

    with contextlib.closing(sqlite3.connect(f"{Path(source).absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as reader:
        (mode,) = reader.execute("pragma journal_mode").fetchone()
        reader.execute("begin")
        reader.execute("select count(*) from sqlite_master").fetchone()
        if mode == "wal":
            reader.rollback()
            with tempfile.TemporaryDirectory(prefix="agor-copy-") as own:  # SQLite would follow a link in the worktree
                with contextlib.closing(sqlite3.connect(f"{own}/copy")) as target:
                    reader.backup(target)
                with Path(own, "copy").open("rb") as file:
                    _clone(file.fileno(), folder, name)
            return
        # another descriptor of the file must not be closed while the lock counts: that would end it
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        _clone(descriptor, folder, name)
        reader.rollback()
        os.close(descriptor)


def _any(source: str, folder: int, name: str) -> None:
    """A folder with all below it, or a file."""
    if Path(source).is_dir():
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, _FOLDER, dir_fd=folder)
        try:
            with os.scandir(source) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        os.symlink(Path(entry.path).readlink(), entry.name, dir_fd=inner)
                    elif entry.is_dir() or entry.is_file():
                        _any(entry.path, inner, entry.name)
        finally:
            os.close(inner)
        return
    with Path(source).open("rb") as file:
        _clone(file.fileno(), folder, name)


def _clone(source: int, folder: int, name: str) -> None:
    found = os.fstat(source)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    target = os.open(name, flags, stat.S_IMODE(found.st_mode) | 0o600, dir_fd=folder)
    try:
        with contextlib.suppress(OSError):
            fcntl.ioctl(target, _FICLONE, source)
            return
        os.lseek(source, 0, os.SEEK_SET)
        while _piece(source, target):
            pass
    finally:
        os.close(target)


def _piece(source: int, target: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, _PIECE)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
                raise
    piece = os.read(source, 1 << 20)
    view = memoryview(piece)
    while view:
        view = view[os.write(target, view) :]
    return len(piece)


def main() -> None:
    kind, source, root, path = sys.argv[1:]
    try:
        make(kind, source or None, root, path)
    except Refused as error:
        sys.exit(str(error))
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} is not there")
    except OSError as error:
        sys.exit(f"{error.filename or path}: {(error.strerror or str(error)).lower()}")


if __name__ == "__main__":
    main()
