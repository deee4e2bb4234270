"""Firings, for callers: look at what zones did and do, and decide about it. Each decision counts once for its key."""

from collections.abc import Callable

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import LIVE, Firing, FiringStart, FiringState, FiringVerdict, ZoneDrop
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once, stored
from agor_jupyter.services.transitions import find_worktree
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.services.zones import moves, receivers, steps
from agor_jupyter.services.zones.arrivals import Arrivals
from agor_jupyter.services.zones.engine import Engine
from agor_jupyter.storage import firings
from agor_jupyter.storage.store import Store, Transaction


class Firings:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self, store: Store, clock: Clock, boards: Boards, worktrees: Worktrees, arrivals: Arrivals, engine: Engine
    ) -> None:
        self._store, self._clock, self._boards, self._worktrees = store, clock, boards, worktrees
        self._arrivals, self._engine = arrivals, engine

    async def list(
        self,
        *,
        board: str | None = None,
        zone: str | None = None,
        worktree: str | None = None,
        is_live: bool | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> bytes:
        """A JSON array of firings, the newest first."""
        found = await self._store.read(firings.page, board, zone, worktree, is_live=is_live, after=after, limit=limit)
        return f"[{','.join(found)}]".encode()

    async def get(self, firing_id: str) -> Firing:
        """Raises `FiringNotFound`."""
        return await self._store.read(moves.find, firing_id)

    async def start(self, caller: Caller, firing_id: str, request: FiringStart, key: str) -> Firing:
        """Say yes to one that asks, perhaps with another prompt or receiver. It gets in line.

        Errors:
            FiringNotOpen: it does not ask. NotAllowed: for a mode in which the agent asks less. AgentNotFound, BadOption, SessionNotFound.
        """
        caller.require(Role.STEERER, "start this firing")
        asking = await self.get(firing_id)
        policy, agent = asking.policy, request.agent or asking.agent
        self._arrivals.check_agent(caller, policy.replace(agent=agent or policy.agent, options={**policy.options, **request.options}))
        if request.session_id is not None:
            worktree = await self._worktrees.get(asking.worktree_id)
            found = await self._store.read(_candidate_ids, worktree)
            if request.session_id not in found:
                raise errors.SessionNotFound(request.session_id)

        def change(transaction: Transaction, firing: Firing) -> Firing:
            if firing.state is not FiringState.ASKING:
                raise errors.FiringNotOpen(firing.zone, firing.id, firing.state.value, "started")
            changes = {
                "prompt": request.prompt if request.prompt is not None else firing.prompt,
                "session_id": request.session_id or firing.session_id,
                "agent": agent,
                "how": request.how or firing.how,
                "options": {**firing.options, **request.options},
                "role": caller.role,
                "decided_by": caller.person,
            }
            return moves.save(transaction, firing, at, state=FiringState.WAITING, **changes)

        at = self._clock.now()
        return await self._decide(caller, firing_id, "start", request, key, change)

    async def approve(self, caller: Caller, firing_id: str, key: str) -> Firing:
        """Let its card move on.

        Errors:
            FiringNotOpen: it waits for no approval.
        """
        caller.require(Role.STEERER, "let this card move on")
        return await self._end(caller, firing_id, "approved", FiringState.PASSED, None, key)

    async def reject(self, caller: Caller, firing_id: str, key: str) -> Firing:
        """Do not let its card move on: it goes where cards go that failed, or stays.

        Errors:
            FiringNotOpen: it waits for no approval.
        """
        caller.require(Role.STEERER, "reject this card")
        return await self._end(caller, firing_id, "rejected", FiringState.FAILED, f"{caller.person.name} rejected it.", key)

    async def _end(  # noqa: PLR0917
        self, caller: Caller, firing_id: str, word: str, state: FiringState, reason: str | None, key: str
    ) -> Firing:
        job = await self._engine.endings.end(await self.get(firing_id), state, reason, by=caller.person)

        def change(transaction: Transaction, now: Firing) -> Firing:
            if now.state is not FiringState.APPROVAL:
                raise errors.FiringNotOpen(now.zone, now.id, now.state.value, word)
            return job(transaction, now, find_worktree(transaction.connection, now.worktree_id))

        return await self._decide(caller, firing_id, word, None, key, change)

    async def withdraw(self, caller: Caller, firing_id: str, key: str) -> Firing:
        """Take it back: turns that wait are withdrawn, those that run are cancelled, and the card returns to where it was.

        Errors:
            FiringNotOpen: it is over.
        """
        caller.require(Role.STEERER, "take this card back")
        at, cancelled = self._clock.now(), moves.Cancelled()

        def change(transaction: Transaction, firing: Firing) -> Firing:
            cancelled.clear()
            if firing.state not in LIVE:
                raise errors.FiringNotOpen(firing.zone, firing.id, firing.state.value, "taken back")
            done, stopped = moves.withdraw(transaction, firing, caller.person, at, f"{caller.person.name} took it back.")
            cancelled.extend(stopped)
            worktree = find_worktree(transaction.connection, firing.worktree_id)
            if not moves.has_left(firing, worktree):
                firings.leave(transaction, worktree.id)
                moves.put(transaction, worktree, firing.from_zone_id, at)
            return done

        before = await self.get(firing_id)
        done = await self._decide(caller, firing_id, "withdraw", None, key, change)
        self._engine.tell(cancelled)
        worktree = await self._worktrees.get(before.worktree_id)
        if worktree.zone_id == before.from_zone_id and worktree.board == before.board:
            await self._boards.bring(worktree, worktree.zone_id, before.from_x, before.from_y)
        return done

    async def retry(self, caller: Caller, firing_id: str, key: str) -> Firing:
        """Run again: a new firing of the same card, by the zone's policy as it is now.

        Errors:
            FiringNotOpen: it is not over. CardElsewhere: the card lies elsewhere, or is in work again. Conflict: the zone starts nothing.
            Those of `drop`.
        """
        caller.require(Role.STEERER, "run this again")
        if (known := await self._store.read(_answered_firing, key, caller, "firing.retry", [firing_id, None])) is not None:
            return known
        before = await self.get(firing_id)
        worktree = await self._worktrees.get(before.worktree_id)
        self._check_retry(before, worktree)
        view = await self._boards.edits.view(before.board)
        request = ZoneDrop(zone_id=before.zone_id, via="api")
        arrival, _ = await self._arrivals.ready(
            caller, worktree, self._arrivals.arrival(caller, worktree, request, view, is_person=True, hops=0)
        )
        if not arrival.policy.starts:
            raise errors.Conflict(
                f"Zone {arrival.zone.name!r} starts nothing now. Turn it on, or give it a prompt or a gate.", subject=before.zone_id
            )
        at = self._clock.now()

        def change(transaction: Transaction, firing: Firing) -> Firing:
            now = find_worktree(transaction.connection, worktree.id)
            self._check_retry(firing, now)
            live = [one for one in firings.live_of(transaction.connection, now.id) if one.arrival == now.arrival]
            if live:
                raise errors.CardElsewhere(now.name, f"is in work in zone {firing.zone!r} already", "Wait for it, or take it back.")
            _, made = moves.arrive(transaction, now, arrival, at)
            assert made is not None
            made = moves.save(
                transaction, made, at, retry_of=firing.id, from_zone_id=firing.from_zone_id, from_x=firing.from_x, from_y=firing.from_y
            )
            firings.placed(transaction, now.id, made.arrival)
            return made

        return await self._decide(caller, firing_id, "retry", None, key, change)

    @staticmethod
    def _check_retry(firing: Firing, worktree: Worktree) -> None:
        if firing.state in LIVE:
            raise errors.FiringNotOpen(firing.zone, firing.id, firing.state.value, "run again")
        if worktree.zone_id != firing.zone_id or worktree.board != firing.board:
            raise errors.CardElsewhere(worktree.name, f"is not in zone {firing.zone!r} any more", "Drop it there to run it again.")

    async def verdict(self, caller: Caller, firing_id: str, request: FiringVerdict, key: str) -> Firing:
        """What a kernel says of a gate that is a function.

        Errors:
            FiringNotOpen: that gate is not waited for.
        """
        caller.require(Role.STEERER, "answer this gate")
        at = self._clock.now()

        def change(transaction: Transaction, firing: Firing) -> Firing:
            run = steps.awaited(firing)
            if firing.state not in LIVE or run is None or run.gate != request.gate:
                raise errors.FiringNotOpen(firing.zone, firing.id, firing.state.value, f"answered at its gate {request.gate + 1}")
            reason = "" if request.passed else f"The function “{firing.policy.gates[request.gate].run[:200]}” says: {request.reason}"
            answered = run.replace(outcome="passed" if request.passed else "failed", reason=reason)
            runs = [answered if one is run else one for one in firing.runs]
            return moves.save(transaction, firing, at, runs=runs, waits_for=None)

        return await self._decide(caller, firing_id, "verdict", request, key, change)

    async def _decide(  # noqa: PLR0917
        self,
        caller: Caller,
        firing_id: str,
        word: str,
        request: object,
        key: str,
        change: Callable[[Transaction, Firing], Firing],
    ) -> Firing:
        """Change a firing once for this key, and go on with it."""
        at = self._clock.now()

        def job(transaction: Transaction) -> Firing:
            return change(transaction, moves.find(transaction.connection, firing_id))

        outcome = await self._store.write(lambda t: once(t, key, caller, f"firing.{word}", [firing_id, request], at, job, Firing))
        if outcome.is_new:
            await self._engine.go_on(outcome.record)
        return outcome.record


def _candidate_ids(connection: Connection, worktree: Worktree) -> set[str]:
    return {one.id for one in receivers.candidates(connection, worktree.id)}


def _answered_firing(connection: Connection, key: str, caller: Caller, action: str, request: object) -> Firing | None:
    found = stored(connection, key, caller, action, request)
    return Firing.model_validate_json(found) if found is not None else None
