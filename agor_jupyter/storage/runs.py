"""The processes that were started. A row stands before its process does, and goes only when the process is proven gone."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.ids import RunId, SessionId
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_C = tables.runs.c
_INSERT = sa.insert(tables.runs)
_STARTED = (
    sa.update(tables.runs).where(_C.id == sa.bindparam("key")).values(pid=sa.bindparam("pid"), start_ticks=sa.bindparam("start_ticks"))
)
_DELETE = sa.delete(tables.runs).where(_C.id == sa.bindparam("key"))
_ALL = sa.select(_C.id, _C.session_id, _C.boot_id, _C.pid, _C.start_ticks).order_by(_C.id)


class RunRow(NamedTuple):
    """One process. Without a `pid` it was about to be forked: it may be there, and is found by its mark."""

    id: RunId
    session_id: SessionId
    boot_id: str
    pid: int | None
    start_ticks: int | None


def insert(transaction: Transaction, run: RunRow, at: datetime) -> None:
    transaction.connection.execute(_INSERT, {**run._asdict(), "started_at": at.isoformat(timespec="milliseconds")})


def started(transaction: Transaction, run_id: RunId, pid: int, start_ticks: int) -> None:
    transaction.connection.execute(_STARTED, {"key": run_id, "pid": pid, "start_ticks": start_ticks})


def delete(transaction: Transaction, run_id: RunId) -> None:
    transaction.connection.execute(_DELETE, {"key": run_id})


def every(connection: sa.Connection) -> list[RunRow]:
    return [RunRow(*row) for row in connection.execute(_ALL)]
