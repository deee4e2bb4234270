"""Nothing is stuck: what keeps a worktree from working or left commits behind, and the way on that a person takes with one call."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Protocol, assert_never

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.ways import Way, WayKind
from agor_jupyter.domain.worktrees import Worktree, WorktreeState, WorktreeStatus, standing_ways
from agor_jupyter.git import branches, links, lockfiles
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.worktrees.creation import Creation
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.relocation import Relocation
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.strays import Strays, is_same, settle

_TAKE = "worktrees.take"


class Retry(Protocol):
    async def __call__(self, caller: Caller, name: str, key: str) -> Worktree: ...


class Ways:
    """`get` finds a worktree by name or id, `retry` makes one again."""

    def __init__(
        self,
        repos: Repos,
        *,
        register: Register,
        locks: Locks,
        busy: MutableMapping[WorktreeId, asyncio.Lock],
        creation: Creation,
        relocation: Relocation,
        strays: Strays,
        get: Callable[[str], Awaitable[Worktree]],
        retry: Retry,
    ) -> None:
        self._repos, self._register, self._locks, self._busy = repos, register, locks, busy
        self._creation, self._relocation, self._strays, self._get, self._retry = creation, relocation, strays, get, retry

    # Look

    async def look(self, worktree: Worktree, repository: Repository, status: WorktreeStatus) -> None:
        """At one that is ready: is something in the way of git there, or was left behind? No process where nothing is."""
        path = Path(worktree.path)
        ways = []
        if lockfiles.any_there(repository, path, status.branch):
            found = await asyncio.to_thread(lockfiles.find, repository, path, status.branch)
            ways += [_lock_way(found)] if found is not None else []
        if not status.head and status.branch is not None:
            ways += await self._branch_ways(worktree, repository, status.branch)
        elif status.head and status.operation is None:
            ways += await self._strays.ways(worktree, repository, status.branch, status.head, status.as_of)
        reason = git.foreign_lock(repository, path)
        ways += [_unlock_way(reason)] if reason is not None else []
        if ways != worktree.ways:
            await self._register.change(worktree.id, ways=ways)

    async def _branch_ways(self, worktree: Worktree, repository: Repository, branch: str) -> list[Way]:
        seen = links.last_commits(repository.worktree_dir(Path(worktree.path)))
        commit = await branches.first_known(repository, [*seen, worktree.base_sha])
        if commit is None:
            return []
        return [
            Way(
                kind=WayKind.REMAKE_BRANCH,
                label="Recreate the branch",
                why=f"The branch “{branch}” was deleted while it was checked out here. The files are as they were.",
                what=f"Recreates “{branch}” at the last commit it had here, {commit.sha[:10]} “{commit.subject}”.",
                of=branch,
            )
        ]

    async def missing(self, worktree: Worktree, repository: Repository) -> Worktree:
        """Say of one that is not where it was what happened, and what can be done."""
        path, entry = Path(worktree.path), repository.worktree_dir(Path(worktree.path)).name
        ways: list[Way] = []
        reason = f"Its folder {path} is gone."
        if not (repository.common_dir / "HEAD").exists():
            reason = f"The repository {repository.path} is gone. If it was moved, say where it is: `jupyter agor repo relocate`."
        elif path.is_dir() and not path.is_symlink():
            reason = f"git forgot this worktree: its entry “{entry}” is gone. The folder {path} is there, with all files."
            what = f"Registers the folder with git again, on branch {worktree.branch}. No files are changed."
            ways = [Way(kind=WayKind.REPAIR, label="Register it with git again", why=reason, what=what, of=worktree.path)]
        else:
            found = await self._relocation.find(worktree, repository)
            if found is not None:
                reason = f"Its folder was moved: {path} is gone, and its files are in {found}."
                what = f"Continues in {found}. No files are changed."
                ways = [Way(kind=WayKind.RELOCATE, label="Follow it there", why=reason, what=what, of=str(found))]
        if not ways and not path.exists():
            ways = standing_ways(worktree.replace(state=WorktreeState.MISSING, reason=reason))
        if (worktree.state, worktree.reason, worktree.ways) == (WorktreeState.MISSING, reason, ways):
            return worktree
        return await self._register.change(worktree.id, state=WorktreeState.MISSING, step=None, reason=reason, ways=ways)

    # Take

    async def take(self, caller: Caller, name: str, kind: str, key: str) -> Worktree:
        """Take one of its `ways`.

        Errors:
            NoSuchWay: it is not offered (any more); with those that are.
            What the way itself may meet.
        """
        caller.require(Role.STEERER, "fix a worktree")
        known = await self._register.answered(key, caller, _TAKE, {"name": name, "kind": kind}, Worktree)
        if known is not None:
            return known
        worktree = await self._get(name)
        way = next((one for one in worktree.ways if one.kind.value == kind), None)
        if way is None:
            raise errors.NoSuchWay(worktree.name, kind, [one.kind.value for one in worktree.ways])
        return await self._go(caller, worktree, way, key)

    async def _go(self, caller: Caller, worktree: Worktree, way: Way, key: str) -> Worktree:
        if way.kind is WayKind.STOP_SETUP:
            return await self.stop_setup(caller, worktree.id)
        if way.kind is WayKind.RETRY:
            return await self._retry(caller, worktree.id, key)
        if way.kind is WayKind.RELOCATE:
            return await self._relocation.relocate(caller, worktree.id, way.of, key)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            if way.kind is WayKind.USE:
                return await self._use(worktree, repository)
            left = [one for one in worktree.ways if one.kind is not way.kind and not is_same(one, way)]
            changes = {"ways": left, **await self._mend(worktree, repository, way)}
            return await self._register.finish(caller, worktree, changes, _TAKE, {"name": worktree.id, "kind": way.kind}, key)

    async def _mend(self, worktree: Worktree, repository: Repository, way: Way) -> dict[str, object]:
        """Do it, and say what changes in the record."""
        match way.kind:
            case WayKind.REPAIR:
                return await self._repair(worktree, repository)
            case WayKind.REMAKE_BRANCH:
                await self._remake_branch(worktree, repository, way.of or worktree.branch)
            case WayKind.REMOVE_LOCK:
                await asyncio.to_thread(_remove_lock, repository, worktree)
            case WayKind.UNLOCK:
                await asyncio.to_thread(git.take_lock_off, repository, Path(worktree.path), is_ours=not worktree.is_adopted)
            case WayKind.BRANCH_COMMITS | WayKind.KEEP_COMMITS | WayKind.LET_GO:
                async with self._locks.held(worktree.repo_id):
                    return await settle(repository, worktree, way)
            case WayKind.WAIT | WayKind.STOP_SETUP | WayKind.RETRY | WayKind.RELOCATE | WayKind.USE:
                pass
            case _:
                assert_never(way.kind)
        return {}

    async def stop_setup(self, caller: Caller, name: str) -> Worktree:
        """End the setup that runs there, at any moment. The worktree has failed then, with its files.

        Errors:
            Conflict: none runs.
        """
        caller.require(Role.STEERER, "stop a setup")
        worktree = await self._get(name)
        await self._creation.stop_setup(worktree, caller.person.name)
        return await self._get(worktree.id)

    async def _use(self, worktree: Worktree, repository: Repository) -> Worktree:
        if worktree.state is not WorktreeState.FAILED or not worktree.is_filled:
            raise errors.NoSuchWay(worktree.name, WayKind.USE.value, [one.kind.value for one in worktree.ways])
        if not git.is_present(repository, Path(worktree.path)):
            return await self.missing(worktree, repository)
        return await self._creation.use(worktree, repository)

    async def _repair(self, worktree: Worktree, repository: Repository) -> dict[str, object]:
        path = Path(worktree.path)
        if git.is_present(repository, path):
            return {"state": WorktreeState.READY, "step": None, "reason": None}
        async with self._locks.held(worktree.repo_id):
            head = await self._head(worktree, repository)
            entry = await asyncio.to_thread(
                links.make_entry, repository.common_dir, repository.worktree_dir(path).name, path, head, git.LOCK_REASON
            )
            name = entry if entry != path.name else None
            self._repos.name_entry(worktree.repo_id, worktree.path, name)
            await git.read_index(repository, path)
        return {"state": WorktreeState.READY, "step": None, "reason": None, "entry": name}

    async def _head(self, worktree: Worktree, repository: Repository) -> str:
        """What HEAD is to hold again: its branch if nobody else has it, made again if it is gone, else the last commit."""
        status = worktree.status
        last = [status.head] if status is not None and status.head else []
        if status is not None and status.branch is None and last:
            return last[0]
        await git.check_free(repository, worktree.branch)
        if not await git.refs(repository, f"refs/heads/{worktree.branch}"):
            commit = await branches.first_known(repository, [*last, worktree.base_sha])
            if commit is None:
                raise errors.GitFailed("make the branch again", f"its last commit and {worktree.base_sha[:10]} are gone")
            await branches.make(repository, worktree.branch, commit.sha)
        return f"ref: refs/heads/{worktree.branch}"

    async def _remake_branch(self, worktree: Worktree, repository: Repository, branch: str) -> None:
        seen = links.last_commits(repository.worktree_dir(Path(worktree.path)))
        commit = await branches.first_known(repository, [*seen, worktree.base_sha])
        if commit is None:
            raise errors.GitFailed("make the branch again", "none of its commits is in the repository any more")
        async with self._locks.held(worktree.repo_id):
            await branches.make(repository, branch, commit.sha)


def _lock_way(lock: lockfiles.LockFile) -> Way:
    since = f"{lock.age_s:.0f} s" if lock.age_s < 120 else f"{lock.age_s / 60:.0f} minutes"
    if lock.holder is not None:
        why = f"“{lock.holder}” is working here and has held {lock.path.name} since {since}."
        return Way(kind=WayKind.WAIT, label="Look again", why=why, what="Wait until it ends, or end that process.", of=str(lock.path))
    why = f"A git process that is gone left {lock.path.name} behind {since} ago. Until it is removed, git refuses to commit here."
    return Way(kind=WayKind.REMOVE_LOCK, label="Remove the lock", why=why, what=f"Removes {lock.path}.", of=str(lock.path))


def _unlock_way(reason: str) -> Way:
    said = f", with the reason “{reason}”" if reason else " without a reason"
    return Way(
        kind=WayKind.UNLOCK,
        label="Unlock",
        why=f"Another tool locked this worktree (git worktree lock){said}. Until it is unlocked it is neither archived nor removed.",
        what="Removes that lock, as “git worktree unlock” does.",
        is_blocking=False,
    )


def _remove_lock(repository: Repository, worktree: Worktree) -> None:
    branch = worktree.status.branch if worktree.status is not None else worktree.branch
    lock = lockfiles.find(repository, Path(worktree.path), branch)
    if lock is None:
        return
    if lock.holder is not None:
        raise errors.Conflict(f"“{lock.holder}” holds {lock.path.name} now. Wait until it ends, or end that process.")
    with contextlib.suppress(FileNotFoundError):
        lock.path.unlink()
