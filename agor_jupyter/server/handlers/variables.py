"""Variables: what the caller hands to the agents of their sessions. No answer has a value in it."""

from agor_jupyter.domain.people import Role
from agor_jupyter.domain.variables import Variable, VariableSet
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Variable]:
    """List the names of your own variables."""
    return await call.agor.variables.list(call.caller)


@operation(Role.STEERER)
async def change(call: Call, name: str, body: VariableSet) -> Variable:
    """Set one of your variables for the agents in your sessions."""
    return await call.agor.variables.set(call.caller, name, body)


@operation(Role.STEERER)
async def remove(call: Call, name: str) -> None:
    """Remove a variable of yours."""
    await call.agor.variables.remove(call.caller, name)
