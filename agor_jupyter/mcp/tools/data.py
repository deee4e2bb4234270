"""Tools about what a worktree has for itself."""

from agor_jupyter.mcp.paging import Paged, page
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("name", "kind", "state", "path", "variable", "where", "size_bytes", "reason")


class List(Paged):
    worktree_id: str
    """Its id or its name."""


class Reset(Input):
    worktree_id: str
    """Its id or its name."""
    name: str
    """As data_list shows it."""


async def _list(engine: Delegation, request: List) -> object:
    return page(await engine.places.data(request.worktree_id), request, _SHOWN)


async def _reset(engine: Delegation, request: Reset) -> object:
    return (await engine.places.reset_data(request.worktree_id, request.name)).model_dump(mode="json", by_alias=False)


TOOLS = (
    Tool(
        name="data_list",
        description="What a worktree has for itself: databases, folders and variables, with their sizes in bytes.",
        input=List,
        run=_list,
        reads_only=True,
    ),
    Tool(
        name="data_reset",
        description="Make one of your worktree's databases or folders anew, from its source or empty. What was written into it is gone.",
        input=Reset,
        run=_reset,
        reads_only=False,
    ),
)
