"""What people said of files that agents obey. Nothing is deleted: who allowed what stays readable."""

from collections.abc import Collection

import sqlalchemy as sa

from agor_jupyter.domain.trust import Trust
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import trusts

_C = trusts.c
_INSERT = sa.insert(trusts)
_OF = sa.select(_C.record).where(_C.repo_id == sa.bindparam("of"), _C.path.in_(sa.bindparam("paths", expanding=True))).order_by(_C.id)


def insert(transaction: Transaction, trust: Trust) -> None:
    values = {"id": trust.id, "repo_id": trust.repo_id, "path": trust.path, "record": trust.model_dump_json()}
    transaction.connection.execute(_INSERT, values)


def of(connection: sa.Connection, repo_id: str, paths: Collection[str]) -> list[Trust]:
    """About these files of the repository, the oldest first."""
    records = connection.execute(_OF, {"of": repo_id, "paths": list(paths)}).scalars()
    return [Trust.model_validate_json(record) for record in records]
