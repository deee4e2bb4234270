"""An index of the words of prompts, answers and titles. What was said before is put into it later, in steps, while the server runs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_docs",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("title", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_search_docs"),
        sa.UniqueConstraint("subject", name="uq_search_docs_subject"),
    )
    op.create_index("ix_search_docs_at", "search_docs", ["at"], unique=False)
    op.create_table(
        "search_backlog",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("below_n", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("after_session", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_backlog"),
    )
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("""CREATE VIRTUAL TABLE search_words USING fts5(
        title, prompt, answer, place, content='', tokenize="unicode61 remove_diacritics 2", prefix='3'
    )""")
    op.execute("""
        INSERT INTO search_backlog (id, below_n, after_session)
        SELECT 1, coalesce((SELECT max(n) FROM events), 0) + 1, '' WHERE EXISTS (SELECT 1 FROM sessions)
    """)
