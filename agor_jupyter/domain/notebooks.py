"""Notebooks as agents see them: files of a worktree, with cells that are known by their ids."""

from pydantic import Field

from agor_jupyter.domain.records import JsonObject, Record


class NotebookFile(Record):
    """A notebook in a worktree."""

    path: str
    """Below the worktree."""
    size_bytes: int
    is_open: bool
    """People have it open: what is changed, they see at once."""
    kernel: str | None = None
    """The spec of the kernel that it has now."""


class NotebookCell(Record):
    id: str
    cell_type: str
    source: str
    seen: str
    """Of what its source was. Whoever changes, deletes or runs it gives this back, so that nothing is lost that somebody wrote since."""
    execution_count: int | None = None
    outputs: list[JsonObject] = Field(default_factory=list)
    """Cut to what was asked for; of pictures, kind and size."""


class CellRun(Record):
    """How a cell ran."""

    state: str
    """`done`, `failed`, `interrupted` when it took too long, or `running`."""
    cell: NotebookCell | None = None
    """As it stands in the notebook now. `None`: somebody has deleted it."""
    outputs: list[JsonObject]
    kernel: str
    reason: str | None = None
