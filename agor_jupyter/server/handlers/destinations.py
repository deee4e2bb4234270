"""Destinations: where the caller hears of what needs them. No answer has an address in it."""

from agor_jupyter.domain.destinations import Destination, DestinationAdd, DestinationChange, DestinationTested
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Destination]:
    """List your own destinations."""
    return await call.agor.destinations.list(call.caller)


@operation(Role.STEERER)
async def add(call: Call, body: DestinationAdd) -> Destination:
    """Name a place that is told what needs a person."""
    return await call.agor.destinations.add(call.caller, body, call.key)


@operation(Role.STEERER)
async def change(call: Call, destination: str, body: DestinationChange) -> Destination:
    """Change one of your destinations."""
    changed = await call.agor.destinations.change(call.caller, destination, body)
    call.agor.outbox.wake()
    return changed


@operation(Role.STEERER)
async def remove(call: Call, destination: str) -> None:
    """Remove one of your destinations."""
    await call.agor.destinations.remove(call.caller, destination)


@operation(Role.STEERER)
async def test(call: Call, destination: str) -> DestinationTested:
    """Send a test message to one of your destinations."""
    return await call.agor.destinations.test(call.caller, destination)
