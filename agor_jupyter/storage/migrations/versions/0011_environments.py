"""Environments of worktrees, and the ports that they have."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("worktree_id", sa.String(40), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text()),
        sa.Column("runs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("worktree_id", name="pk_environments"),
    )
    op.create_table(
        "ports",
        sa.Column("port", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worktree_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("port", name="pk_ports"),
        sa.UniqueConstraint("worktree_id", "name", name="uq_ports_worktree_id_name"),
    )
