"""The log: transcript entries and the news that a record changed, in one order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Body, Event, Text
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_E, _S = tables.events.c, tables.sessions.c
_COLUMNS = (_E.n, _E.at, _E.session_id, _E.turn_id, _E.seq, _E.body)
_NEWEST = sa.select(sa.func.max(_E.n))
_AFTER = sa.select(*_COLUMNS).where(_E.n > sa.bindparam("after")).order_by(_E.n).limit(sa.bindparam("limit"))
_PAGE = (
    sa.select(*_COLUMNS)
    .where(_E.session_id == sa.bindparam("session"), _E.seq > sa.bindparam("after"))
    .order_by(_E.seq)
    .limit(sa.bindparam("limit"))
)
_TEXTS = (
    sa.select(_E.body)
    .where(_E.session_id == sa.bindparam("session"), _E.turn_id == sa.bindparam("turn"), _E.body.like('{"kind":"text",%'))
    .order_by(_E.seq.desc())
    .limit(sa.bindparam("limit"))
)
_NOTICE = (
    sa.select(_E.seq)
    .where(_E.session_id == sa.bindparam("session"), _E.body.like('{"kind":"notice",%'), _E.body.contains(sa.bindparam("code")))
    .limit(1)
)
_RAW = sa.select(_E.seq, _E.raw).where(_E.session_id == sa.bindparam("session"), _E.seq > sa.bindparam("after"), _E.raw.is_not(None))
_INSERT = sa.insert(tables.events).returning(_E.n, sort_by_parameter_order=True)
_TAKE_SEQ = (
    sa.update(tables.sessions)
    .where(_S.id == sa.bindparam("session"))
    .values(last_seq=_S.last_seq + sa.bindparam("count"), last_line=sa.func.coalesce(sa.bindparam("line", type_=sa.Text), _S.last_line))
    .returning(_S.last_seq)
)


class Entry(NamedTuple):
    """A transcript entry that waits to be stored."""

    session_id: SessionId
    turn_id: TurnId | None
    at: datetime
    body: Body
    raw: str | None = None
    line: str | None = None
    """The session's newest line after this entry. `None`: as before."""


def append(transaction: Transaction, entries: Sequence[Entry]) -> None:
    """Store `entries` by one statement, in order; each session's are numbered on from its last."""
    rows = []
    for session, group in groupby(sorted(entries, key=lambda entry: entry.session_id), key=lambda entry: entry.session_id):
        mine = list(group)
        line = next((entry.line for entry in reversed(mine) if entry.line is not None), None)
        last = transaction.connection.execute(_TAKE_SEQ, {"session": session, "count": len(mine), "line": line}).scalar_one_or_none()
        if last is None:
            raise errors.SessionNotFound(session)
        rows += [
            {
                "at": entry.at.isoformat(timespec="milliseconds"),
                "session_id": session,
                "turn_id": entry.turn_id,
                "seq": seq,
                "body": entry.body.model_dump_json(),
                "raw": entry.raw,
            }
            for seq, entry in enumerate(mine, last - len(mine) + 1)
        ]
    if rows:
        numbers = transaction.connection.execute(_INSERT, rows).scalars()
        transaction.appended += [
            (n, encode(n, row["at"], row["session_id"], row["turn_id"], row["seq"], row["body"]))
            for n, row in zip(numbers, rows, strict=True)
        ]


def newest(connection: sa.Connection) -> int:
    return connection.execute(_NEWEST).scalar_one() or 0


def after(connection: sa.Connection, n: int, limit: int) -> list[tuple[int, bytes]]:
    """The events after `n`, encoded, with their numbers."""
    return [(row[0], encode(*row)) for row in connection.execute(_AFTER, {"after": n, "limit": limit})]


def of_kinds(connection: sa.Connection, kinds: Sequence[str], after: int, to: int, limit: int) -> list[Event]:
    """Those whose body is of one of `kinds`, after number `after` and up to `to`, the oldest first."""
    wanted = sa.or_(*[_E.body.like(f'{{"kind":"{kind}",%') for kind in kinds])
    rows = connection.execute(sa.select(*_COLUMNS).where(_E.n > after, _E.n <= to, wanted).order_by(_E.n).limit(limit))
    return [Event.model_validate_json(encode(*row)) for row in rows]


def page(connection: sa.Connection, session_id: SessionId, after_seq: int, limit: int) -> list[bytes]:
    """A session's transcript after `after_seq`, encoded."""
    rows = connection.execute(_PAGE, {"session": session_id, "after": after_seq, "limit": limit})
    return [encode(*row) for row in rows]


def texts(connection: sa.Connection, session_id: SessionId, turn_id: TurnId, limit: int = 2000) -> list[str]:
    """What the agent said in a turn, the newest piece first; a message of its own begins on a line of its own."""
    rows = connection.execute(_TEXTS, {"session": session_id, "turn": turn_id, "limit": limit}).scalars()
    found = [Text.model_validate_json(body) for body in rows]
    pieces = []
    for place, one in enumerate(found):
        is_first = place + 1 < len(found) and found[place + 1].message_id != one.message_id
        pieces.append(f"\n\n{one.text}" if is_first else one.text)
    return pieces


def has_notice(connection: sa.Connection, session_id: SessionId, code: str) -> bool:
    """Whether the session was ever told it."""
    return connection.execute(_NOTICE, {"session": session_id, "code": f'"code":"{code}"'}).first() is not None


def raw(connection: sa.Connection, session_id: SessionId, after_seq: int = 0) -> Iterable[tuple[int, str]]:
    """What the agent sent, masked, by `seq`."""
    return [(row[0], row[1]) for row in connection.execute(_RAW, {"session": session_id, "after": after_seq})]


def encode(n: int, at: str, session_id: str | None, turn_id: str | None, seq: int | None, body: str) -> bytes:  # noqa: PLR0917 a row
    """The wire form of a row, exactly as `Event.encode` makes it. Ids hold no character that JSON escapes."""
    session = "null" if session_id is None else f'"{session_id}"'
    turn = "null" if turn_id is None else f'"{turn_id}"'
    number = "null" if seq is None else str(seq)
    moment = at.replace("+00:00", "Z")
    return f'{{"n":{n},"at":"{moment}","sessionId":{session},"turnId":{turn},"seq":{number},"body":{body}}}'.encode()
