"""Turns, the queue among them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.ids import SessionId, TurnId, WorktreeId
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import OPEN, Turn, TurnState
from agor_jupyter.storage import sessions, tables
from agor_jupyter.storage.store import Transaction

_T = tables.turns
_C = _T.c
_S = tables.sessions.c
_OPEN_STATES = sorted(state.value for state in OPEN)
_LIVE_STATES = [*_OPEN_STATES, TurnState.QUEUED.value, TurnState.PARKED.value]
_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T)
    .where(_C.id == sa.bindparam("key"))
    .values({name: sa.bindparam(name) for name in ("state", "is_unresolved", "run_id", "ended_at", "record")})
)
_PLACE = sa.update(_T).where(_C.id == sa.bindparam("key")).values(position=sa.bindparam("position"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_OF_SESSION = sa.select(_C.record).where(_C.session_id == sa.bindparam("session")).order_by(_C.number)
_POSITIONS = (
    sa.select(_C.position).where(_C.session_id == sa.bindparam("session"), _C.state == TurnState.QUEUED.value).order_by(_C.position)
)
_NEXT = sa.select(
    sa.func.coalesce(sa.func.max(_C.number), 0) + 1,
    sa.func.coalesce(sa.func.max(_C.position), 0.0) + 1,
    sa.func.coalesce(sa.func.min(_C.position).filter(_C.state == TurnState.QUEUED.value), sa.func.max(_C.position) + 2, 2.0) - 1,
).where(_C.session_id == sa.bindparam("session"))
_LAST_ENDED = sa.select(sa.func.max(_C.ended_at)).where(_C.session_id == sa.bindparam("session")).scalar_subquery()
_COUNT = sa.select(sa.func.count()).where(_C.session_id == sa.bindparam("session")).scalar_subquery()
_LINE = (
    sa.select(_C.record, _C.position, _COUNT)
    .where(
        _C.session_id == sa.bindparam("session"),
        sa.or_(_C.state.in_(_LIVE_STATES), _C.is_unresolved.is_(True), _C.ended_at == _LAST_ENDED),
    )
    .order_by(_C.number)
)
_ALL_PARKED = sa.select(_C.record).where(_C.state == TurnState.PARKED.value).order_by(_C.id)
_ALL_OPEN = sa.select(_C.record).where(_C.state.in_(_OPEN_STATES)).order_by(_C.id)
_WAITING_SESSIONS = sa.select(_C.session_id).where(_C.state == TurnState.QUEUED.value).group_by(_C.session_id).order_by(sa.func.min(_C.id))
_LIVE_IN_WORKTREE = sa.select(
    sa.exists().where(_C.session_id == _S.id, _S.worktree_id == sa.bindparam("worktree"), _C.state.in_(_LIVE_STATES))
)
_OTHERS_SINCE = sa.select(
    sa.exists().where(
        _C.session_id == _S.id,
        _S.worktree_id == sa.bindparam("worktree"),
        _S.id != sa.bindparam("session"),
        sa.or_(_C.state.in_(_OPEN_STATES), _C.ended_at > sa.bindparam("since")),
    )
)


_LIVE_BESIDE = (
    sa.select(_S.record, _S.last_seq, _S.last_line)
    .where(
        _C.session_id == _S.id,
        _S.worktree_id == sa.bindparam("worktree"),
        _S.id != sa.bindparam("session"),
        _C.state.in_(sa.bindparam("states", expanding=True)),
    )
    .distinct()
)
_OF_WORKTREE = sa.select(_C.record).where(_C.session_id == _S.id, _S.worktree_id == sa.bindparam("worktree"), _C.ended_at.is_not(None))

_NOT_ENDED_BEFORE = sa.select(_C.record).where(
    _C.session_id == _S.id,
    _S.worktree_id == sa.bindparam("worktree"),
    sa.or_(_C.state.in_(_OPEN_STATES), _C.ended_at >= sa.bindparam("since")),
)


class Line(NamedTuple):
    """Where a session stands."""

    decisive: list[Turn]
    """The turns that decide its state, in the order of their numbers: live, unresolved, and the last that ended."""
    queue: list[Turn]
    """Those that wait, in the order in which they will run."""
    total: int
    """Of all its turns."""


def next_number(transaction: Transaction, session_id: SessionId) -> tuple[int, float, float]:
    """The number of a new turn, and its position at the end and at the head of the queue."""
    number, tail, head = transaction.connection.execute(_NEXT, {"session": session_id}).one()
    return int(number), float(tail), float(head)


def insert(transaction: Transaction, turn: Turn, position: float) -> None:
    row = {"id": turn.id, "session_id": turn.session_id, "number": turn.number, "position": position}
    transaction.connection.execute(_INSERT, {**row, **_columns(turn)})


def save(transaction: Transaction, turn: Turn) -> None:
    transaction.connection.execute(_UPDATE, {"key": turn.id, **_columns(turn)})


def place(transaction: Transaction, session_id: SessionId, order: Sequence[TurnId]) -> None:
    """Give the waiting turns of a session this order: the positions they have, dealt out anew."""
    positions = transaction.connection.execute(_POSITIONS, {"session": session_id}).scalars().all()
    for turn_id, position in zip(order, positions, strict=True):
        transaction.connection.execute(_PLACE, {"key": turn_id, "position": position})


def get(connection: sa.Connection, turn_id: str) -> Turn | None:
    record = connection.execute(_GET, {"id": turn_id}).scalar_one_or_none()
    return None if record is None else Turn.model_validate_json(record)


def of_session(connection: sa.Connection, session_id: str) -> list[Turn]:
    """All, in the order of their numbers."""
    return [Turn.model_validate_json(record) for record in connection.execute(_OF_SESSION, {"session": session_id}).scalars()]


def line(connection: sa.Connection, session_id: str) -> Line:
    rows = connection.execute(_LINE, {"session": session_id}).all()
    decisive = [Turn.model_validate_json(record) for record, _, _ in rows]
    waiting = [(position, turn) for turn, (_, position, _) in zip(decisive, rows, strict=True) if turn.state is TurnState.QUEUED]
    queue = [turn for _, turn in sorted(waiting, key=lambda pair: pair[0])]
    return Line(decisive, queue, rows[0][2] if rows else 0)


def all_parked(connection: sa.Connection) -> list[Turn]:
    return [Turn.model_validate_json(record) for record in connection.execute(_ALL_PARKED).scalars()]


def all_open(connection: sa.Connection) -> list[Turn]:
    return [Turn.model_validate_json(record) for record in connection.execute(_ALL_OPEN).scalars()]


def sessions_that_wait(connection: sa.Connection) -> list[SessionId]:
    """Sessions with something in their queue, the longest waiting first."""
    return [SessionId(value) for value in connection.execute(_WAITING_SESSIONS).scalars()]


def has_live(connection: sa.Connection, worktree_id: WorktreeId) -> bool:
    """Whether a turn is open or queued in a worktree."""
    return bool(connection.execute(_LIVE_IN_WORKTREE, {"worktree": worktree_id}).scalar_one())


def others_since(connection: sa.Connection, worktree_id: WorktreeId, session_id: SessionId, since: datetime) -> bool:
    """Whether a turn of another session in that worktree runs, or ended later than that."""
    values = {"worktree": worktree_id, "session": session_id, "since": _stamp(since)}
    return bool(connection.execute(_OTHERS_SINCE, values).scalar_one())


def at_work_beside(connection: sa.Connection, worktree_id: WorktreeId, session_id: SessionId, *, or_waits: bool = False) -> list[Session]:
    """The other sessions of that worktree of which a turn runs, or, with `or_waits`, waits."""
    values = {"worktree": worktree_id, "session": session_id, "states": _LIVE_STATES if or_waits else _OPEN_STATES}
    return [Session.model_validate_json(sessions.encode(*row)) for row in connection.execute(_LIVE_BESIDE, values)]


def ended_in(connection: sa.Connection, worktree_id: WorktreeId) -> list[Turn]:
    """All turns that ended in that worktree, in the order of their ends."""
    found = (Turn.model_validate_json(record) for record in connection.execute(_OF_WORKTREE, {"worktree": worktree_id}).scalars())
    return sorted((turn for turn in found if turn.ended_at), key=lambda turn: (turn.ended_at, turn.number))


def ran_at(connection: sa.Connection, worktree_id: WorktreeId, at: datetime) -> bool:
    """Whether a turn ran in that worktree at a moment that is known to the second."""
    rows = connection.execute(_NOT_ENDED_BEFORE, {"worktree": worktree_id, "since": _stamp(at)}).scalars()
    found = (Turn.model_validate_json(record) for record in rows)
    return any(turn.started_at is not None and turn.started_at < at + timedelta(seconds=1) for turn in found)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _columns(turn: Turn) -> dict[str, object]:
    return {
        "state": turn.state.value,
        "is_unresolved": turn.is_unresolved,
        "run_id": turn.run_id,
        "ended_at": _stamp(turn.ended_at) if turn.ended_at else None,
        "record": turn.model_dump_json(),
    }
