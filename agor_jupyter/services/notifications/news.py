"""Which events need a person, and what is said of them: names, a sentence, and nothing that an agent or a person wrote to the other.

The title of a session is left out: by default it is the first line of a prompt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain.budgets import Budget
from agor_jupyter.domain.destinations import Message, MessageKind, named
from agor_jupyter.domain.events import BudgetChanged, FiringChanged, PermissionChanged, ScheduleChanged, SlotChanged, TurnChanged
from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.permissions import Permission, PermissionState
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.domain.slots import Slot, SlotState
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.zones import Firing, FiringState
from agor_jupyter.storage import firings, permissions, schedules, sessions, slots, turns, worktrees

FOLLOWED = (PermissionChanged, FiringChanged, ScheduleChanged, TurnChanged, SlotChanged, BudgetChanged)
_ASKING = (FiringState.ASKING, FiringState.APPROVAL)
_WHATS = {
    "trust": "wants to load untrusted files",
    "execute": "asks to run a command",
    "edit": "asks to change a file",
    "delete": "asks to delete a file",
    "move": "asks to move a file",
    "read": "asks to read a file",
    "search": "asks to search",
    "fetch": "asks to fetch from the web",
}


@dataclass(frozen=True, kw_only=True)
class Words:
    label: Callable[[str], str]
    """How people call an agent."""
    mask: Callable[[str], str] = str
    """Takes secrets out of a name."""

    def name(self, text: str) -> str:
        return named(self.mask(text))


@dataclass(frozen=True, kw_only=True)
class News:
    message: Message
    worktree_id: WorktreeId | None = None
    only_for: str | None = None
    """The person whom alone it is about."""
    unless: MessageKind | None = None
    """It is told again as this; who takes that is not told twice."""


def of(connection: Connection, body: Record, at: datetime, words: Words) -> News | None:  # noqa: PLR0911  # one for each kind
    """What a person has to be told of an event. `None`: nothing."""
    match body:
        case PermissionChanged(permission=permission) if permission.state is PermissionState.OPEN:
            return _question(connection, permission, at, words)
        case FiringChanged(firing=firing) if firing.state in _ASKING:
            return _decision(connection, firing, at, words)
        case ScheduleChanged(schedule=schedule) if schedule.needs_yes and not schedule.is_removed:
            return _yes(schedule, at, words)
        case TurnChanged(turn=turn) if turn.state is TurnState.FAILED or turn.is_unresolved:
            return _failure(connection, turn, at, words)
        case SlotChanged(slot=slot) if slot.state in {SlotState.PASSED, SlotState.FAILED}:
            return _slot(slot, at, words)
        case BudgetChanged(budget=budget) if budget.state != "ok":
            return _budget(connection, budget, at, words)
        case _:
            return None


def is_moot(connection: Connection, message: Message) -> bool:
    """Nobody is needed any more: it was answered, decided or resolved."""
    subject = message.key.partition("/")[0]
    match subject.partition("_")[0]:
        case "pe":
            permission = permissions.get(connection, subject)
            return permission is None or permission.state is not PermissionState.OPEN
        case "fi":
            firing = firings.get(connection, subject)
            return firing is None or firing.state not in _ASKING
        case "sc":
            schedule = schedules.get(connection, subject)
            return schedule is None or schedule.is_removed or not schedule.needs_yes
        case "tu":
            turn = turns.get(connection, subject)
            return turn is None or (turn.state is TurnState.INTERRUPTED and not turn.is_unresolved)
        case _:
            return False


def _question(connection: Connection, permission: Permission, at: datetime, words: Words) -> News:
    what = "trust" if permission.files is not None else permission.tool_kind
    text = f"{_who(connection, permission.session_id, words)} {_WHATS.get(what, 'asks for permission')}"
    return _in(connection, permission.worktree_id, permission.session_id, f"{permission.id}/open", "question", text, at, words)


def _decision(connection: Connection, firing: Firing, at: datetime, words: Words) -> News:
    text = f"A person has to decide in zone {words.name(firing.zone)}"
    key = f"{firing.id}/{firing.state.value}"
    return _in(connection, firing.worktree_id, None, key, "question", text, at, words, board=firing.board, joint="about")


def _yes(schedule: Schedule, at: datetime, words: Words) -> News:
    text = f"An agent made the schedule {words.name(schedule.name)}, which waits for a person's yes"
    return News(message=Message(key=f"{schedule.id}/yes", kind="question", board=schedule.board, text=text, created_at=at))


def _failure(connection: Connection, turn: Turn, at: datetime, words: Words) -> News:
    what = "failed" if turn.state is TurnState.FAILED else "was interrupted when the server stopped"
    text = f"{_who(connection, turn.session_id, words)} {what}"
    found = _in(connection, turn.worktree_id, turn.session_id, f"{turn.id}/{turn.state.value}", "failure", text, at, words)
    is_slots = slots.of_turn(connection, turn.id) is not None
    return News(message=found.message, worktree_id=turn.worktree_id, unless="slot" if is_slots else None)


def _slot(slot: Slot, at: datetime, words: Words) -> News:
    text = f"Slot {slot.number} of the schedule {words.name(slot.schedule)} {slot.state.value}"
    message = Message(key=f"{slot.id}/{slot.state.value}", kind="slot", board=slot.board, text=text, created_at=at)
    return News(message=message, worktree_id=slot.worktree_id)


def _budget(connection: Connection, budget: Budget, at: datetime, words: Words) -> News:
    session = sessions.get(connection, budget.subject) if budget.scope in {"session", "tree"} else None
    place = session.worktree_id if session is not None else WorktreeId(budget.subject)
    worktree = worktrees.find(connection, place) if budget.scope in {"session", "tree", "worktree"} else None
    board = budget.subject if budget.scope == "board" else worktree.board if worktree is not None else None
    where = f" {words.name(worktree.name)}" if worktree is not None else ""
    whose = {
        "session": f"a session in{where}",
        "tree": f"a tree of sessions in{where}",
        "worktree": f"worktree{where}",
        "board": "the board",
        "user": f"the person {words.name(budget.subject)}",
    }[budget.scope]
    limit = (budget.soft_usd if budget.state == "warned" else budget.hard_usd) or 0.0
    what = "is near its limit" if budget.state == "warned" else "is used up"
    text = f"The budget of {whose} {what}: it was ${limit:.2f}" if budget.state == "exhausted" else f"The budget of {whose} {what}"
    key = f"{budget.id}/{budget.state}/{limit:.4f}"
    message = Message(key=key, kind="budget", board=board, text=text, created_at=at)
    return News(
        message=message,
        worktree_id=worktree.id if worktree is not None else None,
        only_for=budget.subject if budget.scope == "user" else None,
    )


def _in(  # noqa: PLR0917  # the parts of a message
    connection: Connection,
    worktree_id: WorktreeId,
    session_id: SessionId | None,
    key: str,
    kind: MessageKind,
    text: str,
    at: datetime,
    words: Words,
    *,
    board: str | None = None,
    joint: str = "in",
) -> News:
    worktree = worktrees.find(connection, worktree_id)
    where = f" {joint} {words.name(worktree.name)}" if worktree is not None else ""
    place = board or (worktree.board if worktree is not None else None)
    message = Message(key=key, kind=kind, board=place, text=f"{text}{where}", session_id=session_id, created_at=at)
    return News(message=message, worktree_id=worktree_id)


def _who(connection: Connection, session_id: SessionId, words: Words) -> str:
    session = sessions.get(connection, session_id)
    return words.label(session.agent) if session is not None else "An agent"
