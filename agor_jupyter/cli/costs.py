"""`jupyter agor cost`."""

from collections.abc import Callable
from typing import Annotated, Literal

import typer

from agor_jupyter.cli.moments import moment
from agor_jupyter.cli.output import AsJson, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import session as find_session
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.notebook.costs import dollars

app = typer.Typer(no_args_is_help=True)
By = Literal["session", "worktree", "board", "user", "agent", "model", "day"]
OfSession = Annotated[str | None, typer.Option("--session", help="Only for this session.")]
OfWorktree = Annotated[str | None, typer.Option("--worktree", help="Only in this worktree.")]
OfBoard = Annotated[str | None, typer.Option("--board", help="Only on this board.")]
OfUser = Annotated[str | None, typer.Option("--user", help="Only what this person asked for (a username).")]
Since = Annotated[str | None, typer.Option("--since", help="Only since this day or time, such as 2026-01-31, optionally with a time.")]

_KEYS: dict[str, Callable[[LedgerRow], str]] = {
    "session": lambda row: row.session_id,
    "worktree": lambda row: row.worktree_id,
    "board": lambda row: row.board or "",
    "user": lambda row: row.username,
    "agent": lambda row: row.agent,
    "model": lambda row: row.model or "",
    "day": lambda row: f"{row.at:%Y-%m-%d}",
}


def _rows(session: str | None, worktree: str | None, board: str | None, user: str | None, since: str | None) -> list[LedgerRow]:
    query = {
        "session": find_session(session).id if session else None,
        "worktree": find_worktree(worktree).id if worktree else None,
        "board": link().board_path(board) if board else None,
        "user": user,
        "since": moment(since) if since else None,
    }
    return [LedgerRow.model_validate(item) for item in link().items("ledger", **query)]


@app.command("list")
def list_(
    session: OfSession = None,
    worktree: OfWorktree = None,
    board: OfBoard = None,
    user: OfUser = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """List what turns cost, by model, newest first."""
    found = _rows(session, worktree, board, user, since)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            f"{one.at:%Y-%m-%d %H:%M}",
            one.agent,
            one.model,
            dollars(one.cost_usd, is_estimate=one.is_estimate),
            one.input_tokens,
            one.output_tokens,
            one.turn_id,
        )
        for one in found
    ]
    table(["time", "agent", "model", "cost", "read", "written", "turn"], rows, "No costs.")


@app.command("sum")
def sum_(
    by: Annotated[By, typer.Option(help="What to group by.")] = "session",
    session: OfSession = None,
    worktree: OfWorktree = None,
    board: OfBoard = None,
    user: OfUser = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Add up what turns cost, most expensive first."""
    sums: dict[str, dict[str, object]] = {}
    grouped: dict[str, list[LedgerRow]] = {}
    for row in _rows(session, worktree, board, user, since):
        grouped.setdefault(_KEYS[by](row), []).append(row)
    for key, rows in grouped.items():
        costs = [row.cost_usd for row in rows if row.cost_usd is not None]
        sums[key] = {
            by: key,
            "costUsd": sum(costs) if costs else None,
            "isEstimate": any(row.is_estimate for row in rows),
            "unknown": sum(row.cost_usd is None for row in rows),
            "turns": len({row.turn_id for row in rows}),
            "inputTokens": sum(row.input_tokens or 0 for row in rows),
            "outputTokens": sum(row.output_tokens or 0 for row in rows),
        }
    found = sorted(sums.values(), key=lambda one: -float(str(one["costUsd"] or 0)))
    if as_json:
        show_json(found)
        return
    names = _names(by)
    lines = [
        (
            names.get(str(one[by]), one[by]),
            dollars(None if one["costUsd"] is None else float(str(one["costUsd"])), is_estimate=bool(one["isEstimate"])),
            one["turns"],
            one["inputTokens"],
            one["outputTokens"],
        )
        for one in found
    ]
    table([by, "cost", "turns", "read", "written"], lines, "No costs.")


def _names(by: str) -> dict[str, str]:
    """What people call the ids."""
    if by == "session":
        return {one.id: one.title for one in (Session.model_validate(item) for item in link().items("sessions", archived=1))}
    if by == "worktree":
        return {one.id: one.name for one in (Worktree.model_validate(item) for item in link().items("worktrees", archived=1))}
    return {}
