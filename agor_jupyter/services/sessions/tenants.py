"""Agents and environments as the tenants of worktrees: whether they are busy there, and what is done before their folder goes."""

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.git.sandbox.inside import UnderWay
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.environments.databases import Databases
from agor_jupyter.services.environments.environments import Environments
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.worktrees.sandboxes import Sandboxes
from agor_jupyter.storage import sessions, turns
from agor_jupyter.storage.store import Store


class AgentTenants:
    """As `worktrees.tenants.Tenants`."""

    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        runner: Runner,
        variables: Variables,
        sandboxes: Sandboxes,
        environments: Environments,
        databases: Databases,
    ) -> None:
        self._store, self._runner, self._variables, self._sandboxes = store, runner, variables, sandboxes
        self._environments, self._databases = environments, databases

    async def are_busy(self, worktree_id: WorktreeId) -> bool:
        """Whether a turn is open or waits there, or an agent works in the background."""
        here = await self._store.read(sessions.of_worktree, worktree_id)
        if await self._store.read(turns.has_live, worktree_id) or any(session.background for session in here):
            return True
        await self._runner.dismiss([session.id for session in here])
        return False

    async def halt(self, worktree_id: WorktreeId) -> None:
        await self._environments.halt(worktree_id)

    async def leave(self, worktree_id: WorktreeId) -> None:
        await self._environments.forget(worktree_id)
        await self._databases.drop_all(worktree_id)
        await self._sandboxes.forget(worktree_id)

    async def move(self, worktree_id: WorktreeId) -> None:
        """Agents at rest there and their sandbox know a folder that is gone: both begin anew with the next turn."""
        await self._environments.halt(worktree_id)
        await self._runner.dismiss([session.id for session in await self._store.read(sessions.of_worktree, worktree_id)])
        await self._sandboxes.forget(worktree_id)

    async def under_way(self, worktree_id: WorktreeId, entry: str) -> UnderWay | None:
        return await self._sandboxes.under_way(worktree_id, entry)

    async def hide(self, mask: Mask, worktree_id: WorktreeId) -> None:
        await self._variables.hide(mask, worktree_id)
