"""What agents obey of a worktree's files, and which of it is trusted."""

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.trust import ProjectFile, Trust, TrustRequest
from agor_jupyter.server.operations import Call, operation


@operation(Role.OWNER)
async def index(call: Call, worktree: WorktreeId) -> list[ProjectFile]:
    """List a worktree's agent instruction files."""
    return await call.agor.trusts.list(worktree)


@operation(Role.OWNER)
async def decide(call: Call, worktree: WorktreeId, body: TrustRequest) -> list[Trust]:
    """Trust or refuse a worktree's files, with the content that was read."""
    return await call.agor.trusts.decide(call.caller, worktree, body, call.key)
