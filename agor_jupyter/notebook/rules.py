"""Rules, from a cell: what agents may do without asking again, because you said so."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from agor_jupyter.domain import words
from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.rules import ANYTHING, RuleCreate, RuleScope
from agor_jupyter.domain.rules import Rule as RuleRecord
from agor_jupyter.notebook import following
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link

Command = str | Sequence[str]
"""`"dbt build"`, or its words."""


class Rule:
    """Allows a kind of tool, or commands with a given start, in a session, a worktree, a zone or a repository. `revoke()` ends it."""

    def __init__(self, link: Link, record: RuleRecord) -> None:
        self._link, self.record = link, record

    @property
    def allows(self) -> str:
        """How allowed commands start, or the kind of tool."""
        prefix = self.record.command_prefix
        what = (
            " ".join(f"'{word}'" if " " in word else word for word in prefix)
            if prefix
            else f"any {self.record.tool_kind}"
            if self.record.tool_kind != ANYTHING
            else "whatever its agent asks"
        )
        return views.visible(what + (f" by {self.record.agent}" if self.record.agent else ""))

    def refresh(self) -> "Rule":
        """Read it again from the server."""
        found = [RuleRecord.model_validate(item) for item in self._link.items("rules")]
        self.record = next(one for one in found if one.id == self.record.id)
        return self

    @property
    def uses(self) -> int:
        """How many questions it answered."""
        return self.record.uses

    def revoke(self) -> "Rule":
        """It allows nothing from now on. What it allowed remains on record."""
        self.record = RuleRecord.model_validate(self._link.delete(f"rules/{self.record.id}"))
        return self

    def __repr__(self) -> str:
        revoked, until = self.record.revoked_by, self.record.expires_at
        end = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        end = f", revoked by {revoked.name}" if revoked else end
        return views.visible(f"Rule of {self.record.created_by.name} for this {self.record.scope}: {self.allows}{end}")

    def _repr_html_(self) -> str:
        record = self.record
        facts = [("for", f"{record.scope} {record.subject}"), ("by", record.created_by.name), ("used", str(record.uses))]
        return views.card("Rule", self.allows, "revoked" if record.revoked_at else None, facts)


class Ruled(ABC):
    """What a handle can do in whose place rules count: a session, a worktree, a repository."""

    _link: Link
    _scope: ClassVar[RuleScope]

    @property
    @abstractmethod
    def _subject(self) -> str:
        """The id that a rule names."""

    def allow(
        self,
        command: Command | None = None,
        *,
        kind: str | None = None,
        agent: str | None = None,
        hours: float | None = None,
    ) -> Rule:
        """Allow without asking, in everything below this: commands that start with `command`, or a `kind` of tool.

        Args:
            kind: `edit`, `execute`, `fetch` and so on. One that is about files allows those of the worktree only.
            agent: only for this one.
            hours: how long. Default: until `rule.revoke()`.

        """
        return allow(self._link, self._scope, self._subject, command, kind=kind, agent=agent, hours=hours)

    @property
    def rules(self) -> Handles[Rule]:
        """What agents may do here without asking: its own rules, then those of what contains it."""
        return of(self._link, **{"repo" if self._scope == "repository" else self._scope: self._subject})


def of(link: Link, **query: str) -> Handles[Rule]:
    """The rules that apply there, narrowest first, including revoked and expired ones."""
    found = [Rule(link, RuleRecord.model_validate(item)) for item in link.items("rules", **query)]
    return Handles("rule", found, lambda one: columns(one.record), lambda one: one.allows, kind=RuleRecord)


def allow(
    link: Link,
    scope: RuleScope,
    subject: str,
    command: Command | None,
    *,
    kind: str | None,
    agent: str | None,
    hours: float | None,
) -> Rule:
    """Make a rule in your name."""
    with checked():
        body = RuleCreate(
            scope=scope,
            subject=subject,
            agent=agent,
            tool_kind=kind,
            command_prefix=prefix(command),
            expires_in_s=seconds(hours),
        )
    return Rule(link, RuleRecord.model_validate(link.post("rules", body)))


def allow_anything(link: Link, session_id: str) -> None:
    """What a session that is there already would have begun with: once, and the questions that are open are answered with “allow once”."""
    found = [one.record for one in of(link, session=session_id)]
    if not any(one.scope == "session" and one.tool_kind == ANYTHING and one.revoked_at is None for one in found):
        allow(link, "session", session_id, None, kind=ANYTHING, agent=None, hours=None)
    following.allow_once(link, session_id)


def prefix(command: Command | None) -> list[str] | None:
    """The words of a command's beginning.

    Raises:
        BadRequest: it is not one simple command.

    """
    if command is None:
        return None
    found = words.read(command) if isinstance(command, str) else list(command)
    if not found:
        raise BadRequest([f"{command!r} is not the beginning of one simple command: no variables, pipes, redirections or second commands"])
    return found


def seconds(hours: float | None) -> float | None:
    return None if hours is None else hours * 3600
