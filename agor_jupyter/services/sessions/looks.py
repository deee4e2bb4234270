"""What a worktree holds before a turn, inside its sandbox as outside. A prompt waits for it, so it begins as soon as it can."""

import asyncio
from dataclasses import dataclass

from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.sessions.desk import Desk
from agor_jupyter.services.tasks import end

_FRESH_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Before:
    checkpoint: Checkpoint
    notices: list[Notice]


class Look:
    """Begins when it is made. Whoever made it ends it."""

    def __init__(self, desk: Desk, worktree_id: WorktreeId, *, is_sandboxed: bool) -> None:
        self._desk, self._worktree_id, self._is_sandboxed = desk, worktree_id, is_sandboxed
        self._is_taken = False
        self._began = desk.clock.monotonic()
        self._task = asyncio.create_task(self._take(), name=f"look {worktree_id}")

    @property
    def is_fresh(self) -> bool:
        """What was seen longer ago is looked at again."""
        return self._desk.clock.monotonic() - self._began < _FRESH_S

    async def seen(self) -> Before:
        """Raises `AgorError`, as git does. Cancelling it ends the look."""
        before = await self._task
        self._is_taken = True
        return before

    async def end(self) -> None:
        await end(self._task)
        if not self._is_taken and not self._task.cancelled() and self._task.exception() is None:
            await self._desk.worktrees.checkpoints.drop(self._task.result().checkpoint)

    async def _take(self) -> Before:
        """The two are apart: neither waits for the other."""
        refreshing = asyncio.create_task(self._refresh())
        try:
            checkpoint = await self._desk.worktrees.checkpoint(self._worktree_id)
            try:
                return Before(checkpoint=checkpoint, notices=await refreshing)
            except BaseException:
                await self._desk.worktrees.checkpoints.drop(checkpoint)
                raise
        finally:
            await end(refreshing)

    async def _refresh(self) -> list[Notice]:
        """What people did in the worktree since the last turn is there in the sandbox too."""
        return await self._desk.sandboxes.refresh(self._worktree_id) if self._is_sandboxed else []
