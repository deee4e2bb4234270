"""Copies of issues and pull requests that other hosts have."""

import hashlib
from datetime import datetime

import sqlalchemy as sa

from agor_jupyter.domain.issues import IssueCopy
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import issues

_C = issues.c
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_DELETE = sa.delete(issues).where(_C.id == sa.bindparam("key"))
_INSERT = sa.insert(issues)
_FORGET = sa.delete(issues).where(_C.read_at < sa.bindparam("before"))


def _id(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _stored(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def get(connection: sa.Connection, url: str) -> IssueCopy | None:
    found = connection.execute(_GET, {"id": _id(url)}).scalar()
    return IssueCopy.model_validate_json(found) if found is not None else None


def save(transaction: Transaction, url: str, copy: IssueCopy) -> None:
    delete(transaction, url)
    row = {"id": _id(url), "read_at": _stored(copy.found.read_at), "record": copy.model_dump_json()}
    transaction.connection.execute(_INSERT, row)


def delete(transaction: Transaction, url: str) -> None:
    transaction.connection.execute(_DELETE, {"key": _id(url)})


def forget(transaction: Transaction, before: datetime) -> None:
    """Those that nobody asked for since."""
    transaction.connection.execute(_FORGET, {"before": _stored(before)})
