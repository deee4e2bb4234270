"""Trust in files that agents obey."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trusts",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("repo_id", sa.String(40), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trusts"),
    )
    op.create_index("ix_trusts_file", "trusts", ["repo_id", "path"], unique=False)
