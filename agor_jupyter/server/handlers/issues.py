"""What a worktree's links lead to."""

from agor_jupyter.domain.issues import Issue, PullRequest
from agor_jupyter.server.operations import Call, operation


@operation()
async def issue(call: Call, worktree: str) -> Issue | PullRequest:
    """Read the issue that a worktree links to; a copy that is not old is enough."""
    return await call.agor.issues.issue(call.caller, await call.agor.worktrees.get(worktree))


@operation()
async def pull_request(call: Call, worktree: str) -> PullRequest:
    """Read the pull request that a worktree links to; a copy that is not old is enough."""
    return await call.agor.issues.pull_request(call.caller, await call.agor.worktrees.get(worktree))
