"""How a firing ends: whether a person is asked, and where its card goes on to."""

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.ids import FiringId, ObjectId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import MAX_HOPS, Firing, FiringState
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.zones import moves
from agor_jupyter.services.zones.moves import Arrival, Job
from agor_jupyter.services.zones.prompts import Prompts
from agor_jupyter.storage import firings
from agor_jupyter.storage.store import Transaction


class Endings:
    """Errors of all: `BadDocument`, while nobody knows what zones the board has."""

    def __init__(self, clock: Clock, boards: Boards, prompts: Prompts) -> None:
        self._clock, self._boards, self._prompts = clock, boards, prompts

    async def sight(self, board: str, zone_id: ObjectId) -> tuple[Zone | None, str | None]:
        """The zone as it is now, or why nobody knows. Both `None`: it is gone."""
        try:
            view = await self._boards.edits.view(board)
        except errors.BoardNotFound:
            return None, "the board's file: it is gone"
        found = view.objects.get(zone_id)
        if isinstance(found, Zone):
            return found, None
        unread = next((one.text for one in view.problems if one.object_id in {None, zone_id}), None)
        return None, f"the board: {unread}" if unread else None

    async def finish(self, firing: Firing) -> Job:
        policy, at = firing.policy, self._clock.now()
        why = "a person who lets it move on" if policy.needs_approval else None
        if policy.next not in {None, firing.zone_id} and firing.hops >= MAX_HOPS:
            why = f"a person: it passed {MAX_HOPS} zones by itself. Do they form a circle?"
        if why is None:
            return await self.end(firing, FiringState.PASSED)

        def approval(transaction: Transaction, now: Firing, worktree: Worktree) -> Firing:
            if moves.has_left(now, worktree):
                return moves.save(
                    transaction, now, at, state=FiringState.PASSED, reason="The card had left meanwhile, so it stays where it is."
                )
            return moves.save(transaction, now, at, state=FiringState.APPROVAL, waits_for=why)

        return approval

    async def end(self, firing: Firing, state: FiringState, reason: str | None = None, by: Person | None = None) -> Job:
        """Ends it, and moves its card on. `by` let it move on, or did not."""
        at, policy = self._clock.now(), firing.policy
        target = policy.next if state is FiringState.PASSED else policy.on_failure
        said: dict[str, object] = {"state": state, "reason": reason, **({"decided_by": by} if by else {})}
        arrival: Arrival | None = None
        if target is not None and target != firing.zone_id:
            zone, trouble = await self.sight(firing.board, target)
            if trouble is not None:
                raise errors.BadDocument(firing.board, trouble)
            if zone is None:
                said["reason"] = " ".join([*([reason] if reason else []), "The zone to move on to is gone, so the card stays."])
            elif firing.hops >= MAX_HOPS and by is None:
                said["reason"] = " ".join([*([reason] if reason else []), f"It passed {MAX_HOPS} zones by itself, so the card stays."])
            else:
                arrival = await self._onward(firing, target, zone, hops=0 if by is not None else firing.hops + 1)

        def job(transaction: Transaction, now: Firing, worktree: Worktree) -> Firing:
            if moves.has_left(now, worktree):
                left = "The card had left meanwhile, so it stays where it is."
                text = " ".join(part for part in (reason, left) if part)
                return moves.save(transaction, now, at, **{**said, "reason": text if target is not None else reason})
            if arrival is None:
                return moves.save(transaction, now, at, **said)
            saved = moves.save(transaction, now, at, **said, moved_to=target)
            worktree, following = moves.arrive(transaction, worktree, arrival, at)
            if following is None:
                firings.mark_unplaced(transaction, saved.id, worktree.arrival)
            return saved

        return job

    async def _onward(self, firing: Firing, target: ObjectId, zone: Zone, *, hops: int) -> Arrival:
        """The card's arrival in another zone, by this one. Where a person will be asked, the prompt is there to read."""
        arrival = Arrival(
            zone_id=target,
            zone=zone,
            firing_id=FiringId(self._clock.new_id("firing")),
            by=firing.by,
            role=firing.role,
            via="zone",
            caused_by=firing.id,
            hops=hops,
            place=await self._boards.card_at(firing.board, firing.worktree_id),
        )
        return await self._prompts.with_draft(arrival, firing.worktree_id, firing.arrival + 1)
