"""The words of prompts, answers and titles, in an index of SQLite that keeps no text: what is shown of a hit is read from where it stands.

`search_docs` has a row for each turn that ended and for each session's title, in the order of time; `search_words` has their words, and in
`place` what a search can be narrowed by. On another database than SQLite nothing is written, and a search is refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.search import Term
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

MAX_ANSWER = 100_000
"""Characters of an answer that are indexed and looked through: its end."""
MAX_ENTRIES = 5_000
"""Entries of a turn that are looked at for its answer, from its end."""
WINDOW = 400
"""The newest matches that are ranked together."""
MAX_PLACES = 300
"""Of more worktrees than these a search reads every match's session instead."""

_D, _S, _E, _T, _W = tables.search_docs.c, tables.sessions.c, tables.events.c, tables.turns.c, tables.worktrees.c
_NEW_DOC = sa.insert(tables.search_docs)
_WORDS = sa.text("INSERT INTO search_words (rowid, title, prompt, answer, place) VALUES (:id, :title, :prompt, :answer, :place)")
_UNWORD = sa.text(
    "INSERT INTO search_words (search_words, rowid, title, prompt, answer, place) VALUES ('delete', :id, :title, '', '', :place)"
)
_TITLE = sa.select(_D.id, _D.title).where(_D.subject == sa.bindparam("session"))
_SET_TITLE = sa.update(tables.search_docs).where(_D.id == sa.bindparam("key")).values(title=sa.bindparam("title"))
_OF_SESSION = sa.select(_S.agent, _S.worktree_id, _S.last_seq).where(_S.id == sa.bindparam("session"))
_BACKWARDS = (
    sa.select(_E.turn_id, _E.body)
    .where(_E.session_id == sa.bindparam("session"), _E.seq <= sa.bindparam("seq"))
    .order_by(_E.seq.desc())
    .limit(MAX_ENTRIES)
)
_TEXT, _PROMPT = '{"kind":"text",', '{"kind":"prompt",'
_SINCE = sa.select(sa.func.min(_D.id)).where(_D.at >= sa.bindparam("since"))
_ON_BOARD = sa.select(_W.id).where(_W.board == sa.bindparam("board")).limit(MAX_PLACES + 1)
_BACKLOG = sa.select(tables.search_backlog.c.below_n, tables.search_backlog.c.after_session)
_SET_BACKLOG = sa.update(tables.search_backlog)
_NO_BACKLOG = sa.delete(tables.search_backlog)
_ENDS = sa.select(_E.n, _E.seq, _E.body).where(
    _E.n > sa.bindparam("above"),
    _E.n < sa.bindparam("below"),
    sa.or_(_E.body.like('{"kind":"turn_ended",%'), _E.body.like('{"kind":"turn",%"state":"cancelled"%')),
)
_UNTITLED = (
    sa.select(_S.id, _S.record).where(_S.id > sa.bindparam("after")).order_by(_S.id).limit(sa.bindparam("limit"))
)  # fmt: skip
_KNOWN = sa.select(_D.subject).where(_D.subject.in_(sa.bindparam("subjects", expanding=True)))
_LEAST = sa.select(sa.func.min(_D.id))
_RECORDS = (
    sa.select(_D.id, _S.record, _D.seq, _D.at, _T.record, _W.record)
    .select_from(
        tables.search_docs.join(tables.sessions, _S.id == _D.session_id)
        .join(tables.worktrees, _W.id == _S.worktree_id)
        .outerjoin(tables.turns, _T.id == _D.subject)
    )
    .where(_D.id.in_(sa.bindparam("ids", expanding=True)))
)


class Doc(NamedTuple):
    """A row of the index that is to be."""

    session_id: SessionId
    subject: str
    seq: int
    at: str
    title: str | None
    prompt: str
    answer: str
    place: str


class Found(NamedTuple):
    """A match. The lower its `score`, the better it fits."""

    id: int
    score: float
    at: str


class Source(NamedTuple):
    """What a match stands for, from where it is kept: records in their wire form."""

    session: dict[str, Any]
    seq: int
    at: str
    turn: dict[str, Any] | None
    worktree: dict[str, Any]


def put_title(transaction: Transaction, session: Session) -> None:
    """A session is new, or has another title."""
    if not _is_indexed(transaction.connection):
        return
    place = _place(session.worktree_id, session.agent)
    known = transaction.connection.execute(_TITLE, {"session": session.id}).first()
    if known is None:
        _insert(transaction, None, Doc(session.id, session.id, 0, _stamp(session.created_at), session.title, "", "", place))
    elif known.title != session.title:
        transaction.connection.execute(_UNWORD, {"id": known.id, "title": known.title, "place": place})
        transaction.connection.execute(_SET_TITLE, {"key": known.id, "title": session.title})
        transaction.connection.execute(_WORDS, {"id": known.id, "title": session.title, "prompt": "", "answer": "", "place": place})


