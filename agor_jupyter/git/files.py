"""Open files beneath a folder without following links: each part of the path is opened from the one before it.

A link that is put in between a check and the opening changes nothing, because there is no such moment. What is opened was, when
it was opened, a regular file that hung below the folder by real directories only.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def opened_folder(root: Path, parts: list[str], *, create: bool = False) -> Iterator[int]:
    """A descriptor of the folder `parts` below `root`.

    Errors:
        OSError: a part is missing, a link, or no folder.
    """
    descriptor = os.open(root, _FOLDER)
    try:
        for part in parts:
            if part in {"", ".", ".."} or "/" in part:
                raise NotADirectoryError(part)
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            following = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def opened_file(root: Path, path: str) -> Iterator[int]:
    """A readable descriptor of the regular file `path` below `root`."""
    *parts, name = path.split("/")
    with opened_folder(root, parts) as folder:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(path)
        yield descriptor
    finally:
        os.close(descriptor)


def read_beneath(root: Path, path: str, limit: int) -> bytes | None:
    """What the file holds. `None`: it is not there, not a regular file, or longer than `limit` bytes."""
    try:
        with opened_file(root, path) as descriptor:
            if os.fstat(descriptor).st_size > limit:
                return None
            content = bytearray()
            while len(content) <= limit and (piece := os.read(descriptor, 262_144)):
                content += piece
            return bytes(content) if len(content) <= limit else None
    except OSError:
        return None
