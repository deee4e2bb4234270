"""The steps of a run, each within one transaction: claim a turn, begin it, write down how the attempt ended.

What an agent said became an `AttemptOutcome`; which states follow from it is decided in `transitions`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain.errors import BudgetExhausted
from agor_jupyter.domain.events import Failure, Notice, PromptSent
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.parking import BUDGET
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.permissions import PermissionState
from agor_jupyter.domain.sessions import Session, SessionState, Usage, derive_state
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import ENDED, REJECTED, Turn, TurnState
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services import transitions
from agor_jupyter.services.money.budgets import WAITS, Budgets, Spending
from agor_jupyter.services.money.ledger import main_model, summed
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.transitions import derive, find_session, find_turn, move
from agor_jupyter.storage import patches, permissions, turns
from agor_jupyter.storage import runs as kept
from agor_jupyter.storage.store import Transaction


def has_next(connection: Connection, session_id: SessionId, at: datetime, after: TurnId | None = None) -> bool:
    """`after`: as if that turn had ended."""
    return _next(turns.line(connection, session_id), at, after) is not None


def next_since(connection: Connection, session_id: SessionId, at: datetime) -> datetime | None:
    """When the session's next turn came to be the next. A long queue of one session does not hold up the others. `None`: there is none."""
    line = turns.line(connection, session_id)
    turn = _next(line, at)
    if turn is None:
        return None
    ends = [other.ended_at for other in line.decisive if other.ended_at is not None]
    return turn.retry_at or max([turn.created_at, *ends])


def _next(line: turns.Line, at: datetime, after: TurnId | None = None) -> Turn | None:
    """A parked turn whose time has come; else the first of the queue, unless a turn is open or parked, or waits for a person."""
    state = derive_state(turn for turn in line.decisive if turn.id != after)
    if state is SessionState.PARKED:
        parked = next(turn for turn in line.decisive if turn.state is TurnState.PARKED)
        return parked if parked.retry_at is not None and parked.retry_at <= at else None
    return line.queue[0] if state is SessionState.QUEUED else None


def claim(  # noqa: PLR0917  # a job of the store
    transaction: Transaction,
    session_id: SessionId,
    run_id: RunId,
    boot_id: str | None,
    at: datetime,
    budgets: Budgets,
    spending: Spending,
    warns: bool = True,
) -> tuple[Turn, Session] | None:
    """Take the next turn, under the conditions of `_next`; one that a budget does not allow is parked instead.

    Records a new run with it. The prompt stands once in the transcript. `warns`: and a notice, if another session works in the worktree.
    """
    turn = _next(turns.line(transaction.connection, session_id), at)
    if turn is None:
        return None
    session = find_session(transaction, session_id)
    if error := budgets.exhausted(transaction.connection, session, turn.created_by.username, spending, WAITS):
        _wait_for_budget(transaction, turn, error, at)
        return None
    is_new = turn.started_at is None
    turn = move(
        transaction,
        turn,
        TurnState.STARTING,
        at,
        run_id=run_id,
        started_at=turn.started_at or at,
        retry_at=None,
        error=None,
        error_code=None,
    )
    if boot_id is not None:
        kept.insert(transaction, kept.RunRow(run_id, session_id, boot_id, None, None), at)
    if is_new:
        transaction.append(
            at, PromptSent(text=turn.prompt, by=turn.created_by, attachments=turn.attachments), session_id=session_id, turn_id=turn.id
        )
    else:
        again = "The agent is asked to continue." if turn.has_acted else "The prompt is sent again."
        notice = Notice(code="retried", text=f"Attempt {turn.parks + 1}. {again}")
        transaction.append(at, notice, session_id=session_id, turn_id=turn.id)
    if warns and not session.is_side:
        _warn_of_company(transaction, turn, at)
    return turn, derive(transaction, session_id, at)


def _warn_of_company(transaction: Transaction, turn: Turn, at: datetime) -> None:
    beside = [one for one in turns.at_work_beside(transaction.connection, turn.worktree_id, turn.session_id) if not one.is_side]
    if beside:
        who = ", ".join(f"“{plain(one.title)}”" for one in beside[:3]) + (f" and {len(beside) - 3} more" if len(beside) > 3 else "")
        text = f"{who} {'is' if len(beside) == 1 else 'are'} working in this worktree too. Both may edit the same files."
        transaction.append(at, Notice(code="beside_others", text=text), session_id=turn.session_id, turn_id=turn.id)


def begin(transaction: Transaction, turn_id: TurnId, before: Checkpoint, conversation: Mapping[str, object], at: datetime) -> bool:
    """The agent is ready. `conversation` are the session's fields about it. `False`: the turn was cancelled meanwhile.

    What was before the turn's first attempt stays.
    """
    turn = find_turn(transaction, turn_id)
    if turn.state is not TurnState.STARTING:
        return False
    found = {"commit_before": before.commit or None, "tree_before": before.tree, "dirty_before": before.dirty}
    turn = move(transaction, turn, TurnState.RUNNING, at, **(found if turn.tree_before is None else {}))
    derive(transaction, turn.session_id, at, **conversation)
    return True


def first_before(turn: Turn, now: Checkpoint) -> Checkpoint:
    """What the worktree held before the first attempt at a claimed turn; `now` is what it held before this one."""
    if turn.tree_before is None:
        return now
    return Checkpoint(commit=turn.commit_before or "", tree=turn.tree_before, dirty=bool(turn.dirty_before))


