"""`jupyter agor variable`. A value is read from standard input or a prompt: arguments of commands are for everyone to read."""

import sys

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.variables import Variables

app = typer.Typer(no_args_is_help=True)
NAME = typer.Argument(metavar="NAME", help="Name of the environment variable.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the names of your variables."""
    found = list(Variables(link()))
    if as_json:
        show_json(found)
    else:
        table(["variable", "set at"], [(one.name, f"{one.updated_at:%Y-%m-%d %H:%M} UTC") for one in found], "No variables.")


@app.command("set")
def set_(name: str = NAME, as_json: AsJson = False) -> None:
    """Set a variable for the agents in your sessions. Asks for the value, or reads it from standard input without the final newline."""
    value = None if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    done = Variables(link()).set(name, value)
    if as_json:
        show_json(done)
    else:
        print(visible(f"Set {done.name}. Agents get it when they start next."))


@app.command()
def remove(name: str = NAME, as_json: AsJson = False) -> None:
    """Remove a variable."""
    Variables(link()).remove(name)
    if as_json:
        show_json({"name": name})
    else:
        print(visible(f"Removed {name}."))
