"""What somebody sees over MCP of a worktree's notebooks, and may do to them."""

from typing import Protocol

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.documents.notebooks import Json
from agor_jupyter.domain import errors
from agor_jupyter.domain.notebooks import CellRun, NotebookCell, NotebookFile
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.notebooks.notebooks import as_read
from agor_jupyter.services.sessions.means import Means

NotebookFiles = list[NotebookFile]
NotebookCells = list[NotebookCell]
CellIds = list[str]
_SHORT = 200


class Viewer(Protocol):
    """Whose view it is: a delegation."""

    caller: Caller
    mask: Mask

    async def worktree(self, worktree_id: str) -> Worktree: ...

    async def require_changing(self, worktree: Worktree, action: str) -> None: ...

    async def agree_to_run(self, worktree: Worktree, path: str, cell: Json, kernel: str) -> None: ...


class Notebooks:
    """Each takes a worktree's id or name, and a path below it.

    Errors of each:
        WorktreeNotFound: there is none, or the viewer does not see it. NotAllowed: it may not change it.
        BadPath, NotebookNotFound, BadNotebook: it is no notebook there.
    """

    def __init__(self, means: Means, viewer: Viewer) -> None:
        self._means, self._viewer = means, viewer

    async def list(self, worktree_id: str) -> NotebookFiles:
        return await self._means.notebooks.list(self._viewer.caller, await self._viewer.worktree(worktree_id))

    async def read(self, worktree_id: str, path: str, limit: int) -> tuple[NotebookCells, bool]:
        """Its cells, each with about `limit` characters of outputs, and whether people have it open."""
        cells, is_open = await self._means.notebooks.read(self._viewer.caller, await self._viewer.worktree(worktree_id), path)
        return [self._masked(as_read(cell, limit)) for cell in cells], is_open

    async def insert(self, worktree_id: str, path: str, kind: str, source: str, after: str | None) -> NotebookCell:
        """As it stands there then."""
        worktree = await self._changing(worktree_id)
        return self._masked(as_read(await self._means.notebooks.insert(self._viewer.caller, worktree, path, kind, source, after), _SHORT))

    async def edit(self, worktree_id: str, path: str, cell_id: str, seen: str, source: str) -> NotebookCell:
        """As it stands there then. Raises `CellNotFound` and `CellChanged`."""
        worktree = await self._changing(worktree_id)
        cell = await self._means.notebooks.cell(worktree, path, cell_id, seen)
        if self._viewer.mask.text(cell["source"]) != cell["source"]:
            raise errors.Conflict(f"The cell {cell_id[:80]!r} holds a secret that you are not shown. Leave it to a person.")
        return self._masked(as_read(await self._means.notebooks.edit(self._viewer.caller, worktree, path, cell_id, seen, source), _SHORT))

    async def delete(self, worktree_id: str, path: str, cell_id: str, seen: str) -> CellIds:
        """Ids of the cells that are left. Raises `CellNotFound` and `CellChanged`."""
        worktree = await self._changing(worktree_id)
        return [cell["id"] for cell in await self._means.notebooks.delete(self._viewer.caller, worktree, path, cell_id, seen)]

    async def run(  # noqa: PLR0917 what a run is
        self, worktree_id: str, path: str, cell_id: str, seen: str, timeout_s: float, limit: int
    ) -> CellRun:
        """Of a worktree that it may change, once a person has said yes. Raises `RunRefused`, and what `Runs.run` does."""
        worktree = await self._changing(worktree_id)

        async def agree(cell: Json, kernel: str) -> None:
            await self._viewer.agree_to_run(worktree, path, cell, kernel)

        found = await self._means.runs.run(self._viewer.caller, worktree, path, cell_id, seen, timeout_s, limit, agree)
        return CellRun.model_validate(self._viewer.mask.json(found.model_dump(mode="json", by_alias=False)))

    def _masked(self, cell: NotebookCell) -> NotebookCell:
        """Without the agent's secrets. Its `seen` stays that of what is there."""
        return NotebookCell.model_validate(self._viewer.mask.json(cell.model_dump(mode="json", by_alias=False)))

    async def _changing(self, worktree_id: str) -> Worktree:
        worktree = await self._viewer.worktree(worktree_id)
        await self._viewer.require_changing(worktree, "change")
        return worktree
