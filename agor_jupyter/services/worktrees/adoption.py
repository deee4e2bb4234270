"""Worktrees that other tools or `git worktree add` made: listed, taken in where they lie, and let go again."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Removed, WorktreeChanged
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.worktrees import Adoptable, Worktree, WorktreeAdopt, WorktreeState
from agor_jupyter.git import links, names
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.tenants import Tenants
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

Adoptables = list[Adoptable]


class Adoption:
    """`get` finds a worktree by name or id, `place` lays one on its board, `mark` tells the board of a change."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        repos: Repos,
        *,
        own_folder: Path,
        busy: MutableMapping[WorktreeId, asyncio.Lock],
        statuses: Statuses,
        get: Callable[[str], Awaitable[Worktree]],
        place: Callable[[Worktree, float | None, float | None], Awaitable[None]],
        mark: Callable[[Worktree], Awaitable[None]],
        tenants: Tenants,
    ) -> None:
        self._store, self._clock, self._repos, self._own_folder = store, clock, repos, own_folder
        self._busy, self._statuses, self._get, self._place, self._mark = busy, statuses, get, place, mark
        self._tenants = tenants

    async def adoptable(self, repo: str) -> Adoptables:
        """Those of git's own list that are none of ours, with the reason why one cannot be adopted."""
        found = await self._repos.get(repo)
        repository = self._repos.repository(found)
        ours = {os.path.realpath(one.path) for one in await self._store.read(kept.page, repo_id=found.id)}
        answer = []
        for entry in (await git.entries(repository))[1:]:
            if os.path.realpath(entry.path) not in ours:
                reason = None
                try:
                    self._check(repository, entry.path)
                except (errors.Invalid, errors.Conflict) as error:
                    reason = error.message
                answer.append(Adoptable(path=names.shown(entry.path), branch=entry.branch, head=entry.head, reason=reason))
        return answer

    async def adopt(self, caller: Caller, request: WorktreeAdopt, key: str) -> Worktree:
        """Take one in. It is ready at once; its folder, branch and lock stay as they are.

        Errors:
            BadPath: it lies outside the allowed folders, or is no folder.
            Conflict: it is no worktree of this repository.
            AlreadyExists: it is one of ours, or its name is taken.
        """
        caller.require(Role.OWNER, "adopt a worktree")
        repo = await self._repos.get(request.repo)
        repository = self._repos.repository(repo)
        path, entry = self._check(repository, request.path)
        name = names.check_title(request.name if request.name is not None else path.name)
        self._repos.name_entry(repo.id, str(path), entry if entry != path.name else None)
        worktree = await self._record(caller, repo, repository, request.replace(name=name), path, entry)

        def insert(transaction: Transaction) -> Worktree:
            same = [one for one in kept.page(transaction.connection, repo_id=repo.id) if os.path.realpath(one.path) == str(path)]
            if same:
                raise errors.AlreadyExists("Worktree", same[0].name, f"{path} is its folder.")
            if kept.is_taken(transaction.connection, repo.id, name):
                raise errors.AlreadyExists("Worktree", name, "Give it another name here; its folder and branch keep theirs.")
            kept.insert(transaction.connection, worktree)
            transaction.append(worktree.created_at, WorktreeChanged(worktree=worktree))
            return worktree

        now = self._clock.now()
        outcome = await self._store.write(once, key, caller, "worktrees.adopt", request, now, insert, Worktree)
        if outcome.is_new:
            await self._place(outcome.record, request.x, request.y)
        return outcome.record

    async def release(self, caller: Caller, name: str, key: str) -> Worktree:
        """Forget one and leave its folder, branch and files as they are. `git worktree list` still has it.

        Errors:
            WouldLoseWork: an agent works there.
            WorktreeNotReady: it is being made, or archived: there is no folder to leave.
        """
        caller.require(Role.OWNER, "release a worktree")
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            if worktree.state in {WorktreeState.CREATING, WorktreeState.ARCHIVED}:
                raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "there is no folder to leave")
            if await self._tenants.are_busy(worktree.id):
                raise errors.WouldLoseWork(
                    worktree.name, ["the work of a session that is busy there or has queued prompts"], action="released", is_live=True
                )
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            await self._tenants.leave(worktree.id)
            await asyncio.to_thread(git.unlock, repository, Path(worktree.path))
            now = self._clock.now()

            def delete(transaction: Transaction) -> Worktree:
                kept.delete(transaction.connection, worktree.id)
                transaction.append(now, Removed(noun="worktree", id=worktree.id))
                return worktree

            outcome = await self._store.write(once, key, caller, "worktrees.release", {"name": name}, now, delete, Worktree)
        self._statuses.forget(worktree.id)
        await self._mark(worktree)
        return outcome.record

    def _check(self, repository: Repository, text: str) -> tuple[Path, str]:
        """The real folder and the name of git's entry for it, if both name each other."""
        path = self._repos.folder(text, also=self._own_folder)
        entry = links.entry_of(repository.common_dir, path)
        if entry is None or not links.agree(repository.common_dir, path, entry):
            raise errors.Conflict(
                f"{str(path)!r} is not a worktree of this repository: its .git file and git's list do not refer to each other. "
                f"`git worktree list` shows those that are; after a move by hand, `git -C {path} worktree repair` helps.",
                subject=str(path),
            )
        return path, entry

    async def _record(  # noqa: PLR0917 the parts of one record
        self, caller: Caller, repo: Repo, repository: Repository, request: WorktreeAdopt, path: Path, entry: str
    ) -> Worktree:
        head, branch = await git.head(repository, path)
        base_ref = repo.default_branch or branch or "main"
        tip = await repository.tip(base_ref)
        now = self._clock.now()
        return Worktree(
            id=WorktreeId(self._clock.new_id("worktree")),
            repo_id=repo.id,
            repo=repo.slug,
            name=request.name or path.name,
            branch=branch or head[:12],
            path=str(path),
            base_ref=base_ref,
            base_sha=await git.merge_base(repository, head, tip) if tip is not None else head,
            has_own_branch=False,
            board=request.board,
            notes=request.notes,
            context=request.context,
            state=WorktreeState.READY,
            entry=entry if entry != path.name else None,
            is_adopted=True,
            created_at=now,
            created_by=caller.person,
            updated_at=now,
        )
