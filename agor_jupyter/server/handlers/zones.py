"""Zones: what they do, and bringing cards to them."""

from agor_jupyter.domain.boards import BoardEntry
from agor_jupyter.domain.ids import ObjectId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.zones import ZoneChange, ZoneDrop, ZoneDropped, ZonePreview, ZoneTrial
from agor_jupyter.server.handlers.boards import BoardQuery
from agor_jupyter.server.operations import Call, operation


@operation(Role.STEERER)
async def change(call: Call, object_id: ObjectId, query: BoardQuery, body: ZoneChange) -> BoardEntry:
    """Change a zone's name, color or policy."""
    return await call.agor.zones.change(call.caller, query.path, object_id, body)


@operation(Role.STEERER)
async def drop(call: Call, worktree: str, body: ZoneDrop) -> ZoneDropped:
    """Bring a worktree's card to a zone, or out of any; the zone's policy says what starts."""
    return await call.agor.zones.drop(call.caller, worktree, body, call.key)


@operation()
async def preview(call: Call, worktree: str, body: ZoneTrial) -> ZonePreview:
    """Say what bringing a card to a zone would do right now. Nothing is changed."""
    return await call.agor.zones.preview(call.caller, worktree, body, body.policy)
