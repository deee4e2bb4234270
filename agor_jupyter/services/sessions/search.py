"""Search over what was said in all turns, and the filling of its index with what was said before there was one."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.search import SearchHit, SearchPage, SearchQuery, Term, match, parse, snippet
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.storage import search
from agor_jupyter.storage.search import WINDOW, Found, Source
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

ENTRIES, TITLES = 2_000, 200
"""What a step of the filling reads of the log, and of the sessions."""
_REST = 3
"""It rests so many times as long as it works."""
_RETRY_S = 30.0
_HALF_LIFE_DAYS = 30.0
_SECONDS = 86_400


class Search:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._tasks = Tasks()

    async def start(self) -> None:
        if await self._store.read(search.has_backlog):
            self._tasks.start(self._fill(), "Filling the index for searching")

    async def close(self) -> None:
        await self._tasks.close()

    async def find(self, query: SearchQuery, worktrees: Sequence[str] | None = None) -> SearchPage:
        """A page of turns and titles with all the words of `query.q`; of a query without a word: none.

        Whoever may see only some `worktrees` finds nothing of others.

        Errors:
            BadRequest: `next` is not that of a page.
            SearchUnavailable: the database is not SQLite.
        """
        below, offset = _read_cursor(query.next) if query.next else (None, 0)
        return await self._store.read(_page, parse(query.q), query, worktrees, below, offset)

    async def _fill(self) -> None:
        """In small steps, the newest first, from where an earlier run of the server left it."""
        log.info("The index for searching is filled with what was said before")
        while True:
            began = self._clock.monotonic()
            try:
                step = await self._store.read(search.read_backlog, ENTRIES, TITLES)
                if step is None:
                    return
                await self._store.write(search.write_backlog, step)
            except errors.Unavailable as error:
                log.warning("The index for searching waits: %s", error)
                await asyncio.sleep(_RETRY_S)
            await asyncio.sleep((self._clock.monotonic() - began) * _REST)


def _page(  # noqa: PLR0917  # a query of the store
    connection: Connection, terms: list[Term], query: SearchQuery, worktrees: Sequence[str] | None, below: int | None, offset: int
) -> SearchPage:
    given = {"board": query.board, "worktree": query.worktree, "agent": query.agent, "state": query.state and query.state.value}
    found = search.find(
        connection,
        terms,
        {name: value for name, value in given.items() if value is not None},
        worktrees=worktrees,
        since=query.since.isoformat(timespec="milliseconds") if query.since else None,
        include_archived=query.archived,
        below=below,
    )
    shown = _ranked(found)[offset : offset + query.limit]
    sources = search.sources(connection, [one.id for one in shown])
    items = [_hit(connection, sources[one.id], terms) for one in shown if one.id in sources]
    following = None
    if offset + query.limit < len(found):
        following = f"{found[0].id + 1}~{offset + query.limit}"
    elif len(found) == WINDOW:
        following = f"{found[-1].id}~0"
    return SearchPage(items=items, next=following, is_complete=not search.has_backlog(connection))


def _ranked(found: list[Found]) -> list[Found]:
    """The best first. What is as new as the newest counts twice what is old."""
    if not found:
        return []
    newest = max(datetime.fromisoformat(one.at) for one in found)

    def score(one: Found) -> float:
        age = (newest - datetime.fromisoformat(one.at)).total_seconds() / _SECONDS
        return one.score * float(1 + 0.5 ** (age / _HALF_LIFE_DAYS))

    return sorted(found, key=lambda one: (score(one), -one.id))


def _hit(connection: Connection, source: Source, terms: list[Term]) -> SearchHit:
    session, turn, worktree = source.session, source.turn, source.worktree
    where, text = _best(connection, source, terms)
    return SearchHit(
        session_id=session["id"],
        title=session["title"],
        turn_id=turn and turn["id"],
        turn_number=turn and turn["number"],
        state=turn and turn["state"],
        found_in=where,
        snippet=snippet(text, terms),
        worktree_id=worktree["id"],
        worktree=worktree["name"],
        board=session["board"],
        agent=session["agent"],
        is_archived=session["archivedAt"] is not None,
        at=datetime.fromisoformat(source.at),
    )


def _best(connection: Connection, source: Source, terms: list[Term]) -> tuple[Any, str]:
    """The text in which most of the terms stand; of two, the prompt."""
    if source.turn is None:
        return "title", source.session["title"]
    prompt = source.turn["prompt"]
    in_prompt = match(prompt, terms).terms
    if in_prompt == len(terms):
        return "prompt", prompt
    said = search.answer(connection, source.session["id"], source.turn["id"], source.seq)
    return ("answer", said) if match(said, terms).terms > in_prompt else ("prompt", prompt)


def _read_cursor(text: str) -> tuple[int, int]:
    below, separator, offset = text.partition("~")
    try:
        if separator and abs(int(below)) < 1 << 62 and 0 <= int(offset) < WINDOW:
            return int(below), int(offset)
    except ValueError:
        pass
    raise errors.BadRequest([f"“next” is not a cursor of a page: {text[:60]!r}"])
