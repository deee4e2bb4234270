"""What was kept of a worktree's agents beside its branch, and how a person takes it onto the branch."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.work import shown
from agor_jupyter.domain.worktrees import Kept, KeptKind, Taken, TakeRequest, Taking, Worktree, WorktreeState
from agor_jupyter.git import identity
from agor_jupyter.git.private import Private
from agor_jupyter.git.sandbox import keeping, taking
from agor_jupyter.git.sandbox import kept as refs
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.worktrees.directory import Directory
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.storage.store import Store

AllKept = list[Kept]
Hide = Callable[[Mask, WorktreeId], Awaitable[None]]
"""Adds to a mask the secrets that agents may have written into files there."""


class KeptCommits:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        directory: Directory,
        *,
        place: Callable[[Worktree], Awaitable[Private]],
        locks: MutableMapping[WorktreeId, asyncio.Lock],
        hide: Hide,
    ) -> None:
        """`locks` are held while a sandbox and its worktree are brought together."""
        self._store, self._clock, self._directory, self._place, self._locks, self._hide = store, clock, directory, place, locks, hide

    async def take(self, caller: Caller, name: str, request: TakeRequest, key: str) -> Taken:
        """Bring commits that were kept apart onto the worktree's branch, and the files that they changed, where nobody else did.

        Errors:
            WorktreeNotFound, WorktreeNotReady.
            BadRequest: `ref` is none of this worktree's, or has to be named.
            Conflict: it cannot be done; nothing was changed.
        """
        caller.require(Role.STEERER, "take commits from a sandbox")
        worktree = await self._directory.get(name)
        async with self._locks[worktree.id]:
            known = await Register(self._store, self._clock).answered(key, caller, "take", [name, request], Taken)
            if known is not None:
                return known
            worktree, place = await self._checked(worktree.id)
            ref = await self._kept_ref(place, worktree, request.ref)
            found = await taking.take(place.repository, place.worktree, ref, await _identity(place, caller), place.name)
            taken = Taken(
                worktree_id=worktree.id, branch=found.branch, ref=ref, commit=found.commit, left=found.left, staged_ref=found.staged_ref
            )
            outcome = await self._store.write(once, key, caller, "take", [name, request], self._clock.now(), lambda _: taken, Taken)
        return outcome.record

    async def list(self, name: str) -> AllKept:
        """What refs of ours keep of this worktree's agents, beside its branch; the newest first."""
        worktree, place = await self._checked(name)
        found = await refs.find(place.repository, place.worktree, place.name)
        mask = await self._mask(worktree.id)
        return [mask.record(one) for one in found]

    async def would_take(self, name: str, ref: str | None) -> Taking:
        """What `take` would do as things are now, or why it cannot.

        Errors:
            WorktreeNotFound, WorktreeNotReady.
            BadRequest: as `take`.
        """
        worktree, place = await self._checked(name)
        ref = await self._kept_ref(place, worktree, ref)
        try:
            plan = await taking.preview(place.repository, place.worktree, ref)
        except errors.Conflict as error:
            return Taking(worktree_id=worktree.id, branch=worktree.branch, ref=ref, refusal=error.message)
        found = Taking(
            worktree_id=worktree.id,
            branch=shown(plan.branch.removeprefix("refs/heads/")),
            ref=ref,
            commits=plan.commits,
            subjects=[shown(one) for one in plan.subjects],
            is_merge=plan.is_merge,
            written=[shown(one) for one in plan.written],
            there=[shown(one) for one in plan.there],
            left=[shown(one) for one in plan.left],
        )
        return (await self._mask(worktree.id)).record(found)

    async def _checked(self, name: str) -> tuple[Worktree, Private]:
        worktree = await self._directory.get(name)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        return worktree, await self._place(worktree)

    async def _mask(self, worktree_id: WorktreeId) -> Mask:
        mask = Mask()
        await self._hide(mask, worktree_id)
        return mask

    async def _kept_ref(self, place: Private, worktree: Worktree, ref: str | None) -> str:
        there = await keeping.kept_refs(place)
        mine = [one for one in there if one.endswith(f"/heads/{worktree.branch}")] or there
        if ref is None and len(mine) == 1:
            return mine[0]
        if ref is None or ref not in there:
            known = f"Kept for worktree {worktree.name!r}: {', '.join(there[:20])}" if there else f"Nothing is kept for {worktree.name!r}"
            raise errors.BadRequest([f"name the ref to take. {known}" if ref is None else f"{ref[:200]!r} is not kept here. {known}"])
        if refs.kind_of(ref, place.name) in {KeptKind.STASH, KeptKind.NOTES}:
            raise errors.BadRequest(
                [f"{ref} is not a commit that can be merged. `{refs.line_of(ref, place.name)}` in the worktree makes it yours"]
            )
        return ref


async def _identity(place: Private, caller: Caller) -> dict[str, str]:
    """Who merges: the person, as git knows them there, else by the name they have here."""
    settings = {key: value for key, value in identity.plain(await identity.of(place.repository, place.worktree)).items() if value}
    name = settings.get("user.name", caller.person.name)
    email = settings.get("user.email", f"{caller.person.username}@localhost")
    return {f"GIT_{who}_{what}": one for who in ("AUTHOR", "COMMITTER") for what, one in (("NAME", name), ("EMAIL", email))}
