"""Refusals: who tried what and was not allowed."""

from agor_jupyter.domain.people import Refusal, Role
from agor_jupyter.server.operations import Call, operation


@operation(Role.OWNER)
async def index(call: Call) -> list[Refusal]:
    """List the most recently refused commands, latest first."""
    return await call.agor.refusals.list(call.caller)
