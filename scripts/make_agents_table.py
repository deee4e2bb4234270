"""Writes the tables of agents in the guide from the catalogue. With `--check`: says whether they are stale, and writes nothing."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType

GUIDE = Path(__file__).parents[1] / "docs/guide"
TABLES = {"agents.md": ("packages", "capabilities"), "trust.md": ("project files",)}


def _resumes(agent: AgentType) -> str:
    return "resume" if agent.can_resume else "load" if agent.can_load else "a new conversation with a summary"


def _mode(agent: AgentType) -> str:
    if not agent.sandbox_mode:
        return f"`{agent.mode}`" if agent.mode else "none"
    return f"`{agent.mode}`, in the sandbox `{agent.sandbox_mode}`"


def _asks(agent: AgentType) -> str:
    if not agent.asks:
        return "no"
    return "yes" if agent.asks_where(is_sandboxed=True) else "yes, but not in the sandbox"


def _stops(agent: AgentType) -> str:
    if agent.reports_in_turn:
        return "in the middle"
    return "at its end" if agent.reports_usage or agent.reports_cost else "never: it costs nothing"


def _after_no(agent: AgentType) -> str:
    return "the model continues" if agent.when_rejected == "goes_on" else f"the turn ends, {agent.when_rejected}"


def _waits(agent: AgentType) -> str:
    if not agent.key_env:
        return "it has no model"
    return "the turn is parked" if agent.silent_retry_s is None else f"it keeps retrying; shown after {agent.silent_retry_s:g} s of silence"


def _repeats(agent: AgentType) -> str:
    if not agent.key_env:
        return "it has no model"
    return "it continues" if agent.when_repeating == "goes_on" else f"the turn ends, {agent.when_repeating}"


def _names(names: Sequence[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def _refused(agent: AgentType) -> str:
    if not agent.project_files:
        return ""
    if agent.without_project is None:
        return "it does not start"
    obeyed = ", ".join(f"`{name}`" for name in agent.without_project.except_files)
    return "it starts, but loads none of them" + (f"; if one of {obeyed} is refused, it does not start" if obeyed else "")


ROWS: dict[str, tuple[tuple[str, Callable[[AgentType], str]], ...]] = {
    "capabilities": (
        ("continues after a rest by", _resumes),
        ("forks by", lambda agent: "its own fork" if agent.can_fork else "a new session with the transcript"),
        ("mode set by the server", _mode),
        ("asks before it edits and runs", _asks),
        ("after a person's no", _after_no),
        ("when the model repeats itself", _repeats),
        ("output of its tools", lambda agent: "shown" if agent.reports_output else "not reported"),
        ("when the model accepts no requests", _waits),
        ("tokens", lambda agent: "as reported" if agent.reports_usage else "unknown"),
        ("cost", lambda agent: "as reported" if agent.reports_cost else "estimated" if agent.reports_usage else "none"),
        ("a budget stops a turn", _stops),
        ("MCP servers", lambda agent: ", ".join(agent.mcp) or "none"),
        ("its own files in a worktree", lambda agent: _names(agent.own_files) or "nothing"),
        ("notes", lambda agent: " ".join(agent.notes)),
    ),
    "packages": (
        ("package", lambda agent: f"`{agent.package}`" if agent.package else "built in"),
        ("Node", lambda agent: f"{agent.node} or newer" if agent.node else "none"),
        ("disk space", lambda agent: f"{agent.disk_mb} MB" if agent.package else "nothing"),
        ("sign in with", lambda agent: f"`{' '.join(agent.sign_in)}`" if agent.sign_in else "nothing"),
        ("or set the variable", lambda agent: _names(agent.key_env)),
    ),
    "project files": (
        ("loads", lambda agent: _names(agent.project_files) or "none"),
        ("when one is refused", _refused),
    ),
}


def table(name: str) -> str:
    """One column for each agent, because there are fewer of them than facts, and notes are long."""
    agents = list(catalogue.discover().values())
    rows = [["", *(agent.label for agent in agents)], ["---"] * (len(agents) + 1)]
    rows += [[title, *(tell(agent) for agent in agents)] for title, tell in ROWS[name]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def written(page: str, names: Sequence[str]) -> str:
    """The page with its tables as they are now."""
    for name in names:
        begin, end = f"<!-- {name}: made by scripts/make_agents_table.py -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"there is no place for {name}: {begin} … {end}")
        page = f"{before}{begin}\n\n{table(name)}\n\n{end}{after}"
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    is_check = parser.parse_args().check
    for name, tables in TABLES.items():
        path = GUIDE / name
        page = path.read_text()
        if (new := written(page, tables)) == page:
            continue
        if is_check:
            sys.exit(f"{path} is stale: run python scripts/make_agents_table.py")
        path.write_text(new)


if __name__ == "__main__":
    main()
