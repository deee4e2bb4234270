"""A rule: a question that an agent need not ask again, because somebody said so. It has a scope, an author, and perhaps an end."""

from typing import Annotated, Literal

from pydantic import Field

from agor_jupyter.domain.ids import RuleId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

RuleScope = Literal["session", "worktree", "zone", "repository"]
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
    """ACP's kind, such as `edit` or `execute`."""
    command_prefix: CommandPrefix | None = None
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


class Remember(Request):
    """With an answer: allow the like from now on. `command_prefix` for a command, else the question's kind of tool."""

    scope: RuleScope = "session"
    command_prefix: CommandPrefix | None = None
    expires_in_s: float | None = Field(default=None, gt=0, le=366 * 86_400)
