"""The commands that were carried out, by the id their client made, with the answer each got."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_C = tables.commands.c
_FIND = sa.select(_C.username, _C.action, _C.fingerprint, _C.answer).where(_C.key == sa.bindparam("key"))
_INSERT = sa.insert(tables.commands)
_FORGET = sa.delete(tables.commands).where(_C.at < sa.bindparam("before"))


class Command(NamedTuple):
    username: str
    action: str
    fingerprint: str
    answer: str | None


def find(transaction: Transaction, key: str) -> Command | None:
    row = transaction.connection.execute(_FIND, {"key": key}).first()
    return None if row is None else Command(*row)


def insert(transaction: Transaction, key: str, command: Command, at: datetime) -> None:
    transaction.connection.execute(_INSERT, {"key": key, **command._asdict(), "at": at.isoformat(timespec="milliseconds")})


def forget(transaction: Transaction, before: datetime) -> int:
    """Drop the commands of before `before`. Returns how many."""
    return transaction.connection.execute(_FORGET, {"before": before.isoformat(timespec="milliseconds")}).rowcount
