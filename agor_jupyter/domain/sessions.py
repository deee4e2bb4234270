"""A session: one conversation with one agent in one worktree."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.attachments import AttachmentIds
from agor_jupyter.domain.ids import PermissionId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.options import OptionValues, SessionOption
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request
from agor_jupyter.domain.rules import Remember
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
    PARKED = "parked"
    """The model takes nothing for now; the turn is tried again."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Usage(Record):
    """Tokens and US dollars. `None` means not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None
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
    origin_turn_id: TurnId | None = None
    """The last turn of the origin that it knows of. `None`: all that had ended when it was made."""
    root_id: SessionId | None = None
    """Where its tree begins: the session that it was spawned or forked from, by however many steps. `None`: it is the root."""
    notify: bool = False
    """Its parent asked to be told how it ends."""
    is_side: bool = False
    """It was made for one question, and is archived when that is answered."""
    fork: Literal["native", "primed"] | None = None
    """How: by the agent itself, or as a new conversation that was told the transcript. `None`: not yet, or no fork."""
    agent_session_id: str | None = None
    """The id the agent gave it (ACP `sessionId`), to resume it with."""
    imported_id: str | None = None
    """The agent's id of the conversation that it was imported from."""
    agent_session_since: Moment | None = None
    """When that conversation began."""
    state: SessionState
    state_since: Moment
    waits_for: str | None = None
    """What it waits for while it is queued or starts, for a person."""
    stalled_at: Moment | None = None
    """Nothing was heard of the agent since, in a turn that runs."""
    background: list[str] = Field(default_factory=list)
    """What its agent does between two turns: titles of tools and tasks, as far as it says. Its process is kept for them."""
    options: list[SessionOption] = Field(default_factory=list)
    """What the agent offers, as it advertised it last."""
    chosen: dict[str, str] = Field(default_factory=dict)
    """What was asked for, by the option's id."""
    sandbox: Literal["on", "off"] | None = None
    """Of its last process. `None`: it had none yet."""
    sandbox_reason: str | None = None
    """Why it is off."""
    sandbox_devices: list[str] = Field(default_factory=list)
    """What it may use there of the machine's devices: `gpu`, or paths."""
    queue: list[TurnId] = Field(default_factory=list)
    """Turns that wait, in order."""
    current_turn_id: TurnId | None = None
    open_permission_id: PermissionId | None = None
    last_turn_id: TurnId | None = None
    ended_by: Person | None = None
    """Of a cancelled one: who cancelled its last turn, or said no to what it asked."""
    was_rejected: bool = False
    """Its last turn ended because a person said no."""
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
    attachments: AttachmentIds = Field(default_factory=list)
    """With the first prompt."""
    parent_id: SessionId | None = None
    notify: bool = False
    """Deliver how it ends to its parent, as a queued turn."""
    origin_id: SessionId | None = None
    origin_turn_id: TurnId | None = None
    """The last turn of the origin that it knows of. Default: all that has ended."""
    is_side: bool = False
    """Archive it when its prompt is answered."""
    budget_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """A hard limit of its own, from the start."""
    options: OptionValues = Field(default_factory=dict)
    """Default: those of the parent or origin with the same agent, else the person's preference."""
    allow: bool = False
    """With a rule of the session, in the name of who asks, that allows whatever its agent asks, until it is revoked. For owners."""


class SessionFork(Request):
    """A session that begins with what this one knows."""

    prompt: str | None = Field(default=None, max_length=MAX_PROMPT)
    turn: TurnId | None = None
    """The last turn that it knows of. Default: all that has ended."""
    worktree: str | None = None
    """The name of a new worktree to work in, on a branch from the turn's commit, or from what is there now. Default: the same worktree."""
    carry: bool = True
    """Bring uncommitted work into the new worktree, as it was after the turn, or as it is now."""
    is_side: bool = False
    """Archive it when its prompt is answered."""
    parent_id: SessionId | None = None
    """Below this session in its tree. Default: beside the origin."""
    notify: bool = False
    """As of `SessionCreate`."""
    budget_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """As of `SessionCreate`."""
    agent: str | None = None
    """Default: the same. Another one is told the transcript."""
    title: str | None = None
    options: OptionValues = Field(default_factory=dict)
    allow: bool = False
    """As of `SessionCreate`."""


class SessionChange(Request):
    title: str | None = None
    queue: list[TurnId] | None = None
    """A new order of exactly the turns that wait."""
    options: OptionValues | None = None
    """Only those named change."""


class Prompt(Request):
    text: str = Field(min_length=1, max_length=MAX_PROMPT)
    attachments: AttachmentIds = Field(default_factory=list)
    report_to: SessionId | None = None
    """Deliver how this turn ends to that session, above this one in its tree, as a queued turn."""
    is_template: bool = False
    """Render the text as a template before it is queued."""


class Answer(Request):
    """Which option of a permission question was chosen."""

    option_id: str
    note: str | None = Field(default=None, max_length=2000)
    remember: Remember | None = None
    """Makes a rule of a yes."""


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

    An open turn wins; then a parked one; then an interrupted one that nobody resumed, retried or discarded; then one that waits; then the
    outcome of the last that ended.
    """
    queued, interrupted, parked = False, False, False
    known = list(turns)
    for turn in known:
        if turn.state in _OPEN:
            return _OPEN[turn.state]
        if turn.state is TurnState.QUEUED:
            queued = True
        elif turn.state is TurnState.PARKED:
            parked = True
        elif turn.is_unresolved:
            interrupted = True
    if parked:
        return SessionState.PARKED
    if interrupted:
        return SessionState.INTERRUPTED
    if queued:
        return SessionState.QUEUED
    last = last_ended(known)
    return _ENDED[last.state] if last else SessionState.IDLE


def last_ended(turns: Iterable[Turn]) -> Turn | None:
    """By the clock: a turn that was retried ends before those that waited behind it, whatever its number."""
    return max((turn for turn in turns if turn.ended_at is not None), key=lambda turn: (turn.ended_at, turn.number), default=None)
