"""Deliveries: how turns ended, on the way to those who asked to be told."""

import sqlalchemy as sa

from agor_jupyter.domain.deliveries import Delivery
from agor_jupyter.domain.ids import DeliveryId
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_T = tables.deliveries
_C = _T.c
_INSERT = sa.insert(_T)
_UPDATE = sa.update(_T).where(_C.id == sa.bindparam("key")).values(state=sa.bindparam("state"), record=sa.bindparam("record"))
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_PENDING = sa.select(_C.id).where(_C.state == "pending").order_by(_C.id)
_OF = sa.select(_C.record).where(_C.child_id.in_(sa.bindparam("children", expanding=True))).order_by(_C.id)


def insert(transaction: Transaction, delivery: Delivery) -> None:
    """A turn ends once, so there is one for each turn and target."""
    row = {"id": delivery.id, "child_id": delivery.child_id, "child_turn_id": delivery.child_turn_id, "target_id": delivery.target_id}
    transaction.connection.execute(_INSERT, {**row, "state": delivery.state, "record": delivery.model_dump_json()})


def save(transaction: Transaction, delivery: Delivery) -> None:
    transaction.connection.execute(_UPDATE, {"key": delivery.id, "state": delivery.state, "record": delivery.model_dump_json()})


def get(connection: sa.Connection, delivery_id: str) -> Delivery | None:
    record = connection.execute(_GET, {"id": delivery_id}).scalar_one_or_none()
    return None if record is None else Delivery.model_validate_json(record)


def pending(connection: sa.Connection) -> list[DeliveryId]:
    """The oldest first."""
    return [DeliveryId(value) for value in connection.execute(_PENDING).scalars()]


def of_children(connection: sa.Connection, children: list[str]) -> list[Delivery]:
    """The oldest first."""
    return [Delivery.model_validate_json(record) for record in connection.execute(_OF, {"children": children}).scalars()]
