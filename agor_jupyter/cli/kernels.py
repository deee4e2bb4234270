"""`jupyter agor kernel`."""

import typer

from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find
from agor_jupyter.domain.kernels import Kernel as KernelRecord
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.kernels import Kernel

app = typer.Typer(no_args_is_help=True)
WORKTREE = typer.Argument(metavar="WORKTREE", help="Name, REPO/NAME, or id.")


@app.command()
def make(
    worktree: str = WORKTREE,
    again: bool = typer.Option(False, help="Make it anew even if it is as the worktree says."),
    as_json: AsJson = False,
) -> None:
    """Make a kernel with a worktree's packages, and wait until notebooks can choose it."""
    made = Kernel(link(), find(worktree).id).start(again=again).wait()
    if as_json:
        show_json(made.record)
    else:
        print(visible(f"Notebooks can choose {made.record.display_name!r}, {made.spec_name}. Its packages are from {made.record.source}."))
        for notice in made.record.notices:
            print(visible(notice))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the kernels of worktrees."""
    found = [KernelRecord.model_validate(item) for item in link().items("kernels")]
    if as_json:
        show_json(found)
    else:
        rows = [(one.worktree, one.spec_name, one.state, one.source, one.step or one.reason or "") for one in found]
        table(["worktree", "kernel", "state", "made from", ""], rows, "No kernels.")


@app.command()
def remove(worktree: str = WORKTREE, as_json: AsJson = False) -> None:
    """Remove the kernel of a worktree, with its environment."""
    kernel = Kernel(link(), find(worktree).id)
    kernel.remove()
    if as_json:
        show_json(kernel.record)
