"""Copy the untracked files that `.worktreeinclude` names (local settings, keys, caches) from the main checkout into a new worktree.

Only regular files that hang below the checkout by real directories are read, and only files that are absent are written. No link
is followed on either side, also when one is put there meanwhile.
"""

import asyncio
import errno
import os
import tempfile
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git.files import opened_file, opened_folder, read_beneath
from agor_jupyter.git.repository import Repository

FILE = ".worktreeinclude"
MAX_BYTES = 100 * 1024 * 1024
_MAX_PATTERN_BYTES = 64 * 1024
_SKIPPED = frozenset({errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EPERM})
"""Gone meanwhile, a link, there already, or not ours to read."""


def is_wanted(repository: Repository) -> bool:
    return os.path.lexists(repository.path / FILE)


async def copy(repository: Repository, worktree: Path) -> list[str]:
    """Returns what was copied.

    Errors:
        GitFailed: the files are larger than 100 MB together, or cannot be written.
    """
    patterns = read_beneath(repository.path, FILE, _MAX_PATTERN_BYTES)
    if patterns is None:
        raise errors.GitFailed(f"read {FILE}", f"it must be a regular file of at most {_MAX_PATTERN_BYTES // 1024} KiB")
    with tempfile.NamedTemporaryFile(prefix="include-", dir=repository.view) as file:
        file.write(patterns)
        file.flush()
        output = await repository.git(
            f"find the files of {FILE}",
            *("ls-files", "--others", "--ignored", f"--exclude-from={file.name}", "-z"),
            environment={"GIT_WORK_TREE": str(repository.path), "GIT_INDEX_FILE": str(repository.common_dir / "index")},
            cwd=repository.path,
        )
    names = [name for name in output.text.split("\0") if name and not name.endswith("/") and name.split("/")[0] != ".git"]
    return await asyncio.to_thread(_copy_all, repository.path, worktree, names)


def _copy_all(source: Path, target: Path, names: list[str]) -> list[str]:
    copied: list[str] = []
    left = MAX_BYTES
    for name in names:
        try:
            with opened_file(source, name) as reading:
                size = os.fstat(reading).st_size
                if size > left:
                    raise errors.GitFailed(
                        f"copy the files of {FILE}",
                        f"together they are larger than {MAX_BYTES // 2**20} MiB, at {name!r}. Narrow its patterns",
                    )
                _write(reading, os.fstat(reading).st_mode & 0o777, target, name, size)
                left -= size
                copied.append(name)
        except errors.AgorError:
            raise
        except OSError as error:
            if error.errno in _SKIPPED:
                continue
            raise errors.GitFailed(f"copy the files of {FILE}", f"{name}: {error.strerror}") from error
    return copied


def _write(reading: int, mode: int, target: Path, name: str, size: int) -> None:
    *parts, last = name.split("/")
    with opened_folder(target, parts, create=True) as folder:
        writing = os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        left = size
        while left > 0 and (piece := os.read(reading, min(left, 1024 * 1024))):
            view = memoryview(piece)
            while view:
                view = view[os.write(writing, view) :]
            left -= len(piece)
    finally:
        os.close(writing)
