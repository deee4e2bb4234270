"""Variables, by person and name. `secret` is encrypted; this module knows no key."""

from typing import NamedTuple

import sqlalchemy as sa

from agor_jupyter.domain.variables import Variable
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import variables

_C = variables.c
_OF = sa.select(variables).where(_C.username == sa.bindparam("person")).order_by(_C.name)
_INSERT = sa.insert(variables)
_DELETE = sa.delete(variables).where(_C.username == sa.bindparam("person"), _C.name == sa.bindparam("key"))


class Sealed(NamedTuple):
    variable: Variable
    secret: str


def of(connection: sa.Connection, username: str) -> list[Sealed]:
    """By name."""
    rows = connection.execute(_OF, {"person": username}).mappings()
    return [Sealed(Variable(username=row["username"], name=row["name"], updated_at=row["updated_at"]), row["secret"]) for row in rows]


def save(transaction: Transaction, variable: Variable, secret: str) -> None:
    delete(transaction, variable.username, variable.name)
    row = {"username": variable.username, "name": variable.name, "secret": secret}
    transaction.connection.execute(_INSERT, row | {"updated_at": variable.updated_at.isoformat(timespec="milliseconds")})


def delete(transaction: Transaction, username: str, name: str) -> bool:
    """Whether there was one."""
    return transaction.connection.execute(_DELETE, {"person": username, "key": name}).rowcount == 1
