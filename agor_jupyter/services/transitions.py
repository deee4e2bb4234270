"""The steps of turns, questions and sessions, each within the transaction of what caused it.

The only place that changes a state. A session's state is computed here, and nowhere else.
"""

from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain import deliveries, errors
from agor_jupyter.domain.events import DeliveryChanged, PermissionChanged, PermissionSettled, SessionChanged, TurnChanged, TurnEnded
from agor_jupyter.domain.ids import SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.permissions import Permission, PermissionState
from agor_jupyter.domain.sessions import Session, SessionState, derive_state, last_ended
from agor_jupyter.domain.turns import CLOCKS, ENDED, NEXT, OPEN, REJECTED, Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.storage import deliveries as kept_deliveries
from agor_jupyter.storage import permissions, search, sessions, turns, worktrees
from agor_jupyter.storage.store import Transaction

_IN_LINE = frozenset({SessionState.QUEUED, SessionState.PARKED})
_ANSWERED = frozenset({SessionState.DONE, SessionState.CANCELLED})
_AT_WORK = frozenset({SessionState.STARTING, SessionState.RUNNING, SessionState.STOPPING})


def find_session(transaction: Transaction, session_id: str) -> Session:
    session = sessions.get(transaction.connection, session_id)
    if session is None:
        raise errors.SessionNotFound(session_id)
    return session


def find_worktree(connection: Connection, worktree_id: str) -> Worktree:
    worktree = worktrees.find(connection, WorktreeId(worktree_id))
    if worktree is None:
        raise errors.WorktreeNotFound(worktree_id)
    return worktree


def find_turn(transaction: Transaction, turn_id: str) -> Turn:
    turn = turns.get(transaction.connection, turn_id)
    if turn is None:
        raise errors.TurnNotFound(turn_id)
    return turn


def derive(transaction: Transaction, session_id: SessionId, at: datetime, **changes: object) -> Session:
    """Compute the session from its turns, apply `changes`, store it and tell everyone. A side question that was answered is archived."""
    session = find_session(transaction, session_id)
    title = session.title
    line = turns.line(transaction.connection, session_id)
    state = derive_state(line.decisive)
    live = [turn for turn in line.decisive if turn.state in OPEN or turn.state is TurnState.PARKED]
    current = min(live, key=lambda turn: turn.state is TurnState.PARKED, default=None)
    last = last_ended(line.decisive)
    background = changes.get("background", session.background)
    if session.is_side and session.archived_at is None and state in _ANSWERED and not background:
        changes = {"archived_at": at, **changes}
    changes = {
        "waits_for": session.waits_for if state in _IN_LINE else None,
        "stalled_at": session.stalled_at if state in _AT_WORK else None,
        **changes,
    }
    session = session.replace(
        state=state,
        state_since=at if state is not session.state else session.state_since,
        queue=[turn.id for turn in line.queue],
        current_turn_id=current.id if current else None,
        open_permission_id=current.permission_id if current else None,
        last_turn_id=last.id if last else None,
        turn_count=line.total,
        ended_by=last.ended_by if last and state is SessionState.CANCELLED else None,
        was_rejected=last is not None and state is SessionState.CANCELLED and last.error_code == REJECTED,
        updated_at=at,
        **changes,
    )
    sessions.save(transaction, session)
    if session.title != title:
        search.put_title(transaction, session)
    transaction.append(at, SessionChanged(session=session))
    return session


def move(transaction: Transaction, turn: Turn, state: TurnState, at: datetime, **changes: object) -> Turn:
    """Bring a turn to its next state. The caller derives its session afterwards. Of one that ended, what was said can be found,
    and who asked for it is going to be told.

    Errors:
        TurnNotOpen: `turn.state` does not lead there.
    """
    if state not in NEXT[turn.state]:
        raise errors.TurnNotOpen(turn.id, turn.state.value, state.value)
    turn = save(transaction, turn.replace(state=state, state_since=at, **_spent(turn, state, at), **changes), at)
    if state in ENDED:
        search.put_turn(transaction, turn)
        if turn.report_to is not None:
            delivery = deliveries.of(turn, turn.report_to, at)
            kept_deliveries.insert(transaction, delivery)
            transaction.append(at, DeliveryChanged(delivery=delivery))
    return turn


