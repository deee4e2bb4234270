"""`jupyter agor turn`."""

from typing import Annotated

import typer

from agor_jupyter.cli.output import AsJson, changed, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import session as find_session
from agor_jupyter.cli.reach import turn as find
from agor_jupyter.domain.turns import Patch, Turn
from agor_jupyter.notebook.display.views import beginning, visible

app = typer.Typer(no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="TURN", help="Id, or SESSION:NUMBER.")]


def show_turn(turn: Turn, as_json: bool) -> None:
    if as_json:
        show_json(turn)
        return
    facts(
        [
            ("turn", turn.number),
            ("state", turn.state),
            ("error", turn.error),
            ("tried again", turn.retry_at.isoformat(timespec="seconds") if turn.retry_at else None),
            ("changed", changed(turn.files, turn.added, turn.deleted)),
            ("commit", turn.commit_after if turn.commit_after != turn.commit_before else None),
            ("seconds", f"{turn.seconds:.1f}" if turn.seconds is not None else None),
            ("cost", f"${turn.cost_usd:.4f}" if turn.cost_usd is not None else None),
            ("id", turn.id),
        ]
    )


def _do(turn: str, action: str, as_json: bool) -> None:
    show_turn(Turn.model_validate(link().post(f"turns/{find(turn).id}/{action}")), as_json)


@app.command("list")
def list_(session: str = typer.Argument(help="Id, the end of it, or title."), as_json: AsJson = False) -> None:
    """List a session's turns, in the order their prompts were accepted."""
    found = [Turn.model_validate(item) for item in link().items(f"sessions/{find_session(session).id}/turns")]
    if as_json:
        show_json(found)
    else:
        table(["turn", "state", "prompt", "id"], [(one.number, one.state, beginning(one), one.id) for one in found], "No turns.")


@app.command()
def show(turn: Which, as_json: AsJson = False) -> None:
    """Show a turn."""
    show_turn(find(turn), as_json)


@app.command()
def patch(turn: Which, as_json: AsJson = False) -> None:
    """Print what a turn changed, as a patch."""
    found = Patch.model_validate(link().get(f"turns/{find(turn).id}/patch"))
    if as_json:
        show_json(found)
    else:
        print(visible(found.text), end="")


@app.command()
def cancel(turn: Which, as_json: AsJson = False) -> None:
    """Take a turn out of the queue, or stop it if it is running."""
    _do(turn, "cancel", as_json)


@app.command()
def resume(turn: Which, as_json: AsJson = False) -> None:
    """Continue an interrupted or failed turn from where it was."""
    _do(turn, "resume", as_json)


@app.command()
def retry(turn: Which, as_json: AsJson = False) -> None:
    """Send the same prompt again, or retry a parked turn now."""
    _do(turn, "retry", as_json)


@app.command()
def discard(turn: Which, as_json: AsJson = False) -> None:
    """Leave an interrupted turn as it is, and continue with the queue."""
    _do(turn, "discard", as_json)
