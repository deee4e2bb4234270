"""What a worktree has for itself, from a cell: databases, folders, variables."""

from agor_jupyter.domain.data import DataItem
from agor_jupyter.notebook.handles import Handles, columns
from agor_jupyter.notebook.link import Link


class Data(Handles[DataItem]):
    """The data of one worktree by name, with sizes. `worktree.data.reset("warehouse")` makes it anew."""

    def __init__(self, link: Link, worktree_id: str) -> None:
        found = [DataItem.model_validate(item) for item in link.items(f"worktrees/{worktree_id}/data")]
        super().__init__("data", found, columns, lambda one: one.name, _line, kind=DataItem)
        self._link, self._worktree_id = link, worktree_id

    def reset(self, name: str) -> DataItem:
        """Make it anew, from its source or empty. Stop what uses it first.

        Errors:
            DataNotFound, DataFailed, WorktreeNotReady.
        """
        return DataItem.model_validate(self._link.post(f"worktrees/{self._worktree_id}/data/{name}/reset"))


def _line(one: DataItem) -> str:
    size = "" if one.size_bytes is None else f", {one.size_bytes:,} bytes"
    return f"{one.name}: {one.kind}, {one.state}{size}"