def put_turn(transaction: Transaction, turn: Turn, seq: int | None = None) -> None:
    """A turn ended; what was said in it is in the log already, up to the entry `seq`, by default the last of its session."""
    if not _is_indexed(transaction.connection):
        return
    agent, _, last_seq = transaction.connection.execute(_OF_SESSION, {"session": turn.session_id}).one()
    _insert(transaction, None, _doc(transaction.connection, turn, agent, seq or last_seq))


def answer(connection: sa.Connection, session_id: str, turn_id: str, seq: int) -> str:
    """What the agent said in a turn up to the entry `seq`, its last `MAX_ANSWER` characters; a message of its own begins on a new line."""
    pieces: list[str] = []
    size, message = 0, None
    for found, body in connection.execute(_BACKWARDS, {"session": session_id, "seq": seq}):
        if found is not None and found != turn_id:
            break
        if found != turn_id or not body.startswith((_TEXT, _PROMPT)):
            continue
        if body.startswith(_PROMPT):
            break
        fields = json.loads(body)
        if pieces and fields.get("messageId") != message:
            pieces.append("\n\n")
        message = fields.get("messageId")
        pieces.append(fields["text"])
        size += len(fields["text"])
        if size > MAX_ANSWER:
            break
    return "".join(reversed(pieces))[-MAX_ANSWER:]


def find(
    connection: sa.Connection,
    terms: Sequence[Term],
    filters: Mapping[str, str],
    *,
    worktrees: Sequence[str] | None = None,
    since: str | None = None,
    include_archived: bool = False,
    below: int | None = None,
) -> list[Found]:
    """The newest `WINDOW` matches whose id is less than `below`, the newest first. `filters`: board, worktree, agent, state.

    Errors:
        SearchUnavailable: the database is not SQLite.
    """
    if not _is_indexed(connection):
        raise errors.SearchUnavailable
    narrowed = _narrowed(connection, filters, worktrees)
    if not terms or narrowed is None:
        return []
    conditions = ["1"]
    values: dict[str, str | int] = {"match": " AND ".join([f"{{title prompt answer}} : ({_expression(terms)})", *narrowed])}
    for name, column in (("board", "s.board"), ("worktree", "s.worktree_id"), ("agent", "s.agent"), ("state", "t.state")):
        if name in filters:
            conditions.append(f"{column} = :{name}")
            values[name] = filters[name]
    if worktrees is not None:
        conditions.append("s.worktree_id IN (SELECT value FROM json_each(:worktrees))")
        values["worktrees"] = json.dumps(list(worktrees))
    if not include_archived:
        conditions.append("NOT s.is_archived")
    if since is not None:
        least = connection.execute(_SINCE, {"since": since}).scalar_one_or_none()
        if least is None:
            return []
        conditions += ["search_words.rowid >= :least", "d.at >= :since"]
        values |= {"least": least, "since": since}
    if below is not None:
        conditions.append("search_words.rowid < :below")
        values["below"] = below
    turns = "CROSS JOIN turns t ON t.id = d.subject" if "state" in filters else ""
    statement = f"""
        SELECT d.id, bm25(search_words, 4.0, 2.0, 1.0, 0.0) AS score, d.at FROM search_words
        CROSS JOIN search_docs d ON d.id = search_words.rowid CROSS JOIN sessions s ON s.id = d.session_id {turns}
        WHERE search_words MATCH :match AND {" AND ".join(conditions)} ORDER BY search_words.rowid DESC LIMIT {WINDOW}
    """  # noqa: S608  # made of names of ours
    return [Found(*row) for row in connection.execute(sa.text(statement), values)]


def sources(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Source]:
    """What these matches stand for."""
    rows = connection.execute(_RECORDS, {"ids": list(ids)})
    return {row[0]: Source(json.loads(row[1]), row[2], row[3], json.loads(row[4]) if row[4] else None, json.loads(row[5])) for row in rows}


# What was said before there was an index


def has_backlog(connection: sa.Connection) -> bool:
    return connection.execute(_BACKLOG).first() is not None


class Step(NamedTuple):
    """The next piece of the backlog, read. `below_n` and `after_session`: where it goes on; `None`: it is done."""

    docs: list[Doc]
    below_n: int
    after_session: str | None


