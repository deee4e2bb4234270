"""What is wrong with the server's machine, and what is fine."""

from agor_jupyter.domain.repos import Check
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Check]:
    """Check the server's machine: git, disk space, the sandbox, the agents."""
    return await call.agor.check()
