"""Renders templates in a process that can be killed: fuel bounds loops, but neither memory nor time. `renderer.py` bounds those.

One JSON line in (`source`, `context`), one out (`ok`, or `error` with `kind`, `line`, `message`, `hint`). Without a context, the answer is
the names in the source. Standard library and
minijinja only.
"""

import difflib
import json
import sys
from typing import Any

import minijinja

FUEL, OUTPUT_BYTES = 20_000, 64 << 10
_OWN_NAMES = {"range", "dict", "namespace", "loop", "true", "false", "none", "True", "False", "None"}


def _unknown(source: str, context: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The error for a name that the context has not, or `None`."""
    at: Any = context
    seen: list[str] = []
    for part in name.split("."):
        if not isinstance(at, dict):
            return None
        if part not in at:
            if not seen and part in _OWN_NAMES:
                return None
            near = difflib.get_close_matches(part, list(at), 1)
            line = next((number for number, text in enumerate(source.split("\n"), 1) if name in text), None)
            return {
                "kind": "UndefinedError",
                "line": line,
                "message": f"unknown name {name}",
                "hint": ".".join([*seen, *near]) if near else None,
            }
        at = at[part]
        seen.append(part)
    return None


def _render(environment: minijinja.Environment, question: dict[str, Any]) -> dict[str, Any]:
    source, context = question["source"], question["context"]
    try:
        for name in sorted(environment.undeclared_variables_in_str(source, nested=True)):
            if error := _unknown(source, context, name):
                return {"error": error}
        text = environment.render_str(source, "prompt", **context)
    except minijinja.TemplateError as error:
        return {"error": {"kind": error.kind, "line": error.line, "message": error.detail or error.message}}
    except MemoryError:
        return {"error": {"kind": "TooLong", "message": "it used too much memory"}}
    if len(text.encode()) > OUTPUT_BYTES:
        return {"error": {"kind": "TooLong", "message": f"the result is longer than {OUTPUT_BYTES} bytes"}}
    return {"ok": text}


def _names(environment: minijinja.Environment, source: str) -> dict[str, Any]:
    """Which names it would ask for. None, if it cannot be read: rendering says why."""
    try:
        return {"ok": sorted(environment.undeclared_variables_in_str(source, nested=True))}
    except (minijinja.TemplateError, MemoryError):
        return {"ok": []}


def main() -> None:
    environment = minijinja.Environment(fuel=FUEL, undefined_behavior="strict", auto_escape_callback=lambda _name: False, pycompat=False)
    environment.remove_global("debug")
    for line in sys.stdin.buffer:
        question = json.loads(line)
        answer = _names(environment, question["source"]) if "context" not in question else _render(environment, question)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
