"""A permission: a question an agent asks before it acts; answered once, by a named person."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.ids import PermissionId, RuleId, RunId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import JsonObject, Moment, Record
from agor_jupyter.domain.rules import Remember
from agor_jupyter.domain.trust import ProjectFile


class PermissionState(StrEnum):
    OPEN = "open"
    ALLOWED = "allowed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The turn ended, was cancelled, or the agent took the question back."""
    EXPIRED = "expired"


Reach = Literal["once", "session", "worktree", "repository", "home", "unknown"]
"""How far an answer goes: for this call; for the agent's conversation; for all that work in this worktree, in this repository, or as this
person on this machine, since the agent writes it into a file there; or the agent does not say.
"""


class PermissionOption(Record):
    """As ACP gives it, and how far it goes."""

    id: str
    name: str
    kind: Literal["allow_once", "allow_always", "reject_once", "reject_always"]
    reach: Reach = "unknown"
    kept_in: str | None = None
    """The file into which the agent writes this answer, if it is known."""


class McpTool(Record):
    """A tool of an MCP server, as the agent names both."""

    server: str
    tool: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is sent to the agent for what a person said."""

    option: PermissionOption
    needs_rule: bool = False
    """A rule of ours says the rest: the agent is told “once”."""


Wish = Literal["once", "session", "no"]
"""What a person says in our own words: yes to this; yes to the like of it in this session; no."""


def choose(options: Sequence[PermissionOption], wish: Wish, *, is_memorable: bool = False) -> Choice | None:
    """The agent's option that says it and goes no further; `None`: it has none, and a person has to choose in the agent's own words.

    `is_memorable`: a rule of ours can allow the like. It can be seen and revoked, so the agent's own “always” is not used where it can.
    """
    kinds = [option.kind for option in options]
    once = options[kinds.index("allow_once")] if "allow_once" in kinds else None
    match wish:
        case "once":
            return Choice(option=once) if once else None
        case "session" if once and is_memorable:
            return Choice(option=once, needs_rule=True)
        case "session":
            lasting = (option for option in options if option.kind == "allow_always" and option.reach == "session")
            return next((Choice(option=option) for option in lasting), None)
        case "no":
            refusing = sorted(
                (option for option in options if option.kind.startswith("reject")), key=lambda one: one.kind == "reject_always"
            )
            return Choice(option=refusing[0]) if refusing else None


class Permission(Record):
    """*Saved.*"""

    id: PermissionId
    session_id: SessionId
    worktree_id: WorktreeId
    turn_id: TurnId
    run_id: RunId
    tool_call_id: str | None = None
    asked_by: str | None = None
    """The subagent that asks, by its kind or by what it was asked to do. `None`: the agent itself."""
    title: str
    """What the agent asks for, in its words."""
    tool_kind: str = "other"
    command: str | None = None
    """The real command or path, from the tool call's input, not from prose."""
    input: JsonObject = Field(default_factory=dict)
    mcp_tool: McpTool | None = None
    """The tool that it would use, where that is one of an MCP server."""
    paths: list[str] = Field(default_factory=list)
    """The files that it is about, as the agent names them. What it would change in them is in the transcript, in the tool's call."""
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
    remembered: Remember | None = None
    """What the yes covers besides this: the like of it, there, so long. `made_rule_id` is the rule that says so and can be revoked."""
    made_rule_id: RuleId | None = None

    @property
    def is_memorable(self) -> bool:
        """A rule can allow the like of it: commands that begin so, else every use of such a tool. Of a joined one that is every command."""
        return self.rule_words is not None or self.rule_kind is not None
