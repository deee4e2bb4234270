"""Turns: look at, cancel, and decide about one that was interrupted."""

from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.turns import Patch, Turn
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call, session: SessionId) -> list[Turn]:
    """List a session's turns in order."""
    return await call.agor.turns.list(session)


@operation()
async def get(call: Call, turn: TurnId) -> Turn:
    """Get a turn."""
    return await call.agor.turns.get(turn)


@operation()
async def patch(call: Call, turn: TurnId) -> Patch:
    """Get what a turn changed, uncommitted changes included."""
    return await call.agor.turns.patch(turn)


@operation(Role.STEERER)
async def cancel(call: Call, turn: TurnId) -> Turn:
    """Cancel a queued or running turn."""
    return await call.agor.turns.cancel(call.caller, turn, call.key)


@operation(Role.STEERER)
async def resume(call: Call, turn: TurnId) -> Turn:
    """Continue an interrupted or failed turn."""
    return await call.agor.turns.resume(call.caller, turn, call.key)


@operation(Role.STEERER)
async def retry(call: Call, turn: TurnId) -> Turn:
    """Send an interrupted or failed turn's prompt again, or retry a parked turn now."""
    return await call.agor.turns.retry(call.caller, turn, call.key)


@operation(Role.STEERER)
async def discard(call: Call, turn: TurnId) -> Turn:
    """Leave an interrupted turn as it is and continue with the queue."""
    return await call.agor.turns.discard(call.caller, turn, call.key)
