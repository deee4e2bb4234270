"""Variables, rules, preferences, costs and budgets."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "variables",
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("username", "name", name="pk_variables"),
    )
    op.create_table(
        "rules",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("is_revoked", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.String(30)),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
    )
    op.create_index("ix_rules_subject", "rules", ["scope", "subject", "is_revoked"], unique=False)
    op.create_table(
        "preferences",
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("agent", sa.String(60), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", "agent", name="pk_preferences"),
    )
    op.create_table(
        "advertised",
        sa.Column("agent", sa.String(60), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_advertised"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("turn_id", sa.String(40), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("worktree_id", sa.String(40), nullable=False),
        sa.Column("board", sa.Text()),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("cost_usd", sa.Float()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    for column in ("turn_id", "session_id", "worktree_id", "board", "username"):
        op.create_index(f"ix_ledger_{column}", "ledger", [column], unique=False)
    op.create_table(
        "budgets",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.UniqueConstraint("scope", "subject", name="uq_budgets_scope_subject"),
    )
