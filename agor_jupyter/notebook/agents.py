"""An agent: a kind of coding assistant, checked and installed from a cell."""

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.notebook import following
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import columns
from agor_jupyter.notebook.link import Link


class Agent:
    """A kind of coding assistant that the server knows. `agent.install()` installs it; `agent.sign_in` says how to sign in."""

    def __init__(self, link: Link, record: AgentStatus) -> None:
        self._link, self.record = link, record

    @property
    def name(self) -> str:
        """The name to pass to `worktree.session(name, …)`."""
        return self.record.agent.name

    @property
    def is_installed(self) -> bool:
        return self.record.is_installed

    @property
    def is_signed_in(self) -> bool | None:
        """Whether someone seems to have signed in. `None`: it needs no sign-in, or this cannot be known."""
        return self.record.is_signed_in

    @property
    def version(self) -> str | None:
        """The version that would run. For a program that the server did not install, known only after `check()`."""
        return self.record.version

    @property
    def sign_in(self) -> str:
        """What to type in a terminal on the server's machine."""
        return self.record.sign_in_line

    def check(self) -> "Agent":
        """Ask its program for its version, and check again whether anyone has signed in."""
        self.record = AgentStatus.model_validate(self._link.post(f"agents/{self.name}/check"))
        return self

    def install(self) -> "Agent":
        """Install the version that this server was tested with, and show the progress. Does nothing if it is already installed.

        Raises:
            NotInstallable: it is built in, or has no package for the server's machine.
            InstallFailed: it says why.

        """
        begun = AgentStatus.model_validate(self._link.post(f"agents/{self.name}/install"))
        self.record = following.settle_agent(self._link, begun)
        return self

    def __repr__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return views.visible(f"Agent {self.name!r} ({self.record.agent.label}{version}), {self.record.state}")

    def _repr_html_(self) -> str:
        one = self.record
        facts = [("version", one.version or ""), ("", one.install_step or "")]
        return views.card("Agent", one.agent.label, one.state, facts)


def columns_of(one: Agent) -> dict[str, object]:
    """A row of `hub.agents.df`: the agent's fields, and whether it is installed."""
    here = {name: getattr(one.record, name) for name in ("is_installed", "version", "pinned", "is_managed", "is_signed_in", "path")}
    return columns(one.record.agent) | here
