"""How far each durable subscriber has got in the log."""

import sqlalchemy as sa

from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_F = tables.followers.c


def begin(transaction: Transaction, name: str, n: int) -> int:
    """Where `name` goes on; one that is new begins after `n`."""
    known: int | None = transaction.connection.execute(sa.select(_F.n).where(_F.name == name)).scalar_one_or_none()
    if known is not None:
        return known
    transaction.connection.execute(sa.insert(tables.followers).values(name=name, n=n))
    return n


def move(transaction: Transaction, name: str, n: int) -> None:
    transaction.connection.execute(sa.update(tables.followers).where(_F.name == name).values(n=n))
