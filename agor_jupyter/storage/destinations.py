"""Destinations. Their addresses are encrypted; this module knows no key."""

import sqlalchemy as sa

from agor_jupyter.domain.destinations import Destination
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_T = tables.destinations
_C = _T.c
_INSERT = sa.insert(_T)
_UPDATE = sa.update(_T).where(_C.id == sa.bindparam("key")).values(name=sa.bindparam("name"), record=sa.bindparam("record"))
_SEAL = sa.update(_T).where(_C.id == sa.bindparam("key")).values(address=sa.bindparam("address"))
_DELETE = sa.delete(_T).where(_C.id == sa.bindparam("key"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_ADDRESS = sa.select(_C.address).where(_C.id == sa.bindparam("id"))
_OF = sa.select(_C.record).where(_C.username == sa.bindparam("person")).order_by(_C.name)
_ALL = sa.select(_C.record).order_by(_C.id)


def insert(transaction: Transaction, destination: Destination, address: str) -> None:
    """`address` is encrypted."""
    row = {"id": destination.id, "username": destination.username, "name": destination.name, "address": address}
    transaction.connection.execute(_INSERT, row | {"record": destination.model_dump_json()})


def save(transaction: Transaction, destination: Destination) -> None:
    row = {"key": destination.id, "name": destination.name, "record": destination.model_dump_json()}
    transaction.connection.execute(_UPDATE, row)


def seal(transaction: Transaction, destination_id: str, address: str) -> None:
    """`address` is encrypted."""
    transaction.connection.execute(_SEAL, {"key": destination_id, "address": address})


def delete(transaction: Transaction, destination_id: str) -> None:
    transaction.connection.execute(_DELETE, {"key": destination_id})


def get(connection: sa.Connection, destination_id: str) -> Destination | None:
    record = connection.execute(_GET, {"id": destination_id}).scalar_one_or_none()
    return None if record is None else Destination.model_validate_json(record)


def address(connection: sa.Connection, destination_id: str) -> str | None:
    """Encrypted."""
    return connection.execute(_ADDRESS, {"id": destination_id}).scalar_one_or_none()


def of(connection: sa.Connection, username: str) -> list[Destination]:
    """By name."""
    return [Destination.model_validate_json(one) for one in connection.execute(_OF, {"person": username}).scalars()]


def every(connection: sa.Connection) -> list[Destination]:
    """The oldest first."""
    return [Destination.model_validate_json(one) for one in connection.execute(_ALL).scalars()]
