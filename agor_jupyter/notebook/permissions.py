"""A permission question, answered from a cell in your name."""

from agor_jupyter.domain.errors import AlreadyAnswered, BadRequest
from agor_jupyter.domain.permissions import McpTool, PermissionOption, PermissionState, Wish, choose
from agor_jupyter.domain.permissions import Permission as PermissionRecord
from agor_jupyter.domain.rules import Remember, RuleScope
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.notebook import rules, trust
from agor_jupyter.notebook.display import live, views
from agor_jupyter.notebook.handles import Handles, checked
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.rules import Command
from agor_jupyter.notebook.trust import ProjectFile

_WISHES: dict[str, Wish] = {"allow": "once", "always": "session", "reject": "no"}


class Permission:
    """A question an agent asks before it acts. The first valid answer counts; a later one raises `AlreadyAnswered`."""

    def __init__(self, link: Link, record: PermissionRecord) -> None:
        self._link, self.record = link, record

    @property
    def title(self) -> str:
        return self.record.title

    @property
    def command(self) -> str | None:
        """The actual command or path, if there is one."""
        return self.record.command

    @property
    def mcp_tool(self) -> McpTool | None:
        """The server and the tool, if the agent wants to use an MCP server's tool."""
        return self.record.mcp_tool

    @property
    def paths(self) -> list[str]:
        """The files it is about, as named by the agent."""
        return list(self.record.paths)

    @property
    def files(self) -> Handles[ProjectFile]:
        """The worktree's files that it asks you to trust; `worktree.project_files` has their text. Empty for any other question."""
        return trust.listed([ProjectFile(record) for record in self.record.files or ()])

    @property
    def options(self) -> list[PermissionOption]:
        return list(self.record.options)

    @property
    def state(self) -> str:
        return self.record.state.value

    @property
    def answered_by(self) -> str | None:
        """The name of the person who answered."""
        return self.record.answered_by.name if self.record.answered_by else None

    def allow(
        self,
        *,
        note: str | None = None,
        remember: RuleScope | None = None,
        command: Command | None = None,
        hours: float | None = None,
    ) -> "Permission":
        """Yes: this once, or with `remember` also for similar calls in this `session`, `worktree`, `zone` or `repository`.

        Args:
            command: the beginning of the commands to remember. Default: this whole command; of another tool its kind.
            hours: how long to remember. Default: until the rule is revoked.

        """
        return self._wish("allow", note, self._remember(remember, command, hours))

    def always(self, *, note: str | None = None) -> "Permission":
        """Yes, and the agent need not ask about similar calls again in this session.

        Where a rule of ours can say that, it does, and `session.rules` shows it. Else it is the agent's own option, if one goes no further.
        """
        return self._wish("always", note)

    def reject(self, *, note: str | None = None) -> "Permission":
        """No."""
        return self._wish("reject", note)

    def answer(self, option_id: str, *, note: str | None = None, remember: Remember | None = None) -> "Permission":
        """Choose one of `options` by its id. A `note` is kept with the answer; `remember` turns a yes into a rule."""
        body = Answer(option_id=option_id, note=note, remember=remember)
        self.record = PermissionRecord.model_validate(self._link.post(f"permissions/{self.record.id}/answer", body))
        return self

    def _remember(self, scope: RuleScope | None, command: Command | None, hours: float | None) -> Remember | None:
        if scope is None:
            if command is not None or hours is not None:
                raise BadRequest(["`command` and `hours` go with `remember`, such as remember='session'"])
            return None
        if self.record.files is not None:
            raise BadRequest(["an answer about files is kept without `remember`, until their content changes"])
        words = rules.prefix(command) if command is not None else self.record.rule_words
        if words is None and self.record.rule_kind in (None, "execute"):
            raise BadRequest([f"{self.title!r} cannot be remembered: it is not one simple command, nor about files of the worktree"])
        with checked():
            return Remember(scope=scope, command_prefix=words, expires_in_s=rules.seconds(hours))

    def _wish(self, wish: str, note: str | None, remember: Remember | None = None) -> "Permission":
        if self.record.state is not PermissionState.OPEN:
            raise AlreadyAnswered(self.record.id, self.state, self.answered_by)
        if self.record.files is not None and wish == "allow":
            return self.answer(next(option.id for option in self.record.options if option.kind.startswith("allow")), note=note)
        choice = choose(self.record.options, _WISHES[wish], is_memorable=self.record.is_memorable and self.record.files is None)
        if choice is not None:
            if choice.needs_rule:
                remember = Remember(scope="session", command_prefix=self.record.rule_words)
            return self.answer(choice.option.id, note=note, remember=remember)
        offered = ", ".join(f"answer({option.id!r}) “{option.name}”{live.reach(option)}" for option in self.record.options)
        raise BadRequest([f"this question has no option for {wish}() that goes no further; it offers {offered}"])

    def _settled(self) -> str:
        return live.settled(self.record, self._link.me.person.username)

    def __repr__(self) -> str:
        lines = [f"Permission {self.title!r}: {self._settled()}", *(f"    {name}" for name in live.names(self.record))]
        return views.visible("\n".join(lines))

    def _repr_html_(self) -> str:
        facts = (
            [("", self._settled())] if self.record.answered_by else [("options", ", ".join(option.name for option in self.record.options))]
        )
        files = live.names(self.record)
        return views.card("Permission", self.title, self.state, facts, views.block("\n".join(files)) if files else "")
