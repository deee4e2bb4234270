"""Counts what changed against the commit that is checked out without a process, where that is sure to give git's own figures."""

import asyncio
import os
from pathlib import Path

from agor_jupyter.git import lines
from agor_jupyter.git.blobs import MAX_BYTES
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.repository import Repository

_MAX_FILES = 50
_FILES = {"100644", "100755"}
_NOTHING = "000000"
_ATTRIBUTES = ".gitattributes"

Entries = dict[str, tuple[str, str, str]]


async def tracked(repository: Repository, worktree: Path, paths: list[str], entries: Entries) -> tuple[int, int, int] | None:
    """Files, and lines added and deleted. `None`: there are many, odd or converted ones; then git has to count.

    Args:
        repository: whose objects hold what was.
        worktree: where the files are.
        paths: the tracked files that changed.
        entries: by path the mode at HEAD, the one in the folder, and the name of the object at HEAD.

    """
    if len(paths) > _MAX_FILES or len(entries) != len(paths) or _is_converting(repository, worktree, paths):
        return None
    if any(mode not in {*_FILES, _NOTHING} for before, after, _ in entries.values() for mode in (before, after)):
        return None
    names = {name for before, _, name in entries.values() if before != _NOTHING}
    olds = await repository.blobs.read(names) if names else {}
    return await asyncio.to_thread(_count, worktree, entries, olds)


def _count(worktree: Path, entries: Entries, olds: dict[str, bytes | None]) -> tuple[int, int, int] | None:
    files = added = deleted = 0
    for path, (before, after, name) in entries.items():
        old = b"" if before == _NOTHING else olds[name]
        new = b"" if after == _NOTHING else read_beneath(worktree, path, MAX_BYTES)
        if old is None or new is None:
            return None
        if (before, old) == (after, new):
            continue
        counted = lines.differing(old, new)
        if counted is None:
            return None
        files, added, deleted = files + 1, added + counted[0], deleted + counted[1]
    return files, added, deleted


def _is_converting(repository: Repository, worktree: Path, paths: list[str]) -> bool:
    """Whether a setting or an attribute may make git compare something else than the bytes of the files."""
    if repository.converts or os.path.lexists(repository.common_dir / "info" / "attributes"):
        return True
    folders = {""}
    for path in paths:
        if path.endswith(_ATTRIBUTES):
            return True
        while path := path.rpartition("/")[0]:
            folders.add(f"{path}/")
    return any(os.path.lexists(f"{worktree}/{folder}{_ATTRIBUTES}") for folder in folders)
