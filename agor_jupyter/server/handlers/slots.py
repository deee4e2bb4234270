"""Slots of schedules: what was, and what will be."""

from pydantic import Field

from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Moment, Request
from agor_jupyter.domain.slots import Calendar, Slot
from agor_jupyter.server.operations import Call, operation


class CalendarQuery(Request):
    board: str | None = None
    """Its path. Default: all."""
    since: Moment = Field(alias="from")
    until: Moment = Field(alias="to")
    """At most 62 days after `from`."""


@operation()
async def calendar(call: Call, query: CalendarQuery) -> Calendar:
    """List the slots of a span of time, and the moments that will come."""
    return await call.agor.schedules.calendar(query.board, query.since, query.until)


@operation()
async def get(call: Call, slot: str) -> Slot:
    """Get a slot."""
    return await call.agor.schedules.slot(slot)


@operation(Role.STEERER)
async def cancel(call: Call, slot: str) -> Slot:
    """Stop a slot."""
    return await call.agor.schedules.cancel(call.caller, slot)
