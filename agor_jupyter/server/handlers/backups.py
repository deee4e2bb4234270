"""Backups: removed worktrees of which everything is kept for a while. They are restored as archived worktrees are."""

from agor_jupyter.domain.archives import Backup
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Backup]:
    """List the removed worktrees that can still be restored."""
    return await call.agor.worktrees.archives.backups.list()
