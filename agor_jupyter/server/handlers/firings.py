"""Firings: what zones did and do, and what people decide about it."""

from pydantic import Field

from agor_jupyter.domain.ids import FiringId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.domain.zones import Firing, FiringStart, FiringVerdict
from agor_jupyter.server.operations import Call, operation


class FiringQuery(Request):
    board: str | None = None
    """Its path."""
    zone: str | None = None
    worktree: str | None = None
    live: bool | None = None
    """True: only those that are not over. False: only those that are."""
    after: str | None = None
    """Id of the last firing of the page before."""
    limit: int = Field(default=50, ge=1, le=500)


@operation(answers=list[Firing])
async def index(call: Call, query: FiringQuery) -> bytes:
    """List firings of zones, newest first."""
    return await call.agor.firings.list(
        board=query.board, zone=query.zone, worktree=query.worktree, is_live=query.live, after=query.after, limit=query.limit
    )


@operation()
async def get(call: Call, firing: FiringId) -> Firing:
    """Get a firing."""
    return await call.agor.firings.get(firing)


@operation(Role.STEERER)
async def start(call: Call, firing: FiringId, body: FiringStart) -> Firing:
    """Say yes to a firing that asks, perhaps with another prompt or receiver."""
    return await call.agor.firings.start(call.caller, firing, body, call.key)


@operation(Role.STEERER)
async def approve(call: Call, firing: FiringId) -> Firing:
    """Let a card move on."""
    return await call.agor.firings.approve(call.caller, firing, call.key)


@operation(Role.STEERER)
async def reject(call: Call, firing: FiringId) -> Firing:
    """Reject a card that waits for approval; it goes where failed cards go, or stays."""
    return await call.agor.firings.reject(call.caller, firing, call.key)


@operation(Role.STEERER)
async def retry(call: Call, firing: FiringId) -> Firing:
    """Run a zone again for a card that still lies in it."""
    return await call.agor.firings.retry(call.caller, firing, call.key)


@operation(Role.STEERER)
async def withdraw(call: Call, firing: FiringId) -> Firing:
    """Take a card back: what waits is withdrawn, what runs is cancelled, and the card returns."""
    return await call.agor.firings.withdraw(call.caller, firing, call.key)


@operation(Role.STEERER)
async def verdict(call: Call, firing: FiringId, body: FiringVerdict) -> Firing:
    """Answer a gate that is a Python function."""
    return await call.agor.firings.verdict(call.caller, firing, body, call.key)
