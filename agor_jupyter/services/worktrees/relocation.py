"""Following a worktree whose folder was moved or renamed by hand, and a checkout that was."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.git import links
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.tenants import Tenants
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store


class Relocation:
    """`own_folder` is where the server makes worktrees; `get` finds one by name or id."""

    def __init__(
        self,
        store: Store,
        repos: Repos,
        *,
        own_folder: Path,
        register: Register,
        locks: Locks,
        busy: MutableMapping[WorktreeId, asyncio.Lock],
        statuses: Statuses,
        get: Callable[[str], Awaitable[Worktree]],
        tenants: Tenants,
    ) -> None:
        self._store, self._repos, self._own_folder = store, repos, own_folder
        self._register, self._locks, self._busy, self._statuses, self._get = register, locks, busy, statuses, get
        self._tenants = tenants

    async def find(self, worktree: Worktree, repository: Repository) -> Path | None:
        """Where its folder is now, by git's own list or beside its old place. `None`: not found, or not where it may lie."""
        path = Path(worktree.path)
        entry = repository.worktree_dir(path).name
        found = await asyncio.to_thread(links.search, repository.common_dir, entry, path)
        return found if found is not None and self._is_allowed(found) and not await self._owner(worktree, found) else None

    async def relocate(self, caller: Caller, name: str, path: str | None, key: str) -> Worktree:
        """Go on with the worktree where its folder is now, by default where it is found. No file in it is touched but its `.git`.

        Errors:
            Conflict: its folder is where it was, or is not found, or the one at `path` is not its folder.
            BadPath: it is outside the folders that the administrator allows.

        """
        caller.require(Role.STEERER, "relocate a worktree")
        request = {"name": name, "path": path}
        known = await self._register.answered(key, caller, "worktrees.relocate", request, Worktree)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            if worktree.state not in {WorktreeState.READY, WorktreeState.MISSING}:
                raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "only one whose folder was moved is relocated")
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            old, entry = Path(worktree.path), repository.worktree_dir(Path(worktree.path)).name
            if git.is_present(repository, old):
                raise errors.Conflict(f"The folder of worktree {worktree.name!r} is where it was: {old}. There is nothing to do.")
            new = await self._target(worktree, repository, path)
            async with self._locks.held(worktree.repo_id):
                crash_point("relocate.begun")
                await asyncio.to_thread(links.link, repository.common_dir, entry, new)
                crash_point("relocate.linked")
            name_of_entry = entry if entry != new.name else None
            self._repos.name_entry(worktree.repo_id, str(new), name_of_entry)
            self._repos.name_entry(worktree.repo_id, str(old), None)
            changes: dict[str, object] = {
                "path": str(new),
                "entry": name_of_entry,
                "state": WorktreeState.READY,
                "step": None,
                "reason": None,
                "status": None,
            }
            moved = await self._register.finish(caller, worktree, changes, "worktrees.relocate", request, key)
            crash_point("relocate.recorded")
        self._statuses.forget(worktree.id)
        await self._tenants.move(worktree.id)
        return moved

    async def repo(self, caller: Caller, name: str, path: str, key: str) -> Repo:
        """Go on with a registered checkout where it is now; its worktrees are told.

        Errors:
            BadPath, NotARepository, AlreadyExists.
            Conflict: it is where it was, or the repository at `path` has not the commits of its worktrees.
        """
        caller.require(Role.OWNER, "relocate a repo")
        repo = await self._repos.get(name)
        if repo.git_dir is not None and Path(repo.git_dir, "HEAD").is_file():
            raise errors.Conflict(f"Repo {repo.slug!r} is where it was: {repo.path}. There is nothing to do.", subject=repo.slug)
        own = await self._store.read(kept.page, repo_id=repo.id)
        moved = await self._repos.relocate(caller, repo, path, [worktree.base_sha for worktree in own], key)
        repository = self._repos.repository(moved)
        for worktree in own:
            folder = Path(worktree.path)
            entry = repository.worktree_dir(folder).name
            if folder.is_relative_to(repo.path) and not folder.exists():  # it moved with the checkout that it lies in
                folder = Path(moved.path) / folder.relative_to(repo.path)
                self._repos.name_entry(repo.id, str(folder), entry if entry != folder.name else None)
                await self._register.change(worktree.id, path=str(folder))
            if folder.is_dir() and not folder.is_symlink() and links.is_sound(repository.common_dir, entry):
                await asyncio.to_thread(links.link, repository.common_dir, entry, folder)
            self._statuses.forget(worktree.id)
            await self._tenants.move(worktree.id)
        return moved

    async def _target(self, worktree: Worktree, repository: Repository, path: str | None) -> Path:
        entry = repository.worktree_dir(Path(worktree.path)).name
        if path is None:
            found = await asyncio.to_thread(links.search, repository.common_dir, entry, Path(worktree.path))
            if found is None:
                raise errors.Conflict(
                    f"The folder of worktree {worktree.name!r} was not found, neither in git's list nor beside {worktree.path}. "
                    "Name the folder where it is now, or make the worktree again.",
                    subject=worktree.name,
                )
            path = str(found)
        new = self._repos.folder(path, also=self._own_folder)
        if links.entry_of(repository.common_dir, new) != entry or not links.is_sound(repository.common_dir, entry):
            raise errors.Conflict(
                f"{str(new)!r} is not the folder of worktree {worktree.name!r}: its .git file does not name git's entry “{entry}”. "
                "To take it in as another worktree, adopt it.",
                subject=worktree.name,
            )
        owner = await self._owner(worktree, new)
        if owner is not None:
            raise errors.AlreadyExists("Worktree", owner.name, f"{new} is its folder.")
        return new

    def _is_allowed(self, path: Path) -> bool:
        try:
            return self._repos.folder(str(path), also=self._own_folder) == path
        except errors.Invalid:
            return False

    async def _owner(self, worktree: Worktree, path: Path) -> Worktree | None:
        """The other worktree that has this folder."""
        real = os.path.realpath(path)
        every = await self._store.read(kept.page, repo_id=worktree.repo_id)
        return next((one for one in every if one.id != worktree.id and os.path.realpath(one.path) == real), None)
