"""An agent: a kind of coding assistant. Pure data; nothing outside `agents/` names one."""

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from agor_jupyter.domain.options import SessionOption
from agor_jupyter.domain.own_files import OwnPattern
from agor_jupyter.domain.records import JsonObject, Record

Origin = Literal["builtin", "catalogue", "configuration"]
InstallState = Literal["installing", "failed"]

AgentName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
"""Also the name of a folder."""

Package = Annotated[
    str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$", max_length=250)
]
"""`name@1.2.3`: an npm package and its exact version, never a range."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"it is not a regular expression: {error}") from None
    return pattern


Regex = Annotated[str, AfterValidator(_compiles)]
"""A regular expression of Python."""


class Installation(Record):
    """How it comes onto this machine."""

    by_hand: str | None = None
    """The command that installs it, for a person to run. Of an entry with a `package` the server says it by itself."""
    package: Package | None = None
    """The npm package that brings `command`, with its exact version. The server can put it into the data folder."""
    node: int | None = None
    """The oldest major version of Node that the package runs on. `None`: any."""
    disk_mb: int = 500
    """What the installed package takes on the disk, roughly; without twice as much nothing is begun."""
    post_install: str | None = None
    """A script of the package that has to run once after it was unpacked. No other script of any package is ever run."""
    version_args: list[str] = Field(default_factory=list)
    """What to add to the program so that it prints its version and ends. Empty: it is never asked."""
    probe_args: list[str] = Field(default_factory=list)
    """The same for the binary that the package brings: it proves an installation. Empty: as `version_args`."""

    @property
    def version(self) -> str | None:
        """The one that `package` names."""
        return self.package.rpartition("@")[2] if self.package else None


class SignIn(Record):
    """How a person signs in, and how that is seen."""

    command: list[str] = Field(default_factory=list)
    """For a terminal. Its program is that of the agent's `command`, if it is the same. Empty: there is none."""
    files: list[str] = Field(default_factory=list)
    """Paths one of which is there when somebody signed in: below the home folder, or `$NAME/…` below the folder a variable names."""
    key_env: list[str] = Field(default_factory=list)
    """Variables any of which signs in instead."""
    authenticate: list[JsonObject] = Field(default_factory=list)
    """What to send as `authenticate` when it needs you to sign in: the first whose variables, `${NAME}` or `${NAME:-default}`, are set."""


class Capabilities(Record):
    """What it can do. Shown to people; what counts is what the agent itself says when it starts."""

    can_load: bool = False
    """It can bring back a conversation after its process ended, and says all of it again (`session/load`)."""
    can_resume: bool = False
    """It can go on with a conversation after its process ended, and says nothing again (`session/resume`)."""
    can_fork: bool = False
    """It can copy a conversation (`session/fork`). Where it cannot, a fork is a new one that is given the transcript."""
    takes_images: bool | None = None
    """It sees pictures that come with a prompt. `None`: it says so itself, when it runs."""
    reports_output: bool = True
    """It sends what its tools print."""


class McpSupport(Record):
    """How it reaches MCP servers, such as the board's own tools."""

    transports: list[Literal["stdio", "http"]] = Field(default_factory=list)
    titles: list[Regex] = Field(default_factory=list)
    """What the title of a call to an MCP server's tool is, with the groups `server` and `tool`, where it is not one of the usual forms."""
    connect: str | None = None
    """The command by which a person connects their own copy of it with an MCP server: `{url}` and `{token}` are put in."""


class Lasting(Record):
    """How far an answer that says “always” goes with an agent."""

    pattern: Regex
    """Found in the option's id and name, `id: name`."""
    reach: Literal["session", "worktree", "repository", "home"]
    file: str | None = None
    """Where the agent writes it, for people."""


