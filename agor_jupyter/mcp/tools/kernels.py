"""Tools about kernels of worktrees."""

from agor_jupyter.mcp.paging import Choosing, chosen
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("worktree", "state", "spec_name", "display_name", "source", "step", "reason", "notices", "is_stale")


class Which(Input):
    worktree_id: str
    """Its id or its name."""


async def _get(engine: Delegation, request: Which) -> object:
    return chosen(await engine.places.kernel(request.worktree_id), Choosing(), _SHOWN)


TOOLS = (
    Tool(
        name="kernel_get",
        description="The kernel with a worktree's packages: whether it is there, and what notebooks call it.",
        input=Which,
        run=_get,
        reads_only=True,
    ),
)
