"""Takes secrets out of what is stored and shown: `[NAME]` stands where the value stood.

A value is found as it is, line by line when it has several, in base64 (wherever it begins in the encoded text, also broken into lines),
in hexadecimal, URL-encoded, and escaped as in JSON, Python or a shell. An agent that is given a secret can still print it transformed
in another way; nothing can find that.
"""

import base64
import bisect
import json
import re
import shlex
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from agor_jupyter.domain.events import Text, Thought, ToolOutput, TranscriptBody
from agor_jupyter.domain.records import JsonObject, Record
from agor_jupyter.domain.variables import MIN_VALUE

_MAX_DEPTH = 100
R = TypeVar("R", bound=Record)
_JSON = json.JSONEncoder(ensure_ascii=False)
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"SSH_AUTH_SOCK|XAUTHORITY|.*_(?:FILE|PATH|DIR|SOCK)", re.IGNORECASE)
_BREAKS = tuple(re.compile(rf"{mark}|\\r\\n|\\n|[\r\\]$") for mark in (r"\r?\n[ +-]?", r"\r?\n"))
"""What to leave out to see base64 that was broken into lines, also in JSON. A sign after a line's end may belong to it, or to a patch."""


def secrets(env: Mapping[str, str]) -> dict[str, str]:
    """The variables whose name says that their value is secret."""
    return {name: value for name, value in env.items() if _SECRET_NAME.search(name) and not _PLAIN_NAME.fullmatch(name)}


def _forms(value: str) -> set[str]:
    plain = value.encode("utf-8", "surrogateescape")
    urls = {quote(value, errors="replace"), quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
    return {
        value,
        *urls,
        *(re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), url) for url in urls),
        *(json.dumps(value, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)),
        json.dumps(json.dumps(value)[1:-1])[1:-1],
        repr(value)[1:-1],
        shlex.quote(value).removeprefix("'").removesuffix("'"),
        re.sub(r'(["$`\\])', r"\\\1", value),
        plain.hex(),
        plain.hex().upper(),
    }


def _base64_forms(value: str) -> set[str]:
    """It looks different at each of three offsets; its first and last characters depend on the neighbours."""
    plain = value.encode("utf-8", "surrogateescape")
    found: set[str] = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain).decode().rstrip("=")
        first = (0, 2, 3)[shift]
        last = len(encoded) - (1 if (shift + len(plain)) % 3 else 0)
        found |= {encoded[first:last], encoded[first:last].translate(str.maketrans("+/", "-_"))}
    return found


def _parts(value: str) -> list[str]:
    """The value, and its lines: a patch or a log writes something before each."""
    return [value, *(line.strip() for line in value.splitlines())] if "\n" in value else [value]


