"""Tools about the zones of your board: bring a card to one, and see what that started."""

from pydantic import Field

from agor_jupyter.mcp.paging import Paged, page
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("id", "zone", "zone_id", "worktree_id", "arrival", "state", "waits_for", "reason", "prompt", "runs", "moved_to", "created_at")


class Drop(Input):
    worktree_id: str
    """Its id or its name."""
    zone: str | None = Field(max_length=200)
    """Id or name of a zone of the board. Null takes the card out of any zone."""


class Firings(Paged):
    worktree_id: str | None = None
    """Id or name: only of this worktree."""


async def _drop(engine: Delegation, request: Drop) -> object:
    dropped = await engine.move_card(request.worktree_id, request.zone)
    firing = dropped.firing
    return {
        "zone_id": dropped.zone_id,
        "arrival": dropped.arrival,
        "firing": None if firing is None else {"id": firing.id, "state": firing.state.value, "waits_for": firing.waits_for},
    }


async def _firings(engine: Delegation, request: Firings) -> object:
    return page(await engine.firings(request.worktree_id), request, _SHOWN)


TOOLS = (
    Tool(
        name="zone_drop",
        description=(
            "Bring a worktree's card to a zone of your board, exactly as dragging it does: what the zone is for starts. Into a zone that "
            "starts something only where it lets agents in, and never past a gate or a person's approval."
        ),
        input=Drop,
        run=_drop,
        reads_only=False,
    ),
    Tool(
        name="firing_list",
        description="What cards that arrived in the zones of your board started, and how it ended; the newest first.",
        input=Firings,
        run=_firings,
        reads_only=True,
    ),
)