def finish(  # noqa: PLR0917  # a job of the store
    transaction: Transaction, turn_id: TurnId, outcome: AttemptOutcome, at: datetime, budgets: Budgets, spending: Spending
) -> Turn:
    """Write down how the attempt ended, and what it cost. A turn that a person cancelled is cancelled, whatever the agent said last."""
    turn = find_turn(transaction, turn_id)
    if turn.state in ENDED:
        return turn
    if turn.state is TurnState.STOPPING:
        outcome = replace(outcome, state=TurnState.CANCELLED, error=None, error_code=None, retry_at=None)
    elif (who := _rejected_by(transaction, turn, outcome)) is not None:
        turn = turn.replace(ended_by=who)
        outcome = replace(outcome, state=TurnState.CANCELLED, error=None, error_code=REJECTED)
    session, books = find_session(transaction, turn.session_id), budgets.books
    charges = books.charges(session, outcome.usage, outcome.models)
    usage = summed(outcome.usage, charges) or Usage()
    figures = _figures(turn, outcome, usage)
    figures["model"] = main_model(session, charges) or turn.model
    if charges:
        books.record(transaction, turn, session, charges, at)
        budgets.charge(transaction, turn, session, charges, spending, at)
    if outcome.patch is not None:
        patches.put(transaction, turn.id, outcome.patch)
    if outcome.state is TurnState.PARKED:
        turn = _park(transaction, turn, outcome, at, figures)
    else:
        if outcome.error:
            failure = Failure(code=outcome.error_code or "agent_failed", text=outcome.error)
            transaction.append(at, failure, session_id=turn.session_id, turn_id=turn.id)
        turn = transitions.end(
            transaction,
            turn,
            outcome.state,
            at,
            stop_reason=outcome.stop_reason,
            error=outcome.error,
            error_code=outcome.error_code,
            **figures,
        )
    derive(transaction, turn.session_id, at, usage=add(session.usage, usage))
    return turn


def _rejected_by(transaction: Transaction, turn: Turn, outcome: AttemptOutcome) -> Person | None:
    """Who said no, if that is why it ended: the agent says so, or stopped there."""
    if outcome.state is not TurnState.CANCELLED and outcome.error_code != REJECTED:
        return None
    last = permissions.last_of_turn(transaction.connection, turn.id)
    return last.answered_by if last is not None and last.state is PermissionState.REJECTED else None


def _park(transaction: Transaction, turn: Turn, outcome: AttemptOutcome, at: datetime, figures: dict[str, object]) -> Turn:
    transitions.withdraw(transaction, turn.id, at)
    when = "It is retried automatically." if outcome.retry_at else "Retry it when that has changed, or cancel it."
    notice = Notice(code="parked", text=f"{outcome.error} {when}")
    transaction.append(at, notice, session_id=turn.session_id, turn_id=turn.id)
    return move(
        transaction,
        turn,
        TurnState.PARKED,
        at,
        error=outcome.error,
        error_code=outcome.error_code,
        retry_at=outcome.retry_at,
        parks=turn.parks + 1,
        permission_id=None,
        has_acted=turn.has_acted or outcome.has_acted,
        **figures,
    )


def _wait_for_budget(transaction: Transaction, turn: Turn, error: BudgetExhausted, at: datetime) -> None:
    transaction.append(at, Notice(code="parked", text=error.message), session_id=turn.session_id, turn_id=turn.id)
    changes = {"error": error.message, "error_code": BUDGET, "retry_at": None, "parks": turn.parks + 1}
    if turn.state is TurnState.PARKED:
        transitions.save(transaction, turn.replace(**changes), at)
    else:
        move(transaction, turn, TurnState.PARKED, at, **changes)
    derive(transaction, turn.session_id, at)


def _figures(turn: Turn, outcome: AttemptOutcome, usage: Usage) -> dict[str, object]:
    """What git and the agent say, for all attempts together."""
    files = outcome.patch.files if outcome.patch else None
    changed: dict[str, object] = {}
    if files is not None:
        changed = {
            "files": len(files),
            "added": sum(file.added or 0 for file in files),
            "deleted": sum(file.deleted or 0 for file in files),
        }
    if outcome.after is not None:
        changed |= {"commit_after": outcome.after.commit or None, "tree_after": outcome.after.tree, "dirty_after": outcome.after.dirty}
    before = Usage.model_validate({name: getattr(turn, name) for name in _COUNTED} | {"is_estimate": turn.cost_is_estimate})
    total = add(before, usage)
    return changed | {name: getattr(total, name) for name in _COUNTED} | {"cost_is_estimate": total.is_estimate}


_COUNTED = ("input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens", "cost_usd")


def add(total: Usage, more: Usage) -> Usage:
    """Tokens and cost are summed; the context is what it is now."""

    def added(one: float | None, other: float | None) -> float | None:
        return None if one is None and other is None else (one or 0) + (other or 0)

    return Usage.model_validate(
        {name: added(getattr(total, name), getattr(more, name)) for name in _COUNTED}
        | {
            "context_used": more.context_used if more.context_used is not None else total.context_used,
            "context_size": more.context_size if more.context_size is not None else total.context_size,
            "is_estimate": total.is_estimate or more.is_estimate,
        }
    )