class Mask:
    """Replaces secrets in text and in JSON. Values shorter than `MIN_VALUE` stand in ordinary text too often to be taken out."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        """By the form, the longest first."""
        self._base64: dict[str, str] = {}
        self._plain, self._encoded = _Beginnings(), _Beginnings()
        self.add(secrets or {})

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, secrets: Mapping[str, str]) -> None:
        """Take these out as well, from now on."""
        names, encoded = dict(self._names), dict(self._base64)
        for name, value in secrets.items():
            for part in _parts(value):
                if len(part) >= MIN_VALUE:
                    encoded |= {form: name for form in _base64_forms(part) if len(form) >= MIN_VALUE and form not in encoded}
                    names |= {form: name for form in _forms(part) if form not in names}
        names = {**encoded, **names}
        self._names = dict(sorted(names.items(), key=lambda item: len(item[0]), reverse=True))
        self._base64 = dict(sorted(encoded.items(), key=lambda item: len(item[0]), reverse=True))
        self._plain, self._encoded = _Beginnings(self._names), _Beginnings(self._base64)

    def text(self, text: str) -> str:
        if len(text) < MIN_VALUE:
            return text
        for form, name in self._names.items():
            if form in text:  # a pattern of them all is a hundred times slower
                text = text.replace(form, f"[{name}]")
        if self._base64 and _may_break(text):
            for breaks in _BREAKS:
                text = self._unbroken(text, breaks)
        return text

    def _unbroken(self, text: str, breaks: re.Pattern[str]) -> str:
        """Without the base64 that goes over the ends of lines."""
        flat = _Flat(text, breaks)
        spans = []
        for form, name in self._base64.items():
            at = flat.text.find(form)
            while at >= 0:
                spans.append((flat.place(at), flat.place(at + len(form) - 1) + 1, name))
                at = flat.text.find(form, at + len(form))
        pieces, done = [], 0
        for start, end, name in sorted(spans):
            if end > done:  # two that overlap are taken out together
                pieces += [text[done : max(start, done)], f"[{name}]"]
                done = end
        return "".join([*pieces, text[done:]])

    def json(self, value: Any) -> Any:
        """The same JSON with every string masked, the names of objects too. `Any`: it is free JSON."""
        return value if not self._names or self._is_free(value) else self._json(value, 0)

    def _is_free(self, value: Any) -> bool:
        """Whether a look at it as one text is enough to say that nothing is in it, and that it is not too deep."""
        try:
            encoded = _JSON.encode(value)
        except (TypeError, ValueError, RecursionError):
            return False
        # Without an escape in it, each string stands there as it is.
        is_plain = "\\" not in encoded and encoded.count("[") + encoded.count("{") <= _MAX_DEPTH
        return is_plain and not any(form in encoded for form in self._names)

    def _json(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if depth > _MAX_DEPTH and isinstance(value, list | dict):
            return "… nested too deep …"
        if isinstance(value, list):
            return [self._json(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self._json(item, depth + 1) for name, item in value.items()}
        return value

    def record(self, record: R) -> R:
        """The same record with every string masked."""
        if not self._names:
            return record
        before = record.model_dump()
        after = self.json(before)
        return record if after == before else type(record).model_validate(after)

    def held(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a secret."""
        held = self._plain.held(text)
        tail = text[-2 * self._encoded.longest :] if self._base64 else ""
        for breaks in _BREAKS if _may_break(tail) else ():
            flat = _Flat(tail, breaks)
            if length := self._encoded.held(flat.text):
                held = max(held, len(tail) - flat.place(len(flat.text) - length))
        return held

    def rest(self, text: str) -> str:
        """What was held back, when nothing followed. Half of a secret is taken out as well."""
        if len(text) < MIN_VALUE:
            return text
        flat = {text, *(_Flat(text, breaks).text for breaks in _BREAKS)}
        name = next(
            (name for form, name in self._names.items() for one in flat if len(one) >= len(form) // 2 and form.startswith(one)), None
        )
        return f"[{name}]" if name else text


def _may_break(text: str) -> bool:
    return "\n" in text or "\\" in text or text.endswith("\r")


class _Flat:
    """A text without its breaks, and where each of its characters was."""

    def __init__(self, text: str, breaks: re.Pattern[str]) -> None:
        pieces, self._lengths, self._cut, at = [], list[int](), list[int](), 0
        for match in breaks.finditer(text):
            start, end = match.span()
            pieces.append(text[at:start])
            at = end
            self._lengths.append((self._lengths[-1] if self._lengths else 0) + len(pieces[-1]))
            self._cut.append((self._cut[-1] if self._cut else 0) + end - start)
        self.text = "".join([*pieces, text[at:]])

    def place(self, at: int) -> int:
        before = bisect.bisect_right(self._lengths, at)
        return at + (self._cut[before - 1] if before else 0)


class _Beginnings:
    """Says how much of a text's end is the beginning of one of `forms`, without trying every length of each."""

    def __init__(self, forms: Collection[str] = ()) -> None:
        self.longest = max(map(len, forms), default=0)
        self._short = {form[:length] for form in forms for length in range(1, MIN_VALUE)}
        self._long: dict[str, list[str]] = {}
        for form in forms:
            self._long.setdefault(form[:MIN_VALUE], []).append(form)

    def held(self, text: str) -> int:
        tail = text[-self.longest + 1 :] if self.longest > 1 else ""
        longest = 0
        for anchor, forms in self._long.items():
            at = tail.find(anchor)
            while at >= 0 and len(tail) - at > longest:
                if any(form.startswith(tail[at:]) for form in forms):
                    longest = len(tail) - at
                at = tail.find(anchor, at + 1)
        return longest or next(
            (length for length in range(MIN_VALUE - 1, 0, -1) if tail[-length:] in self._short and length <= len(tail)), 0
        )


class MaskedEvents:
    """Passes events on with their secrets masked, also those that are cut between two pieces of a stream.

    The raw updates are masked already: whoever reads an update masks it before anything of it is cut.
    """

    def __init__(self, mask: Mask, on_event: Callable[[TranscriptBody, JsonObject | None], Awaitable[None]]) -> None:
        self._mask = mask
        self._on_event = on_event
        self._held: dict[str, Text | Thought | ToolOutput] = {}
        """The end of each stream; only tools write several at the same time."""

    async def __call__(self, body: TranscriptBody, raw: JsonObject | None) -> None:
        if not self._mask:
            await self._on_event(body, raw)
        elif isinstance(body, Text | Thought | ToolOutput):
            await self._piece(body, raw)
        else:
            await self.flush()
            await self._on_event(self._mask.record(body), raw)

    async def flush(self) -> None:
        """Pass on what was held back: the stream ended, so it is no secret, or not the whole of it."""
        held, self._held = self._held, {}
        for body in held.values():
            await self._on_event(body.replace(text=self._mask.rest(body.text)), None)

    async def _piece(self, body: Text | Thought | ToolOutput, raw: JsonObject | None) -> None:
        key = f"tool {body.tool_call_id}" if isinstance(body, ToolOutput) else f"{body.kind} {body.message_id}"
        if any(not (isinstance(body, ToolOutput) and isinstance(other, ToolOutput)) for name, other in self._held.items() if name != key):
            await self.flush()
        held = self._held.pop(key, None)
        text = self._mask.text((held.text if held else "") + body.text)
        length = self._mask.held(text)
        if length:
            self._held[key] = body.replace(text=text[-length:])
        if ready := text[: len(text) - length]:
            is_whole = held is None and not length  # the raw update of a part would tell what is held back
            same = body if ready == body.text else body.replace(text=ready)
            await self._on_event(same, raw if is_whole else None)
