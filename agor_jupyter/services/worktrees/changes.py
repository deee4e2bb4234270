"""The shape of what writes fields of a worktree's record."""

from typing import Protocol

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree


class Change(Protocol):
    """Writes fields of a record and tells of it."""

    async def __call__(self, worktree_id: WorktreeId, **changes: object) -> Worktree: ...
