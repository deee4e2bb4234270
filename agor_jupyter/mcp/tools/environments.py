"""Tools about the environments of worktrees: their services, and what these write."""

from pydantic import Field

from agor_jupyter.domain.environments import Name
from agor_jupyter.mcp.paging import Choosing, chosen
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("worktree_id", "worktree", "state", "variant", "services", "ports", "links", "reason", "notices", "needs_trust")
MAX_LOG = 50_000


class Which(Choosing):
    worktree_id: str
    """Id or name of the worktree."""


class Steer(Input):
    worktree_id: str
    """Id or name of the worktree."""
    services: list[Name] = Field(default_factory=list, max_length=20)
    """Names. Default: all."""


class Logs(Input):
    worktree_id: str
    """Id or name of the worktree."""
    service: Name | None = None
    """Default: the first one."""
    max_characters: int = Field(default=10_000, ge=1, le=MAX_LOG)
    """Of the end of the log."""


async def _get(engine: Delegation, request: Which) -> object:
    return chosen(await engine.places.environment(request.worktree_id), request, _SHOWN)


async def _start(engine: Delegation, request: Steer) -> object:
    return chosen(await engine.places.steer_environment(request.worktree_id, "start", request.services), Choosing(), _SHOWN)


async def _stop(engine: Delegation, request: Steer) -> object:
    return chosen(await engine.places.steer_environment(request.worktree_id, "stop", request.services), Choosing(), _SHOWN)


async def _logs(engine: Delegation, request: Logs) -> object:
    name, text = await engine.places.environment_log(request.worktree_id, request.service)
    return {"service": name, "text": text[-request.max_characters :], "is_cut": len(text) > request.max_characters}


TOOLS = (
    Tool(
        name="environment_get",
        description="The environment of a worktree: its services with their states and ports, and what can be opened.",
        input=Which,
        run=_get,
        reads_only=True,
    ),
    Tool(
        name="environment_start",
        description=(
            "Start the services of a worktree that you may change, or some with what they depend on. Returns at once: look with "
            "environment_get. An owner has to have started it in this worktree before."
        ),
        input=Steer,
        run=_start,
        reads_only=False,
    ),
    Tool(
        name="environment_stop",
        description="Stop the services of a worktree that you may change, or some. An owner has to have started it before.",
        input=Steer,
        run=_stop,
        reads_only=False,
    ),
    Tool(
        name="environment_logs",
        description="The end of what a service of a worktree wrote.",
        input=Logs,
        run=_logs,
        reads_only=True,
    ),
)
