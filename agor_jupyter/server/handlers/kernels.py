"""Kernels of worktrees."""

from agor_jupyter.domain.kernels import Kernel, KernelMake
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Kernel]:
    """List the kernels of worktrees."""
    return await call.agor.kernels.list(call.caller)


@operation()
async def get(call: Call, worktree: str) -> Kernel:
    """Get the kernel of a worktree, and how far it is."""
    return await call.agor.kernels.get(call.caller, worktree)


@operation(Role.STEERER)
async def make(call: Call, worktree: str, body: KernelMake) -> Kernel:
    """Make the kernel of a worktree; the answer comes at once, and it is made in the background."""
    return await call.agor.kernels.make(call.caller, worktree, body)


@operation(Role.STEERER)
async def remove(call: Call, worktree: str) -> None:
    """Remove the kernel of a worktree, with its environment."""
    await call.agor.kernels.remove(call.caller, worktree)
