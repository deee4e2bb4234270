"""How an attempt of a slot begins: what is looked at first, and the job that starts its session, its worktree or its firing."""

from collections.abc import Callable
from datetime import datetime, timedelta

from agor_jupyter.domain import errors, times
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.schedules import MAX_QUEUE, InFresh, InZone, Schedule
from agor_jupyter.domain.sessions import Session, SessionCreate
from agor_jupyter.domain.slots import AT_WORK, Slot, SlotRun, SlotState
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate, WorktreeState
from agor_jupyter.domain.zones import LIVE, Firing, ZoneDrop
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.schedules.texts import Texts, zone_of
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.transitions import stop
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.services.zones.firings import Firings
from agor_jupyter.services.zones.zones import Zones
from agor_jupyter.storage import firings, schedules, slots, turns
from agor_jupyter.storage.store import Store, Transaction

SERVER = Person(username="agor", name="Agor")
"""Who cancels what nobody cancelled."""
Cancelled = list[Turn]


class Beginnings:
    """Errors of all: those of starting a session, a worktree or a firing, in the name of the schedule's person."""

    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        agents: Agents,
        sessions: Sessions,
        worktrees: Worktrees,
        zones: Zones,
        firings: Firings,
        texts: Texts,
    ) -> None:
        self._store, self._clock, self._agents, self._sessions = store, clock, agents, sessions
        self._worktrees, self._zones, self._firings, self._texts = worktrees, zones, firings, texts

    async def begin(self, schedule: Schedule, slot: Slot) -> tuple[Slot | None, Cancelled]:
        """From planned on. Without a slot something came in between; what was cancelled is to be told to the runner."""
        cancelled: Cancelled = []
        at = self._clock.now()
        if schedule.target.kind == "worktree":
            worktree = await self._worktrees.get(schedule.target.worktree_id)
            create = await self._session(schedule, slot, worktree, await self._left(schedule))
            prepared: Callable[[Transaction, Slot], Slot] = lambda transaction, now: self._run(  # noqa: E731
                transaction, schedule, now, worktree, create(transaction), at
            )
        else:
            prepared = lambda transaction, now: kept.save(transaction, now, at, state=SlotState.FIRED, retry_at=None)  # noqa: E731

        def job(transaction: Transaction) -> Slot | None:
            cancelled.clear()
            now = slots.hold(transaction, slot.id)
            held = schedules.hold(transaction, schedule.id)
            if now != slot or held is None or held.updated_at != schedule.updated_at:
                return None
            blocked = self._blocked(transaction, held, now, at, cancelled)
            done = blocked or prepared(transaction, now)
            crash_point("slot.before_commit")
            return done

        done = await self._store.write(job)
        crash_point("slot.after_commit")
        return done, cancelled

    def _blocked(self, transaction: Transaction, schedule: Schedule, slot: Slot, at: datetime, cancelled: Cancelled) -> Slot | None:
        """The slot as it is if it may not begin now: it waits, or is skipped."""
        if spent := self._over_day(transaction, schedule, at):
            return kept.save(transaction, slot, at, state=SlotState.SKIPPED, reason=spent)
        earlier = [one for one in slots.live_of(transaction.connection, schedule.id) if one.number < slot.number]
        if not earlier or schedule.overlap == "allow":
            return None
        first = earlier[0]
        if schedule.overlap == "skip" and not slot.runs:
            reason = f"The slot before it (number {first.number}) was still at work."
            return kept.save(transaction, slot, at, state=SlotState.SKIPPED, reason=reason)
        if schedule.overlap == "queue" and sum(one.state is SlotState.PLANNED for one in earlier) >= MAX_QUEUE:
            reason = f"{MAX_QUEUE} earlier slots were waiting already."
            return kept.save(transaction, slot, at, state=SlotState.SKIPPED, reason=reason)
        if schedule.overlap == "cancel":
            for one in earlier:
                halt(transaction, one, at, cancelled, "cancelled", f"The next slot (number {slot.number}) came.", SERVER)
        why = f"slot {first.number}, which is at work"
        return slot if slot.waits_for == why else kept.save(transaction, slot, at, waits_for=why)

    def _over_day(self, transaction: Transaction, schedule: Schedule, at: datetime) -> str | None:
        if schedule.day_usd is None:
            return None
        begun = slots.begun_since(transaction.connection, schedule.id, times.day_of(at, zone_of(schedule)))
        spent = sum(one.cost_usd for one in begun)
        return f"The day's ${schedule.day_usd:.2f} are used up: ${spent:.2f} were spent." if spent >= schedule.day_usd else None

    async def _left(self, schedule: Schedule) -> float | None:
        """Dollars for this attempt. `None`: no limit."""
        if schedule.day_usd is None:
            return schedule.budget_usd
        begun = await self._store.read(slots.begun_since, schedule.id, times.day_of(self._clock.now(), zone_of(schedule)))
        left = max(schedule.day_usd - sum(one.cost_usd for one in begun), 0.01)
        return min(left, schedule.budget_usd or left)

    async def go_on(self, schedule: Schedule, slot: Slot) -> Slot | None:
        """From fired on: a worktree of its own, and a session in it; or a card that goes to a zone. Done again, it does nothing twice."""
        if isinstance(schedule.target, InFresh):
            return await self._fresh(schedule, schedule.target, slot)
        if isinstance(schedule.target, InZone):
            return await self._drop(schedule, schedule.target, slot)
        raise errors.Conflict("The schedule has another target by now.", subject=schedule.id)

    async def _fresh(self, schedule: Schedule, target: InFresh, slot: Slot) -> Slot | None:
        caller, at = kept.caller_of(schedule), self._clock.now()
        if slot.worktree_id is None:
            branch = await self._texts.branch(schedule, slot, target)
            request = WorktreeCreate(repo=target.repo_id, name=branch, branch=branch, base=target.base, board=schedule.board)
            made = await self._worktrees.create(caller, request, f"{slot.id}.worktree")
            crash_point("slot.made")
            waits = "its worktree, which is being made"
            return await self._store.write(_changed, slot, lambda t, now: kept.save(t, now, at, worktree_id=made.id, waits_for=waits))
        worktree = await self._worktrees.wait_ready(slot.worktree_id)
        if worktree.state is WorktreeState.FAILED and slot.runs:
            await self._worktrees.retry(caller, worktree.id, f"{slot.id}.{len(slot.runs)}.worktree")
            worktree = await self._worktrees.wait_ready(worktree.id)
        create = await self._session(schedule, slot, worktree, await self._left(schedule))
        return await self._store.write(_changed, slot, lambda t, now: self._run(t, schedule, now, worktree, create(t), at))

    async def _drop(self, schedule: Schedule, target: InZone, slot: Slot) -> Slot | None:
        """What is done to the card is stored before it is done, so that a server that was killed in between does the same."""
        caller, key, at = kept.caller_of(schedule), f"{slot.id}.{len(slot.runs)}", self._clock.now()
        worktree = await self._worktrees.get(target.worktree_id)
        if slot.worktree_id is None:
            is_there = worktree.zone_id == target.zone_id
            found = await self._store.read(firings.of_arrival, worktree.id, worktree.arrival) if is_there else None
            if found is not None and found.state in LIVE:
                raise errors.CardElsewhere(worktree.name, f"is in work in zone {found.zone!r} already", "It is left there.")
            again, waits = found.id if found is not None else None, "its card, which goes to the zone"
            mark = {"worktree_id": worktree.id, "again": again, "is_out": is_there and found is None, "waits_for": waits}
            return await self._store.write(_changed, slot, lambda t, now: kept.save(t, now, at, **mark))
        if slot.again is not None:
            firing: Firing | None = await self._firings.retry(caller, slot.again, key)
        else:
            if slot.is_out:
                await self._zones.drop(caller, worktree.id, ZoneDrop(zone_id=None), f"{key}.out")
            firing = (await self._zones.drop(caller, worktree.id, ZoneDrop(zone_id=target.zone_id), key)).firing
        crash_point("slot.made")
        if firing is None:
            done = [*slot.runs, SlotRun(outcome="passed", started_at=at, ended_at=at)]
            ended = {"state": SlotState.PASSED, "runs": done, "reason": "The zone starts nothing."}
            return await self._store.write(_changed, slot, lambda t, now: kept.save(t, now, at, **ended))
        run = SlotRun(firing_id=firing.id, started_at=at)
        return await self._store.write(_changed, slot, lambda t, now: _running(t, schedule, now, run, worktree, at))

    async def _session(
        self, schedule: Schedule, slot: Slot, worktree: Worktree, budget_usd: float | None
    ) -> Callable[[Transaction], Session]:
        is_code = bool(schedule.script or schedule.notebook)
        runner = next(one.agent.name for one in self._agents.list() if one.agent.runs_blocks)
        agent = runner if is_code else schedule.agent or str(SessionCreate.model_fields["agent"].default)
        request = SessionCreate(
            worktree_id=worktree.id,
            agent=agent,
            title=schedule.name,
            prompt=await self._texts.prompt(schedule, slot, worktree, agent),
            options=schedule.options,
            allow=schedule.allow,
            budget_usd=budget_usd,
        )
        return await self._sessions.creation(kept.caller_of(schedule), request)

    def _run(  # noqa: PLR0917
        self, transaction: Transaction, schedule: Schedule, slot: Slot, worktree: Worktree, session: Session, at: datetime
    ) -> Slot:
        run = SlotRun(session_id=session.id, turn_id=session.queue[-1], started_at=at)
        done = _running(transaction, schedule, slot, run, worktree, at)
        crash_point("slot.before_commit")
        return done


