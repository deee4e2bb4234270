"""Trees of sessions: the root of each session, and how their turns ended on the way to those who asked."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("child_id", sa.String(40), nullable=False),
        sa.Column("child_turn_id", sa.String(40), nullable=False),
        sa.Column("target_id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("child_id", "child_turn_id", "target_id", name="uq_deliveries_child_id_child_turn_id_target_id"),
    )
    op.create_index("ix_deliveries_child_id", "deliveries", ["child_id"], unique=False)
    op.create_index("ix_deliveries_state", "deliveries", ["state"], unique=False)
    op.add_column("sessions", sa.Column("root_id", sa.String(40)))
    op.create_index("ix_sessions_parent_id", "sessions", ["parent_id"], unique=False)
    op.create_index("ix_sessions_root_id", "sessions", ["root_id"], unique=False)
    _find_roots(op.get_bind())


def _find_roots(connection: sa.Connection) -> None:
    sessions = sa.table("sessions", sa.column("id"), sa.column("parent_id"), sa.column("root_id"), sa.column("record"))
    is_below = sa.or_(sessions.c.parent_id.is_not(None), sessions.c.record.like('%"originId":"%'))
    records = {row.id: json.loads(row.record) for row in connection.execute(sa.select(sessions).where(is_below))}
    above = {name: record.get("originId") or record.get("parentId") for name, record in records.items()}
    for name, record in records.items():
        root, seen = name, {name}
        while (higher := above.get(root)) is not None and higher not in seen:
            root = higher
            seen.add(root)
        if root != name:
            text = json.dumps({**record, "rootId": root}, ensure_ascii=False, separators=(",", ":"))
            connection.execute(sa.update(sessions).where(sessions.c.id == name).values(root_id=root, record=text))
