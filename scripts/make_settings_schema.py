"""Writes the JSON Schema of `.agor.yml`, and the tables of its fields in the guide, from the records. With `--check`: says whether one is
stale, and writes nothing.
"""

import json
from pathlib import Path
from typing import Any

from pages import GUIDE, ROOT, main, put

from agor_jupyter.documents.settings import schema

SCHEMA = ROOT / "agor_jupyter/documents/settings/agor.schema.json"
PAGE = GUIDE / "environments.md"
_PARTS = {
    "environment": "The section, or one of its variants",
    "ServiceSpec": "A service",
    "Ready": "`ready` of a service",
    "LinkSpec": "A link",
    "DataSpec": "An item of `data`",
    "KernelSpec": "`kernel`",
}


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"as below: {_PARTS[schema['$ref'].rpartition('/')[2]]}".replace("`", "")
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"] if each.get("type") != "null"))
    kind = str(schema.get("type", ""))
    if kind == "array":
        return "list"
    return {"object": "by name", "string": "text", "boolean": "`true` or `false`"}.get(kind, kind)


def _row(name: str, schema: dict[str, Any]) -> str:
    what = " ".join(str(schema.get("description", "")).split())
    default = schema.get("default")
    said = f" Default: `{json.dumps(default)}`." if default not in (None, [], {}, "") else ""
    return f"| `{name}` | {_type(schema)} | {what}{said} |".replace("  ", " ")


def tables(made: dict[str, Any]) -> str:
    parts = {"environment": made["properties"]["environment"], **made["$defs"]}
    written = []
    for name, title in _PARTS.items():
        fields = parts[name]["properties"]
        rows = [_row(field, fields[field]) for field in fields]
        if name == "environment":
            rows.append(_row("extends", made["$defs"]["Variant"]["properties"]["extends"]))
        written += [f"**{title}**", "", "| field | value | |", "|---|---|---|", *rows, ""]
    return "\n".join(written).rstrip()


def pages() -> dict[Path, str]:
    made = schema.make()
    return {SCHEMA: json.dumps(made, indent=2, ensure_ascii=False) + "\n", PAGE: put(PAGE.read_text(), "fields", tables(made))}


if __name__ == "__main__":
    main(__doc__, pages)
