"""YAML that a stranger wrote: plain values, and the line of each. As YAML 1.2 reads them, so `on` and `12:30` are text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from agor_jupyter.domain.errors import BadSettings

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000
"""With what aliases repeat."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,16}|0o[0-7]{1,20}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, object] = {"": None, "~": None}
for _word, _value in {"null": None, "true": True, "false": False}.items():
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), _value)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Marked:
    """`value` is made of dicts with text as keys, lists, text, numbers, booleans and `None`."""

    value: Any  # what YAML can say
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Of what lies there, else of what is around it. Lines count from 1."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def read(content: bytes, file: str, *, has_anchors: bool = False) -> Marked:
    """With `has_anchors`, also what YAML calls anchors, aliases and `<<`, as far as `MAX_VALUES` allows.

    Errors:
        BadSettings: it is no such YAML, or says the same name twice.
    """
    if len(content) > MAX_BYTES:
        raise BadSettings(file, f"it is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadSettings(file, "it is not UTF-8") from error
    try:
        _check(yaml.parse(text, Loader=yaml.SafeLoader), file, has_anchors=has_anchors)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Reader(file).read(node)
    except BadSettings:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadSettings(file, f"it is not YAML{f' (line {mark.line + 1})' if mark else ''}") from error


def _check(events: Iterator[yaml.Event], file: str, *, has_anchors: bool) -> None:
    """Before anything is made of it: how deep it goes, and what of YAML it uses."""
    depth = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if not has_anchors and getattr(event, "anchor", None) is not None:
            raise BadSettings(file, f"anchors and aliases are not supported (line {line})")
        if (tag := getattr(event, "tag", None)) is not None:
            raise BadSettings(file, f"tags such as {str(tag)[:40]!r} are not supported (line {line})")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadSettings(file, f"it is nested more than {MAX_DEPTH} deep (line {line})")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    def __init__(self, file: str) -> None:
        self._file, self._left = file, MAX_VALUES
        self._lines: dict[Path, int] = {}

    def read(self, node: yaml.Node | None) -> Marked:
        return Marked(None if node is None else self._value(node, ()), self._lines)

    def _value(self, node: yaml.Node, path: Path) -> Any:  # what YAML can say
        self._left -= 1
        if self._left < 0 or len(path) > MAX_DEPTH:
            raise BadSettings(self._file, "its aliases make it too large")
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(each, (*path, number)) for number, each in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        more: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadSettings(self._file, f"a name must be a word (line {line})")
            name = str(key.value)
            if name in found:
                raise BadSettings(self._file, f"{name[:80]!r} is there twice (line {line})")
            if name == "<<" and key.style is None:
                for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    read = self._value(each, (*path, name))
                    more = {**read, **more} if isinstance(read, dict) else more
                continue
            self._lines[*path, name] = line
            found[name] = self._value(value, (*path, name))
        return {**more, **found}


def _scalar(node: yaml.Node) -> Any:  # what YAML can say
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
