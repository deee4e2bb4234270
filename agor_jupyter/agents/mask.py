"""Takes secrets out of what is stored and shown: `[NAME]` stands where the value stood.

A value is found as it is, in base64 (wherever it begins in the encoded text), URL-encoded, and escaped as in JSON. An agent that is
given a secret can still print it transformed in another way; nothing can find that.
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from agor_jupyter.domain.events import Text, Thought, ToolOutput, TranscriptBody
from agor_jupyter.domain.records import JsonObject, Record

_MIN_LENGTH = 8
"""A shorter value stands in ordinary text too often to be taken out."""
_MAX_DEPTH = 100
R = TypeVar("R", bound=Record)
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"SSH_AUTH_SOCK|XAUTHORITY|.*_(?:FILE|PATH|DIR|SOCK)", re.IGNORECASE)


def secrets(env: Mapping[str, str]) -> dict[str, str]:
    """The variables whose name says that their value is secret."""
    return {name: value for name, value in env.items() if _SECRET_NAME.search(name) and not _PLAIN_NAME.fullmatch(name)}


def _forms(value: str) -> set[str]:
    plain = value.encode("utf-8", "surrogateescape")
    found = {
        value,
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
        json.dumps(value)[1:-1],
    }
    found.add(json.dumps(value, ensure_ascii=False)[1:-1])
    for shift in range(3):  # base64 looks different at each of three offsets; its first and last characters depend on the neighbours
        encoded = base64.b64encode(b"\0" * shift + plain).decode().rstrip("=")
        first = (0, 2, 3)[shift]
        last = len(encoded) - (1 if (shift + len(plain)) % 3 else 0)
        found |= {encoded[first:last], encoded[first:last].translate(str.maketrans("+/", "-_"))}
    return {form for form in found if len(form) >= _MIN_LENGTH}


class Mask:
    """Replaces secrets in text and in JSON."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names = {form: name for name, value in secrets.items() if len(value) >= _MIN_LENGTH for form in _forms(value)}
        ordered = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._longest = len(ordered[0]) if ordered else 0
        self._beginnings = {form[:1] for form in ordered}

    def __bool__(self) -> bool:
        return self._pattern is not None

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda match: f"[{self._names[match[0]]}]", text) if self._pattern else text

    def json(self, value: Any, depth: int = 0) -> Any:
        """The same JSON with every string masked, the names of objects too. `Any`: it is free JSON."""
        if not self._pattern or depth > _MAX_DEPTH:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.json(item, depth + 1) for name, item in value.items()}
        return value

    def record(self, record: R) -> R:
        """The same record with every string masked."""
        if not self._pattern:
            return record
        before = record.model_dump()
        after = self.json(before)
        return record if after == before else type(record).model_validate(after)

    def held(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a secret."""
        for length in range(min(len(text), self._longest - 1), 0, -1):
            end = text[-length:]
            if end[0] in self._beginnings and any(form.startswith(end) for form in self._names):
                return length
        return 0


class MaskedEvents:
    """Passes events on with their secrets masked, also those that are cut between two pieces of a stream."""

    def __init__(self, mask: Mask, on_event: Callable[[TranscriptBody, JsonObject | None], Awaitable[None]]) -> None:
        self._mask = mask
        self._on_event = on_event
        self._held: Text | Thought | ToolOutput | None = None

    async def __call__(self, body: TranscriptBody, raw: JsonObject | None) -> None:
        if not self._mask:
            await self._on_event(body, raw)
        elif isinstance(body, Text | Thought | ToolOutput):
            await self._piece(body, raw)
        else:
            await self.flush()
            await self._on_event(self._mask.record(body), self._mask.json(raw))

    async def flush(self) -> None:
        """Pass on what was held back: the stream ended, so it is no secret."""
        if held := self._held:
            self._held = None
            await self._on_event(held, None)

    async def _piece(self, body: Text | Thought | ToolOutput, raw: JsonObject | None) -> None:
        if self._held and self._held.replace(text="") != body.replace(text=""):
            await self.flush()
        whole = (self._held.text if self._held else "") + body.text
        text = self._mask.text(whole)
        length = self._mask.held(text)
        was_held, self._held = self._held is not None, body.replace(text=text[-length:]) if length else None
        if ready := text[: len(text) - length]:
            is_whole = not was_held and not length  # the raw update of a part would tell what is held back
            await self._on_event(body.replace(text=ready), self._mask.json(raw) if is_whole else None)
