"""A `*.agor` file: stable JSON that diffs and merges in git, and what in it can be shown.

Reading never raises for what a file may contain: what cannot be used comes back as `Problem`s. Nothing that was read is
dropped on writing; only whole numbers lose their `.0` and places their fractions.
"""

import functools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agor_jupyter.domain.boards import BoardMeta, BoardObject, Problem
from agor_jupyter.domain.ids import ObjectId

FORMAT = 1
MAX_BYTES = 8 * 1024 * 1024
MAX_OBJECTS = 10_000
"""Shown. The rest stays in the file."""
MAX_PROBLEMS = 50
_MAX_DIGITS = 15  # a browser's numbers are exact up to here
_MAX_DEPTH = 16
_MAX_KEY = 100
_PLACES = frozenset({"x", "y", "width", "height"})
_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)", re.MULTILINE)

_ADAPTER: TypeAdapter[BoardObject] = TypeAdapter(BoardObject)

Json = dict[str, Any]
"""`Any` because a file may hold any JSON."""


class Unreadable(ValueError):
    """The text is no board. Its message completes "The board cannot be read: …"."""


@dataclass(frozen=True)
class View:
    """What of a document can be shown."""

    meta: BoardMeta = field(default_factory=BoardMeta)
    objects: dict[ObjectId, BoardObject] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(text: str) -> tuple[Json, Json]:
    """`meta` and `objects` of a file, as plain JSON. Raises `Unreadable`."""
    if not text.strip():
        return {}, {}
    whole = _decode(text)
    if not isinstance(whole, dict):
        raise Unreadable("it is not an object of the form {“agor”: 1, “meta”: {}, “objects”: {}}")
    version = whole.pop("agor", FORMAT)
    if version != FORMAT or isinstance(version, bool):
        raise Unreadable(f"its format is {json.dumps(version)[:40]}, this server supports {FORMAT}. A newer Agor may have written it")
    meta, objects = whole.pop("meta", {}), whole.pop("objects", {})
    if whole:
        raise Unreadable(f"it has the unknown entry {min(whole)[:40]!r}. A newer Agor may have written it")
    for name, value in (("meta", meta), ("objects", objects)):
        if not isinstance(value, dict):
            raise Unreadable(f"“{name}” is not an object")
        _check(value, 0)
    return meta, objects


def _decode(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise Unreadable(f"it has {len(text) / 2**20:.0f} MiB and a board may have {MAX_BYTES // 2**20} MiB. Remove what you do not need")
    try:
        return json.loads(text, parse_int=_parse_int)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError as error:
        if marker := _MARKER.search(text):
            line = text.count("\n", 0, marker.start()) + 1
            raise Unreadable(f"line {line} is a merge marker of git. Resolve the merge") from None
        raise Unreadable(f"it is not JSON ({error})") from None


def _parse_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS + 1:
        raise ValueError(f"a number has more than {_MAX_DIGITS} digits")
    return int(digits)


def _check(value: object, depth: int) -> None:
    """Refuse what the shared document cannot hold."""
    if depth > _MAX_DEPTH:
        raise Unreadable("it is nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not key.isascii():
                _check(key, depth)
            if isinstance(inner, str | dict | list):
                _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unreadable("a text in it is not valid Unicode") from None


def normalise(entry: Any, *, is_object: bool = True) -> Any:
    """As it is written: whole numbers are integers, and an object's places and sizes are whole."""
    if not isinstance(entry, dict):
        return _number(entry)
    return {key: round(value) if is_object and key in _PLACES and _is_finite(value) else _number(value) for key, value in entry.items()}


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**_MAX_DIGITS else value
    if isinstance(value, dict):
        return {key: _number(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_number(inner) for inner in value]
    return value


def dump_object(entry: object) -> str:
    """One object as it stands in the file, without the indentation of its first line."""
    return json.dumps(entry, indent=1, sort_keys=True, ensure_ascii=False).replace("\n", "\n  ")


def dump(meta: Json, objects: Mapping[str, str]) -> str:
    """The file. `objects` are texts of `dump_object`."""
    lines = [f"  {json.dumps(key, ensure_ascii=False)}: {objects[key]}" for key in sorted(objects)]
    inner = "{\n" + ",\n".join(lines) + "\n }" if lines else "{}"
    head = json.dumps(meta, indent=1, sort_keys=True, ensure_ascii=False).replace("\n", "\n ")
    return f'{{\n "agor": {FORMAT},\n "meta": {head},\n "objects": {inner}\n}}\n'


def texts_of(objects: Json) -> dict[str, str]:
    return {key: dump_object(normalise(entry)) for key, entry in objects.items()}


def write(meta: Json, objects: Json) -> str:
    """The file for plain JSON as `parse` gives it."""
    return dump(normalise(meta, is_object=False), texts_of(objects))


def view(meta: object, texts: Mapping[str, str]) -> View:
    """Check each object by itself; what does not fit is left out and named. `texts` are those of `dump_object`."""
    problems: list[Problem] = []
    shown: dict[ObjectId, BoardObject] = {}
    broken = 0
    keys = sorted(texts)
    for key in keys[:MAX_OBJECTS]:
        found = _read_object(texts[key]) if 0 < len(key) <= _MAX_KEY else f"its id must have 1 to {_MAX_KEY} characters"
        if not isinstance(found, str):
            shown[ObjectId(key)] = found
            continue
        broken += 1
        if broken <= MAX_PROBLEMS:
            problems.append(Problem(object_id=key[:_MAX_KEY], text=f"This object is not shown: {found}. It is kept in the file."))
    if broken > MAX_PROBLEMS:
        problems.append(Problem(text=f"{broken} objects are broken and not shown; the first {MAX_PROBLEMS} are listed."))
    if len(keys) > MAX_OBJECTS:
        rest = len(keys) - MAX_OBJECTS
        problems.append(Problem(text=f"{rest} objects are not shown, because a board shows {MAX_OBJECTS}. Split the board."))
    try:
        title = BoardMeta.model_validate(meta, strict=True)
    except ValidationError as error:
        title = BoardMeta()
        problems.append(Problem(text=f"The board's “meta” is not used: {_why(error)}."))
    return View(title, shown, problems)


@functools.lru_cache(2 * MAX_OBJECTS)
def _read_object(text: str) -> BoardObject | str:
    """The object, or why it is none. Most of a board is as it was when it was last looked at."""
    try:
        return _ADAPTER.validate_python(json.loads(text), strict=True)
    except ValidationError as error:
        return _why(error)


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"card", "zone", "note"})
    return f"{where}: {first['msg']}" if where else first["msg"]
