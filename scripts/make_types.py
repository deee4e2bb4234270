"""Writes `js/src/protocol/generated.ts` from the records. With `--check`: says whether it is stale, and writes nothing.

A record's fields are all there when it is read; of a request, those with a default may be left out.
"""

import argparse
import importlib
import json
import pkgutil
import sys
import typing
from pathlib import Path
from typing import Any

import pydantic

from agor_jupyter import domain
from agor_jupyter.domain import errors
from agor_jupyter.domain.records import Record, Request
from agor_jupyter.domain.templates import TemplateContext
from agor_jupyter.server import operations
from agor_jupyter.server.routes import ROUTES, function_of

TARGET = Path(__file__).parents[1] / "js/src/protocol/generated.ts"
HEADER = "// Made by scripts/make_types.py from agor_jupyter/domain. Do not edit.\n"
UNIONS = {"events": ("TranscriptBody", "NewsBody", "Body"), "boards": ("BoardObject",), "schedules": ("When", "Target")}
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def records() -> list[type[Record]]:
    """Every record of the domain in the order of its modules, then those of the API alone."""
    found: dict[str, type[Record]] = {}
    for each in sorted(pkgutil.iter_modules(domain.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{domain.__name__}.{each.name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Record)
                and value not in (Record, Request)
                and value.__module__ == module.__name__
            ):
                found[value.__name__] = value
    for route in ROUTES:
        for name in route.methods.values():
            operation = operations.of(function_of(route.module, name))
            for value in (operation.body, operation.query, operation.answers):
                if isinstance(value, type) and issubclass(value, Record):
                    found.setdefault(value.__name__, value)
    return list(found.values())


class Writer:
    """Turns JSON Schema into TypeScript. `unions` maps the written form of a union to its name."""

    def __init__(self, unions: dict[str, str]) -> None:
        self.unions = unions

    def type_of(self, schema: dict[str, Any]) -> str:
        written = self._type_of(schema)
        return self.unions.get(written, written)

    def _type_of(self, schema: dict[str, Any]) -> str:  # noqa: PLR0911 one for each form
        if "$ref" in schema:
            return str(schema["$ref"]).rsplit("/", 1)[1]
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return " | ".join(dict.fromkeys(self.type_of(each) for each in schema[union]))
        if "const" in schema:
            return _literal(schema["const"])
        if "enum" in schema:
            return " | ".join(_literal(each) for each in schema["enum"])
        if schema.get("type") == "array":
            item = self.type_of(schema.get("items", {}))
            return f"({item})[]" if " " in item else f"{item}[]"
        if schema.get("type") == "object":
            values = schema.get("additionalProperties", True)
            return f"Record<string, {self.type_of(values) if isinstance(values, dict) else 'unknown'}>"
        return _SCALARS.get(schema.get("type", ""), "unknown")

    def interface(self, name: str, schema: dict[str, Any], *, is_request: bool) -> str:
        required = set(schema.get("required", []))
        lines = [_comment(schema.get("description"), ""), f"export interface {name} {{\n"]
        for field, described in schema.get("properties", {}).items():
            mark = "" if not is_request or field in required else "?"
            lines += [_comment(described.get("description"), "  "), f"  {field}{mark}: {self.type_of(described)}\n"]
        return "".join(lines) + "}\n"


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _comment(text: str | None, indent: str) -> str:
    return f"{indent}/** {' '.join(text.split())} */\n" if text else ""


def generate() -> str:
    models = records()
    definitions: dict[str, Any] = {}
    for model in models:
        schema = model.model_json_schema(mode="validation" if issubclass(model, Request) else "serialization")
        definitions |= schema.pop("$defs", {})
        definitions[model.__name__] = schema
    names = {model.__name__: model for model in models}
    writer = Writer({})
    unions = []
    for module, aliases in UNIONS.items():
        for alias in aliases:
            adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(vars(importlib.import_module(f"{domain.__name__}.{module}"))[alias])
            schema = adapter.json_schema(mode="serialization")
            schema.pop("$defs", None)
            written = writer.type_of(schema)
            unions.append(f"export type {alias} =\n" + "\n".join(f"  | {each}" for each in written.split(" | ")) + "\n")
            writer.unions = {**writer.unions, written: alias}
    parts = [HEADER]
    parts += [
        _comment(definition.get("description"), "") + f"export type {name} = {writer.type_of(definition)}\n"
        for name, definition in sorted(definitions.items())
        if name not in names
    ]
    parts += [writer.interface(name, definitions[name], is_request=issubclass(model, Request)) for name, model in names.items()]
    parts += unions
    codes = sorted({kind.code for kind in _all(errors.AgorError)})
    parts.append(_template_names())
    parts.append("/** What `error.code` may be. */\nexport type ErrorCode =\n" + "\n".join(f"  | '{code}'" for code in codes) + "\n")
    return "\n".join(parts)


def _template_names() -> str:
    """What a template may name, with what is behind each: a value of the bundle, for completion."""
    lines = []
    for group, described in TemplateContext.model_fields.items():
        kinds = [each for each in (described.annotation, *typing.get_args(described.annotation)) if isinstance(each, type)]
        model = next(each for each in kinds if issubclass(each, Record))
        for name, field in model.model_fields.items():
            lines.append(f"  {{ name: '{group}.{name}', kind: '{_kind_of(field.annotation)}' }},\n")
    return "/** What a template of a prompt may name. */\nexport const TEMPLATE_NAMES = [\n" + "".join(lines) + "] as const\n"


def _kind_of(annotation: object) -> str:
    if typing.get_origin(annotation) is dict:
        return "map"
    return "number" if annotation is int else "text"


def _all(kind: type[errors.AgorError]) -> list[type[errors.AgorError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _all(child))]


def main(argv: typing.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the file is stale")
    arguments = parser.parse_args(argv)
    made = generate()
    is_stale = not TARGET.exists() or TARGET.read_text() != made
    if arguments.check:
        if is_stale:
            print(f"{TARGET.name} is stale. Run `make types`.", file=sys.stderr)
        return int(is_stale)
    if is_stale:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
