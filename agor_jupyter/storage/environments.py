"""Environments, one for each worktree that has ever had one, with what the next server needs to find their processes."""

from typing import NamedTuple

import sqlalchemy as sa
from pydantic import TypeAdapter

from agor_jupyter.domain.environments import Environment, Phase, Plan, ServiceRun
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import environments

_C = environments.c
_GET = sa.select(environments).where(_C.worktree_id == sa.bindparam("of"))
_EVERY = sa.select(environments).order_by(_C.worktree_id)
_RECORDS = sa.select(_C.record).order_by(_C.worktree_id)
_INSERT = sa.insert(environments)
_UPDATE = (
    sa.update(environments)
    .where(_C.worktree_id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in ("phase", "record", "plan", "runs")})
)
_DELETE = sa.delete(environments).where(_C.worktree_id == sa.bindparam("of"))
_RUNS = TypeAdapter(dict[str, ServiceRun])


class Row(NamedTuple):
    environment: Environment
    phase: Phase = Phase.REST
    plan: Plan | None = None
    """What runs. `None`: it was never started."""
    runs: dict[str, ServiceRun] = {}  # noqa: RUF012  # never changed in place
    """By service: only of those that have a process, or are about to."""


def get(connection: sa.Connection, worktree_id: WorktreeId) -> Row | None:
    found = connection.execute(_GET, {"of": worktree_id}).mappings().one_or_none()
    return None if found is None else _read(found)


def every(connection: sa.Connection) -> list[Row]:
    """The oldest worktree first."""
    return [_read(row) for row in connection.execute(_EVERY).mappings()]


def records(connection: sa.Connection) -> list[str]:
    """The wire forms, the oldest worktree first."""
    return list(connection.execute(_RECORDS).scalars())


def save(transaction: Transaction, row: Row) -> None:
    values = {
        "phase": row.phase.value,
        "record": row.environment.model_dump_json(),
        "plan": None if row.plan is None else row.plan.model_dump_json(),
        "runs": _RUNS.dump_json(row.runs).decode(),
    }
    if not transaction.connection.execute(_UPDATE, {"of": row.environment.worktree_id, **values}).rowcount:
        transaction.connection.execute(_INSERT, {"worktree_id": row.environment.worktree_id, **values})


def delete(transaction: Transaction, worktree_id: WorktreeId) -> bool:
    """Whether there was one."""
    return transaction.connection.execute(_DELETE, {"of": worktree_id}).rowcount == 1


def _read(row: sa.RowMapping) -> Row:
    plan = None if row["plan"] is None else Plan.model_validate_json(row["plan"])
    return Row(Environment.model_validate_json(row["record"]), Phase(row["phase"]), plan, _RUNS.validate_json(row["runs"]))
