"""Tools about turns: what was asked, and what came of it."""

from pydantic import Field

from agor_jupyter.mcp.paging import Choosing, Paged, chosen, page
from agor_jupyter.mcp.tool import Tool
from agor_jupyter.services.sessions.delegation import Delegation

_LISTED = ("id", "number", "prompt", "state", "error", "files", "added", "deleted", "cost_usd", "seconds")
_SHOWN = (*_LISTED, "session_id", "worktree_id", "model", "commit_before", "commit_after", "created_by", "ended_at", "reports_on")
_MAX_PATCH = 100_000


class List(Paged):
    session_id: str


class Get(Choosing):
    turn_id: str
    max_characters: int = Field(default=0, ge=0, le=_MAX_PATCH)
    """Of its patch. 0: without."""


async def _list(engine: Delegation, request: List) -> object:
    return page(await engine.turns(request.session_id), request, _LISTED)


async def _get(engine: Delegation, request: Get) -> object:
    turn = chosen(await engine.turn(request.turn_id), request, _SHOWN)
    if not request.max_characters:
        return turn
    patch = await engine.patch(request.turn_id)
    return {**turn, "patch": patch.text[: request.max_characters], "is_cut": patch.is_cut or len(patch.text) > request.max_characters}


TOOLS = (
    Tool(
        name="turn_list",
        description="The turns of a session: what was asked, how each ended, what it changed and cost.",
        input=List,
        run=_list,
        reads_only=True,
    ),
    Tool(name="turn_get", description="One turn, with its patch if you want it.", input=Get, run=_get, reads_only=True),
)
