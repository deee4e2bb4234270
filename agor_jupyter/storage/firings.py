"""Firings, in the order of their arrival. At most one for each arrival of a worktree, which the table itself refuses to break."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.ids import FiringId, ObjectId, WorktreeId
from agor_jupyter.domain.zones import IN_WORK, LIVE, Firing
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_T = tables.firings
_C = _T.c
_LIVE_STATES = sorted(state.value for state in LIVE)
_WORK_STATES = sorted(state.value for state in IN_WORK)
_INSERT = sa.insert(_T)
_UPDATE = sa.update(_T).where(_C.id == sa.bindparam("key")).values(state=sa.bindparam("state"), record=sa.bindparam("record"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_OF_ARRIVAL = sa.select(_C.record).where(_C.worktree_id == sa.bindparam("worktree"), _C.arrival == sa.bindparam("arrival"))
_LIVE = sa.select(_C.record).where(_C.state.in_(_LIVE_STATES)).order_by(_C.n)
_LIVE_OF_WORKTREE = sa.select(_C.record).where(_C.worktree_id == sa.bindparam("worktree"), _C.state.in_(_LIVE_STATES)).order_by(_C.n)
_OF_WORKTREE_IN_ZONE = (
    sa.select(_C.record)
    .where(_C.worktree_id == sa.bindparam("worktree"), _C.zone_id == sa.bindparam("zone"))
    .order_by(_C.n.desc())
    .limit(sa.bindparam("limit"))
)
_OF_WORKTREE = sa.select(_C.record).where(_C.worktree_id == sa.bindparam("worktree"))
_GATE_SESSION = re.compile(r'"gate":[0-9]+,"sessionId":"([a-z0-9_]+)"')
"""In the wire form of a run. Within a text a quotation mark has a backslash before it, so no text looks like this."""
_IN_ZONE = (_C.board == sa.bindparam("board"), _C.zone_id == sa.bindparam("zone"))
_IN_WORK = sa.select(sa.func.count()).where(*_IN_ZONE, _C.state.in_(_WORK_STATES))
_LEAVE = sa.update(_T).where(_C.worktree_id == sa.bindparam("worktree"), _C.is_current.is_(True)).values(is_current=False)
_UNPLACED = sa.select(_C.worktree_id, _C.unplaced, _C.record).where(_C.unplaced.is_not(None)).order_by(_C.n)
_MARK = sa.update(_T).where(_C.id == sa.bindparam("key")).values(unplaced=sa.bindparam("unplaced"))
_PLACED = sa.update(_T).where(_C.worktree_id == sa.bindparam("worktree"), _C.unplaced <= sa.bindparam("until")).values(unplaced=None)


class Unplaced(NamedTuple):
    """A card that has still to be placed where its worktree's `arrival` of this number brought it."""

    worktree_id: WorktreeId
    arrival: int
    firing: Firing


def insert(transaction: Transaction, firing: Firing) -> None:
    """The card's new firing, which has still to be placed. Those before it are not current any more."""
    leave(transaction, firing.worktree_id)
    names = ("id", "worktree_id", "arrival", "board", "zone_id")
    row = {**{name: getattr(firing, name) for name in names}, "is_current": True, "unplaced": firing.arrival}
    transaction.connection.execute(_INSERT, {**row, "state": firing.state.value, "record": firing.model_dump_json()})


def save(transaction: Transaction, firing: Firing) -> None:
    values = {"key": firing.id, "state": firing.state.value, "record": firing.model_dump_json()}
    transaction.connection.execute(_UPDATE, values)


def leave(transaction: Transaction, worktree_id: WorktreeId) -> None:
    """The card lies no more where its last firing was."""
    transaction.connection.execute(_LEAVE, {"worktree": worktree_id})


def mark_unplaced(transaction: Transaction, firing_id: FiringId, arrival: int) -> None:
    """The firing moved its card, which has still to be placed."""
    transaction.connection.execute(_MARK, {"key": firing_id, "unplaced": arrival})


def placed(transaction: Transaction, worktree_id: WorktreeId, arrival: int) -> None:
    """The card lies where this arrival, or a later one, brought it."""
    transaction.connection.execute(_PLACED, {"worktree": worktree_id, "until": arrival})


def unplaced(connection: sa.Connection) -> list[Unplaced]:
    return [Unplaced(WorktreeId(row[0]), row[1], Firing.model_validate_json(row[2])) for row in connection.execute(_UNPLACED)]


def get(connection: sa.Connection, firing_id: str) -> Firing | None:
    record = connection.execute(_GET, {"id": firing_id}).scalar_one_or_none()
    return None if record is None else Firing.model_validate_json(record)


def of_arrival(connection: sa.Connection, worktree_id: WorktreeId, arrival: int) -> Firing | None:
    record = connection.execute(_OF_ARRIVAL, {"worktree": worktree_id, "arrival": arrival}).scalar_one_or_none()
    return None if record is None else Firing.model_validate_json(record)


def live(connection: sa.Connection) -> list[Firing]:
    """All that are not over, in the order of their arrival."""
    return _read(connection.execute(_LIVE))


def live_of(connection: sa.Connection, worktree_id: WorktreeId) -> list[Firing]:
    """Of one worktree: that of its zone, and those of former zones whose turns still run."""
    return _read(connection.execute(_LIVE_OF_WORKTREE, {"worktree": worktree_id}))


def of_worktree(connection: sa.Connection, worktree_id: WorktreeId, zone_id: ObjectId, limit: int) -> list[Firing]:
    """Of one card in one zone, the newest first."""
    return _read(connection.execute(_OF_WORKTREE_IN_ZONE, {"worktree": worktree_id, "zone": zone_id, "limit": limit}))


def gate_sessions(connection: sa.Connection, worktree_id: WorktreeId) -> set[str]:
    """Ids of the sessions in which gates ran for this worktree."""
    records = connection.execute(_OF_WORKTREE, {"worktree": worktree_id}).scalars()
    return {found for record in records for found in _GATE_SESSION.findall(record)}


def in_work(connection: sa.Connection, board: str, zone_id: ObjectId) -> int:
    return int(connection.execute(_IN_WORK, {"board": board, "zone": zone_id}).scalar_one())


def page(  # the filters of a list
    connection: sa.Connection,
    board: str | None = None,
    zone: str | None = None,
    worktree: str | None = None,
    *,
    is_live: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[str]:
    """The wire forms, the newest first. `after` is the id of the last one of the page before."""
    query: sa.Select[Any] = sa.select(_C.record).order_by(_C.n.desc()).limit(limit)
    for column, value in ((_C.board, board), (_C.zone_id, zone), (_C.worktree_id, worktree)):
        if value is not None:
            query = query.where(column == value)
    if is_live is not None:
        query = query.where(_C.state.in_(_LIVE_STATES) if is_live else _C.state.not_in(_LIVE_STATES))
    if after is not None:
        query = query.where(_C.n < sa.select(_C.n).where(_C.id == after).scalar_subquery())
    return list(connection.execute(query).scalars())


def _read(rows: sa.CursorResult[Any]) -> list[Firing]:
    records: Sequence[str] = rows.scalars().all()
    return [Firing.model_validate_json(record) for record in records]
