"""Goes on with slots: each step is one transaction that does it and says that it is done, so that no kill can double or lose one.

It is told of what happens by events, and looks over all that is live when the server starts. The outcome of a slot is that of its turn, or
of what the zone started.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import FiringChanged, SlotChanged, TurnChanged, WorktreeChanged
from agor_jupyter.domain.ids import ScheduleId, SlotId
from agor_jupyter.domain.people import Caller, Person
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.domain.slots import AT_WORK, LIVE_SLOTS, Slot, SlotRun, SlotState
from agor_jupyter.domain.turns import ENDED, Turn, TurnState
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.domain.zones import LIVE, Firing, FiringState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.events import Events
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.schedules.beginnings import SERVER, Beginnings, Cancelled, halt
from agor_jupyter.services.schedules.retention import Retention
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.tasks import end
from agor_jupyter.services.zones.firings import Firings
from agor_jupyter.services.zones.pokes import Pokes
from agor_jupyter.storage import firings, slots, turns
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_LOOK_S = 15.0
_LONGEST = timedelta(days=1)
Outcome = Literal["passed", "failed", "cancelled"]


class Runs:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        events: Events,
        runner: Runner,
        given_firings: Firings,
        beginnings: Beginnings,
        retention: Retention,
    ) -> None:
        self._store, self._clock, self._events, self._runner, self._firings = store, clock, events, runner, given_firings
        self._beginnings, self._retention = beginnings, retention
        self._pokes: Pokes[SlotId] = Pokes(self._advance)
        self._tidy: Pokes[ScheduleId] = Pokes(retention.tidy)
        self._live: dict[SlotId, Slot] = {}
        self._changed = asyncio.Event()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        kinds = (SlotChanged, TurnChanged, FiringChanged, WorktreeChanged)
        self._unsubscribe = self._events.subscribe(kinds, lambda body, _: self._hear(body))
        for slot in await self._store.read(slots.live):
            self._live.setdefault(slot.id, slot)
        for slot in list(self._live.values()):
            self._pokes.poke(slot.id)
        self._watching = asyncio.create_task(self._watch(), name="slots")

    async def close(self) -> None:
        self._unsubscribe()
        if self._watching is not None:
            await end(self._watching)
        await self._pokes.close()
        await self._tidy.close()

    async def cancel(self, slot: Slot, by: Person, reason: str) -> Slot:
        """Stop what it does. Raises `SlotNotOpen`."""
        at, cancelled = self._clock.now(), Cancelled()

        def job(transaction: Transaction) -> Slot:
            cancelled.clear()
            now = slots.hold(transaction, slot.id)
            if now is None or now.state not in LIVE_SLOTS:
                raise errors.SlotNotOpen(slot.schedule, slot.id, now.state.value if now else "gone", "cancelled")
            return halt(transaction, now, at, cancelled, "cancelled", reason, by)

        done = await self._store.write(job)
        await self._tell(cancelled)
        return done

    # What happens elsewhere

    def _hear(self, body: object) -> None:
        match body:
            case SlotChanged(slot=slot):
                self._note(slot)
            case TurnChanged(turn=turn) if turn.state in ENDED:
                self._poke_of(lambda run: run.turn_id == turn.id)
            case FiringChanged(firing=firing) if firing.state not in LIVE:
                self._poke_of(lambda run: run.firing_id == firing.id)
            case WorktreeChanged(worktree=worktree) if worktree.state is not WorktreeState.CREATING:
                for slot in [one for one in self._live.values() if one.worktree_id == worktree.id and one.state is SlotState.FIRED]:
                    self._pokes.poke(slot.id)
            case _:
                pass

    def _poke_of(self, is_it: Callable[[SlotRun], bool]) -> None:
        for slot in [one for one in self._live.values() if one.run is not None and is_it(one.run)]:
            self._pokes.poke(slot.id)

    def _note(self, slot: Slot) -> None:
        """Keep up with what is live; one that ends lets the next one begin."""
        self._changed.set()
        if slot.state in LIVE_SLOTS:
            self._live[slot.id] = slot
            self._pokes.poke(slot.id)
            return
        self._live.pop(slot.id, None)
        self._tidy.poke(slot.schedule_id)
        for other in [one for one in self._live.values() if one.schedule_id == slot.schedule_id and one.state is SlotState.PLANNED]:
            self._pokes.poke(other.id)

    async def _watch(self) -> None:
        """Limits of time, and the moments of further attempts."""
        while True:
            self._changed.clear()
            now = self._clock.now()
            times = [moment for one in self._live.values() for moment in (one.retry_at, one.limit_at) if moment is not None]
            for slot in [one for one in self._live.values() if _is_due(one, now)]:
                self._pokes.poke(slot.id)
            soonest = min((moment for moment in times if moment > now), default=now + timedelta(seconds=_LOOK_S))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min((soonest - now).total_seconds() + 0.005, _LOOK_S)):
                    await self._changed.wait()

    # Step by step

    async def _advance(self, slot_id: SlotId) -> None:
        slot = await self._store.read(slots.get, slot_id)
        if slot is None or slot.state not in LIVE_SLOTS or _waits(slot, self._clock.now()):
            return
        schedule = await self._store.read(kept.find_schedule, slot.schedule_id)
        if slot.state is SlotState.RUNNING:
            await self._settle(schedule, slot)
            return
        try:
            done = await self._step(schedule, slot)
        except errors.BudgetExhausted as error:
            await self._skip(slot, error.message)
        except errors.Unavailable as error:
            if not isinstance(error, errors.NotebookGate):
                raise
            await self._failed(schedule, slot, error.message)
        except errors.AgorError as error:
            await self._failed(schedule, slot, error.message)
        else:
            if done is None:
                self._pokes.poke(slot.id)  # something came in between
            elif done.state is SlotState.RUNNING and done.run is not None and done.run.session_id is not None:
                self._runner.wake(done.run.session_id)

    async def _step(self, schedule: Schedule, slot: Slot) -> Slot | None:
        if slot.state is SlotState.FIRED:
            return await self._beginnings.go_on(schedule, slot)
        done, cancelled = await self._beginnings.begin(schedule, slot)
        await self._tell(cancelled)
        return done

    async def _failed(self, schedule: Schedule, slot: Slot, reason: str) -> None:
        """It could not begin."""
        at = self._clock.now()
        run = SlotRun(outcome="failed", reason=reason[:2000], started_at=at, ended_at=at)
        await self._conclude(schedule, slot, slot.replace(runs=[*slot.runs, run]), "failed", reason)

    async def _skip(self, slot: Slot, reason: str) -> None:
        at = self._clock.now()

        def job(transaction: Transaction) -> None:
            if slots.hold(transaction, slot.id) == slot:
                kept.save(transaction, slot, at, state=SlotState.SKIPPED, reason=reason[:2000])

        await self._store.write(job)

    async def _settle(self, schedule: Schedule, slot: Slot) -> None:
        """While it runs: whether it has ended, and how; or takes too long."""
        run, at = slot.run, self._clock.now()
        assert run is not None
        turn = await self._store.read(turns.get, run.turn_id) if run.turn_id is not None else None
        firing = await self._store.read(firings.get, run.firing_id) if run.firing_id is not None else None
        found = _of_turn(turn) if turn is not None else _of_firing(firing)
        if found is None:
            if run.outcome is not None and firing is not None:
                await self._withdraw(firing)
            await self._limit(slot, at)
            return
        outcome, reason = (run.outcome, run.reason) if run.outcome is not None and found[0] != "passed" else found
        cost = turn.cost_usd if turn is not None else firing.cost_usd if firing is not None else None
        is_estimate = turn.cost_is_estimate if turn is not None else firing.cost_is_estimate if firing is not None else False
        ended = run.replace(outcome=outcome, reason=reason[:2000], ended_at=at)
        settled = slot.replace(
            runs=[*slot.runs[:-1], ended],
            cost_usd=slot.cost_usd + (cost or 0.0),
            cost_is_estimate=slot.cost_is_estimate or (is_estimate and bool(cost)),
        )
        await self._conclude(schedule, slot, settled, outcome, reason)

    async def _limit(self, slot: Slot, at: datetime) -> None:
        run, cancelled = slot.run, Cancelled()
        if run is None or slot.limit_at is None or slot.limit_at > at:
            return
        reason = f"It took longer than its limit of {_span(slot.limit_at - run.started_at)}."

        def job(transaction: Transaction) -> None:
            cancelled.clear()
            now = slots.hold(transaction, slot.id)
            if now is not None and now == slot:
                stopped = halt(transaction, now, at, cancelled, "failed", reason, SERVER)
                kept.save(transaction, stopped, at, limit_at=None)

        await self._store.write(job)
        await self._tell(cancelled)

    async def _withdraw(self, firing: Firing) -> None:
        """What the zone started shall end: the slot is cancelled, or over its limit."""
        with contextlib.suppress(errors.FiringNotOpen):
            await self._firings.withdraw(Caller(person=firing.by, role=firing.role), firing.id, f"{firing.id}.withdraw")

    async def _conclude(self, schedule: Schedule, slot: Slot, settled: Slot, outcome: Outcome, reason: str) -> None:
        """An attempt has ended: the slot too, or it is tried again after a while."""
        at, tries = self._clock.now(), len(settled.runs)

        def job(transaction: Transaction) -> None:
            if slots.hold(transaction, slot.id) != slot:
                return
            if outcome == "failed" and tries <= schedule.retries and not schedule.is_removed:
                pause = min(timedelta(seconds=schedule.retry_seconds) * 2 ** (tries - 1), _LONGEST)
                waits = f"its next attempt: number {tries} failed. {reason}"[:500]
                again: dict[str, object] = {"retry_at": at + pause, "limit_at": None, "waits_for": waits, "again": None, "is_out": False}
                if schedule.target.kind == "zone":
                    again["worktree_id"] = None
                kept.save(transaction, settled, at, state=SlotState.PLANNED, **again)
            else:
                state = {"passed": SlotState.PASSED, "failed": SlotState.FAILED, "cancelled": SlotState.CANCELLED}[outcome]
                kept.save(transaction, settled, at, state=state, reason=reason[:2000] or None)

        await self._store.write(job)
        crash_point("slot.ended")

    async def _tell(self, cancelled: Cancelled) -> None:
        """These turns were cancelled in a transaction that is committed."""
        for turn in cancelled:
            self._runner.cancel(turn)


def _waits(slot: Slot, now: datetime) -> bool:
    """For the moment of its next attempt."""
    return slot.state is SlotState.PLANNED and slot.retry_at is not None and slot.retry_at > now


def _is_due(slot: Slot, now: datetime) -> bool:
    if slot.state is SlotState.PLANNED:
        return slot.retry_at is not None and slot.retry_at <= now
    return slot.state in AT_WORK and slot.limit_at is not None and slot.limit_at <= now


def _of_turn(turn: Turn) -> tuple[Outcome, str] | None:
    match turn.state:
        case TurnState.DONE:
            return "passed", ""
        case TurnState.FAILED:
            return "failed", f"It failed: {turn.error or 'it does not say why'}"
        case TurnState.CANCELLED:
            who = f" by {turn.ended_by.name}" if turn.ended_by is not None and turn.ended_by != SERVER else ""
            return "cancelled", f"It was {'rejected' if turn.error_code == 'rejected' else 'cancelled'}{who}."
        case TurnState.INTERRUPTED:
            return "failed", "The server stopped while it ran."
        case _:
            return None


def _of_firing(firing: Firing | None) -> tuple[Outcome, str] | None:
    if firing is None:
        return "failed", "What the zone started is gone."
    match firing.state:
        case FiringState.PASSED:
            return "passed", ""
        case FiringState.FAILED:
            return "failed", firing.reason or "The zone did not pass the card on."
        case FiringState.WITHDRAWN:
            return "cancelled", firing.reason or "The card was taken back."
        case _:
            return None


def _span(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds // 3600} hours"
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} s"
