"""A turn: one prompt and all that the agent did for it, or what it did by itself afterwards. The unit of the queue, cost and cancelling."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.attachments import Attachment
from agor_jupyter.domain.ids import FiringId, PermissionId, RunId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record


class TurnState(StrEnum):
    QUEUED = "queued"
    STARTING = "starting"
    """Claimed: the agent's process starts."""
    RUNNING = "running"
    WAITING = "waiting"
    """A permission question is open."""
    PARKED = "parked"
    """The model cannot be reached, or takes no more for now; it is tried again."""
    STOPPING = "stopping"
    """A person cancelled it; the agent has not ended yet."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The server died under it."""


OPEN = frozenset({TurnState.STARTING, TurnState.RUNNING, TurnState.WAITING, TurnState.STOPPING})
ENDED = frozenset({TurnState.DONE, TurnState.FAILED, TurnState.CANCELLED, TurnState.INTERRUPTED})

NEXT: dict[TurnState, frozenset[TurnState]] = {
    TurnState.QUEUED: frozenset({TurnState.STARTING, TurnState.PARKED, TurnState.CANCELLED}),
    TurnState.STARTING: frozenset({TurnState.RUNNING, TurnState.WAITING, TurnState.STOPPING, TurnState.PARKED} | ENDED),
    TurnState.RUNNING: frozenset({TurnState.WAITING, TurnState.STOPPING, TurnState.PARKED} | ENDED),
    TurnState.WAITING: frozenset({TurnState.STARTING, TurnState.RUNNING, TurnState.STOPPING, TurnState.PARKED} | ENDED),
    TurnState.STOPPING: ENDED,
    TurnState.PARKED: frozenset({TurnState.STARTING, TurnState.CANCELLED, TurnState.FAILED}),
    **dict.fromkeys(ENDED, frozenset()),
}
"""The state machine. An ended turn never changes its state again."""


REJECTED = "rejected"
"""Error code of a turn that ended because a person said no: that is no failure of it."""
CLOCKS = {
    TurnState.QUEUED: "queued_seconds",
    TurnState.STARTING: "seconds",
    TurnState.RUNNING: "seconds",
    TurnState.STOPPING: "seconds",
    TurnState.WAITING: "waited_seconds",
    TurnState.PARKED: "parked_seconds",
}
"""Where the time counts that a turn spends in a state."""


class Turn(Record):
    """*Saved.*"""

    id: TurnId
    session_id: SessionId
    worktree_id: WorktreeId
    number: int
    """From 1 within the session, in the order in which prompts were accepted."""
    prompt: str
    """Empty, unless its `origin` is a prompt."""
    firing_id: FiringId | None = None
    """The firing of a zone that sent it."""
    attachments: list[Attachment] = Field(default_factory=list)
    origin: Literal["prompt", "continued"] = "prompt"
    """`continued`: the agent went on by itself after another turn had ended. It ends when the agent is quiet."""
    report_to: SessionId | None = None
    """How it ends is delivered to this session."""
    reports_on: TurnId | None = None
    """It tells how this turn of a session below ended."""
    follows: TurnId | None = None
    """Of a continued turn: the one that had ended."""
    state: TurnState
    run_id: RunId | None = None
    """The agent process that took it."""
    stop_reason: str | None = None
    """ACP's `stopReason`. Of a continued turn: `quiet`, `prompted` (a prompt came next) or `given_up` (its tools never ended)."""
    error: str | None = None
    """Why it failed, was interrupted or is parked, for a person."""
    error_code: str | None = None
    """Of a parked turn: `rate_limited`, `overloaded`, `quota`, `unreachable` or `budget`."""
    retry_at: Moment | None = None
    """When a parked turn is tried again. `None`: when a person says so."""
    parks: int = 0
    """How often it was parked."""
    has_acted: bool = False
    """The agent has said or done something for it. After that a new attempt asks it to go on; the prompt is not sent again."""
    model: str | None = None
    """The model that it ran on, as the agent calls it."""
    resolution: Literal["resumed", "retried", "discarded"] | None = None
    """What a person did about an interrupted turn."""
    retry_of: TurnId | None = None
    permission_id: PermissionId | None = None
    commit_before: str | None = None
    commit_after: str | None = None
    tree_before: str | None = None
    """What the worktree held before its first attempt, uncommitted files included, as an object of git."""
    tree_after: str | None = None
    """As `tree_before`, after its last attempt."""
    dirty_before: bool | None = None
    dirty_after: bool | None = None
    files: int = 0
    added: int = 0
    deleted: int = 0
    """Lines that changed from before to after, uncommitted ones included. The patch itself is fetched by itself."""
    state_since: Moment | None = None
    seconds: float | None = None
    """Of work. What it waited for is told apart."""
    waited_seconds: float = 0
    """For a person to answer its questions."""
    queued_seconds: float = 0
    parked_seconds: float = 0
    input_tokens: int | None = None
    """Without those that were read from a cache or written to it."""
    output_tokens: int | None = None
    cached_read_tokens: int | None = None
    cached_write_tokens: int | None = None
    cost_usd: float | None = None
    cost_is_estimate: bool = False
    created_at: Moment
    created_by: Person
    started_at: Moment | None = None
    ended_at: Moment | None = None
    ended_by: Person | None = None
    """Who cancelled it, or said no to what it asked, after which it ended; then `error_code` is `rejected`."""

    @property
    def is_unresolved(self) -> bool:
        """It was interrupted, and nobody has decided what to do about it."""
        return self.state is TurnState.INTERRUPTED and self.resolution is None


class PatchFile(Record):
    path: str
    old_path: str | None = None
    status: Literal["added", "modified", "deleted", "renamed", "copied", "type_changed"]
    added: int | None
    """`None`: binary."""
    deleted: int | None


class Patch(Record):
    """A diff as git makes it. `text` is cut at 2 MB and then `is_cut`."""

    files: list[PatchFile]
    text: str
    is_cut: bool = False
    not_shown: list[str] = Field(default_factory=list)
    """What is not in it though somebody changed it, a sentence each: “frontend: a repository inside, not shown”."""
