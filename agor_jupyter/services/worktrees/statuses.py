"""The status of worktrees: asked for, never polled; cached, shared by those who ask together, three or so at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.work import WorkKind
from agor_jupyter.domain.worktrees import Worktree, WorktreeStatus
from agor_jupyter.git.inspection import status, work
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.keepers import Keepers
from agor_jupyter.services.worktrees.losses import CacheLists, base_of, in_sandbox, status_inside
from agor_jupyter.services.worktrees.tenants import Tenants

log = logging.getLogger(__name__)

AT_ONCE = 8
_TOGETHER_S = 0.05
"""What is read within this time is stored together, after those who asked have their answers."""
_AT_LAST_S = 1.0
"""So long it waits at most for the answers of others, unless somebody waits for the records."""
_NOT_DIRTY = {WorkKind.COMMITS, WorkKind.STASH, WorkKind.DETACHED, WorkKind.IGNORED, WorkKind.OWN, WorkKind.FILTERED}


@dataclass(kw_only=True)
class _Seen:
    counted: status.Counted = field(default_factory=status.Counted)
    found: work.Seen = field(default_factory=work.Seen)


class Statuses:
    """`read` gives one worktree's status. Two who ask while git runs get the same answer."""

    def __init__(
        self,
        clock: Clock,
        lists: CacheLists,
        keepers: Keepers,
        tenants: Tenants,
        save: Callable[[Worktree, WorktreeStatus], Awaitable[None]],
    ) -> None:
        self._clock, self._lists, self._keepers, self._tenants, self._save = clock, lists, keepers, tenants, save
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: dict[WorktreeId, asyncio.Task[WorktreeStatus]] = {}
        self._latest: dict[WorktreeId, tuple[float, WorktreeStatus]] = {}
        self._seen: dict[WorktreeId, _Seen] = {}
        self._unsaved: dict[WorktreeId, tuple[Worktree, WorktreeStatus]] = {}
        self._saving: asyncio.Task[None] | None = None
        self._hurries = 0

    async def read(
        self, worktree: Worktree, repository: Repository, path: Path, max_age_s: float, *, is_stored: bool = True
    ) -> WorktreeStatus:
        """With `is_stored` the worktree's record holds it by then; otherwise a moment later."""
        found = await self._share(worktree, repository, path, max_age_s)
        if is_stored:
            await self._saved()
        return found

    async def _share(self, worktree: Worktree, repository: Repository, path: Path, max_age_s: float) -> WorktreeStatus:
        known = self._latest.get(worktree.id)
        if known is not None and self._clock.monotonic() - known[0] <= max_age_s:
            return known[1]
        task = self._running.get(worktree.id)
        if task is None:
            task = asyncio.create_task(self._read(worktree, repository, path))
            self._running[worktree.id] = task
            task.add_done_callback(lambda _: self._running.pop(worktree.id, None))
        return await asyncio.shield(task)

    def outdate(self, worktree_id: WorktreeId) -> None:
        """The next who asks gets a new look."""
        self._latest.pop(worktree_id, None)

    def forget(self, worktree_id: WorktreeId) -> None:
        self._latest.pop(worktree_id, None)
        self._seen.pop(worktree_id, None)

    async def close(self) -> None:
        await end(*self._running.values())
        if self._saving is not None:
            await asyncio.wait([self._saving])

    async def _read(self, worktree: Worktree, repository: Repository, path: Path) -> WorktreeStatus:
        async with self._slots:
            seen = self._seen.setdefault(worktree.id, _Seen())
            at = self._clock.monotonic()
            try:
                found = await self._look(worktree, repository, path, seen)
            except errors.AgorError:
                self.forget(worktree.id)
                raise
        self._latest[worktree.id] = (at, found)
        if worktree.status is None or found.replace(as_of=worktree.status.as_of) != worktree.status or found.branch != worktree.branch:
            self._unsaved[worktree.id] = worktree, found
            if self._saving is None:
                self._saving = asyncio.create_task(self._save_all(), name="statuses")
                self._saving.add_done_callback(lambda task: task.cancelled() or task.exception())  # whoever waits gets it; nobody has to
        return found

    async def _saved(self) -> None:
        """Wait until the records hold all that was read. Raises what kept one from being stored."""
        self._hurries += 1
        try:
            while self._saving is not None:
                await asyncio.shield(self._saving)
        finally:
            self._hurries -= 1

    async def _save_all(self) -> None:
        try:
            while self._unsaved:
                for _ in range(round(_AT_LAST_S / _TOGETHER_S)):
                    await asyncio.sleep(_TOGETHER_S)
                    if self._hurries or not self._running:
                        break
                unsaved, self._unsaved = self._unsaved, {}
                outcomes = await asyncio.gather(*(self._save(*one) for one in unsaved.values()), return_exceptions=True)
                if failed := [outcome for outcome in outcomes if isinstance(outcome, BaseException)]:
                    log.warning("%d of %d statuses could not be stored: %s", len(failed), len(outcomes), failed[0])
                    raise failed[0]
        finally:
            self._saving = None

    async def _look(self, worktree: Worktree, repository: Repository, path: Path, seen: _Seen) -> WorktreeStatus:
        now = self._clock.now()
        changes = await status.changes(repository, path)
        own = await self._keepers.of(worktree, changes.untracked, changes.ignored)
        changes.tell_apart(own)
        caches = await self._lists.of(repository, worktree.base_sha) if changes.ignored else None
        base = base_of(worktree)
        found = await status.status(repository, path, worktree.base_sha, worktree.base_ref, now, changes, seen.counted)
        works = await work.survey(repository, path, base, caches, changes, seen.found, own=own, is_whole=False)
        inside = await self._tenants.under_way(worktree.id, repository.worktree_dir(path).name)
        if inside is not None:
            works.append(in_sandbox(inside))
            found = found.replace(inside=status_inside(inside))
        operation = next((name for one in works if one.kind is WorkKind.OPERATION for name in one.names), None)
        is_dirty = found.dirty or any(one.kind not in _NOT_DIRTY for one in works)
        return found.replace(work=works, operation=operation, dirty=is_dirty) if works else found
