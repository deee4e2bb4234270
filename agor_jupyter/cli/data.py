"""`jupyter agor data`."""

from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.notebook.data import Data

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id.")]


@app.command("list")
def list_(worktree: Which, as_json: AsJson = False) -> None:
    """List what a worktree has for itself, with sizes in bytes."""
    found = list(Data(link(), find_worktree(worktree).id))
    if as_json:
        show_json(found)
    else:
        rows = [(one.name, one.kind, one.state, one.size_bytes, one.path or one.where, one.variable) for one in found]
        table(["name", "kind", "state", "bytes", "where", "variable"], rows, "No data.")


@app.command()
def reset(
    worktree: Which,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `data list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Make it anew, from its source or empty. Stop what uses it first."""
    made = Data(link(), find_worktree(worktree).id).reset(name)
    if as_json:
        show_json(made)
    else:
        print(f"Made {made.name} anew.")
