"""Data of a worktree."""

from agor_jupyter.domain.data import DataItem
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call, worktree: str) -> list[DataItem]:
    """List what a worktree has for itself: databases, folders, variables, with their sizes."""
    return await call.agor.data.list(call.caller, worktree)


@operation(Role.STEERER)
async def reset(call: Call, worktree: str, name: str) -> DataItem:
    """Make one of a worktree's databases or folders anew, from its source or empty."""
    return await call.agor.data.reset(call.caller, worktree, name, call.key)
