"""Notebooks' files beneath a worktree: found without following a link, replaced in one step, and only if nobody changed them since."""

import os
import secrets
import stat
from pathlib import Path

from agor_jupyter.documents import paths
from agor_jupyter.documents.notebooks import MAX_BYTES
from agor_jupyter.domain import errors
from agor_jupyter.git.files import opened_folder, read_beneath

SUFFIX = ".ipynb"
_MOST_FOLDERS, _MOST = 5000, 500
_NOT_OURS = frozenset({"node_modules", "__pycache__", "site-packages"})


def check(path: str) -> str:
    """`path` as it is below the worktree. Raises `BadPath`."""
    return paths.check(path, "notebook", SUFFIX, of="its worktree", beneath="below the worktree", hidden="for these tools")


def read(root: Path, path: str) -> bytes:
    """Errors:
    NotebookNotFound: there is no such file, it is a link or lies behind one, or it has more than 64 MiB.
    """
    content = read_beneath(root, check(path), MAX_BYTES)
    if content is None:
        raise errors.NotebookNotFound(path, [one for one, _ in find(root)])
    return content


def replace(root: Path, path: str, content: bytes, *, expected: bytes) -> bool:
    """Put `content` in place of `expected`. `False`: the file is no longer that, and was left alone."""
    *parts, name = check(path).split("/")
    temporary = f".{name[:200]}.{secrets.token_hex(4)}"
    try:
        with opened_folder(root, parts) as folder:
            mode = stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(temporary, flags, mode, dir_fd=folder), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                if read_beneath(root, path, MAX_BYTES) != expected:
                    return False
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                _forget(temporary, folder)
    except OSError as error:
        raise errors.BadPath(path, f"it cannot be written there ({error.strerror or error})") from error
    return True


def find(root: Path) -> list[tuple[str, int]]:
    """Path and size of each below `root`, sorted; at most 500, and not where programs keep what is not the repository's."""
    found: list[tuple[str, int]] = []
    for seen, (folder, folders, names) in enumerate(os.walk(root, followlinks=False)):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _NOT_OURS)
        for name in sorted(names):
            path = os.path.relpath(Path(folder) / name, root)
            try:
                check(path)
                status = os.lstat(Path(folder) / name)
            except (errors.BadPath, OSError):
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((path, status.st_size))
        if seen >= _MOST_FOLDERS or len(found) >= _MOST:
            break
    return sorted(found[:_MOST])


def _forget(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass  # it has become the file
