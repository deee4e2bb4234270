"""The ledger: what turns used. Rows are added and never changed."""

import sqlalchemy as sa

from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import ledger, sessions

_C = ledger.c
_INSERT = sa.insert(ledger)
COLUMNS = {"session": _C.session_id, "worktree": _C.worktree_id, "board": _C.board, "user": _C.username}
"""What the ledger is searched by."""
_SUMS = {
    scope: sa.select(sa.func.coalesce(sa.func.sum(_C.cost_usd), 0.0)).where(column == sa.bindparam("subject"))
    for scope, column in COLUMNS.items()
}
_TREE = sa.select(sessions.c.id).where(sa.or_(sessions.c.id == sa.bindparam("subject"), sessions.c.root_id == sa.bindparam("subject")))
_SUMS["tree"] = sa.select(sa.func.coalesce(sa.func.sum(_C.cost_usd), 0.0)).where(_C.session_id.in_(_TREE))


def insert(transaction: Transaction, row: LedgerRow) -> None:
    transaction.connection.execute(
        _INSERT,
        {
            "turn_id": row.turn_id,
            "session_id": row.session_id,
            "worktree_id": row.worktree_id,
            "board": row.board,
            "username": row.username,
            "at": row.at.isoformat(timespec="milliseconds"),
            "cost_usd": row.cost_usd,
            "record": row.model_dump_json(),
        },
    )


def page(connection: sa.Connection, filters: dict[str, str], *, since: str | None = None, limit: int = 10_000) -> list[str]:
    """The newest first, in their wire form. `filters` has the names of `COLUMNS`."""
    statement = sa.select(_C.record).where(*(COLUMNS[name] == value for name, value in filters.items()))
    if since is not None:
        statement = statement.where(_C.at >= since)
    return list(connection.execute(statement.order_by(_C.id.desc()).limit(limit)).scalars())


def total(connection: sa.Connection, scope: str, subject: str) -> float:
    """US dollars, estimates included."""
    return float(connection.execute(_SUMS[scope], {"subject": subject}).scalar_one())
