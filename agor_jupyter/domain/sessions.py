"""A session: one conversation with one agent in one worktree."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from agor_jupyter.domain.ids import PermissionId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request
from agor_jupyter.domain.turns import Turn, TurnState

MAX_PROMPT = 200_000
"""Characters."""


class SessionState(StrEnum):
    """Derived from the turns and the open questions, never set."""

    IDLE = "idle"
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    NEEDS_YOU = "needs_you"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Usage(Record):
    """Tokens and US dollars. `None` means not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    context_used: int | None = None
    context_size: int | None = None
    cost_usd: float | None = None
    is_estimate: bool = False


class Session(Record):
    """*Saved.*"""

    id: SessionId
    worktree_id: WorktreeId
    board: str | None = None
    """That of its worktree."""
    agent: str
    title: str
    parent_id: SessionId | None = None
    """Spawned by this session."""
    origin_id: SessionId | None = None
    """Forked from this session."""
    agent_session_id: str | None = None
    """The id the agent gave it (ACP `sessionId`), to resume it with."""
    state: SessionState
    state_since: Moment
    queue: list[TurnId] = Field(default_factory=list)
    """Turns that wait, in order."""
    current_turn_id: TurnId | None = None
    open_permission_id: PermissionId | None = None
    last_turn_id: TurnId | None = None
    last_line: str = ""
    """The last line of text or the title of the last tool call, at most 200 characters."""
    last_seq: int = 0
    turn_count: int = 0
    usage: Usage = Field(default_factory=Usage)
    """Summed over its turns."""
    archived_at: Moment | None = None
    created_at: Moment
    created_by: Person
    updated_at: Moment


class SessionCreate(Request):
    worktree_id: WorktreeId
    agent: str = "script"
    title: str | None = None
    """Default: the first line of the first prompt."""
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT)
    parent_id: SessionId | None = None
    origin_id: SessionId | None = None


class SessionChange(Request):
    title: str | None = None
    queue: list[TurnId] | None = None
    """A new order of exactly the turns that wait."""


class Prompt(Request):
    text: str = Field(min_length=1, max_length=MAX_PROMPT)
    is_template: bool = False
    """Render the text with the names of `domain.templates` before it is queued."""


class Answer(Request):
    """Which option of a permission question was chosen."""

    option_id: str
    note: str | None = Field(default=None, max_length=2000)


_OPEN = {
    TurnState.STARTING: SessionState.STARTING,
    TurnState.RUNNING: SessionState.RUNNING,
    TurnState.WAITING: SessionState.NEEDS_YOU,
    TurnState.STOPPING: SessionState.STOPPING,
}
_ENDED = {
    TurnState.DONE: SessionState.DONE,
    TurnState.FAILED: SessionState.FAILED,
    TurnState.CANCELLED: SessionState.CANCELLED,
    TurnState.INTERRUPTED: SessionState.INTERRUPTED,
}


def derive_state(turns: Iterable[Turn]) -> SessionState:
    """The state of a session from its turns.

    An open turn wins; then an interrupted one that nobody resumed, retried or discarded; then one that waits; then the
    outcome of the last that ended.
    """
    queued, interrupted = False, False
    known = list(turns)
    for turn in known:
        if turn.state in _OPEN:
            return _OPEN[turn.state]
        if turn.state is TurnState.QUEUED:
            queued = True
        elif turn.state is TurnState.INTERRUPTED and turn.resolution is None:
            interrupted = True
    if interrupted:
        return SessionState.INTERRUPTED
    if queued:
        return SessionState.QUEUED
    last = last_ended(known)
    return _ENDED[last.state] if last else SessionState.IDLE


def last_ended(turns: Iterable[Turn]) -> Turn | None:
    """By the clock: a turn that was retried ends before those that waited behind it, whatever its number."""
    return max((turn for turn in turns if turn.ended_at is not None), key=lambda turn: (turn.ended_at, turn.number), default=None)
