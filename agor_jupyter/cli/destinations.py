"""`jupyter agor notify`. An address is read from the environment, standard input or a prompt: everyone can read arguments of commands."""

import getpass
import os
import sys
from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.domain.destinations import KINDS
from agor_jupyter.domain.errors import BadRequest, DestinationNotFound
from agor_jupyter.notebook.destinations import Destination, Destinations
from agor_jupyter.notebook.display.views import visible

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="DESTINATION", help="Its name, or id.")]
VARIABLE = "AGOR_NOTIFY_URL"


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List your destinations."""
    found = list(Destinations(link()))
    if as_json:
        show_json([one.record for one in found])
    else:
        rows = [(one.name, one.record.service, ", ".join(one.record.kinds), _state(one), one.record.sent_at) for one in found]
        table(["destination", "service", "told of", "state", "last sent (UTC)"], rows, "No destinations.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="DESTINATION", help="How you call it.")],
    kind: Annotated[list[str] | None, typer.Option(help="What it is told of: question, failure, slot or budget. Default: all.")] = None,
    board: Annotated[list[str] | None, typer.Option(help="Only of this board. Default: all.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Hours in which nothing is sent, such as 22:00-07:00.")] = None,
    tz: Annotated[str, typer.Option(help="IANA time zone of the quiet hours.")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Name a place that is told when something needs you. Its Apprise URL is read from AGOR_NOTIFY_URL, standard input or a prompt."""
    hours = _hours(quiet) if quiet is not None else None
    done = Destinations(link()).add(name, _address(name), kinds=kind or KINDS, boards=board or (), quiet=hours, tz=tz)
    _show(done, as_json)


@app.command("test")
def try_(destination: Name, as_json: AsJson = False) -> None:
    """Send a test message, and say whether it arrived."""
    done = _find(destination).test()
    if as_json:
        show_json(done)
    else:
        print(visible("It arrived." if done.has_arrived else f"It did not arrive: {done.reason}."))
    if not done.has_arrived:
        raise typer.Exit(1)


@app.command()
def pause(destination: Name, as_json: AsJson = False) -> None:
    """Tell a destination nothing. What comes meanwhile is not kept."""
    _show(_find(destination).pause(), as_json)


@app.command()
def resume(destination: Name, as_json: AsJson = False) -> None:
    """Tell a paused destination what comes from now on."""
    _show(_find(destination).resume(), as_json)


@app.command()
def remove(destination: Name, as_json: AsJson = False) -> None:
    """Remove a destination, with what waits for it."""
    found = _find(destination)
    found.remove()
    if as_json:
        show_json({"name": found.name})
    else:
        print(visible(f"Removed {found.name}."))


def _address(name: str) -> str:
    if found := os.environ.get(VARIABLE):
        return found
    return getpass.getpass(f"Address of {name}: ") if sys.stdin.isatty() else sys.stdin.read().strip()


def _hours(text: str) -> tuple[str, str]:
    start, dash, end = text.partition("-")
    if not dash:
        raise BadRequest(["quiet: give a start and an end, such as 22:00-07:00"])
    return start.strip(), end.strip()


def _find(name: str) -> Destination:
    known = list(Destinations(link()))
    for one in known:
        if name in {one.name, one.record.id}:
            return one
    raise DestinationNotFound(name, [one.name for one in known])


def _state(one: Destination) -> str:
    record = one.record
    waiting = f", {record.waiting} waiting" if record.waiting else ""
    return f"{'paused' if record.is_paused else record.trouble or 'on'}{waiting}"


def _show(one: Destination, as_json: bool) -> None:  # as the option has it
    if as_json:
        show_json(one.record)
        return
    quiet = one.record.quiet
    facts(
        [
            ("destination", one.name),
            ("service", one.record.service),
            ("told of", ", ".join(one.record.kinds)),
            ("boards", ", ".join(one.record.boards) or "all"),
            ("quiet", f"{quiet.start} to {quiet.end}, {quiet.zone}" if quiet is not None else None),
            ("state", _state(one)),
        ]
    )
