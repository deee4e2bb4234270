"""`jupyter agor search`."""

import sys
from itertools import islice
from typing import Annotated

import typer

from agor_jupyter.cli.moments import moment
from agor_jupyter.cli.output import AsJson, show_json
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import worktree as find_worktree
from agor_jupyter.notebook.display.views import visible
from agor_jupyter.notebook.search import hits, make_query


def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words that all must be there, or the beginning of one: migrat*.")],
    board: Annotated[str | None, typer.Option(help="Only on this board.")] = None,
    worktree: Annotated[str | None, typer.Option(help="Only in this worktree.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    state: Annotated[str | None, typer.Option(help="Only turns that ended so: done, failed, cancelled or interrupted.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from this day or time on, as 2026-01-31 or with a time.")] = None,
    archived: Annotated[bool, typer.Option(help="In sessions that were put away, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find turns by the words of their prompts and answers, and sessions by their titles; the best and newest first."""
    query = make_query(
        " ".join(words),
        limit,
        board=link().board_path(board) if board else None,
        worktree=find_worktree(worktree).id if worktree else None,
        agent=agent,
        state=state,
        since=moment(since) if since else None,
        archived=archived,
    )
    found = list(islice(hits(link(), query), limit))
    if as_json:
        show_json(found)
        return
    if not found:
        print("Nothing found.", file=sys.stderr)
    for one in found:
        which = f"{one.session_id}:{one.turn_number}" if one.turn_number else one.session_id
        print(f"{one.at:%Y-%m-%d %H:%M}  {which}  {_line(one.worktree)}: {_line(one.title)}")
        print(f"    {_line(''.join(part.text for part in one.snippet))}")


def _line(text: str) -> str:
    return " ".join(visible(text).split())
