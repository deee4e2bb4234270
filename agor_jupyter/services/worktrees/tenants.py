"""Who else lives in a worktree's folder: agents, the sandbox they work in, and its environment. Worktrees ask them before a folder goes."""

from typing import Protocol

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.git.sandbox.inside import UnderWay


class Tenants(Protocol):
    async def are_busy(self, worktree_id: WorktreeId) -> bool:
        """Whether an agent works there, or a prompt waits to. If not, agents at rest there are stopped: their folder is about to go."""

    async def halt(self, worktree_id: WorktreeId) -> None:
        """Its folder is about to go, which is decided: its environment is stopped, and its ports are given back."""

    async def leave(self, worktree_id: WorktreeId) -> None:
        """Its folder is out of its place, in order: what was made for agents there goes too."""

    async def move(self, worktree_id: WorktreeId) -> None:
        """Its folder is another one: what was made for the old one is out of date."""

    async def under_way(self, worktree_id: WorktreeId, entry: str) -> UnderWay | None:
        """What an agent has under way in the sandbox of a worktree. `entry` is the name that git has for it."""

    async def hide(self, mask: Mask, worktree_id: WorktreeId) -> None:
        """Add to `mask` the secrets that agents may have written into files there."""


class NoTenants:
    """Where no agents run."""

    async def are_busy(self, worktree_id: WorktreeId) -> bool:  # noqa: ARG002
        return False

    async def halt(self, worktree_id: WorktreeId) -> None:
        pass

    async def leave(self, worktree_id: WorktreeId) -> None:
        pass

    async def move(self, worktree_id: WorktreeId) -> None:
        pass

    async def under_way(self, worktree_id: WorktreeId, entry: str) -> UnderWay | None:  # noqa: ARG002
        return None

    async def hide(self, mask: Mask, worktree_id: WorktreeId) -> None:
        pass
