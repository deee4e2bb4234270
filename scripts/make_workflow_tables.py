"""Writes the tables of the tools for agents, the names of templates and the settings of a schedule in the guide from the code. With
`--check`: says whether one is stale, and writes nothing.
"""

from pathlib import Path
from typing import get_args

from pages import GUIDE, main, put

from agor_jupyter.domain.records import Record
from agor_jupyter.domain.schedules import SchedulePlan
from agor_jupyter.domain.templates import TemplateContext
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.mcp.tools import discover


def _arguments(model: type[Input]) -> str:
    """Those that are needed are in bold."""
    fields = model.model_fields.items()
    return ", ".join(f"**{name}**" if field.is_required() else name for name, field in fields) or "none"


def _tool(tool: Tool) -> str:
    return f"| `{tool.name}` | {tool.description} | {_arguments(tool.input)} | {'yes' if tool.reads_only else 'no'} |"


def tools() -> str:
    head = ["| tool | what it does | arguments | asks nobody |", "|---|---|---|---|"]
    return "\n".join([*head, *(_tool(tool) for tool in discover().values())])


def _names(noun: type[Record]) -> str:
    found = []
    for name, field in noun.model_fields.items():
        what = " ".join((field.description or "").rstrip(".").split())
        found.append(f"`{name}`" + (f" ({what[0].lower()}{what[1:]})" if what else ""))
    return ", ".join(found)


def names() -> str:
    rows = ["| name | fields | |", "|---|---|---|"]
    for name, field in TemplateContext.model_fields.items():
        noun = (get_args(field.annotation) or (field.annotation,))[0]
        rows.append(f"| `{name}` | {_names(noun)} | {' '.join((field.description or '').split())} |")
    return "\n".join(rows)


def settings() -> str:
    rows = ["| field | meaning |", "|---|---|"]
    for name, field in SchedulePlan.model_fields.items():
        if not field.description:
            raise SystemExit(f"SchedulePlan.{name} has no docstring")
        rows.append(f"| `{name}` | {' '.join(field.description.split())} |")
    return "\n".join(rows)


TABLES = {
    GUIDE / "workflows.md": ("tools", tools),
    GUIDE / "templates.md": ("names", names),
    GUIDE / "schedules.md": ("settings", settings),
}


def pages() -> dict[Path, str]:
    return {path: put(path.read_text(), name, make()) for path, (name, make) in TABLES.items()}


if __name__ == "__main__":
    main(__doc__, pages)
