"""Firings of zones: one for each card that arrived where something starts."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "firings",
        sa.Column("n", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("worktree_id", sa.String(40), nullable=False),
        sa.Column("arrival", sa.Integer(), nullable=False),
        sa.Column("board", sa.Text(), nullable=False),
        sa.Column("zone_id", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("unplaced", sa.Integer()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_firings"),
        sa.UniqueConstraint("id", name="uq_firings_id"),
        sa.UniqueConstraint("worktree_id", "arrival", name="uq_firings_worktree_id_arrival"),
    )
    op.create_index("ix_firings_state", "firings", ["state"], unique=False)
    op.create_index("ix_firings_zone", "firings", ["board", "zone_id", "state"], unique=False)
