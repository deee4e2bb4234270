"""What each kind of data is: where it lies, which variable tells of it, and what of it is copied."""

import re
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain.environments import DataSpec
from agor_jupyter.domain.worktrees import Worktree

FOLDER = ".agor/data"
"""Where what names no path lies, below the worktree. git ignores it, and archives leave it out."""


@dataclass(frozen=True)
class Kind:
    variable: str
    suffix: str | None = None
    """Of its file or folder. `None`: it is none."""


KINDS = {
    "duckdb": Kind("DUCKDB_PATH", ".duckdb"),
    "sqlite": Kind("SQLITE_PATH", ".sqlite"),
    "folder": Kind("DATA_DIR", ""),
    "airflow": Kind("AIRFLOW_HOME", ""),
    "spark": Kind("SPARK_WAREHOUSE_DIR", ""),
    "dbt": Kind("DBT_SCHEMA"),
    "postgresql": Kind("DATABASE_URL"),
    "variables": Kind(""),
}
OF_ENGINES = frozenset({"duckdb", "sqlite"})
"""Without a source there is nothing to make: who opens one first makes it."""


def path_of(item: DataSpec) -> str | None:
    """Below the worktree. `None`: it is no file."""
    suffix = KINDS[item.kind].suffix
    if suffix is None:
        return None
    parts = [part for part in (item.path or "").split("/") if part not in {"", "."}]
    return "/".join(parts) or f"{FOLDER}/{item.name}{suffix}"


def variable_of(item: DataSpec) -> str | None:
    return item.variable or KINDS[item.kind].variable or None


def schema_of(item: DataSpec, worktree: Worktree) -> str:
    """The name of a dbt target's schema: what `source` says before the worktree's name."""
    own = re.sub(r"[^a-z0-9]+", "_", worktree.name.lower()).strip("_") or "worktree"
    return f"{item.source}_{own}" if item.source else own


def source_of(item: DataSpec, checkout: str) -> Path | None:
    return None if item.source is None else Path(checkout) / item.source


_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,99})\s*=\s*(.*?)\s*")
_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]{0,199})\}")


def read_variables(text: str) -> dict[str, str]:
    """Of a `.env` file: `NAME=value`, with or without `export` and quotes. Nothing is filled in."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not (match := _LINE.fullmatch(line)):
            continue
        value = match[2]
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        value = value[1:-1] if is_quoted else value.split(" #")[0].rstrip()
        found[match[1]] = value
    return found


def secrets_in(value: str) -> list[str]:
    """The names in `${secret:NAME}`."""
    return _SECRET.findall(value)


def with_secrets(value: str, secrets: dict[str, str]) -> str:
    return _SECRET.sub(lambda match: secrets[match[1]], value)
