"""Which agents there are, and whether they are installed."""

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[AgentStatus]:
    """List the agents."""
    return call.agor.agents.list()


@operation()
async def get(call: Call, agent: str) -> AgentStatus:
    """Get one agent by its name."""
    return call.agor.agents.status(agent)
