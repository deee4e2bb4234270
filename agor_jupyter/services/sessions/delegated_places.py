"""What somebody sees over MCP of what a worktree has for itself, and may do to it: its environment, its kernel, its data."""

import uuid
from typing import Literal, Protocol

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.data import DataItem
from agor_jupyter.domain.environments import Environment, EnvironmentCommand
from agor_jupyter.domain.kernels import Kernel
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.sessions.means import Means

Action = Literal["start", "stop"]


class Viewer(Protocol):
    """Whose view it is: a delegation."""

    caller: Caller
    mask: Mask

    async def worktree(self, worktree_id: str) -> Worktree: ...

    async def require_changing(self, worktree: Worktree, action: str) -> None: ...

    async def steer_environment(self, worktree: Worktree, action: Action, command: EnvironmentCommand) -> Environment: ...


class Places:
    """Environments, kernels and data of the worktrees that a viewer sees. Each takes a worktree's id or name.

    Errors of each:
        WorktreeNotFound: there is none, or the viewer does not see it.
    """

    def __init__(self, means: Means, viewer: Viewer) -> None:
        self._means, self._viewer = means, viewer

    async def environment(self, worktree_id: str) -> Environment:
        worktree = await self._viewer.worktree(worktree_id)
        return await self._means.environments.get(self._viewer.caller, worktree.id)

    async def steer_environment(self, worktree_id: str, action: Action, services: list[str]) -> Environment:
        """Start or stop these services, or all, of a worktree that it may change. Raises `NotAllowed`."""
        worktree = await self._viewer.worktree(worktree_id)
        await self._viewer.require_changing(worktree, "change")
        return await self._viewer.steer_environment(worktree, action, EnvironmentCommand(services=services))

    async def environment_log(self, worktree_id: str, service: str | None) -> tuple[str, str]:
        """The name of the service, and all that is kept of what it wrote, without colours and secrets."""
        worktree = await self._viewer.worktree(worktree_id)
        name, content = await self._means.environments.whole_log(self._viewer.caller, worktree.id, service)
        return name, self._viewer.mask.text(plain(content.decode("utf-8", "replace")))

    async def kernel(self, worktree_id: str) -> Kernel:
        return await self._means.kernels.get(self._viewer.caller, (await self._viewer.worktree(worktree_id)).id)

    async def data(self, worktree_id: str) -> list[DataItem]:
        return await self._means.data.list(self._viewer.caller, (await self._viewer.worktree(worktree_id)).id)

    async def reset_data(self, worktree_id: str, name: str) -> DataItem:
        """Of a worktree that it may change. Raises `NotAllowed`."""
        worktree = await self._viewer.worktree(worktree_id)
        await self._viewer.require_changing(worktree, "reset the data of")
        return await self._means.data.reset(self._viewer.caller, worktree.id, name, uuid.uuid4().hex)
