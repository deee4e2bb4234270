"""A turn that no prompt began: the agent went on by itself after one had ended. It begins here, and ends as any other, in `runs`."""

from datetime import datetime
from typing import NamedTuple

from agor_jupyter.domain.errors import BudgetExhausted
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.money.budgets import STOPPED, Budgets, Spending
from agor_jupyter.services.sessions.runs import runs
from agor_jupyter.services.transitions import derive, find_session, find_turn, save
from agor_jupyter.storage import turns
from agor_jupyter.storage.store import Transaction


class Left(NamedTuple):
    """What the worktree held when a turn ended."""

    turn_id: TurnId
    checkpoint: Checkpoint


class Begun(NamedTuple):
    turn: Turn
    before: Checkpoint | None
    now: Checkpoint | None
    exhausted: BudgetExhausted | None
    """It has to be stopped at once."""


def begin(  # noqa: PLR0917  # a job of the store
    transaction: Transaction,
    session_id: SessionId,
    turn_id: TurnId,
    run_id: RunId,
    left: Left | None,
    now: Checkpoint | None,
    at: datetime,
    budgets: Budgets,
    spending: Spending,
) -> Begun | None:
    """Open it. `None`: something else comes next, or the session was put away.

    It changed what is different from what its predecessor `left`, unless another session worked in the worktree since: then from `now`.
    """
    session = find_session(transaction, session_id)
    last = session.last_turn_id or session.current_turn_id  # one that is parked
    if session.archived_at is not None or last is None or runs.has_next(transaction.connection, session_id, at):
        return None
    followed = find_turn(transaction, last)
    before = now
    if left is not None and left.turn_id == followed.id and followed.ended_at is not None and now is not None:
        is_alone = not turns.others_since(transaction.connection, session.worktree_id, session_id, followed.ended_at)
        before = left.checkpoint if is_alone else now
    number, tail, _ = turns.next_number(transaction, session_id)
    turn = Turn(
        id=turn_id,
        session_id=session_id,
        worktree_id=session.worktree_id,
        number=number,
        prompt="",
        origin="continued",
        follows=followed.id,
        state=TurnState.RUNNING,
        state_since=at,
        run_id=run_id,
        has_acted=True,
        commit_before=(before.commit or None) if before else None,
        tree_before=before.tree if before else None,
        dirty_before=before.dirty if before else None,
        created_at=at,
        created_by=followed.created_by,
        started_at=at,
    )
    turns.insert(transaction, turn, tail)
    turn = save(transaction, turn, at)
    text = f"The agent continued by itself after turn {followed.number} had ended."
    transaction.append(at, Notice(code="continued", text=text), session_id=session_id, turn_id=turn_id)
    derive(transaction, session_id, at)
    return Begun(turn, before, now, budgets.exhausted(transaction.connection, session, turn.created_by.username, spending, STOPPED))


def tell(transaction: Transaction, session_id: SessionId, background: list[str], at: datetime) -> Session:
    """Show what goes on between two turns."""
    return derive(transaction, session_id, at, background=background)
