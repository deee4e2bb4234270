"""An agent: a kind of coding assistant. Pure data; nothing outside `agents/` names one."""

from typing import Literal

from pydantic import Field

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


class AgentStatus(Record):
    """Is it here? `path` is what would be run. The values of `agent.env` are left out."""

    agent: AgentType
    is_installed: bool
    path: str | None = None
    origin: Origin