def _spent(turn: Turn, state: TurnState, at: datetime) -> dict[str, float]:
    """The time in the state that it leaves, added where it counts. When a server died, nobody knows how long it had worked."""
    clock = CLOCKS.get(turn.state)
    if clock is None or turn.state_since is None or state is TurnState.INTERRUPTED:
        return {}
    return {clock: round((getattr(turn, clock) or 0) + max(0.0, (at - turn.state_since).total_seconds()), 3)}


def save(transaction: Transaction, turn: Turn, at: datetime) -> Turn:
    """Store what is not the state of a turn, and tell everyone."""
    turns.save(transaction, turn)
    transaction.append(at, TurnChanged(turn=turn))
    return turn


def end(transaction: Transaction, turn: Turn, state: TurnState, at: datetime, **changes: object) -> Turn:
    """End an open turn: its questions are withdrawn, and the transcript says how it ended. The caller derives the session."""
    withdraw(transaction, turn.id, at)
    turn = move(transaction, turn, state, at, ended_at=at, permission_id=None, **changes)
    transaction.append(at, TurnEnded(turn=turn), session_id=turn.session_id, turn_id=turn.id)
    return turn


def settle(transaction: Transaction, permission: Permission, at: datetime) -> bool:
    """Store the outcome of a question and tell everyone, if it is open still. Returns whether it was."""
    if not permissions.settle(transaction, permission):
        return False
    transaction.append(at, PermissionSettled(permission=permission), session_id=permission.session_id, turn_id=permission.turn_id)
    transaction.append(at, PermissionChanged(permission=permission))
    return True


def withdraw(transaction: Transaction, turn_id: TurnId, at: datetime, by: Person | None = None) -> list[Permission]:
    """Close the open questions of a turn without an answer."""
    withdrawn = [
        permission.replace(state=PermissionState.WITHDRAWN, answered_at=at, answered_by=by)
        for permission in permissions.open_of_turn(transaction.connection, turn_id)
    ]
    for permission in withdrawn:
        settle(transaction, permission, at)
    return withdrawn


def enqueue(transaction: Transaction, session: Session, turn: Turn, *, at_head: bool = False) -> Turn:
    """Store a new turn at the end or the head of its session's queue, with the next number. The caller derives the session."""
    number, tail, head = turns.next_number(transaction, session.id)
    turn = turn.replace(number=number, state_since=turn.created_at)
    turns.insert(transaction, turn, head if at_head else tail)
    transaction.append(turn.created_at, TurnChanged(turn=turn))
    return turn


def stop(transaction: Transaction, turn_id: TurnId, by: Person, at: datetime) -> Turn:
    """Cancel a turn: one that waits or is parked is cancelled, one that is open begins to stop. Asked again, it changes nothing.

    Errors:
        TurnNotOpen: it ended otherwise.
    """
    turn = find_turn(transaction, turn_id)
    if turn.state in {TurnState.STOPPING, TurnState.CANCELLED}:
        return turn
    if turn.state in ENDED:
        raise errors.TurnNotOpen(turn.id, turn.state.value, "cancelled")
    if turn.state is TurnState.PARKED and turn.started_at is not None:
        turn = end(transaction, turn, TurnState.CANCELLED, at, ended_by=by, retry_at=None, error=None, error_code=None)
    elif turn.state in {TurnState.QUEUED, TurnState.PARKED}:
        turn = move(transaction, turn, TurnState.CANCELLED, at, ended_at=at, ended_by=by, retry_at=None, error=None, error_code=None)
    else:
        withdraw(transaction, turn.id, at, by)
        turn = move(transaction, turn, TurnState.STOPPING, at, ended_by=by, permission_id=None)
    derive(transaction, turn.session_id, at)
    return turn


def follow_board(transaction: Transaction, worktree: Worktree, at: datetime) -> None:
    """A worktree's sessions are on its board."""
    for session in sessions.of_worktree(transaction.connection, worktree.id):
        if session.board != worktree.board:
            moved = session.replace(board=worktree.board, updated_at=at)
            sessions.save(transaction, moved)
            transaction.append(at, SessionChanged(session=moved))
