"""What must not be moved along with a worktree's folder: something outside of it would no longer find it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agor_jupyter.git.archives.moves import opened

_MOST = 20
_SPECIAL = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def obstacles(worktree: Path, *, is_copied: bool) -> list[str]:
    """In a person's words, at most twenty. `is_copied`: it goes to another file system, so that it has to be readable and plain."""
    found: list[str] = []
    for one in (*_mounts(worktree), *_inside(worktree, is_copied=is_copied)):
        found.append(one)
        if len(found) == _MOST:
            break
    return found


def _mounts(worktree: Path) -> Iterator[str]:
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        place = Path(os.fsdecode(line.split(b" ")[4].decode("unicode_escape").encode("latin-1")))
        if place == worktree or place.is_relative_to(worktree):
            yield f"{_shown(place, worktree)} is a mounted file system. Unmount it first"


def _inside(worktree: Path, *, is_copied: bool) -> Iterator[str]:
    unreadable: list[str] = []
    for folder, folders, files in os.walk(worktree, onerror=lambda error: unreadable.append(str(error.filename))):
        here = Path(folder)
        if ".git" in folders:
            folders.remove(".git")
            yield from _linked_elsewhere(here, worktree)
        elif ".git" in files and here != worktree:
            yield from _linked_from(here, worktree)
        if "node_modules" in folders and not is_copied:
            folders.remove("node_modules")
        if is_copied:
            for name in files:
                kind = _SPECIAL.get(stat.S_IFMT((here / name).lstat().st_mode))
                if kind is not None:
                    yield f"{_shown(here / name, worktree)} is {kind}, which cannot be copied. Remove it first"
    if is_copied:
        for one in unreadable:
            yield f"{_shown(Path(one), worktree)} cannot be read. Make it readable first"


def _linked_elsewhere(repository: Path, worktree: Path) -> Iterator[str]:
    """Worktrees outside of `worktree` whose repository lies inside it."""
    try:
        kept = [*(repository / ".git" / "worktrees").iterdir()]
    except OSError:
        return
    for one in kept:
        place = Path(_line(one / "gitdir")).parent
        if place.is_absolute() and place.is_dir() and not place.is_relative_to(worktree):
            yield (
                f"the repository in {_shown(repository, worktree)} has a worktree at {place}, which would lose it. "
                f"Remove that one first: git -C {repository} worktree remove {place}"
            )


def _linked_from(folder: Path, worktree: Path) -> Iterator[str]:
    """`folder` is a worktree of a repository that lies outside of `worktree`."""
    line = _line(folder / ".git")
    if not line.startswith("gitdir: "):
        return
    kept = Path(os.path.normpath(folder / line.removeprefix("gitdir: ")))
    if (kept / "commondir").is_file() and not kept.is_relative_to(worktree):
        owner = kept.parent.parent
        yield (
            f"{_shown(folder, worktree)} is a worktree of {owner.parent if owner.name == '.git' else owner}, which would take it for gone. "
            f"Move it out first: git -C {owner} worktree move {folder} <where>"
        )


def _line(path: Path) -> str:
    try:
        with opened(path) as file:
            return file.read(4096).decode("utf-8", "surrogateescape").split("\n")[0].replace("\0", "")
    except OSError:
        return ""


def _shown(path: Path, worktree: Path) -> str:
    return repr(os.fsencode(path.relative_to(worktree)).decode("utf-8", "replace")) if path != worktree else "its folder"
