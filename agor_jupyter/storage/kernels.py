"""Kernels of worktrees, one of each at most."""

import sqlalchemy as sa

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.kernels import Kernel
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import kernels

_C = kernels.c
_GET = sa.select(_C.record).where(_C.worktree_id == sa.bindparam("worktree"))
_ALL = sa.select(_C.record).order_by(_C.worktree_id)
_DELETE = sa.delete(kernels).where(_C.worktree_id == sa.bindparam("worktree"))
_INSERT = sa.insert(kernels)


def get(connection: sa.Connection, worktree_id: WorktreeId) -> Kernel | None:
    found = connection.execute(_GET, {"worktree": worktree_id}).scalar()
    return Kernel.model_validate_json(found) if found is not None else None


def every(connection: sa.Connection) -> list[Kernel]:
    return [Kernel.model_validate_json(record) for record in connection.execute(_ALL).scalars()]


def save(transaction: Transaction, kernel: Kernel) -> None:
    delete(transaction, kernel.worktree_id)
    transaction.connection.execute(_INSERT, {"worktree_id": kernel.worktree_id, "record": kernel.model_dump_json()})


def delete(transaction: Transaction, worktree_id: WorktreeId) -> None:
    transaction.connection.execute(_DELETE, {"worktree": worktree_id})
