"""What you can ask about agents: which there are, and whether they are here."""

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentStatus, AgentType, Origin
from agor_jupyter.domain.errors import AgentNotFound, AgentNotInstalled
from agor_jupyter.services.config import Config


class Agents:
    """The catalogue and the configuration's agents."""

    def __init__(self, config: Config) -> None:
        self._configured = {agent.name for agent in config.agents}
        self._agents = catalogue.merge(config.agents)

    def list(self) -> list[AgentStatus]:
        """All, with what would be run now."""
        return [self._status(agent) for agent in self._agents.values()]

    def get(self, name: str) -> AgentType:
        """Raises `AgentNotFound`, which lists those there are."""
        try:
            return self._agents[name]
        except KeyError:
            raise AgentNotFound(name, sorted(self._agents)) from None

    def status(self, name: str) -> AgentStatus:
        """Raises `AgentNotFound`."""
        return self._status(self.get(name))

    def require_installed(self, name: str) -> AgentType:
        """The agent, ready to start. Raises `AgentNotFound` or `AgentNotInstalled`, which says how to install it."""
        agent = self.get(name)
        if catalogue.find_command(agent) is None:
            raise AgentNotInstalled(name, agent.command[0] if agent.command else "", agent.install)
        return agent

    def _status(self, agent: AgentType) -> AgentStatus:
        path = catalogue.find_command(agent)
        origin: Origin = "configuration" if agent.name in self._configured else "builtin" if agent.is_builtin else "catalogue"
        shown = agent.replace(env=dict.fromkeys(agent.env, ""))  # a value may be a key, and every viewer may ask
        return AgentStatus(agent=shown, is_installed=path is not None, path=path, origin=origin)
