"""Searching what was said: the language of a search, and the piece of a text that is shown of what was found.

Words must all be there, in any order; words in "quotation marks" next to each other; a star after a word stands for its endings. Nothing
else has a meaning, so whatever is typed is a search.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from agor_jupyter.domain.ids import SessionId, TurnId, WorktreeId
from agor_jupyter.domain.records import Moment, Record, Request
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import TurnState

MAX_QUERY = 1000
"""Characters."""
MAX_TERMS = 16
SHOWN = 160
"""Characters of a text that are shown of a hit."""
_LEAST_PREFIX = 3
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
"""As SQLite's tokenizer `unicode61` takes them: letters and digits of any script."""
_CHUNK = re.compile(r'"[^"]*"?\*?|[^\s"]+')


class Term(NamedTuple):
    """Words that stand next to each other. `is_prefix`: the last may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False


def parse(query: str) -> list[Term]:
    """The terms that all must be there; none if the query has no word."""
    found = []
    for chunk in _CHUNK.findall(query[:MAX_QUERY]):
        words = tuple(_WORD.findall(chunk))
        if words:
            found.append(Term(words, chunk.endswith("*") and len(words[-1]) >= _LEAST_PREFIX))
    return found[:MAX_TERMS]


class SearchQuery(Request):
    """What is looked for, and where."""

    q: str = Field(max_length=MAX_QUERY)
    """Words that all must be there, "phrases", and beginnings of words with a star."""
    board: str | None = None
    worktree: WorktreeId | None = None
    agent: str | None = None
    state: Literal[TurnState.DONE, TurnState.FAILED, TurnState.CANCELLED, TurnState.INTERRUPTED] | None = None
    """How the turn ended. Titles of sessions are not looked at then."""
    since: Annotated[Moment, AfterValidator(lambda moment: moment.astimezone(UTC))] | None = None
    """Only what ended at that time or later."""
    archived: bool = False
    """In sessions that were put away, too."""
    limit: int = Field(default=20, ge=1, le=100)
    next: str | None = Field(default=None, max_length=100)
    """The `next` of the page before."""


class SnippetPart(Record):
    """A piece of a snippet. `is_match`: it is what was looked for."""

    text: str
    is_match: bool = False


class SearchHit(Record):
    """A turn in which the words were said, or a session that has them in its title."""

    session_id: SessionId
    title: str
    """Of the session."""
    turn_id: TurnId | None
    """`None`: the title was found."""
    turn_number: int | None
    state: TurnState | None
    found_in: Literal["title", "prompt", "answer"]
    """Where the most of it stands."""
    snippet: list[SnippetPart]
    worktree_id: WorktreeId
    worktree: str
    """Its name."""
    board: str | None
    agent: str
    is_archived: bool
    at: Moment
    """When the turn ended, or the session began."""


class SearchPage(Record):
    """The best and newest first. `next` leads to the following page; `None`: this is the last."""

    items: list[SearchHit]
    next: str | None
    is_complete: bool = True
    """`False`: what was said before this version of the program is being indexed still."""


class Match(NamedTuple):
    """Where terms stand in a text."""

    spans: list[tuple[int, int, int]]
    """Start, end, and which term, in order."""

    @property
    def terms(self) -> int:
        """How many different ones were found."""
        return len({term for _, _, term in self.spans})


def fold(text: str) -> str:
    """Without upper case and accents."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def match(text: str, terms: Sequence[Term]) -> Match:
    """Where each of the terms stands in `text`, if it does."""
    places = [(found.start(), found.end(), fold(found[0])) for found in _WORD.finditer(text)]
    wanted = [(number, tuple(map(fold, term.words)), term.is_prefix) for number, term in enumerate(terms)]
    first: dict[str, list[tuple[int, tuple[str, ...], bool]]] = {}
    beginnings = []
    for one in wanted:
        _, words, is_prefix = one
        if is_prefix and len(words) == 1:
            beginnings.append(one)
        else:
            first.setdefault(words[0], []).append(one)
    spans = []
    for place, (start, _, word) in enumerate(places):
        for number, words, is_prefix in [*first.get(word, ()), *beginnings]:
            if _stands(places[place : place + len(words)], words, is_prefix):
                spans.append((start, places[place + len(words) - 1][1], number))
    return Match(spans)


def _stands(places: Sequence[tuple[int, int, str]], words: tuple[str, ...], is_prefix: bool) -> bool:
    here = [word for _, _, word in places]
    if len(here) < len(words) or here[:-1] != list(words[:-1]):
        return False
    return here[-1].startswith(words[-1]) if is_prefix else here[-1] == words[-1]


def snippet(text: str, terms: Sequence[Term], shown: int = SHOWN) -> list[SnippetPart]:
    """The piece of `text` with the most of the terms, each of them marked. Without any: its beginning."""
    text = " ".join(plain(text).split())
    spans = match(text, terms).spans
    start, end = _window(text, spans, shown)
    parts = [SnippetPart(text="…")] if start else []
    at = start
    for begins, ends, _ in spans:
        if begins < at or ends > end:
            continue
        if begins > at:
            parts.append(SnippetPart(text=text[at:begins]))
        parts.append(SnippetPart(text=text[begins:ends], is_match=True))
        at = ends
    rest = text[at:end] + ("…" if end < len(text) else "")
    return [*parts, SnippetPart(text=rest)] if rest else parts


def _window(text: str, spans: list[tuple[int, int, int]], shown: int) -> tuple[int, int]:
    """From where to where: around the first place at which the most different terms stand together, and between words."""
    best, start = 0, 0
    last = 0
    for place, (begins, _, _) in enumerate(spans):
        last = max(last, place)
        while last < len(spans) and spans[last][1] <= begins + shown * 3 // 4:
            last += 1
        count = len({term for _, _, term in spans[place:last]})
        if count > best:
            best, start = count, begins
    start = max(0, min(start - shown // 4, len(text) - shown))
    if start and (space := text.find(" ", start, start + shown // 4)) != -1:
        start = space + 1
    end = min(len(text), start + shown)
    if end < len(text) and (space := text.rfind(" ", start + shown // 2, end)) != -1:
        end = space
    return start, end
