"""Making a worktree, in the background, from its record: registered, filled, set up; or undone without a trace."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import RepoId, WorktreeId
from agor_jupyter.domain.worktrees import Worktree, WorktreeState, WorktreeStatus
from agor_jupyter.executors import commands as executor
from agor_jupyter.git import include, names, partial, snapshots
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services import settings
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import Tasks

FILLING_AT_ONCE = 3
"""Worktrees whose files are written at the same time. More only compete for the disk."""
_GRAIN = timedelta(milliseconds=1)
"""To which a record's times are cut off."""


class Change(Protocol):
    """Writes fields of a record and tells of it."""

    async def __call__(self, worktree_id: WorktreeId, **changes: object) -> Worktree: ...


class Creation:
    """`change` writes what happens into the record; `done` is told of the outcome."""

    def __init__(self, config: Config, clock: Clock, locks: Locks, change: Change, done: Callable[[Worktree], Awaitable[None]]) -> None:
        self._config, self._clock, self._locks = config, clock, locks
        self._change, self._done = change, done
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
                raise errors.AlreadyExists("Branch", branch, "It is being made just now.")
            if made in names.parents(wanted) or wanted in names.parents(made):
                raise errors.BranchInTheWay(branch, other, names.beside(branch))

    async def undo(self, worktree: Worktree, repository: Repository, *, branch_at: str | None, reason: str) -> Worktree:
        """Leave nothing half made. The branch goes only if it still is at `branch_at`; `None` keeps it."""
        async with self._locks.held(worktree.repo_id):
            await asyncio.to_thread(git.forget, repository, Path(worktree.path))
            if branch_at is not None:
                await git.drop_branch(repository, worktree.branch, branch_at)
        state = WorktreeState.ARCHIVED if worktree.backup_ref else WorktreeState.FAILED
        return await self._change(worktree.id, state=state, reason=reason, step=None)

    def _forget(self, worktree: Worktree) -> None:
        self._making.pop(worktree.id, None)
        self._branches.pop(worktree.id, None)

    async def _make(self, worktree: Worktree, repository: Repository, *, is_first: bool) -> None:
        start = worktree.base_sha if worktree.has_own_branch else None
        try:
            self._adding_now += 1
            try:
                async with self._locks.held(worktree.repo_id):
                    if not is_first and await git.refs(repository, f"refs/heads/{worktree.branch}"):
                        start = None
                    await git.add(repository, Path(worktree.path), worktree.branch, start)
            finally:
                self._adding_now -= 1
            crash_point("worktree.added")
            async with self._filling:
                self._filling_now += 1
                try:
                    workers = 2 if self._adding_now == 0 and self._filling_now == 1 else 1  # alone, it may use two cores
                    await git.populate(repository, Path(worktree.path), workers)
                finally:
                    self._filling_now -= 1
            made = await self._fill(worktree, repository)
        except (errors.AgorError, OSError) as error:
            made = await self.undo(worktree, repository, branch_at=start, reason=str(error))
        await self._done(made)

    async def _fill(self, worktree: Worktree, repository: Repository) -> Worktree:
        """Everything after git: local files, what the archive kept, setup. Returns the ready record."""
        path = Path(worktree.path)
        if include.is_wanted(repository):
            await self._change(worktree.id, step=f"copy the files of {include.FILE}")
            await include.copy(repository, path)
        is_fresh = worktree.has_own_branch and worktree.backup_ref is None
        lines = await self._setup_lines(worktree, repository, path, is_fresh=is_fresh)
        if lines:
            await self._setup(worktree, path, lines)
        set_up_at = self._clock.now() + _GRAIN  # what comes back from an archive is somebody's again
        if worktree.backup_ref:
            await snapshots.bring_back(repository, path, worktree.backup_ref)
        status = None
        if is_fresh and not lines and not include.is_wanted(repository):
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

    async def _setup(self, worktree: Worktree, path: Path, lines: Sequence[str]) -> None:
        deadline = self._config.setup_timeout.total_seconds()
        environment = {"AGOR_WORKTREE_PATH": worktree.path, "AGOR_WORKTREE_NAME": worktree.name, "AGOR_BRANCH": worktree.branch}
        for line in lines:
            await self._change(worktree.id, step=f"setup: {line[:200]}")
            crash_point("worktree.setup")
            ended = await executor.run([line], cwd=path, mark=worktree.id, env=environment, timeout_s=deadline)
            if ended is not None:
                why = f"it ended with code {ended.code}" if ended.code is not None else f"it took longer than {deadline:g} s"
                raise errors.GitFailed(f"finish the setup “{line[:200]}”", f"{why}. {ended.tail[-500:]}".strip())
