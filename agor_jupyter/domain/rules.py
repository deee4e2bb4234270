"""A rule: a question that an agent need not ask again, because somebody said so. It has a scope, an author, and perhaps an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from agor_jupyter.domain.ids import RuleId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

RuleScope = Literal["session", "worktree", "zone", "repository"]
FILE_KINDS = frozenset({"read", "edit", "delete", "move", "search"})
"""Kinds of tools that are allowed only for files of the worktree."""
KINDS = FILE_KINDS | {"execute", "fetch", "think"}
"""What a rule can allow. A tool of another kind could do anything."""
ANYTHING = "any"
"""Whatever the agent asks, but for files that it would obey. A rule allows it for one session only, where it was said in so many words."""
CommandPrefix = Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(min_length=1, max_length=20)]
"""The first words of a command, such as `["dbt", "build"]`."""


class Rule(Record):
    """*Saved.* Allows what matches all that is set."""

    id: RuleId
    scope: RuleScope
    subject: str
    """Id of the session, worktree, zone or repo."""
    agent: str | None = None
    tool_kind: str | None = None
    """ACP's kind, such as `edit` or `execute`; or `any`: whatever the agent of this session asks."""
    command_prefix: CommandPrefix | None = None
    command: str | None = None
    """The whole command, to the letter: what an owner allowed a zone to run."""
    expires_at: Moment | None = None
    created_at: Moment
    created_by: Person
    revoked_at: Moment | None = None
    revoked_by: Person | None = None
    uses: int = 0
    """Questions that it answered."""


class RuleCreate(Request):
    """At least one of `tool_kind` and `command_prefix` is needed."""

    scope: RuleScope
    subject: str
    agent: str | None = None
    tool_kind: str | None = None
    command_prefix: CommandPrefix | None = None
    expires_in_s: float | None = Field(default=None, gt=0, le=366 * 86_400)
    """`None`: until it is revoked."""


class Allowance(Record):
    """A command that a zone runs by itself: its first words, or all of it."""

    agent: str
    prefix: CommandPrefix | None = None
    command: str | None = None


class Remember(Request):
    """With an answer: allow the like from now on. `command_prefix` for a command, else the question's kind of tool."""

    scope: RuleScope = "session"
    command_prefix: CommandPrefix | None = None
    expires_in_s: float | None = Field(default=None, gt=0, le=366 * 86_400)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a rule is compared with."""

    subjects: Sequence[tuple[RuleScope, str]]
    """Where the question was asked, the narrowest scope first."""
    agent: str
    kind: str | None
    """The kind of the tool, if a rule may allow it here; `None` for a file that is not of the worktree, or not known."""
    words: Sequence[str] | None
    """Of the command; `None` when it is not one simple command."""
    command: str | None = None
    """As it is, when it is all that decides what happens."""


def is_live(rule: Rule, at: datetime) -> bool:
    return rule.revoked_at is None and (rule.expires_at is None or at < rule.expires_at)


def covers(rule: Rule, asked: Asked) -> bool:
    """Whether the rule says yes to this. Whether it is live and of this scope is another matter."""
    if rule.agent is not None and rule.agent != asked.agent:
        return False
    if rule.tool_kind == ANYTHING:
        return True
    if rule.tool_kind is not None and rule.tool_kind != asked.kind:
        return False
    if rule.command is not None:
        return asked.command == rule.command
    if rule.command_prefix is not None:
        return asked.words is not None and list(asked.words[: len(rule.command_prefix)]) == rule.command_prefix
    return rule.tool_kind is not None
