"""Costs: what turns used, a row for each turn and model."""

from agor_jupyter.domain.ids import SessionId, TurnId, WorktreeId
from agor_jupyter.domain.records import Moment, Record


class ModelUsage(Record):
    """What one model was used for in a turn, as the agent says."""

    model: str | None = None
    input_tokens: int | None = None
    """Without those that were read from a cache or written to it."""
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None


class LedgerRow(Record):
    """*Saved.* Never changed once written."""

    turn_id: TurnId
    session_id: SessionId
    worktree_id: WorktreeId
    board: str | None
    username: str
    """Who sent the prompt."""
    agent: str
    model: str | None
    at: Moment
    input_tokens: int | None = None
    """Without those that were read from a cache or written to it."""
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None
    cost_usd: float | None = None
    """`None`: neither reported nor in the price table."""
    is_estimate: bool = False
    """From tokens and the price table, not from the agent."""
    prices_as_of: str | None = None
    """Date of the price table, when it was used."""
