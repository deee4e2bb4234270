"""`jupyter agor agent`."""

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.agents import AgentStatus

app = typer.Typer(no_args_is_help=True)


def place(one: AgentStatus) -> str:
    """Where it is, for a person."""
    if not one.is_installed:
        return "no"
    return "built in" if one.origin == "builtin" else one.path or "yes"


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the agents, and whether they are installed."""
    found = [AgentStatus.model_validate(item) for item in link().items("agents")]
    if as_json:
        show_json(found)
        return
    rows = [(one.agent.name, one.agent.label, "installed" if one.is_installed else "not installed", one.origin) for one in found]
    table(["agent", "label", "here", "from"], rows, "No agents.")


@app.command()
def show(agent: str = typer.Argument(metavar="AGENT", help="Name of the agent."), as_json: AsJson = False) -> None:
    """Show an agent: what runs, and how to install it."""
    one = AgentStatus.model_validate(link().get(f"agents/{agent}"))
    if as_json:
        show_json(one)
        return
    facts(
        [
            ("name", one.agent.name),
            ("label", one.agent.label),
            ("installed", place(one)),
            ("command", " ".join(one.agent.command)),
            ("install with", one.agent.install),
            ("from", one.origin),
        ]
    )
