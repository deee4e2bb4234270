"""Who was refused what: the audit trail."""

from datetime import datetime

import sqlalchemy as sa

from agor_jupyter.domain.people import Refusal
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import refusals

_INSERT = sa.insert(refusals)
_LIST = (
    sa.select(refusals.c.at, refusals.c.username, refusals.c.action, refusals.c.surface)
    .order_by(refusals.c.id.desc())
    .limit(sa.bindparam("limit"))
)


def insert(transaction: Transaction, *, at: datetime, username: str, action: str, surface: str) -> None:
    row = {"at": at.isoformat(timespec="milliseconds"), "username": username[:200], "action": action[:1000], "surface": surface}
    transaction.connection.execute(_INSERT, row)


def newest(connection: sa.Connection, limit: int) -> list[Refusal]:
    return [Refusal.model_validate(dict(row)) for row in connection.execute(_LIST, {"limit": limit}).mappings()]
