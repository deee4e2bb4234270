"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("at", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_commands"),
    )
    op.create_table(
        "events",
        sa.Column("n", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("session_id", sa.String(40)),
        sa.Column("turn_id", sa.String(40)),
        sa.Column("seq", sa.Integer()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text()),
        sa.PrimaryKeyConstraint("n", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_events_session_seq", "events", ["session_id", "seq"], unique=True)
    op.create_table(
        "patches",
        sa.Column("turn_id", sa.String(40), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name="pk_patches"),
    )
    op.create_table(
        "grants",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("created_at", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_grants"),
    )
    op.create_index("ix_grants_run_id", "grants", ["run_id"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("username", sa.String(200), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("surface", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
    )
    op.create_table(
        "permissions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("turn_id", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_permissions"),
    )
    op.create_index("ix_permissions_session_id", "permissions", ["session_id"], unique=False)
    op.create_index("ix_permissions_state", "permissions", ["state"], unique=False)
    op.create_table(
        "repos",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("slug", sa.String(100), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repos"),
        sa.UniqueConstraint("path", name="uq_repos_path"),
        sa.UniqueConstraint("slug", name="uq_repos_slug"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("boot_id", sa.String(60), nullable=False),
        sa.Column("pid", sa.Integer()),
        sa.Column("start_ticks", sa.BigInteger()),
        sa.Column("started_at", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("worktree_id", sa.String(40), nullable=False),
        sa.Column("board", sa.Text()),
        sa.Column("agent", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("parent_id", sa.String(40)),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.String(30), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_line", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_agent_page", "sessions", ["agent", "is_archived", "updated_at", "id"], unique=False)
    op.create_index("ix_sessions_board_page", "sessions", ["board", "is_archived", "updated_at", "id"], unique=False)
    op.create_index("ix_sessions_page", "sessions", ["is_archived", "updated_at", "id"], unique=False)
    op.create_index("ix_sessions_person_page", "sessions", ["created_by", "is_archived", "updated_at", "id"], unique=False)
    op.create_index("ix_sessions_state_page", "sessions", ["state", "is_archived", "updated_at", "id"], unique=False)
    op.create_index("ix_sessions_worktree_id", "sessions", ["worktree_id"], unique=False)
    op.create_table(
        "turns",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Float(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("is_unresolved", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.String(40)),
        sa.Column("ended_at", sa.String(30)),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("session_id", "number", name="uq_turns_session_id_number"),
    )
    op.create_index("ix_turns_queue", "turns", ["session_id", "state", "position"], unique=False)
    op.create_index("ix_turns_state", "turns", ["state"], unique=False)
    op.create_table(
        "worktrees",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("repo_id", sa.String(40), nullable=False),
        sa.Column("name_key", sa.String(200), nullable=False),
        sa.Column("board", sa.Text()),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("updated_at", sa.String(30), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worktrees"),
        sa.UniqueConstraint("repo_id", "name_key", name="uq_worktrees_repo_id_name_key"),
    )
    op.create_index("ix_worktrees_board", "worktrees", ["board"], unique=False)
    op.create_index("ix_worktrees_repo_id", "worktrees", ["repo_id"], unique=False)
