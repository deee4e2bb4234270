"""Rules. None is deleted: what allowed something stays readable."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from agor_jupyter.domain.rules import Rule
from agor_jupyter.storage.store import Transaction
from agor_jupyter.storage.tables import rules

_C = rules.c
_INSERT = sa.insert(rules)
_UPDATE = (
    sa.update(rules)
    .where(_C.id == sa.bindparam("key"))
    .values({name: sa.bindparam(name) for name in ("is_revoked", "expires_at", "record")})
)
_GET = sa.select(_C.record).where(_C.id == sa.bindparam("id"))
_ALL = sa.select(_C.record).order_by(_C.id)
_LIVE = sa.and_(_C.is_revoked == sa.false(), sa.or_(_C.expires_at.is_(None), _C.expires_at > sa.bindparam("now")))
_LIVE_OF = sa.select(_C.record).where(_C.scope == sa.bindparam("scope"), _C.subject == sa.bindparam("of"), _LIVE).order_by(_C.id)
_OF = sa.select(_C.record).where(_C.scope == sa.bindparam("scope"), _C.subject == sa.bindparam("of")).order_by(_C.id)
_ANY = sa.select(_C.id).where(_C.scope == sa.bindparam("scope"), _LIVE).limit(1)

Subjects = Sequence[tuple[str, str]]
"""Scopes with the ids that a rule may be about."""


def insert(transaction: Transaction, rule: Rule) -> None:
    transaction.connection.execute(_INSERT, {"id": rule.id, "scope": rule.scope, "subject": rule.subject, **_columns(rule)})


def save(transaction: Transaction, rule: Rule) -> None:
    transaction.connection.execute(_UPDATE, {"key": rule.id, **_columns(rule)})


def get(connection: sa.Connection, rule_id: str) -> Rule | None:
    record = connection.execute(_GET, {"id": rule_id}).scalar_one_or_none()
    return None if record is None else Rule.model_validate_json(record)


def every(connection: sa.Connection) -> list[Rule]:
    """The oldest first."""
    return [Rule.model_validate_json(record) for record in connection.execute(_ALL).scalars()]


def of(connection: sa.Connection, subjects: Subjects) -> list[Rule]:
    """In the order of the subjects, then the oldest first."""
    rows = [record for scope, subject in subjects for record in connection.execute(_OF, {"scope": scope, "of": subject}).scalars()]
    return [Rule.model_validate_json(record) for record in rows]


def live(connection: sa.Connection, subjects: Subjects, at: datetime) -> list[Rule]:
    """As `of`, without what is revoked or expired."""
    values = [{"scope": scope, "of": subject, "now": at.isoformat(timespec="milliseconds")} for scope, subject in subjects]
    return [Rule.model_validate_json(record) for each in values for record in connection.execute(_LIVE_OF, each).scalars()]


def is_any_live(connection: sa.Connection, scope: str, at: datetime) -> bool:
    return connection.execute(_ANY, {"scope": scope, "now": at.isoformat(timespec="milliseconds")}).first() is not None


def _columns(rule: Rule) -> dict[str, object]:
    return {
        "is_revoked": rule.revoked_at is not None,
        "expires_at": rule.expires_at.isoformat(timespec="milliseconds") if rule.expires_at else None,
        "record": rule.model_dump_json(),
    }
