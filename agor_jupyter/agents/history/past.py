"""What a conversation of the past is, once read, and how a reader builds it. Everything read is bounded; nothing of it is trusted."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from agor_jupyter.agents.protocol import updates
from agor_jupyter.domain.events import Text, Thought, TranscriptBody
from agor_jupyter.domain.history import BACKGROUND

MAX_TURNS = 200
MAX_ENTRIES = 10_000
MAX_TITLE = 120
_MAX_TEXT = 200_000

Piece = Mapping[str, Any]
"""JSON of a file. `Any`: nothing in it can be trusted to have its type."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A conversation, as a list shows it."""

    agent_session_id: str
    title: str
    folder: str
    turns: int
    started_at: datetime | None = None
    updated_at: datetime | None = None


class Folders:
    """`roots` and what lies below them, without `others` and what lies below those."""

    def __init__(self, roots: Iterable[str], others: Iterable[str] = ()) -> None:
        self.roots = frozenset(roots)
        self._others = frozenset(others) - self.roots

    def __contains__(self, folder: str) -> bool:
        """The nearest of all, itself or above, decides. Touches no disk."""
        place = PurePosixPath(os.path.normpath(folder))
        nearest = next((str(one) for one in (place, *place.parents) if str(one) in self.roots or str(one) in self._others), None)
        return nearest in self.roots


@dataclass(kw_only=True)
class PastTurn:
    prompt: str
    at: datetime | None
    ended_at: datetime | None = None
    model: str | None = None
    entries: list[tuple[datetime | None, TranscriptBody]] = field(default_factory=list)


@dataclass(kw_only=True)
class Past:
    """A conversation with its turns, the oldest first."""

    found: Found
    turns: list[PastTurn]
    skipped: int = 0
    """Lines that could not be read."""
    is_cut: bool = False
    """It is longer than what is read, and the rest is missing."""


class Reader(Protocol):
    """One way of keeping conversations. `env` is the environment that its program has, which says where its files are."""

    def find(self, env: Mapping[str, str], folders: Folders) -> Sequence[Found]:
        """Those that took place in one of these folders, the newest first."""
        ...

    def read(self, env: Mapping[str, str], folders: Folders, agent_session_id: str) -> Past | None:
        """One of those; `None`: there is none of that id."""
        ...

    def tidy(self, env: Mapping[str, str], agent_session_id: str) -> None:
        """Undo what loading this conversation over ACP does to its files, if it does something."""
        ...

    def last_error(self, env: Mapping[str, str], agent_session_id: str, since: datetime) -> object:
        """With what its last message failed, as JSON. `None`: it did not, is older, or the agent tells all of it over ACP."""
        ...


class Builder:
    """Collects turns. What comes before the first prompt is dropped; of too many turns the oldest go."""

    def __init__(self) -> None:
        self.turns: list[PastTurn] = []
        self.is_cut = False
        self._entries = 0

    def prompt(self, text: str, at: datetime | None) -> None:
        begin, end = BACKGROUND
        text = text.strip()
        if text.startswith(begin):  # what we told it is no person's word
            text = text.partition(f"\n{end}")[2].strip()
        if not text:
            return
        self.turns.append(PastTurn(prompt=text[:_MAX_TEXT], at=at, ended_at=at))
        if len(self.turns) > MAX_TURNS:
            self._entries -= len(self.turns.pop(0).entries)
            self.is_cut = True

    def text(self, text: object, at: datetime | None, message_id: object = None) -> None:
        if isinstance(text, str) and text.strip():
            self._add(Text(text=updates.cut(text), message_id=_id(message_id)), at)

    def thought(self, text: object, at: datetime | None, message_id: object = None) -> None:
        if isinstance(text, str) and text.strip():
            self._add(Thought(text=updates.cut(text), message_id=_id(message_id)), at)

    def tool(self, at: datetime | None, call_id: object, **fields: object) -> None:
        """A tool call, or what is new about it. The fields are those of ACP's `tool_call`."""
        for body in updates.normalise({"sessionUpdate": "tool_call", "toolCallId": call_id, **fields}):
            if body.kind == "tool_call":
                self._add(body, at)

    def model(self, name: object) -> None:
        if self.turns and isinstance(name, str) and name:
            self.turns[-1].model = name[:200]

    def _add(self, body: TranscriptBody, at: datetime | None) -> None:
        if not self.turns:
            return
        turn = self.turns[-1]
        if self._entries >= MAX_ENTRIES:
            self.is_cut = True
            return
        self._entries += 1
        turn.entries.append((at, body))
        turn.ended_at = at or turn.ended_at


def moment(value: object) -> datetime | None:
    """From ISO 8601, or from milliseconds since 1970."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def headline(text: str) -> str:
    """The first line that says something."""
    return next((line.strip()[:MAX_TITLE] for line in text.splitlines() if line.strip()), "")


def object_of(value: object) -> Piece:
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Piece]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def kinds(**tools: str) -> dict[str, str]:
    """ACP's kind of each tool, from the names of the tools of each kind."""
    return {tool: kind for kind, names in tools.items() for tool in names.split()}


def title_of(name: str, given: Piece) -> str:
    """A tool call as one line: the command, or the tool and what it is about."""
    for key in ("command", "cmd"):
        command = given.get(key)
        if isinstance(command, list):
            command = " ".join(str(word) for word in command[:50])
        if isinstance(command, str) and command.strip():
            return headline(command)
    about = next(
        (given[key] for key in ("file_path", "filePath", "path", "pattern", "query", "url") if isinstance(given.get(key), str)), ""
    )
    return f"{name} {about}".strip()[:MAX_TITLE]


def home_of(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or Path.home())


def _id(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