def halt(  # noqa: PLR0917
    transaction: Transaction, slot: Slot, at: datetime, cancelled: Cancelled, outcome: str, reason: str, by: Person
) -> Slot:
    """Stop what it does. It ends when that has ended; if nothing runs, now."""
    run = slot.run
    if slot.state not in AT_WORK or run is None or run.ended_at is not None:
        return kept.save(transaction, slot, at, state=SlotState.CANCELLED, reason=reason)
    if run.turn_id is not None:
        turn = turns.get(transaction.connection, run.turn_id)
        if turn is not None and turn.state not in ENDED:
            cancelled.append(stop(transaction, TurnId(run.turn_id), by, at))
    if run.outcome is not None:
        return slot
    return kept.save(transaction, slot, at, runs=[*slot.runs[:-1], run.replace(outcome=outcome, reason=reason)])


def _running(  # noqa: PLR0917
    transaction: Transaction, schedule: Schedule, slot: Slot, run: SlotRun, worktree: Worktree, at: datetime
) -> Slot:
    limit = at + timedelta(seconds=schedule.limit_seconds) if schedule.limit_seconds is not None else None
    runs = [*slot.runs, run]
    changes = {"worktree_id": worktree.id, "runs": runs, "limit_at": limit, "retry_at": None, "waits_for": None}
    return kept.save(transaction, slot, at, state=SlotState.RUNNING, **changes)


def _changed(transaction: Transaction, slot: Slot, change: Callable[[Transaction, Slot], Slot]) -> Slot | None:
    """`None`: something came in between."""
    now = slots.hold(transaction, slot.id)
    return change(transaction, now) if now == slot else None
