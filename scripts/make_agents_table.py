"""Writes the tables of agents in the guide from the catalogue. With `--check`: says whether they are stale, and writes nothing."""

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

from pages import GUIDE, main, put

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType

TABLES = {"agents.md": ("packages", "capabilities"), "trust.md": ("project files",)}


def _resumes(agent: AgentType) -> str:
    return "resume" if agent.capabilities.can_resume else "load" if agent.capabilities.can_load else "a new conversation with a summary"


def _mode(agent: AgentType) -> str:
    if not agent.permissions.sandbox_mode:
        return f"`{agent.permissions.mode}`" if agent.permissions.mode else "none"
    return f"`{agent.permissions.mode}`, in the sandbox `{agent.permissions.sandbox_mode}`"


def _asks(agent: AgentType) -> str:
    if not agent.permissions.asks:
        return "no"
    return "yes" if agent.permissions.asks_where(is_sandboxed=True) else "yes, but not in the sandbox"


def _stops(agent: AgentType) -> str:
    if agent.usage.reports_in_turn:
        return "in the middle"
    return "at its end" if agent.usage.reports_tokens or agent.usage.reports_cost else "never: it costs nothing"


def _after_no(agent: AgentType) -> str:
    return "the model continues" if agent.permissions.when_rejected == "goes_on" else f"the turn ends, {agent.permissions.when_rejected}"


def _waits(agent: AgentType) -> str:
    if not agent.sign_in.key_env:
        return "it has no model"
    return (
        "the turn is parked"
        if agent.failures.silent_retry_s is None
        else f"it keeps retrying; shown after {agent.failures.silent_retry_s:g} s of silence"
    )


def _repeats(agent: AgentType) -> str:
    if not agent.sign_in.key_env:
        return "it has no model"
    return "it continues" if agent.failures.when_repeating == "goes_on" else f"the turn ends, {agent.failures.when_repeating}"


def _names(names: Sequence[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def _refused(agent: AgentType) -> str:
    if not agent.files.project:
        return ""
    if agent.files.without_project is None:
        return "it does not start"
    obeyed = ", ".join(f"`{name}`" for name in agent.files.without_project.except_files)
    return "it starts, but loads none of them" + (f"; if one of {obeyed} is refused, it does not start" if obeyed else "")


ROWS: dict[str, tuple[tuple[str, Callable[[AgentType], str]], ...]] = {
    "capabilities": (
        ("continues after a rest by", _resumes),
        ("forks by", lambda agent: "its own fork" if agent.capabilities.can_fork else "a new session with the transcript"),
        ("mode set by the server", _mode),
        ("asks before it edits and runs", _asks),
        ("after a person's no", _after_no),
        ("when the model repeats itself", _repeats),
        ("output of its tools", lambda agent: "shown" if agent.capabilities.reports_output else "not reported"),
        ("when the model accepts no requests", _waits),
        ("tokens", lambda agent: "as reported" if agent.usage.reports_tokens else "unknown"),
        ("cost", lambda agent: "as reported" if agent.usage.reports_cost else "estimated" if agent.usage.reports_tokens else "none"),
        ("a budget stops a turn", _stops),
        ("MCP servers", lambda agent: ", ".join(agent.mcp.transports) or "none"),
        ("its own files in a worktree", lambda agent: _names(agent.files.own) or "nothing"),
        ("notes", lambda agent: " ".join(agent.notes)),
    ),
    "packages": (
        ("package", lambda agent: f"`{agent.install.package}`" if agent.install.package else "built in"),
        ("Node", lambda agent: f"{agent.install.node} or newer" if agent.install.node else "none"),
        ("disk space", lambda agent: f"{agent.install.disk_mb} MB" if agent.install.package else "nothing"),
        ("sign in with", lambda agent: f"`{' '.join(agent.sign_in.command)}`" if agent.sign_in.command else "nothing"),
        ("or set the variable", lambda agent: _names(agent.sign_in.key_env)),
    ),
    "project files": (
        ("loads", lambda agent: _names(agent.files.project) or "none"),
        ("when one is refused", _refused),
    ),
}


def table(name: str) -> str:
    """One column for each agent, because there are fewer of them than facts, and notes are long."""
    agents = list(catalogue.discover().values())
    rows = [["", *(agent.label for agent in agents)], ["---"] * (len(agents) + 1)]
    rows += [[title, *(tell(agent) for agent in agents)] for title, tell in ROWS[name]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def pages() -> dict[Path, str]:
    return {
        GUIDE / page: reduce(lambda text, name: put(text, name, table(name)), names, (GUIDE / page).read_text())
        for page, names in TABLES.items()
    }


if __name__ == "__main__":
    main(__doc__, pages)
