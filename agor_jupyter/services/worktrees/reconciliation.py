"""At the server's start: make the table of worktrees, git's list and the disk agree again, whatever the last end cut off."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import commands
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.worktrees.changes import Change
from agor_jupyter.services.worktrees.creation import Creation
from agor_jupyter.services.worktrees.repos import Repos

ARCHIVING, REMOVING, RESTORING = "archiving", "removing", "restoring"
"""Steps of a worktree whose folder is about to go or to come. What the disk shows after a crash says how far it came."""
_HALF_MADE = "the server stopped while it was being created"
_CUT_OFF = "the server stopped while its setup ran"


class Reconciliation:
    """`change` writes a record; `recover` ends what was being put away or brought back; `missing` says what happened to one."""

    def __init__(
        self,
        repos: Repos,
        *,
        creation: Creation,
        change: Change,
        recover: Callable[[Worktree, Repository], Awaitable[None]],
        missing: Callable[[Worktree, Repository], Awaitable[Worktree]],
    ) -> None:
        self._repos, self._creation = repos, creation
        self._change, self._recover, self._missing = change, recover, missing

    async def run(self, worktrees: Iterable[Worktree]) -> None:
        for worktree in worktrees:
            try:
                await self._reconcile(worktree)
            except (errors.AgorError, OSError) as error:
                await self._change(worktree.id, state=WorktreeState.MISSING, reason=str(error), step=None)

    async def _reconcile(self, worktree: Worktree) -> None:
        if worktree.step in {ARCHIVING, REMOVING, RESTORING}:
            await self._recover(worktree, self._repos.repository(await self._repos.get(worktree.repo_id)))
            return
        if worktree.state is WorktreeState.FAILED and worktree.failure is None:  # of a version that kept no code, and perhaps no ways
            code = errors.SetupFailed.code if worktree.is_filled else "internal"
            worktree = await self._change(worktree.id, reason=worktree.reason, failure=code)
        if worktree.state is WorktreeState.ARCHIVED or (worktree.state is WorktreeState.FAILED and not worktree.is_filled):
            return
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        path = Path(worktree.path)
        is_present = git.is_present(repository, path)
        if worktree.state is WorktreeState.CREATING:
            await commands.end(worktree.id)
        if worktree.is_filled and worktree.state in {WorktreeState.CREATING, WorktreeState.FAILED}:
            reason, failure = worktree.reason, worktree.failure
            if worktree.state is WorktreeState.CREATING:
                reason, failure = _CUT_OFF, errors.SetupFailed.code
            await self._change(worktree.id, state=WorktreeState.FAILED, step=None, reason=reason, failure=failure, is_filled=is_present)
        elif worktree.state is WorktreeState.CREATING:
            branch_at = worktree.base_sha if worktree.has_own_branch and worktree.backup_ref is None else None
            await self._creation.undo(worktree, repository, branch_at=branch_at, reason=_HALF_MADE, failure="interrupted")
        elif not is_present and worktree.state in {WorktreeState.READY, WorktreeState.MISSING}:
            await self._missing(worktree, repository)
        elif is_present and (worktree.state is WorktreeState.MISSING or worktree.step is not None):
            await self._change(worktree.id, state=WorktreeState.READY, step=None, reason=None)
