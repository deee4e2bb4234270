"""What was said, found by its words: a list in a cell, and a DataFrame."""

import itertools
from collections.abc import Iterator

from agor_jupyter.domain.search import SearchHit, SearchQuery
from agor_jupyter.notebook.handles import Handles, checked
from agor_jupyter.notebook.link import Link

_PAGE = 100


class Hit:
    """A turn in which the words were said, or a session with them in its title: then `turn` is `None`."""

    def __init__(self, record: SearchHit) -> None:
        self.record = record

    @property
    def session(self) -> str:
        """The id of the session: `hub.sessions` has it, while it is not archived."""
        return self.record.session_id

    @property
    def turn(self) -> int | None:
        """The number of the turn."""
        return self.record.turn_number

    @property
    def text(self) -> str:
        """The piece of the prompt, the answer or the title in which the words stand."""
        return "".join(part.text for part in self.record.snippet)

    def __repr__(self) -> str:
        one = self.record
        which = f"turn {one.turn_number}" if one.turn_number else "title"
        return f"{one.at:%Y-%m-%d %H:%M} {one.worktree}, {one.title!r}, {which}: {self.text}"


def search(link: Link, query: SearchQuery, limit: int) -> Handles[Hit]:
    found = [Hit(hit) for hit in itertools.islice(hits(link, query), limit)]
    return Handles("hit", found, _columns, lambda one: one.record.turn_id or one.session, kind=SearchHit)


def hits(link: Link, query: SearchQuery) -> Iterator[SearchHit]:
    """All, page by page."""
    fields = query.model_dump(mode="json", exclude_none=True, exclude={"next", "archived"})
    following: str | None = None
    while True:
        page = link.get("search", **fields, archived=int(query.archived), next=following)
        yield from map(SearchHit.model_validate, page["items"])
        following = page["next"]
        if following is None:
            return


def make_query(words: str, limit: int, **fields: object) -> SearchQuery:
    with checked():
        return SearchQuery.model_validate({"q": words, "limit": max(1, min(limit, _PAGE)), **fields})


def _columns(hit: Hit) -> dict[str, object]:
    return {**dict(hit.record), "snippet": hit.text}
