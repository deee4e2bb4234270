"""What the four wire formats have in common."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.model_server.script import Said, Step
from harness.model_server.tools import Called, Tool

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 1000, 200, 50
"""Of every answer. Whether the input includes what was cached differs by API, as it does in the real ones."""

Body = dict[str, Any]
"""A request or an answer as JSON. `Any`: the fields differ by API."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said, before it is put into an API's words."""

    model: str
    step: Step
    calls: list[Called] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One server-sent event. `is_text`: the step's delay comes before it."""

    data: Body | str
    name: str | None = None
    is_text: bool = False

    def encode(self) -> bytes:
        name = f"event: {self.name}\n" if self.name else ""
        body = self.data if isinstance(self.data, str) else json.dumps(self.data)
        return f"{name}data: {body}\n\n".encode()


class Api(Protocol):
    """One wire format; a module is one."""

    def said(self, body: Body) -> list[Said]:
        """The conversation that the request carries."""

    def tools(self, body: Body) -> list[Tool]: ...
    def whole(self, answer: Answer) -> Body: ...
    def events(self, answer: Answer) -> Iterator[Event]: ...
    def error(self, status: int, message: str) -> Body: ...


def flat(content: object) -> str:
    """All text inside a content value, however it is nested."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(flat(part) for part in content)
    if isinstance(content, dict):
        return flat(content.get("text") or content.get("content") or "")
    return ""


def pieces(text: str, length: int = 4000) -> Iterator[str]:
    for start in range(0, len(text), length):
        yield text[start : start + length]
