"""Destinations, and the messages to them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "destinations",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_destinations"),
        sa.UniqueConstraint("username", "name", name="uq_destinations_username_name"),
    )
    op.create_table(
        "messages",
        sa.Column("n", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("destination_id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("due_ms", sa.BigInteger()),
        sa.Column("over_ms", sa.BigInteger()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_messages"),
        sa.UniqueConstraint("destination_id", "key", name="uq_messages_destination_id_key"),
    )
    op.create_index("ix_messages_due_ms", "messages", ["due_ms"], unique=False)
    op.create_index("ix_messages_over_ms", "messages", ["over_ms"], unique=False)
