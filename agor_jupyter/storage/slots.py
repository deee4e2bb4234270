"""Slots of schedules. One for each schedule and key, which the table itself refuses to break."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.slots import AT_WORK, LIVE_SLOTS, Slot
from agor_jupyter.storage import tables
from agor_jupyter.storage.schedules import milliseconds
from agor_jupyter.storage.store import Transaction

_T = tables.slots
_C = _T.c
_LIVE_STATES = sorted(LIVE_SLOTS)
_WORK_STATES = sorted(AT_WORK)
_INSERT = {"sqlite": sqlite.insert(_T).on_conflict_do_nothing(), "postgresql": postgresql.insert(_T).on_conflict_do_nothing()}
_CHANGED = ("state", "turn_id", "firing_id", "is_kept", "record")
_UPDATE = sa.update(_T).where(_C.id == sa.bindparam("key_id")).values({name: sa.bindparam(name) for name in _CHANGED})
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_HOLD = _GET.with_for_update()
_PAYLOAD = sa.select(_C.payload).where(_C.id == sa.bindparam("id"))
_OF_TURN = sa.select(_C.record).where(_C.turn_id == sa.bindparam("turn"))
_OF_FIRING = sa.select(_C.record).where(_C.firing_id == sa.bindparam("firing"))
_OF_KEY = sa.select(_C.record).where(_C.schedule_id == sa.bindparam("schedule"), _C.key == sa.bindparam("key"))
_LIVE = sa.select(_C.record).where(_C.state.in_(_LIVE_STATES)).order_by(_C.n)
_OF_SCHEDULE = (_C.schedule_id == sa.bindparam("schedule"),)
_LIVE_OF = sa.select(_C.record).where(*_OF_SCHEDULE, _C.state.in_(_LIVE_STATES)).order_by(_C.n)
_SINCE = sa.select(_C.record).where(*_OF_SCHEDULE, _C.planned_ms >= sa.bindparam("since"), _C.turn_id.is_not(None))
_LAST = sa.select(_C.record).where(*_OF_SCHEDULE).order_by(_C.n.desc()).limit(sa.bindparam("limit"))
_KEPT = (
    sa.select(_C.record)
    .where(*_OF_SCHEDULE, _C.is_kept.is_(True), _C.state.not_in(_LIVE_STATES))
    .order_by(_C.n.desc())
    .offset(sa.bindparam("keep"))
    .limit(100)
)


def insert(transaction: Transaction, slot: Slot, payload: JsonObject | None = None) -> bool:
    """Whether it is new."""
    row: dict[str, Any] = {"schedule_id": slot.schedule_id, "id": slot.id, "key": slot.key, "board": slot.board}
    row |= {"planned_ms": milliseconds(slot.planned_at), "payload": json.dumps(payload) if payload is not None else None}
    done = transaction.connection.execute(_INSERT[transaction.connection.dialect.name], {**row, **_changed(slot)})
    return bool(done.rowcount)


def save(transaction: Transaction, slot: Slot) -> None:
    transaction.connection.execute(_UPDATE, {"key_id": slot.id, **_changed(slot)})


def _changed(slot: Slot) -> dict[str, Any]:
    run = slot.run
    return {
        "state": slot.state.value,
        "turn_id": run.turn_id if run else None,
        "firing_id": run.firing_id if run else None,
        "is_kept": slot.is_kept,
        "record": slot.model_dump_json(),
    }


def get(connection: sa.Connection, slot_id: str) -> Slot | None:
    return _one(connection.execute(_GET, {"id": slot_id}).scalar_one_or_none())


def hold(transaction: Transaction, slot_id: str) -> Slot | None:
    """As it is, and as it stays until the end of the transaction."""
    return _one(transaction.connection.execute(_HOLD, {"id": slot_id}).scalar_one_or_none())


def payload(connection: sa.Connection, slot_id: str) -> JsonObject:
    """What came to the schedule's address; empty if nothing did."""
    found = connection.execute(_PAYLOAD, {"id": slot_id}).scalar_one_or_none()
    read: JsonObject = json.loads(found) if found else {}
    return read


def of_turn(connection: sa.Connection, turn_id: str) -> Slot | None:
    """The one whose last attempt this turn is."""
    return _one(connection.execute(_OF_TURN, {"turn": turn_id}).scalar_one_or_none())


def of_firing(connection: sa.Connection, firing_id: str) -> Slot | None:
    return _one(connection.execute(_OF_FIRING, {"firing": firing_id}).scalar_one_or_none())


def of_key(connection: sa.Connection, schedule_id: str, key: str) -> Slot | None:
    return _one(connection.execute(_OF_KEY, {"schedule": schedule_id, "key": key}).scalar_one_or_none())


def live(connection: sa.Connection) -> list[Slot]:
    """All that are not over, the oldest first."""
    return [Slot.model_validate_json(one) for one in connection.execute(_LIVE).scalars()]


def live_of(connection: sa.Connection, schedule_id: str) -> list[Slot]:
    return [Slot.model_validate_json(one) for one in connection.execute(_LIVE_OF, {"schedule": schedule_id}).scalars()]


def begun_since(connection: sa.Connection, schedule_id: str, since: datetime) -> list[Slot]:
    """Those that started something, planned since then."""
    rows = connection.execute(_SINCE, {"schedule": schedule_id, "since": milliseconds(since)}).scalars()
    return [Slot.model_validate_json(one) for one in rows]


def last(connection: sa.Connection, schedule_id: str, limit: int) -> list[Slot]:
    """The newest first."""
    rows = connection.execute(_LAST, {"schedule": schedule_id, "limit": limit}).scalars()
    return [Slot.model_validate_json(one) for one in rows]


def in_view(connection: sa.Connection, schedule_id: str, keep: int) -> list[Slot]:
    """Ended ones whose sessions are in view, but for the newest `keep`."""
    return [Slot.model_validate_json(one) for one in connection.execute(_KEPT, {"schedule": schedule_id, "keep": keep}).scalars()]


def page(  # the filters of a list
    connection: sa.Connection,
    *,
    schedule: str | None = None,
    board: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_live: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[str]:
    """The wire forms, the newest first. `after` is the id of the last one of the page before."""
    query: sa.Select[Any] = sa.select(_C.record).order_by(_C.n.desc()).limit(limit)
    for column, value in ((_C.schedule_id, schedule), (_C.board, board)):
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(_C.planned_ms >= milliseconds(since))
    if until is not None:
        query = query.where(_C.planned_ms < milliseconds(until))
    if is_live is not None:
        query = query.where(_C.state.in_(_LIVE_STATES) if is_live else _C.state.not_in(_LIVE_STATES))
    if after is not None:
        query = query.where(_C.n < sa.select(_C.n).where(_C.id == after).scalar_subquery())
    return list(connection.execute(query).scalars())


def _one(record: str | None) -> Slot | None:
    return None if record is None else Slot.model_validate_json(record)
