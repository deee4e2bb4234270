"""Schedules and slots within the transaction of what changes them. The only place that changes either."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from agor_jupyter.domain import errors, ids, times
from agor_jupyter.domain.events import ScheduleChanged, SlotChanged
from agor_jupyter.domain.ids import SlotId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.domain.slots import LIVE_SLOTS, Slot, SlotState
from agor_jupyter.storage import schedules, slots
from agor_jupyter.storage.store import Transaction

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)
"""A moment that passed longer ago than this is late."""
SHOWN = 20
"""So many moments that are skipped together get slots of their own; the oldest of these stands for those before it."""
_MOST = 5_000
_RECENT = timedelta(days=3)

_TROUBLE = "Its next moments could not be reckoned, so it starts nothing. The server's log says why. Change its times to go on."

Slots = list[Slot]


def key_of(moment: datetime) -> str:
    """The key of a planned moment."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def caller_of(schedule: Schedule) -> Caller:
    """In whose name it acts."""
    return Caller(person=schedule.by, role=schedule.role)


def find_schedule(connection: Connection, schedule_id: str) -> Schedule:
    schedule = schedules.get(connection, schedule_id)
    if schedule is None:
        raise errors.ScheduleNotFound(schedule_id)
    return schedule


def find(connection: Connection, slot_id: str) -> Slot:
    slot = slots.get(connection, slot_id)
    if slot is None:
        raise errors.SlotNotFound(slot_id)
    return slot


def reckoned(schedule: Schedule, after: datetime) -> Schedule:
    """With its next time after `after`; none while it starts nothing."""
    due = times.next_after(schedule.when, after, schedule.since) if schedule.is_waiting else None
    return schedule.replace(next_at=due)


def save_schedule(transaction: Transaction, schedule: Schedule, at: datetime, **changes: object) -> Schedule:
    """Store a schedule with these changes, and tell everyone."""
    schedule = schedule.replace(**changes)
    schedules.save(transaction, schedule, at)
    transaction.append(at, ScheduleChanged(schedule=schedule))
    return schedule


def save(transaction: Transaction, slot: Slot, at: datetime, **changes: object) -> Slot:
    """Store a slot with these changes, and tell everyone."""
    state = changes.get("state", slot.state)
    if state is not slot.state:
        changes = {"waits_for": None, **changes}
    if state not in LIVE_SLOTS:
        changes = {"ended_at": slot.ended_at or at, "retry_at": None, "limit_at": None, **changes}
    slot = slot.replace(**changes, updated_at=at)
    slots.save(transaction, slot)
    transaction.append(at, SlotChanged(slot=slot))
    return slot


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Why a slot comes."""

    key: str
    planned_at: datetime
    cause: Literal["time", "event", "person"] = "time"
    caused_by: str = ""
    hops: int = 0
    missed: int = 0
    reason: str | None = None
    """Why it is skipped at once."""
    payload: JsonObject | None = None


def add(transaction: Transaction, schedule: Schedule, happening: Happening, at: datetime) -> tuple[Schedule, Slot | None]:
    """A new slot; `None` if there is one with this key. Whoever calls it stores the schedule."""
    seed = hashlib.sha256(f"{schedule.id} {happening.key}".encode()).digest()
    made = ids.make("slot", schedules.milliseconds(happening.planned_at), int.from_bytes(seed[:8]))
    slot = Slot(
        id=SlotId(made),
        schedule_id=schedule.id,
        schedule=schedule.name,
        board=schedule.board,
        number=schedule.counted + 1,
        key=happening.key,
        planned_at=happening.planned_at,
        cause=happening.cause,
        caused_by=happening.caused_by,
        hops=happening.hops,
        missed=happening.missed,
        state=SlotState.SKIPPED if happening.reason else SlotState.PLANNED,
        reason=happening.reason,
        ended_at=at if happening.reason else None,
        created_at=at,
        updated_at=at,
    )
    if not slots.insert(transaction, slot, happening.payload):
        return schedule, None
    transaction.append(at, SlotChanged(slot=slot))
    return schedule.replace(counted=slot.number), slot


def plan(transaction: Transaction, schedule_ids: Sequence[str], now: datetime) -> Slots:
    """Slots for what is due of these schedules, and their next times. What another server has planned meanwhile is left alone."""
    made: Slots = []
    for schedule_id in schedule_ids:
        schedule = schedules.hold(transaction, schedule_id)
        if schedule is None or not schedule.is_waiting or schedule.next_at is None or schedule.next_at > now:
            continue
        try:
            happenings, after = _happenings(schedule, now), reckoned(schedule.replace(is_over=schedule.when.kind == "once"), now)
        except Exception:  # a bug with one schedule must not keep the others from their moments
            log.exception("The moments of schedule %s cannot be reckoned", schedule_id)
            save_schedule(transaction, schedule.replace(next_at=None, trouble=_TROUBLE), now)
            continue
        for happening in happenings:
            schedule, slot = add(transaction, schedule, happening, now)
            made += [slot] if slot is not None else []
        save_schedule(transaction, after.replace(counted=schedule.counted), now)
    return made


def reckon(transaction: Transaction, schedule_ids: Sequence[str], now: datetime) -> None:
    """The clock went back: what comes next is what comes after the time that it shows now. Slots that were there stay, and come no more."""
    for schedule_id in schedule_ids:
        schedule = schedules.hold(transaction, schedule_id)
        if schedule is not None:
            since = min(schedule.since, now)
            save_schedule(transaction, reckoned(schedule.replace(since=since), now), now)


def _happenings(schedule: Schedule, now: datetime) -> list[Happening]:
    """Of moments that came, in their order: those that run, and those that are skipped, with the reason."""
    came, is_more = _came(schedule, now)
    late = [moment for moment in came if now - moment > GRACE]
    soon = came[len(late) :]
    runs: list[datetime] = []
    if schedule.late == "latest" and not soon:
        runs = late[-1:]
    elif schedule.late == "all":
        runs = late[-schedule.late_limit :]
    skipped = late[: len(late) - len(runs)]
    why = "No server ran at that time, and late slots of this schedule are skipped."
    if schedule.late == "latest":
        why = "No server ran at that time, and of late slots only the latest runs."
    elif schedule.late == "all":
        why = f"No server ran at that time, and of late slots the latest {schedule.late_limit} run."
    found: list[Happening] = []
    if skipped:
        older = skipped[:-SHOWN]
        why_first = f"{why} It stands for all moments before it." if is_more else why
        for number, moment in enumerate(skipped[-SHOWN:]):
            missed = len(older) if number == 0 else 0
            reason = why_first if number == 0 else why
            found.append(Happening(key=key_of(moment), planned_at=moment, missed=missed, reason=reason))
    return found + [Happening(key=key_of(moment), planned_at=moment) for moment in (*runs, *soon)]


def _came(schedule: Schedule, now: datetime) -> tuple[list[datetime], bool]:
    """Moments from the one that is due until now; and whether there are more, which are too many to name."""
    assert schedule.next_at is not None
    first = schedule.next_at - timedelta(milliseconds=1)
    found = times.until(schedule.when, first, now, schedule.since, _MOST)
    if len(found) < _MOST:
        return found, False
    return times.until(schedule.when, now - _RECENT, now, schedule.since, _MOST), True
