"""Environments of worktrees: their services, and what these write."""

from pydantic import Field

from agor_jupyter.domain.environments import Environment, EnvironmentCommand, LogChunk
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Record, Request
from agor_jupyter.server.operations import Call, operation


class LogQuery(Request):
    service: str | None = None
    """Its name. `None`: the first."""
    after: int | None = Field(default=None, ge=0)
    """Bytes since the log began: `next` of the part before. `None`: the end of what is there."""
    wait_s: float = Field(default=0.0, ge=0, le=30)
    """How long to wait until there is something."""


class LogDownload(Request):
    service: str | None = None
    """Its name. `None`: the first."""


class WholeLog(Record):
    """All that is kept of a service's log."""

    service: str
    text: str
    """With its ANSI colours."""


@operation(answers=list[Environment])
async def index(call: Call) -> bytes:
    """List environments that were ever started, the oldest worktree first."""
    return await call.agor.environments.list(call.caller)


@operation()
async def get(call: Call, worktree: str) -> Environment:
    """Get a worktree's environment, with what its services use now."""
    return await call.agor.environments.get(call.caller, worktree)


@operation(Role.OWNER)
async def start(call: Call, worktree: str, body: EnvironmentCommand) -> Environment:
    """Start an environment, or some of its services with what they depend on."""
    return await call.agor.environments.start(call.caller, worktree, body, call.key)


@operation(Role.OWNER)
async def stop(call: Call, worktree: str, body: EnvironmentCommand) -> Environment:
    """Stop an environment, or some of its services."""
    return await call.agor.environments.stop(call.caller, worktree, body, call.key)


@operation(Role.OWNER)
async def restart(call: Call, worktree: str, body: EnvironmentCommand) -> Environment:
    """Restart an environment, or some of its services."""
    return await call.agor.environments.restart(call.caller, worktree, body, call.key)


@operation(Role.OWNER)
async def reset(call: Call, worktree: str) -> Environment:
    """Stop an environment and run the commands that bring its data back to the beginning."""
    return await call.agor.environments.reset(call.caller, worktree, call.key)


@operation()
async def logs(call: Call, worktree: str, query: LogQuery) -> LogChunk:
    """Get a part of a service's log, or wait for it."""
    return await call.agor.environments.log(call.caller, worktree, query.service, query.after, query.wait_s)


@operation()
async def download(call: Call, worktree: str, query: LogDownload) -> WholeLog:
    """Get all that is kept of a service's log."""
    name, content = await call.agor.environments.whole_log(call.caller, worktree, query.service)
    return WholeLog(service=name, text=content.decode("utf-8", "replace"))
