"""Sessions. `record` is kept without `lastSeq` and `lastLine`: those change with every piece of text and are columns of their own."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.sessions import Session
from agor_jupyter.storage import search, tables
from agor_jupyter.storage.store import Transaction

_T = tables.sessions
_C = _T.c
_ROW = (_C.record, _C.last_seq, _C.last_line)
_INSERT = sa.insert(_T)
_UPDATE = (
    sa.update(_T)
    .where(_C.id == sa.bindparam("key"))
    .values({name: sa.bindparam(name) for name in ("worktree_id", "board", "agent", "state", "is_archived", "updated_at", "record")})
)
_GET = sa.select(*_ROW).where(_C.id == sa.bindparam("id"))
_OF_WORKTREE = sa.select(*_ROW).where(_C.worktree_id == sa.bindparam("worktree")).order_by(_C.id)
_OF_AGENT = sa.select(_C.id, _C.record).where(_C.agent == sa.bindparam("agent")).order_by(_C.id)
_OF_TREE = sa.select(*_ROW).where(sa.or_(_C.id == sa.bindparam("root"), _C.root_id == sa.bindparam("root"))).order_by(_C.id)
_CHILDREN = sa.select(sa.func.count()).where(_C.parent_id == sa.bindparam("parent"), _C.is_archived.is_(False))
_IDS = sa.select(_C.id).order_by(_C.id)
FILTERS = {"board": _C.board, "state": _C.state, "agent": _C.agent, "worktree": _C.worktree_id, "person": _C.created_by}


class Cursor(NamedTuple):
    """Where a page ended."""

    updated_at: str
    id: str


def insert(transaction: Transaction, session: Session) -> None:
    row = {"id": session.id, "created_by": session.created_by.username, "last_seq": 0, "last_line": ""}
    row |= {"parent_id": session.parent_id, "root_id": session.root_id}
    transaction.connection.execute(_INSERT, {**row, **_columns(session)})
    search.put_title(transaction, session)


def save(transaction: Transaction, session: Session) -> None:
    """All but `last_seq` and `last_line`, which the log keeps."""
    transaction.connection.execute(_UPDATE, {"key": session.id, **_columns(session)})


def get(connection: sa.Connection, session_id: str) -> Session | None:
    row = connection.execute(_GET, {"id": session_id}).first()
    return None if row is None else Session.model_validate_json(encode(*row))


def get_encoded(connection: sa.Connection, session_id: str) -> str | None:
    row = connection.execute(_GET, {"id": session_id}).first()
    return None if row is None else encode(*row)


def of_worktree(connection: sa.Connection, worktree_id: WorktreeId) -> list[Session]:
    return [Session.model_validate_json(encode(*row)) for row in connection.execute(_OF_WORKTREE, {"worktree": worktree_id})]


def of_tree(connection: sa.Connection, root_id: str) -> list[Session]:
    """The root and all that sprang from it, archived ones too, the oldest first."""
    return [Session.model_validate_json(encode(*row)) for row in connection.execute(_OF_TREE, {"root": root_id})]


def count_children(connection: sa.Connection, parent_id: str) -> int:
    """Those that are not archived."""
    return int(connection.execute(_CHILDREN, {"parent": parent_id}).scalar_one())


def conversations(connection: sa.Connection, agent: str) -> dict[str, SessionId]:
    """The agent's ids of the conversations that are sessions already, or were imported as one; of several sessions the oldest."""
    found: dict[str, SessionId] = {}
    for session_id, record in connection.execute(_OF_AGENT, {"agent": agent}):
        fields = json.loads(record)
        for one in (fields.get("importedId"), fields.get("agentSessionId")):
            if one:
                found.setdefault(one, SessionId(session_id))
    return found


def ids(connection: sa.Connection) -> Sequence[SessionId]:
    return [SessionId(value) for value in connection.execute(_IDS).scalars()]


def page(
    connection: sa.Connection, filters: dict[str, str], *, include_archived: bool = False, limit: int = 50, before: Cursor | None = None
) -> tuple[list[str], Cursor | None]:
    """The newest first, in their wire form, and where to go on. `filters` has the names of `FILTERS`."""
    statement = _page_statement(tuple(sorted(filters)), include_archived=include_archived, goes_on=before is not None)
    values: dict[str, Any] = {**filters, "limit": limit + 1}
    if before is not None:
        values |= {"before_at": before.updated_at, "before_id": before.id}
    rows = connection.execute(statement, values).all()
    items = [encode(row[0], row[1], row[2]) for row in rows[:limit]]
    return items, Cursor(rows[limit - 1][3], rows[limit - 1][4]) if len(rows) > limit else None


_PAGES: dict[tuple[tuple[str, ...], bool, bool], sa.Select[Any]] = {}


def _page_statement(names: tuple[str, ...], *, include_archived: bool, goes_on: bool) -> sa.Select[Any]:
    """Built once for each combination of filters."""
    shape = (names, include_archived, goes_on)
    if shape not in _PAGES:
        statement = sa.select(*_ROW, _C.updated_at, _C.id).where(*(FILTERS[name] == sa.bindparam(name) for name in names))
        if not include_archived:
            statement = statement.where(_C.is_archived.is_(False))
        if goes_on:
            statement = statement.where(sa.tuple_(_C.updated_at, _C.id) < sa.tuple_(sa.bindparam("before_at"), sa.bindparam("before_id")))
        _PAGES[shape] = statement.order_by(_C.updated_at.desc(), _C.id.desc()).limit(sa.bindparam("limit"))
    return _PAGES[shape]


def encode(record: str, last_seq: int, last_line: str) -> str:
    """The wire form from a row."""
    return f'{{"lastSeq":{last_seq},"lastLine":{json.dumps(last_line, ensure_ascii=False)},{record[1:]}'


def _columns(session: Session) -> dict[str, object]:
    return {
        "worktree_id": session.worktree_id,
        "board": session.board,
        "agent": session.agent,
        "state": session.state.value,
        "is_archived": session.archived_at is not None,
        "updated_at": session.updated_at.isoformat(timespec="milliseconds"),
        "record": session.model_dump_json(exclude={"last_seq", "last_line"}),
    }
