"""`jupyter agor agent`."""

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.notebook.following import settle_agent

app = typer.Typer(no_args_is_help=True)


def place(one: AgentStatus) -> str:
    """Where it is, for a person."""
    if not one.is_installed:
        return "no"
    return "built in" if one.origin == "builtin" else one.path or "yes"


def _show(one: AgentStatus, as_json: bool) -> None:
    if as_json:
        show_json(one)
        return
    version = one.version or ""
    if one.pinned and one.pinned != one.version:
        version += f"{' ' if version else ''}(tested: {one.pinned})"
    facts(
        [
            ("name", one.agent.name),
            ("label", one.agent.label),
            ("installed", place(one)),
            ("version", version),
            ("does not run", one.problem),
            ("signed in", {True: "yes", False: "no", None: None}[one.is_signed_in]),
            ("command", " ".join(one.agent.command)),
            ("install with", one.agent.install.by_hand if not one.is_installed or one.pinned != one.version else None),
            ("sign in with", one.sign_in_line if one.is_installed and not one.is_signed_in else None),
            ("or set", ", ".join(one.agent.sign_in.key_env) if one.is_signed_in is False else None),
            ("from", one.origin),
            ("last installation", one.install_step),
        ]
    )


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the agents, and whether they are installed and signed in."""
    found = [AgentStatus.model_validate(item) for item in link().items("agents")]
    if as_json:
        show_json(found)
        return
    table(
        ["agent", "label", "here", "version", "from"],
        [(one.agent.name, one.agent.label, one.state, one.version, one.origin) for one in found],
        "No agents.",
    )


@app.command()
def show(agent: str = typer.Argument(metavar="AGENT", help="Name of the agent."), as_json: AsJson = False) -> None:
    """Show an agent: what runs, and how to install it and sign in."""
    _show(AgentStatus.model_validate(link().get(f"agents/{agent}")), as_json)


@app.command()
def check(agent: str = typer.Argument(metavar="AGENT", help="Name of the agent."), as_json: AsJson = False) -> None:
    """Ask an agent's program for its version, and check whether anyone has signed in. Fails if it is not installed or does not run."""
    checked = AgentStatus.model_validate(link().post(f"agents/{agent}/check"))
    _show(checked, as_json)
    if checked.problem is not None or not checked.is_installed:
        raise typer.Exit(1)


@app.command()
def install(
    agents: list[str] = typer.Argument(metavar="AGENT…", help="Names of the agents."),
    as_json: AsJson = False,
) -> None:
    """Install the tested versions of agents into the server's data folder, and wait until that is done."""
    found = []
    for name in agents:
        found.append(settle_agent(link(), AgentStatus.model_validate(link().post(f"agents/{name}/install"))))
        if not as_json:
            _show(found[-1], as_json=False)
    if as_json:
        show_json(found if len(found) > 1 else found[0])
