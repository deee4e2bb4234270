"""The JSON Schema of `.agor.yml`, for editors, made from the records."""

import copy
from typing import Any

from agor_jupyter.documents.settings import fields
from agor_jupyter.domain.environments import Plan
from agor_jupyter.domain.records import Record

_NAME = "^[a-z][a-z0-9_-]{0,39}$"
_DESCRIPTIONS = {
    "setup": "Lines of shell, run before the first service of a start: one, or several.",
    "services": "The programs that run, by name.",
    "links": "What can be opened, by name.",
    "data": "What a worktree has for itself, by name: made with it and removed with it.",
    "kernel": "What the worktree's kernel is made from.",
    "extends": "The variant that this one begins with. What it says itself counts; `null` takes out a service, a link or data by its name.",
    "variants": "Further variants, by name. The section itself is the variant `default`, unless it has nothing but variants.",
}


def make() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    sources = Plan.model_json_schema(by_alias=False)
    inner = sources["$defs"]
    plan = sources["properties"]
    for name in ("Ready", "KernelSpec"):
        definitions[name] = _tidy(inner[name])
    for record in fields.BY_NAME.values():
        definitions[record.__name__] = _without_name(inner[record.__name__], record)
    shared: dict[str, Any] = {}
    for name in fields.SECTION:
        if name in fields.BY_NAME:
            shared[name] = {
                "type": "object",
                "propertyNames": {"pattern": _NAME},
                "additionalProperties": {"anyOf": [{"$ref": f"#/$defs/{fields.BY_NAME[name].__name__}"}, {"type": "null"}]},
                "maxProperties": plan[name]["maxItems"],
            }
        elif name in fields.RECORDS:
            shared[name] = {"$ref": f"#/$defs/{fields.RECORDS[name].__name__}"}
        elif name == "extends":
            shared[name] = {"type": "string"}
        elif name in fields.LINES:
            shared[name] = {"anyOf": [plan[name]["items"], _tidy(plan[name])]}
        else:
            shared[name] = _tidy(plan[name])
        shared[name]["description"] = _DESCRIPTIONS.get(name) or plan[name]["description"]
    definitions["Variant"] = {"type": "object", "additionalProperties": False, "properties": shared}
    section = {name: value for name, value in copy.deepcopy(shared).items() if name != "extends"}
    section["variants"] = {
        "type": "object",
        "description": _DESCRIPTIONS["variants"],
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Variant"}, {"type": "null"}]},
    }
    line = {"type": "string", "minLength": 1, "maxLength": 4000}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".agor.yml",
        "description": "What a repository says about itself to Agor for Jupyter.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "setup": {
                "description": "Lines of shell, run when a worktree is made: one, or several.",
                "anyOf": [line, {"type": "array", "items": line, "maxItems": 50}],
            },
            "caches": {
                "description": "Ignored files and folders that are no work: names, or paths below the worktree, both as shell patterns.",
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": 200},
                "maxItems": 100,
            },
            "environment": {
                "description": "What runs beside a worktree: its services, their ports, its data, its kernel.",
                "type": "object",
                "additionalProperties": False,
                "properties": section,
            },
        },
        "$defs": dict(sorted(definitions.items())),
    }


def _without_name(schema: dict[str, Any], record: type[Record]) -> dict[str, Any]:
    """As it is below its name. What is required is so only once variants are put together, so an editor does not ask for it."""
    schema = _tidy(schema)
    schema["properties"] = {name: schema["properties"][name] for name in fields.named(record)}
    schema.pop("required", None)
    return schema


def _tidy(schema: Any) -> Any:  # JSON
    """Without titles, which say a name again."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _tidy(each) for name, each in schema.items() if not (name == "title" and isinstance(each, str))}
    if isinstance(said := tidy.get("description"), str):
        tidy["description"] = " ".join(said.replace("`None`:", "Not said:").split())  # it is no value of a file
    return tidy