class Asking(Record):
    """When it asks before it acts, and what its questions and their answers mean."""

    asks: bool = True
    """In our mode it asks before it edits a file and before it runs a command."""
    mode: str | None = None
    """The ACP mode a session starts in, for agents whose own default does not ask before they act."""
    sandbox_mode: str | None = None
    """The mode inside the server's sandbox, for an agent whose own sandbox conflicts with it. In it the agent does not ask."""
    when_rejected: Literal["goes_on", "done", "cancelled", "failed"] = "goes_on"
    """After a person's no it tells the model, which goes on; or it ends the turn, which is then in this state."""
    lasting: list[Lasting] = Field(default_factory=list)
    """How far its options that say “always” go, the narrowest first; the first whose pattern fits counts. An option that none fits may go
    anywhere, and is never chosen for a person who said something narrower.
    """
    command_is_title: bool = False
    """A question to run a command has it as its title, and does not tell the tool's input."""

    def asks_where(self, *, is_sandboxed: bool) -> bool:
        """As `asks`, in the server's sandbox or without it."""
        return self.asks and not (is_sandboxed and self.sandbox_mode)

    def mode_where(self, *, is_sandboxed: bool) -> str | None:
        """The mode of a session for which nobody chose one. `None`: the agent's own default."""
        return (self.sandbox_mode if is_sandboxed else None) or self.mode


class UsageForm(Record):
    """Which tokens and costs an agent reports, and what it means by them."""

    reports_tokens: bool = False
    """It says how many tokens a turn took."""
    reports_cost: bool = False
    """It says what a turn cost. Where it does not, the cost is an estimate by the price table."""
    reports_in_turn: bool = False
    """While a turn runs it says how many tokens its context has, so that a budget can stop the turn in the middle."""
    scope: Literal["request", "turn", "session"] | None = None
    """They are those of one request, of the turn, or of the conversation until now. Those of a turn's last request alone are not kept.
    `None`: nobody knows; they are taken for the turn's, and for sums where they could be.
    """
    cached: Literal["beside", "inside"] | None = None
    """Tokens of a cache are counted beside the input, or are in it. `None`: as the agent's own total says, else beside."""
    at: str | None = None
    """`a.b`: where `_meta` of each report that it sends while a turn runs has them. `None`: they are in the answer to a prompt."""
    model_at: str | None = None
    """`a.b`: where `_meta` of such a report names the model. `None`: it is the chosen one."""
    router: str | None = None
    """A name that it has for whichever model it chooses. Tokens that it reports under it are those of the model it names beside it."""
    omits_own: bool = False
    """Requests that it makes for itself, for a title or a choice of the model, are not in them."""


class SandboxHome(Record):
    """What it has of the person's home folder in the server's sandbox. Paths are below it; a folder ends with `/`."""

    state: list[str] = Field(default_factory=list)
    """What it reads and writes there too: its sign-in, its conversations."""
    settings: list[str] = Field(default_factory=list)
    """What it may read there and not change, within `state` or not: they decide what runs."""
    files: dict[str, str] = Field(default_factory=dict)
    """Files that are there from the beginning, by their paths, unless the person has them: what spares every worktree an installation of
    its own. A folder is empty.
    """
    state_env: list[str] = Field(default_factory=list)
    """Variables that name a folder of `state` elsewhere."""


class Restriction(Record):
    """How an agent is started so that it loads none of a worktree's project files."""

    env: dict[str, str] = Field(default_factory=dict)
    args: list[str] = Field(default_factory=list)
    """At the end of its command."""
    session_meta: JsonObject = Field(default_factory=dict)
    except_files: list[str] = Field(default_factory=list)
    """Those of them that it loads all the same."""


class WorktreeFiles(Record):
    """Which files of a worktree are the agent's affair. Paths are below the worktree; a folder ends with `/`."""

    project: list[str] = Field(default_factory=list)
    """What it obeys by itself: they say what it runs, loads, or may do unasked."""
    without_project: Restriction | None = None
    """How it is started without them. `None`: it cannot be kept from loading them."""
    own: list[OwnPattern] = Field(default_factory=list)
    """What it keeps for itself in a worktree: such files, unless they are in a commit, are no work of anybody's. They are told apart, and
    kept all the same.
    """


