"""To whom a zone's prompt goes, and as what: itself, in a fork, in a session below, or as the first prompt of a new session."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.sessions import Session, SessionCreate
from agor_jupyter.domain.zones import ZonePolicy
from agor_jupyter.storage import firings, sessions


@dataclass(frozen=True, kw_only=True)
class Receiver:
    agent: str
    session: Session | None = None
    """`None`: a new session."""


def candidates(connection: Connection, worktree_id: WorktreeId) -> list[Session]:
    """Sessions of a worktree that a prompt can go to, the oldest first: none that is archived, and none that runs gates."""
    gates = firings.gate_sessions(connection, worktree_id)
    return [one for one in sessions.of_worktree(connection, worktree_id) if one.archived_at is None and one.id not in gates]


def choose(found: Sequence[Session], policy: ZonePolicy, session_id: SessionId | None, agent: str) -> list[Receiver]:
    """`found` are the worktree's `candidates`. `session_id` and `agent` are a person's choice, which goes before the policy's.

    Errors:
        SessionNotFound: the chosen session is archived, runs gates, or is of another worktree.
    """
    wanted = agent or policy.agent
    chosen: list[Session] = []
    if session_id is not None:
        chosen = [one for one in found if one.id == session_id]
        if not chosen:
            raise errors.SessionNotFound(session_id)
    elif policy.target == "latest":
        chosen = [one for one in found if wanted in {"", one.agent}][-1:]
    elif policy.target == "each":
        chosen = [one for one in found if one.parent_id is None and one.origin_id is None]
    if chosen:
        return [Receiver(agent=wanted if policy.how != "prompt" and wanted else one.agent, session=one) for one in chosen]
    default = found[-1].agent if found else SessionCreate.model_fields["agent"].default
    return [Receiver(agent=wanted or default)]
