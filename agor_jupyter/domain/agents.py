"""An agent: a kind of coding assistant. Pure data; nothing outside `agents/` names one."""

from typing import Literal

from pydantic import Field

from agor_jupyter.domain.options import SessionOption
from agor_jupyter.domain.records import Record

Origin = Literal["builtin", "catalogue", "configuration"]


class AgentType(Record):
    """One entry of the catalogue. `command` is a list, never a shell line."""

    name: str
    label: str
    icon: str
    """Name of an icon of the set, such as `ag-script`."""
    command: list[str]
    env: dict[str, str] = Field(default_factory=dict)
    install: str | None = None
    """The command that installs it, for a person to run."""
    is_builtin: bool = False
    can_load: bool = False
    """The agent can bring back a session after its process ended (`session/load`)."""
    can_resume: bool = False
    can_fork: bool = False
    pass_env: list[str] = Field(default_factory=list)
    """Names of the server's environment variables that it needs, such as its API key."""
    new_session_meta: dict[str, str] = Field(default_factory=dict)
    mode: str | None = None
    """The ACP mode a session starts in, for agents whose own default does not ask before they act."""
    sandbox_mode: str | None = None
    """The mode inside the server's sandbox, for an agent whose own sandbox conflicts with it."""
    package: str | None = None
    """The npm package that brings `command`, with its exact version: `name@1.2.3`."""
    node: int | None = None
    """The oldest major version of Node that the package runs on."""
    sign_in: list[str] = Field(default_factory=list)
    """The command by which a person signs in, in a terminal."""
    sign_in_files: list[str] = Field(default_factory=list)
    """Paths below the home folder, one of which is there when somebody signed in."""
    key_env: list[str] = Field(default_factory=list)
    """Variables any of which signs in instead."""


class AgentStatus(Record):
    """Is it here? `path` is what would be run. The values of `agent.env` are left out."""

    agent: AgentType
    is_installed: bool
    path: str | None = None
    origin: Origin
    version: str | None = None
    """Of what would be run; `None` when it is not known."""
    is_managed: bool = False
    """It was installed by this server, into its data folder."""
    is_signed_in: bool | None = None
    """`None`: it cannot be told, or the agent needs nothing."""
    install_state: Literal["installing", "failed"] | None = None
    install_step: str | None = None
    """What the installation does just now, or why it failed."""
    options: list[SessionOption] = Field(default_factory=list)
    """As it advertised them last on this server."""
