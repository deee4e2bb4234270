"""A permission: a question an agent asks before it acts; answered once, by a named person."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.ids import PermissionId, RuleId, RunId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import JsonObject, Moment, Record
from agor_jupyter.domain.trust import ProjectFile


class PermissionState(StrEnum):
    OPEN = "open"
    ALLOWED = "allowed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The turn ended, was cancelled, or the agent took the question back."""
    EXPIRED = "expired"


class PermissionOption(Record):
    """As ACP gives it."""

    id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]


class Permission(Record):
    """*Saved.*"""

    id: PermissionId
    session_id: SessionId
    worktree_id: WorktreeId
    turn_id: TurnId
    run_id: RunId
    tool_call_id: str | None = None
    title: str
    """What the agent asks for, in its words."""
    tool_kind: str = "other"
    command: str | None = None
    """The real command or path, from the tool call's input, not from prose."""
    input: JsonObject = Field(default_factory=dict)
    files: list[ProjectFile] | None = None
    """The server asks, before the agent starts: may it obey these files of the worktree?"""
    options: list[PermissionOption]
    state: PermissionState
    option_id: str | None = None
    asked_at: Moment
    answered_at: Moment | None = None
    answered_by: Person | None = None
    note: str | None = None
    """What the person wrote beside the answer."""
    rule_words: list[str] | None = None
    """The words that the `command_prefix` of a rule is compared with. `None`: it is not one simple command, so no prefix allows it."""
    rule_kind: str | None = None
    """The kind of tool that a rule can allow for the like of this. `None`: none can; it is about files outside, or about anything."""
    rule_id: RuleId | None = None
    """The rule that answered it; `answered_by` is who made the rule."""
