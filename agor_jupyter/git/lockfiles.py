"""Lock files that git left in a worktree, and who holds them.

git's lock files do not say whose they are. A process that still has one open holds it; so does a git process at work in that folder.
"""

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.git.repository import Repository

SETTLED_S = 3.0
"""A younger lock belongs to a command that runs just now."""


@dataclass(frozen=True, kw_only=True)
class LockFile:
    path: Path
    age_s: float
    holder: str | None
    """The process that holds it, as “git commit (process 12)”. `None`: nobody does any more."""


def find(repository: Repository, worktree: Path, branch: str | None) -> LockFile | None:
    """The first that keeps git from working there, if it is older than what a command takes."""
    for path in map(Path, _candidates(repository, worktree, branch)):
        try:
            found = path.lstat()
        except OSError:
            continue
        age_s = time.time() - found.st_mtime
        if stat.S_ISREG(found.st_mode) and age_s >= SETTLED_S:
            return LockFile(path=path, age_s=age_s, holder=_holder(path, worktree))
    return None


def any_there(repository: Repository, worktree: Path, branch: str | None) -> bool:
    """Whether one has to be looked at. Cheap: this is asked with each status."""
    return any(os.path.lexists(path) for path in _candidates(repository, worktree, branch))


def _candidates(repository: Repository, worktree: Path, branch: str | None) -> Iterator[str]:
    admin = repository.worktree_dir(worktree)
    yield f"{admin}/index.lock"
    yield f"{admin}/HEAD.lock"
    if branch is not None and not branch.startswith("/") and ".." not in branch.split("/"):
        yield f"{repository.common_dir}/refs/heads/{branch}.lock"
    yield f"{repository.common_dir}/packed-refs.lock"


def _holder(lock: Path, worktree: Path) -> str | None:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            is_git = Path(words[0]).name == "git"
            if (is_git and _is_beneath(_real(entry / "cwd"), worktree)) or any(_real(fd) == str(lock) for fd in (entry / "fd").iterdir()):
                return f"{' '.join(word for word in words if word)[:80]} (process {entry.name})"
    return None


def _real(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _is_beneath(path: str, folder: Path) -> bool:
    return path == str(folder) or path.startswith(f"{folder}/")
