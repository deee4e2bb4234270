"""What people prefer from agents, and what agents advertised last."""

from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter

from agor_jupyter.domain.options import Preference, SessionOption
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Transaction

_P, _A = tables.preferences.c, tables.advertised.c
_GET = sa.select(_P.record).where(_P.username == sa.bindparam("username"), _P.agent == sa.bindparam("agent"))
_OF = sa.select(_P.record).where(_P.username == sa.bindparam("username")).order_by(_P.agent)
_DELETE = sa.delete(tables.preferences).where(_P.username == sa.bindparam("by"), _P.agent == sa.bindparam("of"))
_INSERT = sa.insert(tables.preferences)
_ADVERTISED = sa.select(_A.agent, _A.options)
_FORGET = sa.delete(tables.advertised).where(_A.agent == sa.bindparam("of"))
_ADVERTISE = sa.insert(tables.advertised)
_OPTIONS = TypeAdapter(list[SessionOption])


def preference(connection: sa.Connection, username: str, agent: str) -> Preference | None:
    record = connection.execute(_GET, {"username": username, "agent": agent}).scalar_one_or_none()
    return None if record is None else Preference.model_validate_json(record)


def preferences(connection: sa.Connection, username: str) -> list[Preference]:
    """One person's, by the agent's name."""
    return [Preference.model_validate_json(record) for record in connection.execute(_OF, {"username": username}).scalars()]


def prefer(transaction: Transaction, preference: Preference) -> None:
    """Keep it in place of the one before; one without options is dropped."""
    transaction.connection.execute(_DELETE, {"by": preference.username, "of": preference.agent})
    if preference.options:
        row = {"username": preference.username, "agent": preference.agent, "record": preference.model_dump_json()}
        transaction.connection.execute(_INSERT, row)


def advertised(connection: sa.Connection) -> dict[str, list[SessionOption]]:
    """By the agent's name. What an older version kept and this one cannot read is left out."""
    found = {}
    for agent, options in connection.execute(_ADVERTISED):
        try:
            found[agent] = _OPTIONS.validate_json(options)
        except ValueError:
            continue
    return found


def advertise(transaction: Transaction, agent: str, options: list[SessionOption], at: datetime) -> None:
    transaction.connection.execute(_FORGET, {"of": agent})
    row = {"agent": agent, "options": _OPTIONS.dump_json(options).decode(), "at": at.isoformat(timespec="milliseconds")}
    transaction.connection.execute(_ADVERTISE, row)
