"""Which agents there are, whether they are installed and signed in, and installing them."""

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[AgentStatus]:
    """List the agents."""
    return call.agor.agents.list(await call.agor.variables.names(call.caller))


@operation()
async def get(call: Call, agent: str) -> AgentStatus:
    """Get one agent by its name."""
    return call.agor.agents.status(agent, await call.agor.variables.names(call.caller))


@operation(Role.STEERER)
async def check(call: Call, agent: str) -> AgentStatus:
    """Ask an agent's program for its version."""
    return await call.agor.agents.check(call.caller, agent, await call.agor.variables.names(call.caller))


@operation(Role.OWNER)
async def install(call: Call, agent: str) -> AgentStatus:
    """Install an agent's pinned package into the data folder."""
    return await call.agor.agents.install(call.caller, agent, await call.agor.variables.names(call.caller))
