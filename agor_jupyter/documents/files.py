"""Board files under the server's root: found without following a link, read without trusting them, replaced in one step.

A path is walked folder by folder with `O_NOFOLLOW`, so a link that is swapped in between check and use leads nowhere.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from agor_jupyter.documents import boards, paths
from agor_jupyter.domain import errors

SUFFIX = ".agor"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def check(path: str) -> str:
    """`path` as it is kept: relative to the root, with `/`, ending in `.agor`. Raises `BadPath`."""
    return paths.check(path, "board", SUFFIX, of="the server's root", beneath="under the server's root", hidden="served")


def is_there(root: Path, path: str) -> bool:
    """Whether `path` is a plain file. Raises `BadPath` for a link or a folder."""
    with _folder(root, path) as folder:
        return folder is not None and _is_file(folder, path)


def read(root: Path, path: str) -> str:
    """The text, at most one byte over the limit of a board, so that too large a file is known by its length.

    Errors:
        BoardNotFound: there is no such file.
        BadPath: it is not a plain file under the root.
        BadDocument: it is not UTF-8, or the system refuses to read it.
    """
    with _folder(root, path) as folder:
        if folder is None or not _is_file(folder, path):
            raise errors.BoardNotFound(path)
        try:
            with os.fdopen(os.open(_name(path), _FILE, dir_fd=folder), "rb") as file:
                content = file.read(boards.MAX_BYTES + 1)
        except OSError as error:
            raise errors.BadDocument(path, f"the system says “{error.strerror}”") from error
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        if len(content) > boards.MAX_BYTES:
            return content.decode(errors="replace")
        raise errors.BadDocument(path, f"it is not UTF-8 text (byte {error.start})") from error


def create(root: Path, path: str, text: str) -> bool:
    """Make the file, and its folders, if it is not there. Whether it was made."""
    with _folder(root, path, make=True) as folder:
        assert folder is not None
        if _is_file(folder, path):
            return False
        with _told(path):
            try:
                descriptor = os.open(_name(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
            except FileExistsError:
                return False
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
    return True


def replace(root: Path, path: str, text: str, *, expected: str) -> bool:
    """Put `text` in place of `expected`, in one step. `False`: the file is no longer what was expected, and was left alone."""
    with _folder(root, path) as folder:
        if folder is None or read(root, path) != expected:
            return False
        temporary = f".{_name(path)[:200]}.{secrets.token_hex(4)}"
        with _told(path):
            mode = stat.S_IMODE(os.stat(_name(path), dir_fd=folder, follow_symlinks=False).st_mode)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temporary, _name(path), src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
    return True


def in_root(root: Path, limit: int = 200) -> list[str]:
    """The boards that lie in the root itself."""
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if _is_board(entry)]
    return sorted(names)[:limit]


def _is_board(entry: os.DirEntry[str]) -> bool:
    is_named = entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.name.isprintable() and "\\" not in entry.name
    return is_named and entry.is_file(follow_symlinks=False)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@contextlib.contextmanager
def _folder(root: Path, path: str, *, make: bool = False) -> Iterator[int | None]:
    """A descriptor of the folder that `path` lies in. `None`: there is no such folder."""
    check(path)
    descriptor: int | None = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in path.split("/")[:-1]:
            try:
                if make:
                    with contextlib.suppress(FileExistsError), _told(path):
                        os.mkdir(part, dir_fd=descriptor)
                inner = os.open(part, _FOLDER, dir_fd=descriptor)
            except FileNotFoundError:
                break
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                    raise errors.BadPath(path, f"{part!r} is a link or a file, not a folder") from error
                raise
            assert descriptor is not None
            os.close(descriptor)
            descriptor = inner
        else:
            yield descriptor
            return
        yield None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _is_file(folder: int, path: str) -> bool:
    try:
        mode = os.stat(_name(path), dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise errors.BadPath(path, "it is a link, a folder or a device, not a file")
    return True


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise errors.StorageFull(path) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise errors.BadPath(path, "the server may not write there") from error
        raise
