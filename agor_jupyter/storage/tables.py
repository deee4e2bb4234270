"""The tables.

A noun's table holds the columns that are searched, beside `record`: the whole record in its wire form. What a client gets is
those bytes, so a page or a board is read without building an object for each row. Only `storage/` writes either, together.
"""

import sqlalchemy as sa
from sqlalchemy import event as sa_event

SCHEMA_VERSION = "0014"
"""The newest Alembic revision. A test compares it with the scripts."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

repos = sa.Table(
    "repos",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("slug", sa.String(100), nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)

worktrees = sa.Table(
    "worktrees",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("repo_id", sa.String(40), nullable=False, index=True),
    sa.Column("name_key", sa.String(200), nullable=False),  # lower case; free again once removed
    sa.Column("board", sa.Text, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("updated_at", sa.String(30), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("repo_id", "name_key"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("worktree_id", sa.String(40), nullable=False, index=True),
    sa.Column("board", sa.Text),
    sa.Column("agent", sa.String(60), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
    sa.Column("parent_id", sa.String(40), index=True),
    sa.Column("is_archived", sa.Boolean, nullable=False, default=False),
    sa.Column("updated_at", sa.String(30), nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False, default=0),
    sa.Column("last_line", sa.Text, nullable=False, default=""),
    sa.Column("record", sa.Text, nullable=False),  # its lastSeq and lastLine are those of the last change of state
    sa.Column("root_id", sa.String(40), index=True),  # None: it is a root
    sa.Index("ix_sessions_page", "is_archived", "updated_at", "id"),
    sa.Index("ix_sessions_board_page", "board", "is_archived", "updated_at", "id"),
    sa.Index("ix_sessions_state_page", "state", "is_archived", "updated_at", "id"),
    sa.Index("ix_sessions_agent_page", "agent", "is_archived", "updated_at", "id"),
    sa.Index("ix_sessions_person_page", "created_by", "is_archived", "updated_at", "id"),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("position", sa.Float, nullable=False),  # order in the queue
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("is_unresolved", sa.Boolean, nullable=False, default=False),  # interrupted, and nobody acted on it
    sa.Column("run_id", sa.String(40)),
    sa.Column("ended_at", sa.String(30)),  # turns do not end in the order of their numbers
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("session_id", "number"),
    sa.Index("ix_turns_queue", "session_id", "state", "position"),
)

patches = sa.Table(
    "patches",
    metadata,
    sa.Column("turn_id", sa.String(40), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

permissions = sa.Table(
    "permissions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(40), nullable=False, index=True),
    sa.Column("turn_id", sa.String(40), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("record", sa.Text, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("n", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(30), nullable=False),
    sa.Column("session_id", sa.String(40)),
    sa.Column("turn_id", sa.String(40)),
    sa.Column("seq", sa.Integer),
    sa.Column("body", sa.Text, nullable=False),  # JSON, one kind of domain.events
    sa.Column("raw", sa.Text),  # what the agent sent, masked
    sa.Index("uq_events_session_seq", "session_id", "seq", unique=True),
    sqlite_autoincrement=True,
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("username", sa.String(200), nullable=False),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),  # sha256 of the request
    sa.Column("answer", sa.Text),  # JSON
    sa.Column("at", sa.String(30), nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(40), nullable=False),
    sa.Column("boot_id", sa.String(60), nullable=False),
    sa.Column("pid", sa.Integer),  # None: about to be forked
    sa.Column("start_ticks", sa.BigInteger),
    sa.Column("started_at", sa.String(30), nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),  # sha256; the token itself is nowhere
    sa.Column("session_id", sa.String(40), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False, index=True),
    sa.Column("created_at", sa.String(30), nullable=False),
)

refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(30), nullable=False),
    sa.Column("username", sa.String(200), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("surface", sa.String(20), nullable=False),  # http, mcp, room
)

variables = sa.Table(
    "variables",
    metadata,
    sa.Column("username", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),  # encrypted, with its username and name inside
    sa.Column("updated_at", sa.String(30), nullable=False),
)

issues = sa.Table(
    "issues",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # a digest of its address, which may be long
    sa.Column("read_at", sa.String(30), nullable=False, index=True),
    sa.Column("record", sa.Text, nullable=False),
)

kernels = sa.Table(
    "kernels",
    metadata,
    sa.Column("worktree_id", sa.String(40), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

rules = sa.Table(
    "rules",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("scope", sa.String(20), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("is_revoked", sa.Boolean, nullable=False, default=False),
    sa.Column("expires_at", sa.String(30)),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("ix_rules_subject", "scope", "subject", "is_revoked"),
)

trusts = sa.Table(
    "trusts",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("repo_id", sa.String(40), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("ix_trusts_file", "repo_id", "path"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("account", sa.String(200), nullable=False, index=True),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("record", sa.Text, nullable=False),
)

followers = sa.Table(
    "followers",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("child_id", sa.String(40), nullable=False, index=True),
    sa.Column("child_turn_id", sa.String(40), nullable=False),
    sa.Column("target_id", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("child_id", "child_turn_id", "target_id"),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("username", sa.String(200), primary_key=True),
    sa.Column("agent", sa.String(60), primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

advertised = sa.Table(
    "advertised",
    metadata,
    sa.Column("agent", sa.String(60), primary_key=True),
    sa.Column("options", sa.Text, nullable=False),  # JSON, a list of SessionOption
    sa.Column("at", sa.String(30), nullable=False),
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.String(40), nullable=False, index=True),
    sa.Column("session_id", sa.String(40), nullable=False, index=True),
    sa.Column("worktree_id", sa.String(40), nullable=False, index=True),
    sa.Column("board", sa.Text, index=True),
    sa.Column("username", sa.String(200), nullable=False, index=True),
    sa.Column("at", sa.String(30), nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("record", sa.Text, nullable=False),
)

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("scope", sa.String(20), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("scope", "subject"),
)

firings = sa.Table(
    "firings",
    metadata,
    sa.Column("n", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True, autoincrement=True),  # order of arrival
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("worktree_id", sa.String(40), nullable=False),
    sa.Column("arrival", sa.Integer, nullable=False),
    sa.Column("board", sa.Text, nullable=False),
    sa.Column("zone_id", sa.String(100), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("is_current", sa.Boolean, nullable=False),  # the last one of its worktree, whose card still lies in the zone
    sa.Column("unplaced", sa.Integer),  # the arrival for which the card has still to be placed in the document
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("worktree_id", "arrival"),
    sa.Index("ix_firings_zone", "board", "zone_id", "state"),
)

environments = sa.Table(
    "environments",
    metadata,
    sa.Column("worktree_id", sa.String(40), primary_key=True),
    sa.Column("phase", sa.String(20), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("plan", sa.Text),  # what runs, as the file said it when it was started
    sa.Column("runs", sa.Text, nullable=False),  # JSON: by service, how the next server finds its processes
)

ports = sa.Table(  # which port of this machine belongs to which environment
    "ports",
    metadata,
    sa.Column("port", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("worktree_id", sa.String(40), nullable=False),
    sa.Column("name", sa.String(40), nullable=False),
    sa.UniqueConstraint("worktree_id", "name"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("board", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text),  # None: removed, so that another may have its name
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("is_waiting", sa.Boolean, nullable=False),  # it may start something
    sa.Column("next_ms", sa.BigInteger, index=True),  # when it is due, in ms since 1970
    sa.Column("reckoned_ms", sa.BigInteger, index=True),  # when that was reckoned; later than now: the clock went back since
    sa.Column("secret", sa.Text),  # of its address, encrypted
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("board", "name"),
    sa.Index("ix_schedules_kind", "kind", "is_waiting"),
)

slots = sa.Table(
    "slots",
    metadata,
    sa.Column("n", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(40), nullable=False, unique=True),
    sa.Column("schedule_id", sa.String(40), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("board", sa.Text, nullable=False),
    sa.Column("planned_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("turn_id", sa.String(40), index=True),  # of its last attempt
    sa.Column("firing_id", sa.String(40), index=True),
    sa.Column("is_kept", sa.Boolean, nullable=False),
    sa.Column("payload", sa.Text),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("schedule_id", "key"),
    sa.Index("ix_slots_board", "board", "planned_ms"),
    sa.Index("ix_slots_schedule", "schedule_id", "planned_ms"),
)

destinations = sa.Table(
    "destinations",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("username", sa.String(200), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("address", sa.Text, nullable=False),  # encrypted
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("username", "name"),
)

messages = sa.Table(  # what is to be sent, and for a while what was
    "messages",
    metadata,
    sa.Column("n", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True, autoincrement=True),
    sa.Column("destination_id", sa.String(40), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),  # what it is about, which is told once
    sa.Column("due_ms", sa.BigInteger, index=True),  # when it is sent, in ms since 1970. None: it was, or never will be
    sa.Column("over_ms", sa.BigInteger, index=True),  # when it was sent or given up
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("destination_id", "key"),
)

search_docs = sa.Table(  # what can be searched for: a turn, or the title of a session; ids below 0 were filled in later
    "search_docs",
    metadata,
    sa.Column("id", sa.Integer().with_variant(sa.BigInteger, "postgresql"), primary_key=True),  # in the order of time
    sa.Column("session_id", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(40), nullable=False, unique=True),  # the turn's id, or the session's
    sa.Column("seq", sa.Integer, nullable=False),  # the last entry of the turn
    sa.Column("at", sa.String(30), nullable=False, index=True),
    sa.Column("title", sa.Text),  # None: a turn
)

search_backlog = sa.Table(  # at most one row: what was said before there was an index, and is not in it yet
    "search_backlog",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("below_n", sa.Integer().with_variant(sa.BigInteger, "postgresql"), nullable=False),
    sa.Column("after_session", sa.String(40), nullable=False),
)

SEARCH_WORDS = """CREATE VIRTUAL TABLE search_words USING fts5(
    title, prompt, answer, place, content='', tokenize="unicode61 remove_diacritics 2", prefix='3'
)"""
"""The index of words, of the rows of `search_docs` by their `id`. It keeps no text. Only where the database is SQLite."""


@sa_event.listens_for(search_docs, "after_create")
def _make_words(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(SEARCH_WORDS)