class Quirks(Record):
    """Where it speaks the protocol in a way of its own."""

    session_meta: JsonObject = Field(default_factory=dict)
    """`_meta` of every request that begins a conversation or brings one back."""
    takes_background: bool = True
    """It can be told as text what was said before. Not so one that would carry it out."""
    loads_next_minute: bool = False
    """It would empty a conversation that it loads within the clock's minute in which it began."""
    sets_between_turns: bool = False
    """A turn that runs would break if its model or mode was changed; it is changed before the next one."""
    background_input: str | None = None
    """Where the input of a tool says, by true, that what it starts goes on after the tool has ended. Its process is kept for that."""
    subagent_input: str | None = None
    """Where the input of a tool that starts a subagent names its kind. A turn of the agent does not end before its subagents have."""
    parent_call: str = "parentToolCallId"
    """`a.b`: where `_meta` of a subagent's tool call or question names the call that started the subagent."""


class FailureSigns(Record):
    """How an agent shows, to programs, that it failed, or that the model's provider refused or was not reached."""

    errored: str | None = None
    """`a.b=c`: where `c` at `_meta.a.b` of an update means that the turn failed, though the agent ends it well."""
    detail: str | None = None
    """`a.b`: where `_meta` of an update has the error as JSON."""
    last_message: list[Regex] = Field(default_factory=list)
    """What the whole last message of a turn that ended well matches when it is an error and not an answer."""
    is_unused: bool = False
    """A turn that ended well, and for which it says that no model was used, had no answer. Commands, which begin with `/`, need none."""
    retrying: str | None = None
    """`a.b=true`: where an update says that the agent tries again by itself, as long as nothing else is heard."""
    silent_retry_s: Annotated[float, Field(gt=0)] | None = None
    """It tries for minutes to reach the model, and says nothing meanwhile: after this silence, in seconds, it is shown. `None`: it tells,
    or gives up soon, and the server's own time counts.
    """
    when_repeating: Literal["goes_on", "failed"] = "goes_on"
    """A model that says the same over and over is left alone; or the agent ends the turn as if at its limit of requests, and it failed."""
    patterns: list[Regex] = Field(default_factory=list)
    """What an error's text has that a program can read: the groups `status` (of HTTP), `code`, or one of our own codes."""
    codes: dict[str, str] = Field(default_factory=dict)
    """The agent's names of errors, and ours: `rate_limited`, `overloaded`, `quota`, `unreachable`, `auth_required` or `provider_error`."""
    starts_again: Regex | None = None
    """What it writes when it ended before it was ready only because another of its processes was in its way: it is started again."""
    chatter: Regex | None = None
    """What begins the lines on stderr that it writes in passing, and that are not quoted when it fails."""


class AgentType(Record):
    """One entry of the catalogue: who it is and how it is run, and a record for each subject beside."""

    name: AgentName
    label: str
    icon: str
    """Name of an icon of the set, such as `ag-agent`."""
    notes: list[str] = Field(default_factory=list)
    """What a person should know that no other field says, one sentence each."""
    is_builtin: bool = False
    runs_blocks: bool = False
    """It runs the fenced blocks of its prompt and does nothing else. The gates of zones are turns of such an agent."""
    command: list[str]
    """A list, never a shell line."""
    env: dict[str, str] = Field(default_factory=dict)
    pass_env: list[str] = Field(default_factory=list)
    """Names of the server's environment variables that it needs, such as its API key."""
    path: list[str] = Field(default_factory=list)
    """Further folders at the end of its `PATH`."""
    history: str | None = None
    """How its own program keeps conversations: the name of a reader in `agents/history/`."""
    install: Installation = Field(default_factory=Installation)
    sign_in: SignIn = Field(default_factory=SignIn)
    capabilities: Capabilities = Field(default_factory=Capabilities)
    mcp: McpSupport = Field(default_factory=McpSupport)
    permissions: Asking = Field(default_factory=Asking)
    usage: UsageForm = Field(default_factory=UsageForm)
    sandbox: SandboxHome = Field(default_factory=SandboxHome)
    files: WorktreeFiles = Field(default_factory=WorktreeFiles)
    quirks: Quirks = Field(default_factory=Quirks)
    failures: FailureSigns = Field(default_factory=FailureSigns)

    @model_validator(mode="before")
    @classmethod
    def _is_nested(cls, given: object) -> object:
        """Refuses a field that stands beside the record it belongs to, and says where that is."""
        places = [_place(name, value) for name, value in given.items()] if isinstance(given, Mapping) else []
        if found := [place for place in places if place is not None]:
            raise ValueError("; ".join(found))
        return given

    def restricted(self) -> "AgentType":
        """As it is started where nobody trusts what the worktree's files tell it."""
        how = self.files.without_project or Restriction()
        return self.replace(
            command=[*self.command, *how.args],
            env={**self.env, **how.env},
            quirks=self.quirks.replace(session_meta={**self.quirks.session_meta, **how.session_meta}),
        )


