"""Schedules: work that starts by itself."""

from pydantic import Field

from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.domain.schedules import NextTimes, Schedule, ScheduleChange, ScheduleCreate, ScheduleMade, TimesAsked
from agor_jupyter.domain.slots import Slot
from agor_jupyter.domain.times import ZoneName
from agor_jupyter.server.operations import Call, operation


class ScheduleQuery(Request):
    board: str | None = None
    """Its path."""


class TimesQuery(Request):
    zone: ZoneName | None = None
    """Of the person. Default: that of the schedule."""
    count: int = Field(default=5, ge=1, le=50)


class SlotQuery(Request):
    live: bool | None = None
    """True: only those that are not over. False: only those that are."""
    after: str | None = None
    """Id of the last slot of the page before."""
    limit: int = Field(default=50, ge=1, le=500)


@operation(answers=list[Schedule])
async def index(call: Call, query: ScheduleQuery) -> bytes:
    """List schedules, by name."""
    return await call.agor.schedules.list(query.board)


@operation(Role.STEERER)
async def create(call: Call, body: ScheduleCreate) -> ScheduleMade:
    """Create a schedule."""
    return await call.agor.schedules.create(call.caller, body, call.key)


@operation()
async def preview(call: Call, body: TimesAsked) -> NextTimes:
    """Say when a plan would come next."""
    return call.agor.schedules.preview(body)


@operation()
async def get(call: Call, schedule: str) -> Schedule:
    """Get a schedule."""
    return await call.agor.schedules.get(schedule)


@operation(Role.STEERER)
async def change(call: Call, schedule: str, body: ScheduleChange) -> ScheduleMade:
    """Change a schedule; from now on it acts in the caller's name."""
    return await call.agor.schedules.change(call.caller, schedule, body)


@operation(Role.STEERER)
async def remove(call: Call, schedule: str) -> Schedule:
    """Remove a schedule; its slots stay."""
    return await call.agor.schedules.remove(call.caller, schedule)


@operation()
async def next_times(call: Call, schedule: str, query: TimesQuery) -> NextTimes:
    """Say when a schedule comes next."""
    return await call.agor.schedules.next_times(schedule, query.count, query.zone)


@operation(answers=list[Slot])
async def of_schedule(call: Call, schedule: str, query: SlotQuery) -> bytes:
    """List the slots of a schedule, newest first."""
    return await call.agor.schedules.slots(schedule=schedule, is_live=query.live, after=query.after, limit=query.limit)


@operation(Role.STEERER)
async def run(call: Call, schedule: str) -> Slot:
    """Run a schedule now."""
    return await call.agor.schedules.run(call.caller, schedule, call.key)


@operation(Role.STEERER)
async def pause(call: Call, schedule: str) -> Schedule:
    """Let nothing of a schedule start."""
    return await call.agor.schedules.pause(call.caller, schedule)


@operation(Role.STEERER)
async def resume(call: Call, schedule: str) -> Schedule:
    """Let a schedule go on."""
    return await call.agor.schedules.resume(call.caller, schedule)


@operation(Role.STEERER)
async def approve(call: Call, schedule: str) -> Schedule:
    """Say yes to a schedule that an agent made."""
    return await call.agor.schedules.approve(call.caller, schedule)


@operation(Role.STEERER)
async def reject(call: Call, schedule: str) -> Schedule:
    """Say no to a schedule that an agent made."""
    return await call.agor.schedules.reject(call.caller, schedule)


@operation(Role.STEERER)
async def renew_secret(call: Call, schedule: str) -> ScheduleMade:
    """Give the address of a schedule another secret."""
    return await call.agor.schedules.renew_secret(call.caller, schedule)
