"""An agent's fields are in records by subject. News of agents in the older form go: what they said is asked of the machine again."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""DELETE FROM events WHERE session_id IS NULL AND body LIKE '{"kind":"agent",%'""")
