"""Schedules and their slots."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("is_waiting", sa.Boolean(), nullable=False),
        sa.Column("next_ms", sa.BigInteger()),
        sa.Column("reckoned_ms", sa.BigInteger()),
        sa.Column("secret", sa.Text()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint("board", "name", name="uq_schedules_board_name"),
    )
    op.create_index("ix_schedules_board", "schedules", ["board"], unique=False)
    op.create_index("ix_schedules_next_ms", "schedules", ["next_ms"], unique=False)
    op.create_index("ix_schedules_reckoned_ms", "schedules", ["reckoned_ms"], unique=False)
    op.create_index("ix_schedules_kind", "schedules", ["kind", "is_waiting"], unique=False)
    op.create_table(
        "slots",
        sa.Column("n", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("schedule_id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.Column("planned_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("turn_id", sa.String(40)),
        sa.Column("firing_id", sa.String(40)),
        sa.Column("is_kept", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_slots"),
        sa.UniqueConstraint("id", name="uq_slots_id"),
        sa.UniqueConstraint("schedule_id", "key", name="uq_slots_schedule_id_key"),
    )
    op.create_index("ix_slots_state", "slots", ["state"], unique=False)
    op.create_index("ix_slots_turn_id", "slots", ["turn_id"], unique=False)
    op.create_index("ix_slots_firing_id", "slots", ["firing_id"], unique=False)
    op.create_index("ix_slots_board", "slots", ["board", "planned_ms"], unique=False)
    op.create_index("ix_slots_schedule", "slots", ["schedule_id", "planned_ms"], unique=False)
