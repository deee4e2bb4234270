"""What a firing came to: its turns, what they cost, and whether its card is still there."""

from typing import Literal, NamedTuple

from sqlalchemy import Connection

from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.domain.zones import Firing, FiringRun, FiringState
from agor_jupyter.services.zones import moves, steps
from agor_jupyter.storage import firings, sessions, turns, worktrees

_EARLIER = 10
"""Firings of a card in a zone in which the session of a gate is looked for."""
SERVER = Person(username="agor", name="Agor")
"""Who cancels what nobody cancelled."""


class Look(NamedTuple):
    firing: Firing
    """As it is stored."""
    settled: Firing
    """With what its turns came to."""
    worktree: Worktree | None


def gone(look: Look) -> str | None:
    """Why nothing more can come of it, if nothing of it runs."""
    if look.worktree is None:
        return "The worktree is gone."
    if any(run.turn_id is not None and run.outcome is None for run in look.settled.runs):
        return None
    if look.worktree.state is WorktreeState.ARCHIVED:
        return "The worktree was archived."
    is_at_rest = look.firing.state in {FiringState.WAITING, FiringState.ASKING, FiringState.APPROVAL}
    is_asked = steps.awaited(look.firing) is not None
    return "The card was moved on." if (is_at_rest or is_asked) and moves.has_left(look.firing, look.worktree) else None


def look(connection: Connection, firing_id: str) -> Look:
    firing = moves.find(connection, firing_id)
    return Look(firing, _settle(connection, firing), worktrees.find(connection, firing.worktree_id))


def _settle(connection: Connection, firing: Firing) -> Firing:
    """The firing with what its turns came to, and what they cost."""
    runs: list[FiringRun] = []
    cost, is_estimate, waits_for = 0.0, False, firing.waits_for
    for run in firing.runs:
        turn = turns.get(connection, run.turn_id) if run.turn_id is not None else None
        if turn is not None and run.outcome is None:
            turn = _latest(connection, firing, turn)
            outcome, reason = _outcome(firing, run, turn)
            run = run.replace(turn_id=turn.id, outcome=outcome, reason=reason)  # noqa: PLW2901
            if outcome is None:
                waits_for = reason or None
        runs.append(run)
        if turn is not None:
            cost += turn.cost_usd or 0.0
            is_estimate = is_estimate or (turn.cost_is_estimate and bool(turn.cost_usd))
    return firing.replace(runs=runs, cost_usd=max(cost, firing.cost_usd), cost_is_estimate=is_estimate, waits_for=waits_for)


def _latest(connection: Connection, firing: Firing, turn: Turn) -> Turn:
    """The turn that goes on with one that was interrupted."""
    if turn.state is TurnState.INTERRUPTED and turn.resolution in {"resumed", "retried"}:
        later = [one for one in turns.of_session(connection, turn.session_id) if one.firing_id == firing.id and one.number > turn.number]
        return later[-1] if later else turn
    return turn


def _outcome(firing: Firing, run: FiringRun, turn: Turn) -> tuple[Literal["passed", "failed"] | None, str]:
    gate = steps.gate_of(firing, run)
    what = f"The check “{gate.run[:200]}”" if gate is not None else "The prompt"
    match turn.state:
        case TurnState.DONE:
            return "passed", ""
        case TurnState.FAILED:
            return "failed", f"{what} failed: {turn.error or 'it does not say why'}"
        case TurnState.CANCELLED:
            who = f" by {turn.ended_by.name}" if turn.ended_by is not None and turn.ended_by != SERVER else ""
            return "failed", f"{what} was {'rejected' if turn.error_code == 'rejected' else 'cancelled'}{who}."
        case TurnState.INTERRUPTED if turn.resolution == "discarded":
            return "failed", f"{what} was interrupted: the server stopped while it ran."
        case TurnState.INTERRUPTED if turn.resolution is None:
            return None, "a person: the server stopped while a turn ran. Resume, retry or discard it."
        case _:
            return None, ""


def gate_session(connection: Connection, firing: Firing, gate: int, agent: str) -> SessionId | None:
    """The session in which this gate ran for the worktree before, if it can take another prompt."""
    for earlier in firings.of_worktree(connection, firing.worktree_id, firing.zone_id, _EARLIER):
        for run in earlier.runs:
            is_same = run.gate is not None and steps.gate_of(earlier, run) == firing.policy.gates[gate]
            if is_same and run.session_id is not None:
                session = sessions.get(connection, run.session_id)
                if session is not None and session.archived_at is None and session.agent == agent:
                    return session.id
    return None
