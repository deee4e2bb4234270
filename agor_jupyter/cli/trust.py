"""`jupyter agor trust`."""

from collections.abc import Iterable
from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.notebook import trust
from agor_jupyter.notebook.trust import ProjectFile

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id.")]
_PATH = "Relative to the worktree. A path that ends with / means everything in that folder."


def _show(files: Iterable[ProjectFile], as_json: bool) -> None:
    if as_json:
        show_json([one.record for one in files])
        return
    rows = [(one.path, ", ".join(one.agents), one.standing, one.decided_by) for one in files]
    table(["file", "agents", "state", "by"], rows, "No files that agents obey.")


@app.command("list")
def list_(worktree: Which, as_json: AsJson = False) -> None:
    """List a worktree's agent instruction files, and who trusts them."""
    _show(trust.of(link(), find(worktree).id), as_json)


@app.command()
def add(
    worktree: Which,
    path: list[str] | None = typer.Argument(None, metavar="PATH…", help=f"{_PATH} Default: every file that is not trusted yet."),
    as_json: AsJson = False,
) -> None:
    """Let agents load files with their current content, in all worktrees of the repository."""
    _show(trust.decide(link(), find(worktree).id, path or [], is_trusted=True), as_json)


@app.command()
def remove(
    worktree: Which,
    path: list[str] | None = typer.Argument(None, metavar="PATH…", help=f"{_PATH} Default: every trusted file."),
    as_json: AsJson = False,
) -> None:
    """Refuse files with their current content. Agents start without them, and nobody is asked until they change."""
    _show(trust.decide(link(), find(worktree).id, path or [], is_trusted=False), as_json)
