"""What of a worktree is not as a plain checkout would be, kept true: submodules get filled, and emptied, and LFS fetches its files."""

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git import entries
from agor_jupyter.git.inspection import unfilled
from agor_jupyter.git.repository import Repository

_PATIENCE_S = 5.0
_REST = 20
"""Looking takes at most this part of the time."""
_MOST = 500
_MOST_SEEN = 5000

_Mark = tuple[int, ...] | None


@dataclass(kw_only=True)
class _Seen:
    index: _Mark
    places: dict[str, _Mark] = field(default_factory=dict)
    not_before: float = 0.0


class Notices:
    def __init__(self) -> None:
        self._seen: dict[WorktreeId, _Seen] = {}

    async def look(self, worktree: Worktree, repository: Repository) -> list[str]:
        """As they are now. As they are on record, where nothing changed since the last look, or looking takes too long just now."""
        path, seen = Path(worktree.path), self._seen.get(worktree.id)
        index = entries.signature(repository.worktree_dir(path) / "index")
        if seen is not None and (time.monotonic() < seen.not_before or (seen.index == index and seen.places == _marks(path, seen.places))):
            return worktree.notices
        began = time.monotonic()
        told, places = worktree.notices, seen.places if seen is not None else {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await unfilled.find(repository, path)
            told, places = found.notices(), _marks(path, found.places())
        except (TimeoutError, errors.AgorError):
            pass  # what is on record stays, and it is tried again
        ended = time.monotonic()
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[worktree.id] = _Seen(index=index, places=places, not_before=ended + _REST * (ended - began))
        return told


def _marks(folder: Path, paths: "dict[str, _Mark] | list[str]") -> dict[str, _Mark]:
    return {path: _mark(f"{folder}/{path}") for path in list(paths)[:_MOST]}


def _mark(path: str) -> _Mark:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