_SUBJECTS: Mapping[str, type[Record]] = {
    name: field.annotation
    for name, field in AgentType.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Record)
}
_ELSEWHERE = {
    **{f: f"{subject}.{f}" for subject, record in _SUBJECTS.items() for f in record.model_fields if f not in AgentType.model_fields},
    "sign_in_files": "sign_in.files",
    "home_files": "sandbox.files",
    "project_files": "files.project",
    "own_files": "files.own",
    "mcp_titles": "mcp.titles",
    "reports_usage": "usage.reports_tokens",
    "usage_model": "usage.model_at",
    "failure_signs": "failures",
}
"""Where a field is that people look for at the top. The last ones have another name there."""
_WHOLE = {"install": "install.by_hand", "sign_in": "sign_in.command", "mcp": "mcp.transports"}
"""Where a value is that is not yet a record."""


def _place(name: object, value: object) -> str | None:
    """The sentence for a name that is given at the top of an entry; `None` when it may stand there."""
    if name in AgentType.model_fields:
        place = _WHOLE.get(str(name)) if isinstance(value, str | list) else None
    else:
        place = _ELSEWHERE.get(str(name))
    if place is None:
        return None
    subject, _, field = place.partition(".")
    return f'`{name}` is {place}: write "{subject}": {{"{field}": …}}' if field else f"`{name}` is called `{place}`"


class AgentStatus(Record):
    """Is it here? The values of `agent.env` are left out; `agent.sign_in.command` is what to type in a terminal of this server."""

    agent: AgentType
    is_installed: bool
    path: str | None = None
    """What would be run: the one that this server installed, else the one on its `PATH`."""
    origin: Origin
    version: str | None = None
    """Of what would be run; `None` when it is not known. A program of the machine's own is asked only by a check."""
    pinned: str | None = None
    """The version that an installation brings."""
    is_managed: bool = False
    """It was installed by this server, into its data folder."""
    is_signed_in: bool | None = None
    """Whether there is a sign of it: a key that it would get, or a file. `None`: it needs nothing, or nobody can tell."""
    install_state: InstallState | None = None
    install_step: str | None = None
    """What the installation does just now, or why it failed."""
    options: list[SessionOption] = Field(default_factory=list)
    """As it advertised them last on this server."""
    problem: str | None = None
    """Why its program did not run when it was last checked, unless the file changed since."""
    starting_mode: str | None = None
    """The mode of a session for which nobody chose one. `None`: the agent's own default."""

    @property
    def sign_in_line(self) -> str:
        """What to type in a terminal of the server's machine to sign in; empty when there is no such command."""
        return shlex.join(self.agent.sign_in.command)

    @property
    def state(self) -> str:
        """In a few words: is it here, and may it be used?"""
        if self.install_state == "installing":
            return "installing"
        if not self.is_installed:
            return "installation failed" if self.install_state == "failed" else "not installed"
        if self.problem is not None:
            return "does not run"
        signed = {True: ", signed in", False: ", not signed in", None: ""}[self.is_signed_in]
        return f"installed{signed}"
