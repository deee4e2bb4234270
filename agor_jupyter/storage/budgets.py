"""Budgets: one for each scope and subject."""

from collections.abc import Iterable

import sqlalchemy as sa

from agor_jupyter.domain.budgets import Budget
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import budgets

_C = budgets.c
_INSERT = sa.insert(budgets)
_UPDATE = sa.update(budgets).where(_C.id == sa.bindparam("key")).values(record=sa.bindparam("record"))
_DELETE = sa.delete(budgets).where(_C.id == sa.bindparam("key"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_OF = sa.select(_C.scope, _C.subject, _C.record).where(_C.subject.in_(sa.bindparam("of", expanding=True)))
_ALL = sa.select(_C.record).order_by(_C.id)


def insert(transaction: Transaction, budget: Budget) -> None:
    row = {"id": budget.id, "scope": budget.scope, "subject": budget.subject, "record": budget.model_dump_json()}
    transaction.connection.execute(_INSERT, row)


def save(transaction: Transaction, budget: Budget) -> None:
    transaction.connection.execute(_UPDATE, {"key": budget.id, "record": budget.model_dump_json()})


def delete(transaction: Transaction, budget: Budget) -> None:
    transaction.connection.execute(_DELETE, {"key": budget.id})


def get(connection: sa.Connection, budget_id: str) -> Budget | None:
    record = connection.execute(_GET, {"id": budget_id}).scalar_one_or_none()
    return None if record is None else Budget.model_validate_json(record)


def of(connection: sa.Connection, subjects: Iterable[tuple[str, str]]) -> list[Budget]:
    """Those of these scopes and subjects, in their order."""
    wanted = list(subjects)
    rows = connection.execute(_OF, {"of": [subject for _, subject in wanted]})
    found = {(scope, subject): record for scope, subject, record in rows}
    return [Budget.model_validate_json(found[one]) for one in wanted if one in found]


def every(connection: sa.Connection) -> list[Budget]:
    """The oldest first."""
    return [Budget.model_validate_json(record) for record in connection.execute(_ALL).scalars()]
