"""What each turn changed, as git made it."""

import sqlalchemy as sa

from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.turns import Patch
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_C = tables.patches.c
_INSERT = sa.insert(tables.patches)
_DELETE = sa.delete(tables.patches).where(_C.turn_id == sa.bindparam("turn"))
_GET = sa.select(_C.record).where(_C.turn_id == sa.bindparam("turn"))


def put(transaction: Transaction, turn_id: TurnId, patch: Patch) -> None:
    """Instead of what an earlier attempt at the turn left."""
    transaction.connection.execute(_DELETE, {"turn": turn_id})
    transaction.connection.execute(_INSERT, {"turn_id": turn_id, "record": patch.model_dump_json()})


def get(connection: sa.Connection, turn_id: str) -> Patch | None:
    record = connection.execute(_GET, {"turn": turn_id}).scalar_one_or_none()
    return None if record is None else Patch.model_validate_json(record)
