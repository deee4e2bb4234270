"""The agents this server knows: one file of this folder each, and what the configuration adds."""

import importlib
import pkgutil
import shutil
from collections.abc import Iterable
from functools import cache

import agor_jupyter.agents
from agor_jupyter.domain.agents import AgentType


@cache
def discover() -> dict[str, AgentType]:
    """Every `AGENT` of a module in this folder, by name. Looks at no command and starts nothing."""
    names = sorted(module.name for module in pkgutil.iter_modules(agor_jupyter.agents.__path__) if not module.ispkg)
    modules = (importlib.import_module(f"agor_jupyter.agents.{name}") for name in names)
    found = [agent for module in modules if isinstance(agent := getattr(module, "AGENT", None), AgentType)]
    return {agent.name: agent for agent in sorted(found, key=lambda agent: (not agent.is_builtin, agent.name))}


def merge(configured: Iterable[AgentType]) -> dict[str, AgentType]:
    """The catalogue with the configuration's agents; one of the same name replaces the catalogue's."""
    return {**discover(), **{agent.name: agent for agent in configured}}


def find_command(agent: AgentType, path: str | None = None) -> str | None:
    """What would be run, or `None` when it is not there. Asked when it matters, never at import."""
    return shutil.which(agent.command[0], path=path) if agent.command else None
