"""What agents obey of a worktree's files, and which of it is trusted."""

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.trust import ProjectFile, Trust, TrustRequest
from agor_jupyter.server.operations import Call, operation


@operation(Role.OWNER)
async def index(call: Call, worktree: WorktreeId) -> list[ProjectFile]:
    """Read what agents would obey of a worktree."""
    return await call.agor.trusts.list(worktree)


@operation(Role.OWNER)
async def decide(call: Call, worktree: WorktreeId, body: TrustRequest) -> list[Trust]:
    """Trust files of a worktree, or refuse to, as they were read."""
    return await call.agor.trusts.decide(call.caller, worktree, body, call.key)
