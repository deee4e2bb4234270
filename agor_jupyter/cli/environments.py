"""`jupyter agor env`: the environments of worktrees, which are their services with their ports, logs and links."""

import sys
import webbrowser
from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.domain.environments import LogChunk
from agor_jupyter.domain.text import plain
from agor_jupyter.notebook import environments
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.environments import Environment

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id.")]
Services = Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="Names of services. Default: all.")]
Wait = Annotated[bool, typer.Option(help="Wait until it is healthy. Fails if it does not become so.")]


def _of(worktree: str) -> Environment:
    return environments.of(link(), find(worktree).id)


def _show(environment: Environment, as_json: bool) -> None:
    record = environment.record
    if as_json:
        show_json(record)
        return
    facts([("worktree", record.worktree), ("state", record.state.value), ("reason", record.reason), ("notices", "; ".join(record.notices))])
    rows = [
        (one.name, one.state.value, ", ".join(f"{name} {port}" for name, port in one.ports.items()), one.restarts or None, one.reason)
        for one in record.services
    ]
    if rows:
        table(["service", "state", "ports", "restarts", "reason"], rows, "")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List environments that were ever started."""
    found = environments.listed(link())
    if as_json:
        show_json([one.record for one in found])
        return
    rows = [
        (one.record.worktree, one.record.state.value, ", ".join(f"{name} {port}" for name, port in one.record.ports.items()))
        for one in found
    ]
    table(["worktree", "state", "ports"], rows, "No environments.")


@app.command()
def status(worktree: Which, as_json: AsJson = False) -> None:
    """Show an environment and its services."""
    _show(_of(worktree), as_json)


@app.command()
def start(
    worktree: Which,
    services: Services = None,
    variant: Annotated[str | None, typer.Option(help="One that the repository describes. Default: as last time.")] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Start all services, or some with what they depend on. For owners."""
    begun = _of(worktree).start(*(services or ()), variant=variant)
    _show(begun.wait() if wait else begun, as_json)


@app.command()
def stop(worktree: Which, services: Services = None, as_json: AsJson = False) -> None:
    """Stop all services, or some. For owners."""
    _show(_of(worktree).stop(*(services or ())), as_json)


@app.command()
def restart(worktree: Which, services: Services = None, wait: Wait = False, as_json: AsJson = False) -> None:
    """Restart all services, or some. For owners."""
    begun = _of(worktree).restart(*(services or ()))
    _show(begun.wait() if wait else begun, as_json)


@app.command()
def reset(worktree: Which, as_json: AsJson = False) -> None:
    """Stop it and bring its data back to the beginning, as the repository describes. For owners."""
    _show(_of(worktree).reset(), as_json)


@app.command()
def logs(
    worktree: Which,
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Name of a service. Default: the first one.")] = None,
    follow: Annotated[bool, typer.Option(help="Continue as it writes, until it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what a service wrote. Colors are left out."""
    environment = _of(worktree)
    if as_json:
        at = f"worktrees/{environment.record.worktree_id}/environment/logs"
        show_json(LogChunk.model_validate(link().get(at, service=service, after=0)))
        return
    for piece in environment.logs(service, follow=follow):
        sys.stdout.write(visible(plain(piece)))
        sys.stdout.flush()


@app.command("open")
def open_(
    worktree: Which,
    name: Annotated[str | None, typer.Argument(metavar="[LINK]", help="Name of a link. Default: the first one.")] = None,
    browser: Annotated[bool, typer.Option(help="Open it in a browser, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the address of what a service serves. It needs the server's login."""
    found = _of(worktree).links
    if not len(found):
        raise typer.BadParameter("this environment has no links, or was never started")
    chosen = found[name] if name is not None else found[0]
    if as_json:
        show_json({"name": chosen.name, "url": chosen.url, "is_open": chosen.is_open})
    else:
        print(chosen.url)
    if browser:
        webbrowser.open(chosen.url)
