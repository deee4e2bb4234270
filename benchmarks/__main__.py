"""`python -m benchmarks [module …]`: run each module's `rows()`, print a table, write `build/bench.json`.

`agents` takes long and needs real agents: it runs alone, when it is named, and writes `build/bench-agents.json`.

A row: `name`, `value`, `unit`, `bar` (what it must meet, as text such as "≤ 5"), `reference` (what stands beside it, as text),
`met`.
"""

import asyncio
import importlib
import inspect
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

MODULES = (
    "worktrees",
    "kernels",
    "archives",
    "large",
    "turns",
    "zones",
    "environments",
    "schedules",
    "data",
    "server",
    "tools",
    "boards",
    "canvas",
    "bundle",
)
OUTPUT, OUTPUT_OF_AGENTS = Path("build/bench.json"), Path("build/bench-agents.json")


def measure(module: str) -> list[dict]:
    rows = importlib.import_module(f"benchmarks.{module}").rows
    found = rows()
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def show(rows: list[dict]) -> None:
    heads = ("name", "value", "unit", "bar", "met", "reference")
    cells = [[_text(row[head]) for head in heads] for row in rows]
    widths = [max(len(line[column]) for line in [list(heads), *cells]) for column in range(len(heads))]
    for line in [list(heads), ["-" * width for width in widths], *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main(modules: list[str]) -> int:
    rows: list[dict] = []
    output = OUTPUT_OF_AGENTS if modules == ["agents"] else OUTPUT
    for module in modules or MODULES:
        print(f"{module} …", file=sys.stderr, flush=True)
        rows += measure(module)
    show(rows)
    output.parent.mkdir(exist_ok=True)
    kept = json.loads(output.read_text())["rows"] if modules and output.exists() else []
    names = {row["name"] for row in rows}
    merged = [row for row in kept if row["name"] not in names] + rows
    output.write_text(
        json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": platform.platform(), "rows": merged}, indent=1) + "\n"
    )
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
