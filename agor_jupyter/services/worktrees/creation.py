"""Making a worktree, in the background, from its record: registered, filled, set up; or undone without a trace."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import RepoId, WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeState, WorktreeStatus
from agor_jupyter.git import carrying, include, names, partial, upstream
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import snapshots, unfilled
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.worktrees import settings
from agor_jupyter.services.worktrees.changes import Change
from agor_jupyter.services.worktrees.setups import Setups

FILLING_AT_ONCE = 3
"""Worktrees whose files are written at the same time. More only compete for the disk."""
_GRAIN = timedelta(milliseconds=1)
"""To which a record's times are cut off."""


class Creation:
    """`change` writes what happens into the record; `done` is told of the outcome."""

    def __init__(self, config: Config, clock: Clock, locks: Locks, change: Change, done: Callable[[Worktree], Awaitable[None]]) -> None:
        self._config, self._clock, self._locks = config, clock, locks
        self._change, self._done = change, done
        self._setups = Setups(config, change)
        self._filling = asyncio.Semaphore(FILLING_AT_ONCE)
        self._adding_now = self._filling_now = 0
        self._making: dict[WorktreeId, asyncio.Task[None]] = {}
        self._branches: dict[WorktreeId, tuple[RepoId, str]] = {}
        self._tasks = Tasks()

    async def close(self) -> None:
        await self._tasks.close()

    def start(self, worktree: Worktree, repository: Repository, *, is_first: bool) -> None:
        """Make it. When it was made before, its branch may be there already."""
        task = self._tasks.start(self._make(worktree, repository, is_first=is_first), f"make worktree {worktree.name}")
        self._making[worktree.id] = task
        self._branches[worktree.id] = (worktree.repo_id, worktree.branch)
        task.add_done_callback(lambda _: self._forget(worktree))

    async def wait(self, worktree_id: WorktreeId) -> None:
        """Until it is no longer being made."""
        task = self._making.get(worktree_id)
        if task is not None:
            await asyncio.wait([task])

    def check_room(self, repo_id: RepoId, repository: Repository, branch: str) -> None:
        """Beside the branches that are being made just now.

        Errors:
            AlreadyExists, BranchInTheWay.
        """
        wanted = repository.fold(branch)
        for other in [name for known, name in self._branches.values() if known == repo_id]:
            made = repository.fold(other)
            if made == wanted:
                raise errors.AlreadyExists("Branch", branch, "It is still being created.")
            if made in names.parents(wanted) or wanted in names.parents(made):
                raise errors.BranchInTheWay(branch, other, names.beside(branch))

    async def stop_setup(self, worktree: Worktree, who: str) -> None:
        """End its setup now, and wait until that is written down.

        Errors:
            Conflict: none runs.
        """
        if not self._setups.is_running(worktree.id):
            raise errors.Conflict(f"No setup of worktree {worktree.name!r} runs. There is nothing to stop.", subject=worktree.name)
        await self._setups.stop(worktree.id, who)
        await self.wait(worktree.id)

    async def use(self, worktree: Worktree, repository: Repository) -> Worktree:
        """Take it as it is, although its setup is not through."""
        return await self._end(worktree, repository, None, is_untouched=False)

    async def undo(
        self, worktree: Worktree, repository: Repository, *, branch_at: str | None, reason: str, failure: str | None = None
    ) -> Worktree:
        """Leave nothing half made. The branch goes only if it still is at `branch_at`; `None` keeps it."""
        async with self._locks.held(worktree.repo_id):
            await asyncio.to_thread(git.forget, repository, Path(worktree.path))
            if branch_at is not None:
                await git.drop_branch(repository, worktree.branch, branch_at)
        state = WorktreeState.ARCHIVED if worktree.backup_ref else WorktreeState.FAILED
        return await self._change(worktree.id, state=state, reason=reason, failure=failure, step=None)

    def _forget(self, worktree: Worktree) -> None:
        self._making.pop(worktree.id, None)
        self._branches.pop(worktree.id, None)

    async def _make(self, worktree: Worktree, repository: Repository, *, is_first: bool) -> None:
        start = worktree.base_sha if worktree.has_own_branch else None
        made_at, is_filled = start, worktree.is_filled
        try:
            if not (worktree.is_filled and git.is_present(repository, Path(worktree.path))):
                if not is_first and await git.refs(repository, f"refs/heads/{worktree.branch}"):
                    start = made_at = None
                elif start is None:
                    made_at = await self._track(worktree, repository)
                await self._check_out(worktree, repository, start)
            is_fresh = worktree.has_own_branch and worktree.backup_ref is None and not worktree.is_filled
            lines = await self._fill(worktree, repository, is_fresh=is_fresh)
            if lines:
                is_filled = True
                await self._setups.run(worktree, lines)
            made = await self._end_filling(worktree, repository, is_untouched=is_fresh and not lines)
        except errors.SetupFailed as error:
            made = await self._change(worktree.id, state=WorktreeState.FAILED, step=None, reason=error.message, failure=error.code)
        except (errors.AgorError, OSError) as error:
            code = error.code if isinstance(error, errors.AgorError) else "internal"
            if is_filled:  # the setup may have taken an hour, and somebody may have worked there since
                made = await self._change(worktree.id, state=WorktreeState.FAILED, step=None, reason=str(error), failure=code)
            else:
                made = await self.undo(worktree, repository, branch_at=made_at, reason=str(error), failure=code)
                if made_at is not None and start is None:
                    await upstream.untrack(repository, worktree.branch)
        await self._done(made)

    async def _track(self, worktree: Worktree, repository: Repository) -> str | None:
        """Make its branch from the one that a remote has, where there is none here. The commit that it is at then."""
        if await git.refs(repository, f"refs/heads/{worktree.branch}"):
            return None
        found = await upstream.find(repository, worktree.branch)
        if found is None:
            return None
        async with self._locks.held(worktree.repo_id):
            await upstream.track(repository, worktree.branch, found)
        return found.sha

    async def _check_out(self, worktree: Worktree, repository: Repository, start: str | None) -> None:
        path = Path(worktree.path)
        self._adding_now += 1
        try:
            async with self._locks.held(worktree.repo_id):
                await git.add(repository, path, worktree.branch, start)
        finally:
            self._adding_now -= 1
        crash_point("worktree.added")
        entry = repository.entries.get(worktree.path)
        if entry != worktree.entry:
            await self._change(worktree.id, entry=entry)
        async with self._filling:
            self._filling_now += 1
            try:
                workers = 2 if self._adding_now == 0 and self._filling_now == 1 else 1  # alone, it may use two cores
                await git.populate(repository, path, workers)
            finally:
                self._filling_now -= 1

    async def _fill(self, worktree: Worktree, repository: Repository, *, is_fresh: bool) -> Sequence[str]:
        """Copy local files into it. Returns the lines of its setup."""
        path = Path(worktree.path)
        if include.is_wanted(repository):
            await self._change(worktree.id, step=f"copy the files of {include.FILE}")
            await include.copy(repository, path)
        return await self._setup_lines(worktree, repository, path, is_fresh=is_fresh)

    async def _end_filling(self, worktree: Worktree, repository: Repository, *, is_untouched: bool) -> Worktree:
        # what comes back from an archive is somebody's again, and so may be what lies there before a second try
        set_up_at = None if worktree.is_filled else self._clock.now() + _GRAIN
        is_untouched = is_untouched and not include.is_wanted(repository)
        return await self._end(worktree, repository, set_up_at, is_untouched=is_untouched)

    async def _end(self, worktree: Worktree, repository: Repository, set_up_at: datetime | None, *, is_untouched: bool) -> Worktree:
        """What the archive kept, what is left to say, and the record."""
        path = Path(worktree.path)
        found = await unfilled.find(repository, path)
        if found.filtered and not is_untouched:
            await self._setups.settle(worktree)
        if worktree.backup_ref:
            await snapshots.bring_back(repository, path, worktree.backup_ref)
        if worktree.carried:
            await snapshots.bring_back(repository, path, worktree.carried)
            await carrying.let_go(repository, worktree.id)
        status = None
        if is_untouched and not worktree.carried:
            status = WorktreeStatus(
                branch=worktree.branch,
                head=worktree.base_sha,
                ahead=0,
                behind=0,
                dirty=False,
                files=0,
                added=0,
                deleted=0,
                as_of=self._clock.now(),
            )
        return await self._change(
            worktree.id,
            state=WorktreeState.READY,
            step=None,
            reason=None,
            archived_at=None,
            backup_ref=None,
            carried=None,
            is_filled=False,
            notices=found.notices(),
            status=status,
            set_up_at=set_up_at,
        )

    async def _setup_lines(self, worktree: Worktree, repository: Repository, path: Path, *, is_fresh: bool) -> Sequence[str]:
        """From the recorded base commit only. A fresh worktree holds exactly that, which saves a process."""
        if is_fresh:
            content = b"" if not os.path.lexists(path / settings.FILE) else read_beneath(path, settings.FILE, settings.MAX_BYTES)
            if content is None:
                raise errors.BadSettings(settings.FILE, f"it must be a regular file of at most {settings.MAX_BYTES // 1024} KiB")
            return settings.parse(content).setup_lines
        await partial.complete_file(repository, worktree.base_sha, settings.FILE)
        output = await repository.git(
            f"read {settings.FILE}",
            *("cat-file", "blob", f"{worktree.base_sha}:{settings.FILE}"),
            ok=(0, 128),
            cap=settings.MAX_BYTES + 1,
        )
        return settings.parse(output.out if output.code == 0 or output.is_cut else b"").setup_lines
