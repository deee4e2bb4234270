"""Cuts a stream of bytes into lines and a line into a message, whatever an agent writes."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_LINE = 8 << 20
_MAX_DEPTH = 64
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class BadMessage(ValueError):
    """A line that is not a JSON object of a sane depth."""


class Framer:
    """Lines of at most `max_line` bytes. A longer one is dropped, however long, and the next is found again."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._buffer = bytearray()
        self._scanned = 0
        self._skipped = 0

    def feed(self, received: bytes) -> Iterator[bytes | int]:
        """Each line without its end, or the length of one that was dropped."""
        self._buffer += received
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            length = self._skipped + end
            line = bytes(self._buffer[:end]) if length <= self._max_line else b""
            del self._buffer[: end + 1]
            self._scanned = self._skipped = 0
            yield line if length <= self._max_line else length
        self._scanned = len(self._buffer)
        if self._skipped + self._scanned > self._max_line:
            self._skipped += self._scanned
            self._buffer.clear()
            self._scanned = 0

    def rest(self) -> bytes | int:
        """What came after the last line's end: a half line, or the length of a dropped one."""
        return self._skipped + len(self._buffer) if self._skipped else bytes(self._buffer)


def decode(line: bytes) -> dict[str, Any]:
    """The JSON object of a line. Invalid UTF-8, lone surrogates and NUL become U+FFFD; infinite numbers become null.

    Raises `BadMessage`. `Any` because a message is checked field by field where it is used.
    """
    text = line.decode("utf-8", "replace")
    try:
        message: Any = _JSON.decode(text)
        if not isinstance(message, dict):
            raise BadMessage(f"a {type(message).__name__} instead of an object")
        if "\\u" in text or "\0" in text or text.count("[") + text.count("{") > _MAX_DEPTH:
            cleaned: dict[str, Any] = _clean(message, 0)
            return cleaned
    except (ValueError, RecursionError) as error:
        raise BadMessage(str(error)[:200]) from None
    else:
        return message


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_JSON = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)


def clean_text(text: str) -> str:
    """Without NUL and lone surrogates, which databases and UTF-8 refuse."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _clean(value: Any, depth: int) -> Any:  # any JSON
    if depth > _MAX_DEPTH:
        raise BadMessage(f"nested deeper than {_MAX_DEPTH}")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean_text(name): _clean(item, depth + 1) for name, item in value.items()}
    return value
