"""What a worktree holds, now and at other moments, and what differs. Its files, index and branch stay untouched."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.turns import Patch
from agor_jupyter.domain.work import Work, not_shown
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git.inspection import status
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.worktrees.checkpoints import Checkpoints
from agor_jupyter.services.worktrees.keepers import MAX_MADE, Keepers
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.tenants import Tenants

Works = list[Work]
Paths = list[str]
_SHOWN_AGE_S = 2.0


class Contents:
    """`get` finds a worktree by name or id; `ready` one that is there, with its repository; `survey` says what work lies in it."""

    def __init__(
        self,
        repos: Repos,
        *,
        checkpoints: Checkpoints,
        register: Register,
        keepers: Keepers,
        statuses: Statuses,
        tenants: Tenants,
        get: Callable[[str], Awaitable[Worktree]],
        ready: Callable[[str], Awaitable[tuple[Worktree, Repository]]],
        survey: Callable[[Repository, Worktree], Awaitable[Works]],
    ) -> None:
        self._repos, self._checkpoints, self._register, self._keepers = repos, checkpoints, register, keepers
        self._statuses, self._tenants, self._get, self._ready, self._survey = statuses, tenants, get, ready, survey

    async def losses(self, name: str) -> Works:
        """What a person would call work in its folder as it is now, and what of it stays when the folder goes."""
        worktree, repository = await self._ready(name)
        return await self._survey(repository, worktree)

    async def diff(self, name: str) -> Patch:
        """All that differs from the base commit, uncommitted and untracked files included."""
        worktree, repository = await self._ready(name)
        now = await self._checkpoints.take(repository, Path(worktree.path))
        try:
            base = Checkpoint(commit=worktree.base_sha, tree=worktree.base_sha, dirty=False)
            own = await self._keepers.of(worktree, now.untracked)
            patch = await self._checkpoints.patch(repository, base, now if now.tree else base, own)
        finally:
            await self._checkpoints.drop(now)
        found = await self._statuses.read(worktree, repository, Path(worktree.path), _SHOWN_AGE_S)
        patch = patch.replace(not_shown=[*patch.not_shown, *not_shown(found.work)])
        mask = Mask()
        await self._tenants.hide(mask, worktree.id)
        return mask.record(patch)

    async def checkpoint(self, name: str, beside: Checkpoint | None = None) -> Checkpoint:
        """What the worktree holds now. Its files, index and branch stay untouched. Whoever takes it drops it."""
        worktree, repository = await self._ready(name)
        return await self._checkpoints.take(repository, Path(worktree.path), beside)

    async def patch(self, name: str, before: Checkpoint, after: Checkpoint) -> Patch:
        """What changed between two checkpoints, but for what agents keep for themselves."""
        worktree = await self._get(name)
        own = await self._keepers.of(worktree, before.untracked, after.untracked)
        return await self._checkpoints.patch(self._repos.repository(await self._repos.get(worktree.repo_id)), before, after, own)

    async def tell_apart(self, name: str, checkpoint: Checkpoint) -> Checkpoint:
        """It is not dirty because of what agents keep for themselves."""
        return checkpoint.apart(await self._keepers.of(await self._get(name), checkpoint.untracked))

    async def untracked(self, name: str) -> Paths:
        """The untracked files that are there now."""
        worktree, repository = await self._ready(name)
        return (await status.changes(repository, Path(worktree.path))).untracked

    async def keep_own(self, worktree: Worktree, made: Mapping[str, str]) -> None:
        """Remember which files agents made for themselves there, by the agents' names; what was remembered before is forgotten."""
        kept_files = dict(sorted(made.items())[:MAX_MADE])
        if kept_files != worktree.own_files:
            await self._register.change(worktree.id, own_files=kept_files)
            self._statuses.outdate(worktree.id)
