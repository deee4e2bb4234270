"""An event: one entry of a session's transcript, or the news that a record changed.

Both lie in one log with one number `n` for the whole server. A transcript entry also has `seq`, without gaps from 1 within
its session. Text and output arrive in pieces that are joined by `message_id` or `tool_call_id`.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.attachments import Attachment
from agor_jupyter.domain.budgets import Budget
from agor_jupyter.domain.deliveries import Delivery
from agor_jupyter.domain.environments import Environment
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.permissions import McpTool, Permission
from agor_jupyter.domain.records import JsonObject, Moment, Record
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.rules import Rule
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.domain.sessions import Session, Usage
from agor_jupyter.domain.slots import Slot
from agor_jupyter.domain.trust import Trust
from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Firing

# Transcript


class PromptSent(Record):
    """The turn starts with this prompt."""

    kind: Literal["prompt"] = "prompt"
    text: str
    by: Person
    attachments: list[Attachment] = Field(default_factory=list)


class Text(Record):
    kind: Literal["text"] = "text"
    text: str
    message_id: str | None = None


class Thought(Record):
    kind: Literal["thought"] = "thought"
    text: str
    message_id: str | None = None


class FileChange(Record):
    """What a tool says it changes. What really changed comes from git."""

    path: str
    old_text: str | None = None
    new_text: str


class ToolCall(Record):
    """Upserted by `tool_call_id`: a later entry carries all that is known then, `None` where nothing is new."""

    kind: Literal["tool_call"] = "tool_call"
    tool_call_id: str
    parent_id: str | None = None
    """The call that started the subagent whose call this is. `None`: the agent's own, or it does not say."""
    title: str | None = None
    tool_kind: str | None = None
    """ACP's kind: read, edit, delete, move, search, execute, think, fetch, other."""
    status: Literal["pending", "in_progress", "completed", "failed"] | None = None
    input: JsonObject | None = None
    output: str | None = None
    """The whole output so far. Pieces come as `tool_output`."""
    changes: list[FileChange] | None = None
    locations: list[str] | None = None
    exit_code: int | None = None
    mcp_tool: McpTool | None = None


class ToolOutput(Record):
    """A piece of a tool's output, appended."""

    kind: Literal["tool_output"] = "tool_output"
    tool_call_id: str
    text: str


class PlanEntry(Record):
    content: str
    status: Literal["pending", "in_progress", "completed"]
    priority: Literal["high", "medium", "low"] = "medium"


class Plan(Record):
    """The whole plan; a later one replaces it."""

    kind: Literal["plan"] = "plan"
    entries: list[PlanEntry]


class UsageReported(Record):
    kind: Literal["usage"] = "usage"
    usage: Usage


class ModeChanged(Record):
    kind: Literal["mode"] = "mode"
    mode: str


class PermissionAsked(Record):
    kind: Literal["permission_asked"] = "permission_asked"
    permission: Permission


class PermissionSettled(Record):
    """Answered, withdrawn or expired."""

    kind: Literal["permission_settled"] = "permission_settled"
    permission: Permission


class Notice(Record):
    """Something the server wants a reader to know: dropped bytes, throttling, a restart."""

    kind: Literal["notice"] = "notice"
    code: str
    text: str
    run_id: RunId | None = None


class Failure(Record):
    kind: Literal["error"] = "error"
    code: str
    text: str


class TurnEnded(Record):
    """The outcome, with the figures from git."""

    kind: Literal["turn_ended"] = "turn_ended"
    turn: Turn


# News of records


class RepoChanged(Record):
    kind: Literal["repo"] = "repo"
    repo: Repo


class WorktreeChanged(Record):
    kind: Literal["worktree"] = "worktree"
    worktree: Worktree


class SessionChanged(Record):
    kind: Literal["session"] = "session"
    session: Session


class TurnChanged(Record):
    kind: Literal["turn"] = "turn"
    turn: Turn


class PermissionChanged(Record):
    kind: Literal["permission"] = "permission"
    permission: Permission


class AgentChanged(Record):
    """An installation went on, or an agent was checked."""

    kind: Literal["agent"] = "agent"
    status: AgentStatus


class RuleChanged(Record):
    kind: Literal["rule"] = "rule"
    rule: Rule


class TrustChanged(Record):
    kind: Literal["trust"] = "trust"
    trust: Trust


class BudgetChanged(Record):
    kind: Literal["budget"] = "budget"
    budget: Budget


class FiringChanged(Record):
    kind: Literal["firing"] = "firing"
    firing: Firing


class EnvironmentChanged(Record):
    kind: Literal["environment"] = "environment"
    environment: Environment


class DeliveryChanged(Record):
    """How a turn ended is on its way to a session above it, has arrived, or was refused."""

    kind: Literal["delivery"] = "delivery"
    delivery: Delivery


class ScheduleChanged(Record):
    """It was made, changed, paused or removed, or has another next time."""

    kind: Literal["schedule"] = "schedule"
    schedule: Schedule


class SlotChanged(Record):
    """A moment of a schedule came, and how it goes on."""

    kind: Literal["slot"] = "slot"
    slot: Slot


class ToolUsed(Record):
    """A call over MCP, by an agent or a person's own client."""

    kind: Literal["tool_used"] = "tool_used"
    tool: str
    by: Person
    session_id: SessionId | None = None
    """Whose agent it was. `None`: a person's own client."""
    board: str | None = None
    milliseconds: float
    refusal: str | None = None
    """Why it was refused. `None`: it was answered."""


class BoardChanged(Record):
    """A board's file came or went, by whatever hand. Said of boards that somebody looks at."""

    kind: Literal["board"] = "board"
    path: str
    is_there: bool


class Removed(Record):
    kind: Literal["removed"] = "removed"
    noun: Literal["repo", "worktree", "session", "budget"]
    id: str


_Transcript: TypeAlias = (
    PromptSent
    | Text
    | Thought
    | ToolCall
    | ToolOutput
    | Plan
    | UsageReported
    | ModeChanged
    | PermissionAsked
    | PermissionSettled
    | Notice
    | Failure
    | TurnEnded
)
_News: TypeAlias = (
    RepoChanged
    | WorktreeChanged
    | SessionChanged
    | TurnChanged
    | PermissionChanged
    | AgentChanged
    | RuleChanged
    | TrustChanged
    | BudgetChanged
    | FiringChanged
    | EnvironmentChanged
    | DeliveryChanged
    | ScheduleChanged
    | SlotChanged
    | ToolUsed
    | BoardChanged
    | Removed
)

TranscriptBody = Annotated[_Transcript, Field(discriminator="kind")]
NewsBody = Annotated[_News, Field(discriminator="kind")]
Body = Annotated[_Transcript | _News, Field(discriminator="kind")]


class Event(Record):
    """One entry of the log, as it is stored and sent."""

    n: int
    at: Moment
    session_id: SessionId | None = None
    turn_id: TurnId | None = None
    seq: int | None = None
    body: Body
