"""Permission questions. One is settled once: every change asks that it is open still."""

import sqlalchemy as sa

from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.permissions import Permission, PermissionState
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_T = tables.permissions
_C = _T.c
_S = tables.sessions.c
_OPEN = PermissionState.OPEN.value
_INSERT = sa.insert(_T)
_SETTLE = (
    sa.update(_T).where(_C.id == sa.bindparam("key"), _C.state == _OPEN).values(state=sa.bindparam("state"), record=sa.bindparam("record"))
)
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_ALL_OPEN = sa.select(_C.record).where(_C.state == _OPEN).order_by(_C.id)
_OPEN_OF_TURN = sa.select(_C.record).where(_C.turn_id == sa.bindparam("turn"), _C.state == _OPEN).order_by(_C.id)
_LAST_OF_TURN = sa.select(_C.record).where(_C.turn_id == sa.bindparam("turn")).order_by(_C.id.desc()).limit(1)


def insert(transaction: Transaction, permission: Permission) -> None:
    row = {name: getattr(permission, name) for name in ("id", "session_id", "turn_id", "run_id")}
    transaction.connection.execute(_INSERT, {**row, "state": permission.state.value, "record": permission.model_dump_json()})


def settle(transaction: Transaction, permission: Permission) -> bool:
    """Compare and set: store `permission` if it is open still. Returns whether it was."""
    values = {"key": permission.id, "state": permission.state.value, "record": permission.model_dump_json()}
    return transaction.connection.execute(_SETTLE, values).rowcount == 1


def amend(transaction: Transaction, permission: Permission) -> bool:
    """What became known of an open question."""
    return settle(transaction, permission)


def get(connection: sa.Connection, permission_id: str) -> Permission | None:
    record = connection.execute(_GET, {"id": permission_id}).scalar_one_or_none()
    return None if record is None else Permission.model_validate_json(record)


def all_open(connection: sa.Connection) -> list[Permission]:
    return [Permission.model_validate_json(record) for record in connection.execute(_ALL_OPEN).scalars()]


def open_of_turn(connection: sa.Connection, turn_id: TurnId) -> list[Permission]:
    return [Permission.model_validate_json(record) for record in connection.execute(_OPEN_OF_TURN, {"turn": turn_id}).scalars()]


def last_of_turn(connection: sa.Connection, turn_id: TurnId) -> Permission | None:
    """The one that was asked last, whatever became of it."""
    record = connection.execute(_LAST_OF_TURN, {"turn": turn_id}).scalar()
    return None if record is None else Permission.model_validate_json(record)
