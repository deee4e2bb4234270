"""Ports of this machine, each of at most one worktree: the table itself refuses to give one twice."""

import sqlalchemy as sa

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import ports

_C = ports.c
_OF = sa.select(_C.name, _C.port).where(_C.worktree_id == sa.bindparam("of")).order_by(_C.port)
_TAKEN = sa.select(_C.port)
_INSERT = sa.insert(ports)
_DELETE = sa.delete(ports).where(_C.worktree_id == sa.bindparam("of"))
_DROP = _DELETE.where(_C.name == sa.bindparam("called"))


def of(connection: sa.Connection, worktree_id: WorktreeId) -> dict[str, int]:
    """By name, in the order of their numbers."""
    return {row.name: row.port for row in connection.execute(_OF, {"of": worktree_id})}


def taken(connection: sa.Connection) -> set[int]:
    return set(connection.execute(_TAKEN).scalars())


def give(transaction: Transaction, worktree_id: WorktreeId, name: str, port: int) -> None:
    """Instead of the one that it had by this name."""
    transaction.connection.execute(_DROP, {"of": worktree_id, "called": name})
    transaction.connection.execute(_INSERT, {"port": port, "worktree_id": worktree_id, "name": name})


def release(transaction: Transaction, worktree_id: WorktreeId) -> None:
    """All of a worktree's."""
    transaction.connection.execute(_DELETE, {"of": worktree_id})
