"""What a board shows, read in one transaction: the stored wire forms, joined without building an object for each."""

from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.turns import OPEN, TurnState
from agor_jupyter.domain.zones import LIVE
from agor_jupyter.storage import events, sessions, tables

_W, _S, _T, _P = tables.worktrees.c, tables.sessions.c, tables.turns.c, tables.permissions.c

_REPOS = sa.select(tables.repos.c.record).order_by(tables.repos.c.slug)
_WORKTREES = sa.select(_W.record).where(_W.board == sa.bindparam("board")).order_by(_W.id)
_SESSIONS = (
    sa.select(_S.record, _S.last_seq, _S.last_line)
    .select_from(tables.worktrees.join(tables.sessions, _S.worktree_id == _W.id))
    .where(_W.board == sa.bindparam("board"), _S.is_archived == sa.false())
)
_LAST = tables.turns.alias("later")
_NOT_ARCHIVED = sa.func.coalesce(_S.is_archived, sa.false()) == sa.false()
"""As a bare column it would lead SQLite to begin with all sessions of the server that are not archived."""
_TURNS = (
    sa.select(_T.record)
    .select_from(
        tables.worktrees.join(tables.sessions, _S.worktree_id == _W.id).join(tables.turns, _T.session_id == _S.id),
    )
    .where(
        _W.board == sa.bindparam("board"),
        _NOT_ARCHIVED,
        sa.or_(
            _T.state.in_([state.value for state in (*sorted(OPEN), TurnState.QUEUED, TurnState.PARKED)]),
            _T.is_unresolved == sa.true(),
            sa.and_(
                _T.state == TurnState.FAILED.value,
                _S.state == TurnState.FAILED.value,
                ~sa.exists().where(_LAST.c.session_id == _T.session_id, _LAST.c.ended_at > _T.ended_at),
            ),
        ),
    )
    .order_by(_T.session_id, _T.position)
)
_PERMISSIONS = (
    sa.select(_P.record)
    .select_from(
        tables.permissions.join(tables.sessions, _S.id == _P.session_id).join(tables.worktrees, _W.id == _S.worktree_id),
    )
    .where(_W.board == sa.bindparam("board"), _P.state == "open")
    .order_by(_P.id)
)
_F = tables.firings.c
_FIRINGS = (
    sa.select(_F.record)
    .where(_F.board == sa.bindparam("board"), sa.or_(_F.state.in_(sorted(state.value for state in LIVE)), _F.is_current.is_(True)))
    .order_by(_F.n)
)
_BOARDS = sa.select(_W.board).where(_W.board.is_not(None)).distinct().order_by(_W.board)
_PLACED = sa.select(_W.id, _W.state, _W.record).where(_W.board == sa.bindparam("board")).order_by(_W.id)


class Placed(NamedTuple):
    """A worktree that lies on a board."""

    id: str
    state: str
    record: str


def paths(connection: sa.Connection) -> list[str]:
    """The boards on which worktrees lie."""
    return list(connection.execute(_BOARDS).scalars())


def placed(connection: sa.Connection, board: str) -> list[Placed]:
    return [Placed(*row) for row in connection.execute(_PLACED, {"board": board})]


def snapshot(connection: sa.Connection, board: str, me: bytes, agents: bytes) -> bytes:
    """The wire form of `Snapshot`."""
    given = {"board": board}
    n = events.newest(connection)
    sessions_of_board = ",".join(sessions.encode(*row) for row in connection.execute(_SESSIONS, given))
    parts = {
        "repos": ",".join(connection.execute(_REPOS).scalars()),
        "worktrees": ",".join(connection.execute(_WORKTREES, given).scalars()),
        "sessions": sessions_of_board,
        "turns": ",".join(connection.execute(_TURNS, given).scalars()),
        "permissions": ",".join(connection.execute(_PERMISSIONS, given).scalars()),
        "firings": ",".join(connection.execute(_FIRINGS, given).scalars()),
    }
    lists = ",".join(f'"{name}":[{joined}]' for name, joined in parts.items())
    return b'{"n":%d,"me":%b,"agents":%b,%b}' % (n, me, agents, lists.encode())
