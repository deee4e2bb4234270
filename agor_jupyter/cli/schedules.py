"""`jupyter agor schedule`: work of a board that starts by itself."""

import asyncio
from typing import Annotated, Any

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.domain.errors import ScheduleNotFound
from agor_jupyter.domain.schedules import in_words
from agor_jupyter.notebook import schedules
from agor_jupyter.notebook.schedules import Schedule
from agor_jupyter.notebook.worktrees import Worktree

app = typer.Typer(no_args_is_help=True)
BoardPath = Annotated[str, typer.Argument(metavar="BOARD", help="File of the board, such as team.agor.")]
Name = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its name, or id.")]


@app.command("list")
def list_(board: BoardPath, as_json: AsJson = False) -> None:
    """List the schedules of a board."""
    found = schedules.listed(link(), link().board_path(board))
    if as_json:
        show_json([one.record for one in found])
    else:
        rows = [(one.name, in_words(one.record.when), _state(one), one.record.next_at, one.record.id) for one in found]
        table(["schedule", "when", "state", "next (UTC)", "id"], rows, "No schedules.")


@app.command()
def add(
    board: BoardPath,
    name: Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its name. One that is there is changed.")],
    cron: Annotated[str | None, typer.Option(help="Five fields, such as '0 3 * * *'.")] = None,
    tz: Annotated[str, typer.Option(help="Its IANA time zone.")] = "UTC",
    every: Annotated[int | None, typer.Option(help="Seconds between two slots, at least 60.")] = None,
    worktree: Annotated[str | None, typer.Option(help="Where it runs. Default: in a worktree of its own for each slot.")] = None,
    prompt: Annotated[str, typer.Option(help="A template that is sent to the agent.")] = "",
    agent: Annotated[str, typer.Option(help="Who gets the prompt. Default: the server's.")] = "",
    script: Annotated[str, typer.Option(help="Lines of shell, in place of a prompt.")] = "",
    notebook: Annotated[str, typer.Option(help="Path of a notebook in the worktree, in place of a prompt.")] = "",
    allow: Annotated[bool, typer.Option(help="Its sessions ask nobody before they act. For owners.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a schedule, or change one."""
    path = link().board_path(board)
    place = Worktree(link(), find_worktree(worktree)) if worktree is not None else None
    fields: dict[str, Any] = {
        "when": schedules.when_of(cron, tz, every, None, None),
        "target": schedules.target_of(link(), path, place, None, None),
        "prompt": prompt,
        "agent": agent,
        "script": script,
        "notebook": notebook,
        "allow": allow,
    }
    _show(schedules.put(link(), path, name, fields), as_json)


@app.command()
def show(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """Show a schedule."""
    _show(_find(board, schedule), as_json)


@app.command()
def run(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """Run a schedule now, and wait for its end."""
    slot = asyncio.run(_find(board, schedule).run())
    if as_json:
        show_json(slot)
    else:
        facts([("slot", slot.number), ("state", slot.state.value), ("reason", slot.reason)])


@app.command()
def pause(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """Let nothing of a schedule start. What runs goes on."""
    _show(_find(board, schedule).pause(), as_json)


@app.command()
def resume(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """Let a schedule go on with its next time."""
    _show(_find(board, schedule).resume(), as_json)


@app.command()
def remove(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """Remove a schedule. Its slots stay."""
    found = _find(board, schedule)
    found.remove()
    _show(found, as_json)


@app.command()
def slots(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """List what a schedule started, newest first."""
    found = list(_find(board, schedule).slots)
    if as_json:
        show_json(found)
    else:
        table(
            ["slot", "planned (UTC)", "state", "reason"],
            [(one.number, one.planned_at, one.state.value, one.reason) for one in found],
            "None.",
        )


@app.command("next")
def next_(board: BoardPath, schedule: Name, as_json: AsJson = False) -> None:
    """List the next five times of a schedule."""
    found = _find(board, schedule).next_times
    if as_json:
        show_json([one.isoformat() for one in found])
    else:
        table(["time (UTC)"], [(one,) for one in found], "No times.")


def _find(board: str, name: str) -> Schedule:
    known = schedules.listed(link(), link().board_path(board))
    for one in known:
        if name in {one.name, one.record.id}:
            return one
    raise ScheduleNotFound(name, [one.name for one in known])


def _state(one: Schedule) -> str:
    record = one.record
    if record.needs_yes:
        return "waits for your yes"
    return "removed" if record.is_removed else "paused" if record.is_paused else "over" if record.is_over else "on"


def _show(one: Schedule, as_json: bool) -> None:  # as the option has it
    if as_json:
        show_json(one.record)
    else:
        facts([("schedule", one.name), ("when", in_words(one.record.when)), ("state", _state(one)), ("next (UTC)", one.record.next_at)])
