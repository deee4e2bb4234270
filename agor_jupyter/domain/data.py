"""Data of a worktree: what it has for itself, such as a database, a folder, or variables."""

from typing import Literal

from agor_jupyter.domain.records import Record

DataKind = Literal["duckdb", "sqlite", "folder", "dbt", "airflow", "spark", "postgresql", "variables"]


class DataItem(Record):
    """One of them, as it is now."""

    name: str
    kind: DataKind
    state: Literal["missing", "copying", "ready", "failed"]
    """`missing`: it is made when something starts that needs it. A database without a source is made by who opens it first."""
    path: str | None = None
    """Below the worktree; `None`: it is no file."""
    variable: str | None = None
    """The variable that says where it is. `None`: it is many variables."""
    where: str | None = None
    """The name of the schema or database; never an address."""
    size_bytes: int | None = None
    """`None`: it has none, or it is not known."""
    reason: str | None = None
    """Why it failed or cannot be made, for a person."""
