"""What a worktree holds before a turn, inside its sandbox as outside. A prompt waits for it, so it begins as soon as it can."""

import asyncio
from dataclasses import dataclass

from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end

_FRESH_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a turn starts from."""

    checkpoint: Checkpoint
    notices: list[Notice]


class PendingCheckpoint:
    """Begins when it is made. Whoever made it discards it, also after it was taken."""

    def __init__(self, context: RunContext, worktree_id: WorktreeId, *, is_sandboxed: bool) -> None:
        self._context, self._worktree_id, self._is_sandboxed = context, worktree_id, is_sandboxed
        self._is_taken = False
        self._began = context.clock.monotonic()
        self._task = asyncio.create_task(self._read(), name=f"checkpoint {worktree_id}")

    @property
    def is_fresh(self) -> bool:
        """What was read longer ago is read again."""
        return self._context.clock.monotonic() - self._began < _FRESH_S

    async def take(self) -> Baseline:
        """Wait for it; from then on it belongs to the caller. Raises `AgorError`, as git does. Cancelling it ends the reading."""
        baseline = await self._task
        self._is_taken = True
        return baseline

    async def discard(self) -> None:
        """End it, and drop what nobody took."""
        await end(self._task)
        if not self._is_taken and not self._task.cancelled() and self._task.exception() is None:
            await self._context.worktrees.checkpoints.drop(self._task.result().checkpoint)

    async def _read(self) -> Baseline:
        """The two are apart: neither waits for the other."""
        refreshing = asyncio.create_task(self._refresh())
        try:
            checkpoint = await self._context.worktrees.checkpoint(self._worktree_id)
            try:
                return Baseline(checkpoint=checkpoint, notices=await refreshing)
            except BaseException:
                await self._context.worktrees.checkpoints.drop(checkpoint)
                raise
        finally:
            await end(refreshing)

    async def _refresh(self) -> list[Notice]:
        """What people did in the worktree since the last turn is there in the sandbox too."""
        return await self._context.sandboxes.refresh(self._worktree_id) if self._is_sandboxed else []
