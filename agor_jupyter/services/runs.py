"""The steps of a run, each within one transaction: claim a turn, begin it, write down how it ended.

What an agent said becomes an outcome here; which states follow from it is decided in `transitions`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.agents.session import PromptResult
from agor_jupyter.domain.events import Failure, PromptSent
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.sessions import Session, Usage
from agor_jupyter.domain.turns import ENDED, Patch, Turn, TurnState
from agor_jupyter.git.snapshots import Checkpoint
from agor_jupyter.services import transitions
from agor_jupyter.services.transitions import derive, find_session, find_turn, move
from agor_jupyter.storage import patches, turns
from agor_jupyter.storage import runs as kept
from agor_jupyter.storage.store import Transaction

_STOP_REASONS = {
    "refusal": "The agent refused to go on.",
    "max_tokens": "The agent reached its limit of tokens. Resume the turn to let it go on.",
    "max_turn_requests": "The agent reached its limit of requests in one turn. Resume the turn to let it go on.",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a turn ends, before git was asked what changed."""

    state: TurnState
    stop_reason: str | None = None
    usage: Usage | None = None
    error: str | None = None
    error_code: str | None = None
    patch: Patch | None = None
    after: Checkpoint | None = None


def read(result: PromptResult) -> Outcome:
    outcome = Outcome(state=TurnState.DONE, stop_reason=result.stop_reason, usage=result.usage)
    if result.error is not None:
        return replace(outcome, state=TurnState.FAILED, error=result.error, error_code=result.error_code or "agent_failed")
    if result.stop_reason == "cancelled":
        return replace(outcome, state=TurnState.CANCELLED)
    if result.stop_reason != "end_turn":
        error = _STOP_REASONS.get(result.stop_reason, f"The agent stopped for a reason of its own: {result.stop_reason}.")
        return replace(outcome, state=TurnState.FAILED, error=error, error_code=result.stop_reason)
    return outcome


def has_next(connection: Connection, session_id: SessionId) -> bool:
    return not turns.is_blocked(connection, session_id) and bool(turns.queue(connection, session_id))


def claim(transaction: Transaction, session_id: SessionId, run_id: RunId, boot_id: str | None, at: datetime) -> tuple[Turn, Session] | None:
    """Take the next turn of the queue, unless one is open or an interrupted one waits for a person. Records a new run with it."""
    connection = transaction.connection
    queue = turns.queue(connection, session_id)
    if not queue or turns.is_blocked(connection, session_id):
        return None
    turn = move(transaction, queue[0], TurnState.STARTING, at, run_id=run_id, started_at=at)
    if boot_id is not None:
        kept.insert(transaction, kept.RunRow(run_id, session_id, boot_id, None, None), at)
    transaction.append(at, PromptSent(text=turn.prompt, by=turn.created_by), session_id=session_id, turn_id=turn.id)
    return turn, derive(transaction, session_id, at)


def begin(transaction: Transaction, turn_id: TurnId, before: Checkpoint, agent_session_id: str | None, at: datetime) -> bool:
    """The agent is ready. `False`: the turn was cancelled meanwhile."""
    turn = find_turn(transaction, turn_id)
    if turn.state is not TurnState.STARTING:
        return False
    turn = move(transaction, turn, TurnState.RUNNING, at, commit_before=before.commit or None, dirty_before=before.dirty)
    derive(transaction, turn.session_id, at, agent_session_id=agent_session_id)
    return True


def end(transaction: Transaction, turn_id: TurnId, outcome: Outcome, seconds: float, at: datetime) -> None:
    """Write down how it ended. A turn that a person cancelled is cancelled, whatever the agent said last."""
    turn = find_turn(transaction, turn_id)
    if turn.state in ENDED:
        return
    if turn.state is TurnState.STOPPING:
        outcome = replace(outcome, state=TurnState.CANCELLED, error=None, error_code=None)
    if outcome.error:
        failure = Failure(code=outcome.error_code or "agent_failed", text=outcome.error)
        transaction.append(at, failure, session_id=turn.session_id, turn_id=turn.id)
    usage, files = outcome.usage or Usage(), outcome.patch.files if outcome.patch else []
    transitions.end(
        transaction,
        turn,
        outcome.state,
        at,
        stop_reason=outcome.stop_reason,
        error=outcome.error,
        error_code=outcome.error_code,
        commit_after=(outcome.after.commit or None) if outcome.after else None,
        dirty_after=outcome.after.dirty if outcome.after else None,
        files=len(files),
        added=sum(file.added or 0 for file in files),
        deleted=sum(file.deleted or 0 for file in files),
        seconds=seconds,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
        cost_is_estimate=usage.is_estimate,
    )
    if outcome.patch is not None:
        patches.insert(transaction, turn.id, outcome.patch)
    total = find_session(transaction, turn.session_id).usage
    derive(transaction, turn.session_id, at, usage=_sum(total, usage))


def _sum(total: Usage, turn: Usage) -> Usage:
    def added(one: float | None, other: float | None) -> float | None:
        return None if one is None and other is None else (one or 0) + (other or 0)

    return Usage.model_validate(
        {
            "input_tokens": added(total.input_tokens, turn.input_tokens),
            "output_tokens": added(total.output_tokens, turn.output_tokens),
            "context_used": turn.context_used if turn.context_used is not None else total.context_used,
            "context_size": turn.context_size if turn.context_size is not None else total.context_size,
            "cost_usd": added(total.cost_usd, turn.cost_usd),
            "is_estimate": total.is_estimate or turn.is_estimate,
        }
    )
