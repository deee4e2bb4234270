"""Tools about the notebooks of worktrees, cell by cell. What people have open, they see change at once."""

from typing import Literal

from pydantic import Field

from agor_jupyter.domain.errors import CellNotFound
from agor_jupyter.mcp.paging import Paged, page, shown
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.notebooks.notebooks import MAX_SOURCE
from agor_jupyter.services.sessions.delegation import Delegation

_FILE = ("path", "size_bytes", "is_open", "kernel")
_CELL = ("id", "cell_type", "source", "seen", "execution_count", "outputs")


class List(Paged):
    worktree_id: str
    """Its id or its name."""


class Read(Paged):
    worktree_id: str
    """Its id or its name."""
    path: str
    """Of the notebook, below its worktree."""
    cell_id: str | None = Field(default=None, max_length=100)
    """Only this cell."""
    max_characters: int = Field(default=2000, ge=1, le=100_000)
    """Of the outputs of each cell."""


class Insert(Input):
    worktree_id: str
    """Its id or its name."""
    path: str
    """Of the notebook, below its worktree."""
    source: str = Field(max_length=MAX_SOURCE)
    cell_type: Literal["code", "markdown", "raw"] = "code"
    after: str | None = Field(default=None, max_length=100)
    """Id of the cell beneath which it comes. Default: at the beginning."""


class Edit(Input):
    worktree_id: str
    """Its id or its name."""
    path: str
    """Of the notebook, below its worktree."""
    cell_id: str = Field(max_length=100)
    seen: str = Field(max_length=100)
    """The cell's `seen` when you read it. If it is another one by now, somebody changed the cell, and nothing is done."""
    source: str = Field(max_length=MAX_SOURCE)
    """All of it."""


class Delete(Input):
    worktree_id: str
    """Its id or its name."""
    path: str
    """Of the notebook, below its worktree."""
    cell_id: str = Field(max_length=100)
    seen: str = Field(max_length=100)
    """As in notebook_edit_cell."""


class Run(Delete):
    timeout_s: float = Field(default=30, gt=0, le=60)
    """Then it is interrupted."""
    max_characters: int = Field(default=4000, ge=1, le=100_000)
    """Of its outputs."""


async def _list(engine: Delegation, request: List) -> object:
    return page(await engine.notebooks.list(request.worktree_id), request, _FILE)


async def _read(engine: Delegation, request: Read) -> object:
    cells, is_open = await engine.notebooks.read(request.worktree_id, request.path, request.max_characters)
    if request.cell_id is not None:
        found = [one for one in cells if one.id == request.cell_id]
        if not found:
            raise CellNotFound(request.cell_id, [one.id for one in cells])
        cells = found
    return {**page(cells, request, _CELL), "is_open": is_open}


async def _insert(engine: Delegation, request: Insert) -> object:
    cell = await engine.notebooks.insert(request.worktree_id, request.path, request.cell_type, request.source, request.after)
    return shown(cell, "id", "cell_type", "source", "seen")


async def _edit(engine: Delegation, request: Edit) -> object:
    cell = await engine.notebooks.edit(request.worktree_id, request.path, request.cell_id, request.seen, request.source)
    return shown(cell, "id", "cell_type", "source", "seen")


async def _delete(engine: Delegation, request: Delete) -> object:
    return {"cells": await engine.notebooks.delete(request.worktree_id, request.path, request.cell_id, request.seen)}


async def _run(engine: Delegation, request: Run) -> object:
    run = await engine.notebooks.run(
        request.worktree_id, request.path, request.cell_id, request.seen, request.timeout_s, request.max_characters
    )
    cell = shown(run.cell, "id", "seen", "execution_count") if run.cell else None
    return {**shown(run, "state", "reason", "outputs", "kernel"), "cell": cell}


TOOLS = (
    Tool(
        name="notebook_list",
        description="The notebooks of a worktree, which of them people have open now, and which kernel each has.",
        input=List,
        run=_list,
        reads_only=True,
    ),
    Tool(
        name="notebook_read",
        description=(
            "The cells of a notebook as they are now, with ids and outputs; of one that people have open, also what they have not saved. "
            "Long outputs are cut; of pictures you get kind and size."
        ),
        input=Read,
        run=_read,
        reads_only=True,
    ),
    Tool(
        name="notebook_insert_cell",
        description="Put a new cell into a notebook of your worktree. Answers with the cell as it stands there.",
        input=Insert,
        run=_insert,
        reads_only=False,
    ),
    Tool(
        name="notebook_edit_cell",
        description=(
            "Give a cell another source. Use this instead of writing the file: people may have the notebook open. "
            "Answers with the cell as it stands there."
        ),
        input=Edit,
        run=_edit,
        reads_only=False,
    ),
    Tool(
        name="notebook_delete_cell",
        description="Take a cell out of a notebook. Answers with the ids of the cells that are left.",
        input=Delete,
        run=_delete,
        reads_only=False,
    ),
    Tool(
        name="notebook_run_cell",
        description=(
            "Run a cell in the kernel that the notebook has, or else in its worktree's, and answer with its outputs. A kernel is outside "
            "of your sandbox, so a person is asked each time."
        ),
        input=Run,
        run=_run,
        reads_only=False,
    ),
)
