"""Files that agents keep for themselves in a worktree: permissions, plans, a history. They are no work, and are kept all the same.

A file is an agent's own by the agent's entry, or because it was made before the agent's first tool ran. Only a file that is in no commit
can be one: what was committed is everybody's.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from agor_jupyter.domain.work import count

LAG_NS = 1_000_000_000
"""So much later than it ran a tool may be heard of."""


def _is_pattern(pattern: str) -> str:
    parts = pattern.removesuffix("/").split("/")
    if any(part in {"", ".", ".."} for part in parts) or not pattern.isprintable():
        raise ValueError("it is not a path below the worktree, such as `.tool/state.json`, `.tool*` or `.tool/cache/`")
    if not parts[0].strip("*?"):
        raise ValueError("it would also fit what is nobody's but a person's: its first part needs a letter or a dot")
    return pattern


OwnPattern = Annotated[str, Field(max_length=200), AfterValidator(_is_pattern)]
"""A path below the worktree, in which `*` and `?` stand for letters but not for `/`. It fits a file, or a folder with all that is in it;
one that ends with `/` only a folder.
"""


@dataclass(frozen=True, kw_only=True)
class OwnFiles:
    """Whose what is, in one worktree. `entries` are patterns by the labels of the agents that worked there; `made` are single paths."""

    entries: Mapping[str, Collection[str]] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries or self.made)

    def owner(self, path: str) -> str | None:
        """The label of the agent whose own it is. `None`: it is work."""
        if (label := self.made.get(path)) is not None:
            return label
        return next((label for label, patterns in self.entries.items() if fits(path, patterns)), None)

    def tell_apart(self, paths: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
        """Work, and the agents' own by their labels, both in order."""
        work: list[str] = []
        own: dict[str, list[str]] = {}
        for path in paths:
            owner = self.owner(path) if self else None
            (work if owner is None else own.setdefault(owner, [])).append(path)
        return work, own


NOBODYS = OwnFiles()


def fits(path: str, patterns: Collection[str]) -> bool:
    return bool(patterns) and _compiled(tuple(patterns)).fullmatch(path) is not None


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_expression, patterns)), re.DOTALL)


def _expression(pattern: str) -> str:
    letters = {"*": "[^/]*", "?": "[^/]"}
    body = "".join(letters.get(letter, re.escape(letter)) for letter in pattern.removesuffix("/"))
    return f"{body}/.+" if pattern.endswith("/") else f"{body}(?:/.*)?"


def named(label: str, number: int) -> str:
    """“2 files of Claude Code's own”."""
    return f"{count(number, 'file')} of {label}'s own"


@dataclass(kw_only=True)
class Beginning:
    """What was there when a process of an agent began, and what was heard of its tools since, during its first turn.

    Until it is prompted it cannot have been asked for anything, so a file that appears until then is its own. From then until its first
    tool it may be, if it hides behind a dot: there are agents that edit without a word. An agent that tells of no tool, or only when
    one has ended, may have used it at any moment.
    """

    there: frozenset[str]
    """The untracked files before it began."""
    at_prompt: frozenset[str] | None = None
    """Those at its first prompt."""
    first_tool_ns: int | None = None
    """When its first tool was heard of, by the clock of files."""

    def hear(self, at_ns: int, *, has_ended: bool) -> None:
        """Of a tool. Only the first counts."""
        if self.first_tool_ns is None:
            self.first_tool_ns = 0 if has_ended else at_ns

    @property
    def made(self) -> frozenset[str]:
        """Before the first prompt."""
        return (self.at_prompt or frozenset()) - self.there

    def made_until_tool(self, changed_ns: Mapping[str, int]) -> frozenset[str]:
        """Between the first prompt and the first tool. `changed_ns`: when each file that is there now was changed last."""
        if self.at_prompt is None or not self.first_tool_ns:
            return frozenset()
        new = changed_ns.keys() - self.at_prompt - self.there
        return frozenset(path for path in new if _hides(path) and changed_ns[path] < self.first_tool_ns - LAG_NS)


def _hides(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


@dataclass(kw_only=True)
class Spoken:
    """What a turn's tools named: a file of that name is something that the turn wrote, or may have."""

    limit: int = 1_000_000
    is_cut: bool = False
    """More was said than is remembered, so that anything may have been named."""
    _texts: list[str] = field(default_factory=list)
    _size: int = 0

    def hear(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._size += len(text)
            if self._size > self.limit:
                self.is_cut = True
                return
            self._texts.append(text)

    def names(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return self.is_cut or any(name in text for text in self._texts)


def texts_of(value: object, depth: int = 8) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from texts_of(one, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for one in value:
            yield from texts_of(one, depth - 1)
