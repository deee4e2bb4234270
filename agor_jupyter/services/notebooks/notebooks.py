"""Cells of notebooks in worktrees: read, inserted, changed and deleted by their ids, in the live document where people have one open.

Nobody has it open: then its file is changed in one step, and only if it is still what was read. No room is made for that, as nothing would
ever take it away; and whoever opens the notebook in this very moment gets both, as a file that is changed under a room is merged.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from agor_jupyter.documents import notebooks
from agor_jupyter.documents.notebooks import FileNotebook, Json, Unreadable
from agor_jupyter.domain import errors
from agor_jupyter.domain.notebooks import NotebookCell, NotebookFile
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.notebooks import files
from agor_jupyter.services.notebooks.rooms import Jupyter, Notebook

MAX_SOURCE = 200_000
_TRIES = 5
_T = TypeVar("_T")
Files = list[NotebookFile]
Cells = list[Json]


class Notebooks:
    """Paths are below the worktree. Each raises `BadPath`, `NotebookNotFound` and `BadNotebook` for what is none there."""

    def __init__(self, jupyter: Jupyter, new_id: Callable[[], str]) -> None:
        self._jupyter, self._new_id = jupyter, new_id
        self._locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    async def list(self, caller: Caller, worktree: Worktree) -> Files:
        """At most 500, by path."""
        caller.require(Role.VIEWER, "list notebooks")
        _require_files(worktree)
        found = []
        for path, size in await asyncio.to_thread(files.find, Path(worktree.path)):
            file = file_of(worktree, path)
            kernel = await self._jupyter.get_kernel(file)
            is_open = await self._jupyter.get_document(file) is not None
            found.append(NotebookFile(path=path, size_bytes=size, is_open=is_open, kernel=kernel.name if kernel else None))
        return found

    async def read(self, caller: Caller, worktree: Worktree, path: str) -> tuple[Cells, bool]:
        """Its cells as they are now, and whether people have it open."""
        caller.require(Role.VIEWER, "read notebooks")
        return await self._do(worktree, path, lambda notebook: (notebook.cells(), notebook.is_open), writes=False)

    async def insert(self, caller: Caller, worktree: Worktree, path: str, kind: str, source: str, after: str | None) -> Json:  # noqa: PLR0917
        """A new cell after another one; without one, at the beginning. The answer is the cell as it then stands there."""
        caller.require(Role.STEERER, "change notebooks")
        _check(source)

        def job(notebook: Notebook) -> Json:
            cells = notebook.cells()
            index = 0 if after is None else _index(cells, after) + 1
            name = self._new_id()
            notebook.insert(index, notebooks.new_cell(name, kind, source))
            return _cell(notebook, name)

        return await self._do(worktree, path, job, by=caller)

    async def edit(self, caller: Caller, worktree: Worktree, path: str, cell_id: str, seen: str, source: str) -> Json:  # noqa: PLR0917
        """Give a cell another source. Its outputs stay, as when a person types.

        Errors:
            CellNotFound. CellChanged: its source is not what `seen` says.
        """
        caller.require(Role.STEERER, "change notebooks")
        _check(source)

        def job(notebook: Notebook) -> Json:
            cells = notebook.cells()
            index = _index(cells, cell_id)
            _require_seen(cells[index], seen, path)
            notebook.set_source(index, source)
            return _cell(notebook, cell_id)

        return await self._do(worktree, path, job, by=caller)

    async def delete(self, caller: Caller, worktree: Worktree, path: str, cell_id: str, seen: str) -> Cells:  # noqa: PLR0917
        """Take a cell out. The answer is the cells that are left. Errors are those of `edit`."""
        caller.require(Role.STEERER, "change notebooks")

        def job(notebook: Notebook) -> Cells:
            cells = notebook.cells()
            index = _index(cells, cell_id)
            _require_seen(cells[index], seen, path)
            notebook.delete(index)
            return notebook.cells()

        return await self._do(worktree, path, job, by=caller)

    async def cell(self, worktree: Worktree, path: str, cell_id: str, seen: str) -> Json:
        """One that is to be run. Errors are those of `edit`."""

        def job(notebook: Notebook) -> Json:
            cells = notebook.cells()
            cell = cells[_index(cells, cell_id)]
            _require_seen(cell, seen, path)
            return cell

        return await self._do(worktree, path, job, writes=False)

    async def put_outputs(
        self, worktree: Worktree, path: str, cell_id: str, outputs: Cells, count: int | None, *, is_running: bool
    ) -> Json | None:
        """Where a run's outputs belong. While it runs, only people who have the notebook open see them; its file gets them at the end.

        `None`: the cell is gone, or not written yet.
        """
        file = file_of(worktree, path)
        if is_running and await self._jupyter.get_document(file) is None:
            return None

        def job(notebook: Notebook) -> Json | None:
            cells = notebook.cells()
            index = next((number for number, cell in enumerate(cells) if cell["id"] == cell_id), None)
            if index is None or cells[index]["cell_type"] != "code":
                return None
            notebook.set_outputs(index, outputs, count, is_running=is_running)
            return _cell(notebook, cell_id)

        return await self._do(worktree, path, job)

    async def _do(
        self, worktree: Worktree, path: str, job: Callable[[Notebook], _T], *, writes: bool = True, by: Caller | None = None
    ) -> _T:
        """Run `job` on the live document; without one, on the file, again where somebody else wrote it meanwhile."""
        _require_files(worktree)
        files.check(path)
        root, file = Path(worktree.path), file_of(worktree, path)
        lock = self._locks.setdefault(file, asyncio.Lock())
        async with lock:
            for _ in range(_TRIES):
                before = await asyncio.to_thread(files.read, root, path)  # also of one that is open: it is no link
                document = await self._jupyter.get_document(file)
                if document is not None:
                    answer = job(document)
                    if by is not None:
                        await self._jupyter.show(file, by.person)
                    return answer
                notebook = FileNotebook(_parse(path, before))
                answer = job(notebook)
                if not writes:
                    return answer
                text = await asyncio.to_thread(notebooks.dump, notebook.notebook)
                if await asyncio.to_thread(lambda new: files.replace(root, path, new, expected=before), text.encode()):  # noqa: B023 awaited here
                    return answer
        raise errors.NotebookBusy(path, "its file is being written all the time")


def file_of(worktree: Worktree, path: str) -> Path:
    return Path(worktree.path) / path


def as_read(cell: Json, limit: int) -> NotebookCell:
    """A cell for an agent: its outputs together have about `limit` characters."""
    outputs = cell.get("outputs") or []
    each = limit // max(1, min(len(outputs), 20))
    shown = [notebooks.shown(one, each) for one in outputs[:20]]
    if len(outputs) > len(shown):
        shown.append({"kind": "note", "text": f"{len(outputs) - len(shown)} more outputs are left out."})
    count = cell.get("execution_count")
    return NotebookCell(
        id=cell["id"],
        cell_type=cell["cell_type"],
        source=cell["source"],
        seen=notebooks.seen(cell),
        execution_count=count if isinstance(count, int) else None,
        outputs=shown,
    )


def _parse(path: str, content: bytes) -> Json:
    try:
        return notebooks.parse(content.decode())
    except UnicodeDecodeError as error:
        raise errors.BadNotebook(path, f"it is no UTF-8 text (byte {error.start})") from None
    except Unreadable as error:
        raise errors.BadNotebook(path, str(error)) from None


def _index(cells: list[Json], cell_id: str) -> int:
    for index, cell in enumerate(cells):
        if cell["id"] == cell_id:
            return index
    raise errors.CellNotFound(cell_id, [cell["id"] for cell in cells])


def _cell(notebook: Notebook, cell_id: str) -> Json:
    cells = notebook.cells()
    return cells[_index(cells, cell_id)]


def _require_seen(cell: Json, seen: str, path: str) -> None:
    if notebooks.seen(cell) != seen:
        raise errors.CellChanged(cell["id"], path)


def _check(source: str) -> None:
    if len(source) > MAX_SOURCE:
        raise errors.BadRequest([f"source: a cell may have {MAX_SOURCE} characters"])


def _require_files(worktree: Worktree) -> None:
    if worktree.state is not WorktreeState.READY:
        raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
