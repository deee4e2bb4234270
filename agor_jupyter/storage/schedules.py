"""Schedules. What is due is found by an index; nobody reads them all."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_T = tables.schedules
_C = _T.c
_INSERT = sa.insert(_T)
_NAMES = ("name", "kind", "is_waiting", "next_ms", "reckoned_ms", "record")
_UPDATE = sa.update(_T).where(_C.id == sa.bindparam("key")).values({name: sa.bindparam(name) for name in _NAMES})
_SEAL = sa.update(_T).where(_C.id == sa.bindparam("key")).values(secret=sa.bindparam("secret"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_HOLD = _GET.with_for_update()
_SECRET = sa.select(_C.secret).where(_C.id == sa.bindparam("id"))
_NAMED = sa.select(_C.record).where(_C.board == sa.bindparam("board"), _C.name == sa.bindparam("name"))
_OF_BOARD = sa.select(_C.record).where(_C.name.is_not(None)).order_by(_C.name, _C.id)
_OF_KINDS = sa.select(_C.record).where(_C.kind.in_(sa.bindparam("kinds", expanding=True)), _C.is_waiting.is_(True)).order_by(_C.id)
_DUE = sa.select(_C.id).where(_C.next_ms <= sa.bindparam("now")).order_by(_C.next_ms).limit(sa.bindparam("limit"))
_SOONEST = sa.select(sa.func.min(_C.next_ms))
_AHEAD = sa.select(_C.id).where(_C.reckoned_ms > sa.bindparam("now")).order_by(_C.reckoned_ms).limit(sa.bindparam("limit"))


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return round(moment.timestamp() * 1000)


def insert(transaction: Transaction, schedule: Schedule, reckoned_at: datetime, secret: str | None) -> None:
    row = {"id": schedule.id, "board": schedule.board, "secret": secret, **_row(schedule, reckoned_at)}
    transaction.connection.execute(_INSERT, row)


def save(transaction: Transaction, schedule: Schedule, reckoned_at: datetime) -> None:
    """`reckoned_at` is the moment for which `next_at` was reckoned."""
    transaction.connection.execute(_UPDATE, {"key": schedule.id, **_row(schedule, reckoned_at)})


def _row(schedule: Schedule, reckoned_at: datetime) -> dict[str, Any]:
    due = milliseconds(schedule.next_at) if schedule.next_at is not None else None
    return {
        "name": None if schedule.is_removed else schedule.name,
        "kind": schedule.when.kind,
        "is_waiting": schedule.is_waiting,
        "next_ms": due,
        "reckoned_ms": milliseconds(reckoned_at) if due is not None else None,
        "record": schedule.model_dump_json(),
    }


def seal(transaction: Transaction, schedule_id: str, secret: str | None) -> None:
    """`secret` is encrypted."""
    transaction.connection.execute(_SEAL, {"key": schedule_id, "secret": secret})


def secret(connection: sa.Connection, schedule_id: str) -> str | None:
    """Encrypted."""
    return connection.execute(_SECRET, {"id": schedule_id}).scalar_one_or_none()


def get(connection: sa.Connection, schedule_id: str) -> Schedule | None:
    return _one(connection.execute(_GET, {"id": schedule_id}).scalar_one_or_none())


def hold(transaction: Transaction, schedule_id: str) -> Schedule | None:
    """As it is, and as it stays until the end of the transaction."""
    return _one(transaction.connection.execute(_HOLD, {"id": schedule_id}).scalar_one_or_none())


def named(connection: sa.Connection, board: str, name: str) -> Schedule | None:
    return _one(connection.execute(_NAMED, {"board": board, "name": name}).scalar_one_or_none())


def listed(connection: sa.Connection, board: str | None) -> list[str]:
    """The wire forms, by name."""
    query = _OF_BOARD if board is None else _OF_BOARD.where(_C.board == board)
    return list(connection.execute(query).scalars())


def of_kinds(connection: sa.Connection, kinds: Sequence[str]) -> list[Schedule]:
    """Those that may start something."""
    return [Schedule.model_validate_json(one) for one in connection.execute(_OF_KINDS, {"kinds": list(kinds)}).scalars()]


def due(connection: sa.Connection, now: datetime, limit: int) -> list[str]:
    """Ids, the one that is due longest first."""
    return list(connection.execute(_DUE, {"now": milliseconds(now), "limit": limit}).scalars())


def soonest(connection: sa.Connection) -> int | None:
    """When the next one is due, in ms since 1970."""
    return connection.execute(_SOONEST).scalar_one_or_none()


def reckoned_after(connection: sa.Connection, moment: datetime, limit: int) -> list[str]:
    """Ids of those whose next time was reckoned by a clock that showed a later time than this."""
    return list(connection.execute(_AHEAD, {"now": milliseconds(moment), "limit": limit}).scalars())


def _one(record: str | None) -> Schedule | None:
    return None if record is None else Schedule.model_validate_json(record)
