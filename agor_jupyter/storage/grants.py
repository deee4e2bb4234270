"""Tokens of agents, as hashes."""

from datetime import datetime

import sqlalchemy as sa

from agor_jupyter.domain.ids import RunId, SessionId
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import grants

_INSERT = sa.insert(grants)
_FIND = sa.select(grants.c.session_id).where(grants.c.token_hash == sa.bindparam("hash"))
_REVOKE = sa.delete(grants).where(grants.c.run_id == sa.bindparam("run"))
_REVOKE_ALL = sa.delete(grants)


def insert(transaction: Transaction, token_hash: str, session_id: SessionId, run_id: RunId, at: datetime) -> None:
    row = {"token_hash": token_hash, "session_id": session_id, "run_id": run_id, "created_at": at.isoformat(timespec="milliseconds")}
    transaction.connection.execute(_INSERT, row)


def find(connection: sa.Connection, token_hash: str) -> SessionId | None:
    found = connection.execute(_FIND, {"hash": token_hash}).scalar_one_or_none()
    return None if found is None else SessionId(found)


def revoke(transaction: Transaction, run_id: RunId) -> None:
    transaction.connection.execute(_REVOKE, {"run": run_id})


def revoke_all(transaction: Transaction) -> None:
    transaction.connection.execute(_REVOKE_ALL)
