"""The status of worktrees: asked for, never polled; cached, shared by those who ask together, three or so at once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeStatus
from agor_jupyter.git import status
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.tasks import end

AT_ONCE = 8


class Statuses:
    """`read` gives one worktree's status. Two who ask while git runs get the same answer."""

    def __init__(self, clock: Clock, save: Callable[[Worktree, WorktreeStatus], Awaitable[None]]) -> None:
        self._clock, self._save = clock, save
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: dict[WorktreeId, asyncio.Task[WorktreeStatus]] = {}
        self._latest: dict[WorktreeId, tuple[float, WorktreeStatus]] = {}
        self._counted: dict[WorktreeId, status.Counted] = {}

    async def read(self, worktree: Worktree, repository: Repository, path: Path, max_age_s: float) -> WorktreeStatus:
        known = self._latest.get(worktree.id)
        if known is not None and self._clock.monotonic() - known[0] <= max_age_s:
            return known[1]
        task = self._running.get(worktree.id)
        if task is None:
            task = asyncio.create_task(self._read(worktree, repository, path))
            self._running[worktree.id] = task
            task.add_done_callback(lambda _: self._running.pop(worktree.id, None))
        return await asyncio.shield(task)

    def forget(self, worktree_id: WorktreeId) -> None:
        self._latest.pop(worktree_id, None)
        self._counted.pop(worktree_id, None)

    async def close(self) -> None:
        await end(*self._running.values())

    async def _read(self, worktree: Worktree, repository: Repository, path: Path) -> WorktreeStatus:
        async with self._slots:
            counted = self._counted.setdefault(worktree.id, status.Counted())
            at = self._clock.monotonic()
            try:
                found = await status.status(repository, path, worktree.base_sha, worktree.base_ref, self._clock.now(), counted)
            except errors.AgorError:
                self.forget(worktree.id)
                raise
        self._latest[worktree.id] = (at, found)
        if worktree.status is None or found.replace(as_of=worktree.status.as_of) != worktree.status:
            await self._save(worktree, found)
        return found
