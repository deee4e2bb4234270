"""A tree of sessions: what was spawned and forked from one root."""

from agor_jupyter.domain.deliveries import Delivery
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.sessions import Session


class TreeNode(Record):
    """A session of a tree, with what it owes to the sessions above it."""

    session: Session
    above: SessionId | None
    """What it was spawned or forked from. `None`: the root."""
    depth: int
    """0: the root."""
    worktree: str
    """The worktree's name."""
    deliveries: list[Delivery]
    """How its turns ended, for whom, and whether that has arrived; the oldest first."""


class SessionTree(Record):
    """Each after what it sprang from, the oldest first. Archived ones are in it."""

    root_id: SessionId
    nodes: list[TreeNode]
    cost_usd: float
    """Of all its turns that have ended, estimates included."""
    budget_usd: float | None
    """Its hard limit. `None`: none is set."""
