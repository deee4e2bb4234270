"""Putting worktrees away, and bringing them back: archive, restore, remove."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Removed
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.work import Work, lost
from agor_jupyter.domain.worktrees import Removal, Worktree, WorktreeState
from agor_jupyter.git import snapshots
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.creation import Creation
from agor_jupyter.services.reconciliation import ARCHIVING, REMOVING
from agor_jupyter.services.register import Register
from agor_jupyter.services.repos import Repos
from agor_jupyter.services.statuses import Statuses
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

_LIVE = "the work of a session that is busy there or has prompts waiting"


class Archives:
    """`survey` says what a person would call work in a worktree, `mark` tells its board, `get` finds one by name or id."""

    is_live: Callable[[WorktreeId], Awaitable[bool]] | None = None
    """Whether an agent works there, or a prompt waits to."""
    on_gone: Callable[[WorktreeId], Awaitable[None]] | None = None
    """Its folder was removed, in order."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        repos: Repos,
        *,
        register: Register,
        locks: Locks,
        busy: MutableMapping[WorktreeId, asyncio.Lock],
        creation: Creation,
        statuses: Statuses,
        get: Callable[[str], Awaitable[Worktree]],
        survey: Callable[[Repository, Worktree], Awaitable[list[Work]]],
        mark: Callable[[Worktree], Awaitable[None]],
    ) -> None:
        self._store, self._clock, self._repos, self._register = store, clock, repos, register
        self._locks, self._busy, self._creation, self._statuses = locks, busy, creation, statuses
        self._get, self._survey, self._mark = get, survey, mark

    async def archive(self, caller: Caller, name: str, key: str) -> Worktree:
        """Remove the folder after a backup. The branch stays, and `restore` brings uncommitted files back.

        Errors:
            WouldLoseWork: an agent works there.
        """
        caller.require(Role.STEERER, "archive a worktree")
        known = await self._register.answered(key, caller, "worktrees.archive", {"name": name}, Worktree)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            changes: dict[str, object] = {}
            if worktree.state is not WorktreeState.ARCHIVED:
                if await self._has_agent(worktree):
                    raise errors.WouldLoseWork(worktree.name, [_LIVE], action="archived", is_live=True)
                repository = self._settled(worktree, await self._repos.get(worktree.repo_id))
                ref = worktree.backup_ref
                if worktree.state is WorktreeState.READY:
                    await self._statuses.read(worktree, repository, Path(worktree.path), 0)  # stays to be seen on the card
                    ref, _ = await snapshots.backup(repository, Path(worktree.path), worktree.id)
                    await self._register.change(worktree.id, step=ARCHIVING, backup_ref=ref)
                    await self._remove_folder(repository, worktree)
                changes = {
                    "state": WorktreeState.ARCHIVED,
                    "step": None,
                    "reason": None,
                    "backup_ref": ref,
                    "archived_at": self._clock.now(),
                }
            archived = await self._register.finish(caller, worktree, changes, "worktrees.archive", {"name": name}, key)
        await self._mark(archived)
        return archived

    async def remove(self, caller: Caller, name: str, key: str, *, force: bool = False) -> Removal:
        """Remove the worktree and its record. Its branch stays unless it was made with it and holds nothing of its own.

        Errors:
            WouldLoseWork: uncommitted or unpushed work, or an agent works there. `force` keeps a backup ref and goes on, except
                over a live agent.
        """
        caller.require(Role.OWNER, "remove a worktree")
        request = {"name": name, "force": force}
        known = await self._register.answered(key, caller, "worktrees.remove", request, Removal)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            is_live = await self._has_agent(worktree)
            repository = self._settled(worktree, await self._repos.get(worktree.repo_id))
            ref = worktree.backup_ref
            losses: list[str] = []
            if worktree.state is WorktreeState.READY:
                await self._statuses.read(worktree, repository, Path(worktree.path), 0)  # so that the record names the branch that is there
                worktree = await self._get(worktree.id)
                losses = [one.text for one in lost(await self._survey(repository, worktree))]
            if is_live:
                raise errors.WouldLoseWork(worktree.name, [_LIVE, *losses], is_live=True)
            if worktree.state is WorktreeState.READY:
                if losses and not force:
                    raise errors.WouldLoseWork(worktree.name, losses)
                if losses:
                    ref, _ = await snapshots.backup(repository, Path(worktree.path), worktree.id)
                await self._register.change(worktree.id, step=REMOVING, backup_ref=ref)
                await self._remove_folder(repository, worktree, is_clean=not losses)
            elif worktree.state is WorktreeState.MISSING:
                await self.drop_entry(repository, Path(worktree.path))
            if worktree.has_own_branch and worktree.state is not WorktreeState.FAILED:
                await git.drop_branch(repository, worktree.branch, worktree.base_sha)
            now = self._clock.now()
            removal = Removal(worktree_id=worktree.id, backup_ref=ref)

            def delete(transaction: Transaction) -> Removal:
                kept.delete(transaction.connection, worktree.id)
                transaction.append(now, Removed(noun="worktree", id=worktree.id))
                return removal

            outcome = await self._store.write(once, key, caller, "worktrees.remove", request, now, delete, Removal)
        self._statuses.forget(worktree.id)
        await self._mark(worktree)
        return outcome.record

    async def restore(self, caller: Caller, name: str, key: str) -> Worktree:
        """Bring an archived worktree back, with the uncommitted files that it had."""
        caller.require(Role.STEERER, "restore a worktree")
        known = await self._register.answered(key, caller, "worktrees.restore", {"name": name}, Worktree)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            if worktree.state is not WorktreeState.ARCHIVED:
                raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "only an archived one can be restored")
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            await git.check_free(repository, worktree.branch)
            return await self.begin(caller, worktree, repository, "worktrees.restore", {"name": name}, key)

    async def begin(  # noqa: PLR0917 the parts of one command
        self, caller: Caller, worktree: Worktree, repository: Repository, action: str, request: object, key: str
    ) -> Worktree:
        """Make it again: back to creating, once for this key."""
        changes: dict[str, object] = {"state": WorktreeState.CREATING, "step": "git worktree add"}
        begun = await self._register.finish(caller, worktree, changes, action, request, key)
        self._creation.start(begun, repository, is_first=False)
        return begun

    def _settled(self, worktree: Worktree, repo: Repo) -> Repository:
        if worktree.state is WorktreeState.CREATING:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "wait until it is made")
        return self._repos.repository(repo)

    async def _has_agent(self, worktree: Worktree) -> bool:
        return self.is_live is not None and await self.is_live(worktree.id)

    async def _remove_folder(self, repository: Repository, worktree: Worktree, *, is_clean: bool = False) -> None:
        """Git itself would refuse a worktree with submodules, whatever is in them. What was found clean is looked at once more."""
        try:
            async with self._locks.held(worktree.repo_id):
                if is_clean and (losses := [one.text for one in lost(await self._survey(repository, worktree))]):
                    raise errors.WouldLoseWork(worktree.name, losses)
                await git.remove(repository, Path(worktree.path), force=True)
        except errors.AgorError:
            await self._register.change(worktree.id, step=None)
            raise
        self._statuses.forget(worktree.id)
        if self.on_gone is not None:
            await self.on_gone(worktree.id)

    async def drop_entry(self, repository: Repository, path: Path) -> None:
        """Let git forget a worktree whose folder is gone."""
        if not path.exists() and repository.worktree_dir(path).is_dir():
            async with self._locks.held(repository.view.name):
                await git.remove(repository, path, force=False)