def read_backlog(connection: sa.Connection, entries: int, titles: int) -> Step | None:
    """Of the log, from its end, and then of all sessions. `None`: there is none."""
    row = connection.execute(_BACKLOG).first()
    if row is None:
        return None
    below, after = row
    if below > 1:
        above = max(0, below - 1 - entries)
        return Step(list(_ended(connection, above, below)), above + 1, after)
    found = connection.execute(_UNTITLED, {"after": after, "limit": titles}).all()
    docs = []
    for session_id, record in found:
        fields = json.loads(record)
        place = _place(fields["worktreeId"], fields["agent"])
        docs.append(Doc(session_id, session_id, 0, fields["createdAt"].replace("Z", "+00:00"), fields["title"], "", "", place))
    return Step(docs, below, found[-1][0] if len(found) == titles else None)


def write_backlog(transaction: Transaction, step: Step) -> None:
    """Put a piece into the index, before all that is in it."""
    connection = transaction.connection
    subjects = [doc.subject for doc in step.docs]
    known = set(connection.execute(_KNOWN, {"subjects": subjects}).scalars())
    docs = list({doc.subject: doc for doc in step.docs if doc.subject not in known}.values())
    least = min(connection.execute(_LEAST).scalar_one_or_none() or 0, 0)
    for place, doc in enumerate(docs):
        _insert(transaction, least - len(docs) + place, doc)
    if step.after_session is None:
        connection.execute(_NO_BACKLOG)
    else:
        connection.execute(_SET_BACKLOG.values(below_n=step.below_n, after_session=step.after_session))


def _ended(connection: sa.Connection, above: int, below: int) -> Iterator[Doc]:
    for _, seq, body in connection.execute(_ENDS, {"above": above, "below": below}).all():
        turn = Turn.model_validate(json.loads(body)["turn"])
        if turn.state not in ENDED or (seq is None and turn.started_at is not None):
            continue
        session = connection.execute(_OF_SESSION, {"session": turn.session_id}).first()
        if session is not None:
            yield _doc(connection, turn, session.agent, seq or 0)


def _doc(connection: sa.Connection, turn: Turn, agent: str, seq: int) -> Doc:
    said = answer(connection, turn.session_id, turn.id, seq) if seq else ""
    place = f"{_place(turn.worktree_id, agent)} st{turn.state.value}"
    return Doc(turn.session_id, turn.id, seq, _stamp(turn.ended_at or turn.created_at), None, turn.prompt, said, place)


def _insert(transaction: Transaction, doc_id: int | None, doc: Doc) -> None:
    row = {"session_id": doc.session_id, "subject": doc.subject, "seq": doc.seq, "at": doc.at, "title": doc.title}
    if doc_id is None:
        made = transaction.connection.execute(_NEW_DOC, row)
        assert made.inserted_primary_key is not None  # SQLite gives the next number
        doc_id = made.inserted_primary_key[0]
    else:
        transaction.connection.execute(_NEW_DOC, {"id": doc_id, **row})
    values = {"id": doc_id, "title": doc.title or "", "prompt": doc.prompt, "answer": doc.answer, "place": doc.place}
    transaction.connection.execute(_WORDS, values)


def _is_indexed(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _expression(terms: Sequence[Term]) -> str:
    """Terms hold letters and digits only, so that none of it is syntax of FTS5."""
    return " AND ".join(f'"{" ".join(term.words)}"{"*" if term.is_prefix else ""}' for term in terms)


def _narrowed(connection: sa.Connection, filters: Mapping[str, str], worktrees: Sequence[str] | None) -> list[str] | None:
    """What lets the index itself skip most of what does not pass. `None`: nothing can pass."""
    found = []
    places = [list(worktrees)] if worktrees is not None else []
    if "worktree" in filters:
        places.append([filters["worktree"]])
    if "board" in filters:
        places.append(list(connection.execute(_ON_BOARD, {"board": filters["board"]}).scalars()))
    for place in places:
        if not place:
            return None
        if len(place) <= MAX_PLACES:
            found.append(" OR ".join(_token("wt", one) for one in place))
    found += [_token(prefix, filters[name]) for name, prefix in (("agent", "ag"), ("state", "st")) if name in filters]
    return [f"place : ({one})" for one in found]


def _place(worktree_id: str, agent: str) -> str:
    return f"{_token('wt', worktree_id)} {_token('ag', agent)}"


def _token(prefix: str, name: str) -> str:
    """One word. Names may share one: the rows are compared as well."""
    return prefix + "".join(character for character in name.lower() if character.isascii() and character.isalnum())


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
