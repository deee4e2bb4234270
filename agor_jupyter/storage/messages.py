"""Messages to destinations. One for each destination and key, which the table itself refuses to break."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from agor_jupyter.domain.destinations import Message
from agor_jupyter.storage import tables
from agor_jupyter.storage.schedules import milliseconds
from agor_jupyter.storage.store import Transaction

_T = tables.messages
_C = _T.c
_INSERT = {"sqlite": sqlite.insert(_T).on_conflict_do_nothing(), "postgresql": postgresql.insert(_T).on_conflict_do_nothing()}
_ROW = _C.n == sa.bindparam("key_n")
_UPDATE = sa.update(_T).where(_ROW).values({name: sa.bindparam(name) for name in ("due_ms", "over_ms", "record")})
_OF = _C.destination_id == sa.bindparam("destination")
_HASTEN = sa.update(_T).where(_OF, _C.due_ms > sa.bindparam("moment")).values(due_ms=sa.bindparam("moment"))
_DELETE = sa.delete(_T).where(_OF)
_DROP = sa.delete(_T).where(_OF, _C.due_ms.is_not(None))
_FORGET = sa.delete(_T).where(_C.over_ms < sa.bindparam("moment"), _C.key.not_like("bu\\_%", escape="\\"))
_WAITING = sa.select(_C.destination_id, sa.func.count()).where(_C.due_ms.is_not(None)).group_by(_C.destination_id)
_DUE = sa.select(_C.destination_id).where(_C.due_ms <= sa.bindparam("moment")).distinct().order_by(_C.destination_id)
_DUE_OF = sa.select(_C.n, _C.record).where(_OF, _C.due_ms <= sa.bindparam("moment")).order_by(_C.n).limit(sa.bindparam("limit"))
_SOONEST = sa.select(sa.func.min(_C.due_ms))


class Kept(NamedTuple):
    n: int
    message: Message


def insert(transaction: Transaction, destination_id: str, message: Message, due_at: datetime) -> bool:
    """Whether it is new."""
    row: dict[str, Any] = {"destination_id": destination_id, "key": message.key, "due_ms": milliseconds(due_at), "over_ms": None}
    statement = _INSERT[transaction.connection.dialect.name]
    return bool(transaction.connection.execute(statement, row | {"record": message.model_dump_json()}).rowcount)


def put_off(transaction: Transaction, kept: Kept, due_at: datetime) -> None:
    _update(transaction, kept, due_ms=milliseconds(due_at))


def finish(transaction: Transaction, kept: Kept, at: datetime) -> None:
    """It was sent, was given up, or is told no more."""
    _update(transaction, kept, over_ms=milliseconds(at))


def _update(transaction: Transaction, kept: Kept, due_ms: int | None = None, over_ms: int | None = None) -> None:
    row = {"key_n": kept.n, "due_ms": due_ms, "over_ms": over_ms, "record": kept.message.model_dump_json()}
    transaction.connection.execute(_UPDATE, row)


def hasten(transaction: Transaction, destination_id: str, at: datetime) -> None:
    """What waits for later is due at this moment."""
    transaction.connection.execute(_HASTEN, {"destination": destination_id, "moment": milliseconds(at)})


def drop(transaction: Transaction, destination_id: str) -> None:
    """What waits is sent no more."""
    transaction.connection.execute(_DROP, {"destination": destination_id})


def delete(transaction: Transaction, destination_id: str) -> None:
    transaction.connection.execute(_DELETE, {"destination": destination_id})


def forget(transaction: Transaction, before: datetime) -> None:
    """Those that were over by then. What is told of budgets stays, since each charge says again how they are."""
    transaction.connection.execute(_FORGET, {"moment": milliseconds(before)})


def waiting(connection: sa.Connection) -> dict[str, int]:
    """How many wait, by destination."""
    return {row[0]: row[1] for row in connection.execute(_WAITING)}


def due(connection: sa.Connection, at: datetime) -> Sequence[str]:
    """Destinations to which something is due."""
    return connection.execute(_DUE, {"moment": milliseconds(at)}).scalars().all()


def due_of(connection: sa.Connection, destination_id: str, until: datetime, limit: int) -> list[Kept]:
    """The oldest first."""
    rows = connection.execute(_DUE_OF, {"destination": destination_id, "moment": milliseconds(until), "limit": limit})
    return [Kept(n, Message.model_validate_json(record)) for n, record in rows]


def soonest(connection: sa.Connection) -> int | None:
    """When the next is due, in ms since 1970."""
    found: int | None = connection.execute(_SOONEST).scalar_one()
    return found
