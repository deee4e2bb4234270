"""Sees that a moment of a schedule has come: one timer for the next of them all, found by an index, however many schedules there are.

It believes the clock of the machine, and looks at it often enough to notice that it was set: when it went forward, or the machine slept,
what passed meanwhile is late; when it went back, what comes next is reckoned again. A moment has one slot, whatever the clock does.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from agor_jupyter.domain.events import ScheduleChanged
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.events import Events
from agor_jupyter.services.schedules import slots
from agor_jupyter.services.tasks import Timer
from agor_jupyter.storage import schedules
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

LOOK_S = 30.0
"""The longest sleep: so late it is noticed that the clock was set."""
_BATCH = 100
_BACK = timedelta(seconds=60)
"""A clock that is set back by less changes nothing."""


class Planner:
    def __init__(self, store: Store, clock: Clock, events: Events) -> None:
        self._store, self._clock, self._events = store, clock, events
        self._timer = Timer(self.look, "schedules")
        self._until_ms: int | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        self._unsubscribe = self._events.subscribe(ScheduleChanged, lambda body, _: self._hear(body.schedule))
        self._timer.start()

    async def close(self) -> None:
        self._unsubscribe()
        await self._timer.close()

    async def look(self) -> float:
        """Plan what is due. Returns the seconds until there may be more."""
        while True:
            now = self._clock.now()
            if ahead := await self._store.read(schedules.reckoned_after, now + _BACK, _BATCH):
                log.warning("The clock went back: the next times of %d schedules are reckoned again", len(ahead))
                await self._store.write(slots.reckon, ahead, now)
            due = await self._store.read(schedules.due, now, _BATCH)
            if due:
                crash_point("slot.due")
                await self._store.write(slots.plan, due, now)
                crash_point("slot.planned")
            if len(due) < _BATCH and len(ahead) < _BATCH:
                break
        soonest = self._until_ms = await self._store.read(schedules.soonest)
        if soonest is None:
            return LOOK_S
        return min(max(soonest / 1000 - self._clock.now().timestamp(), 0.001), LOOK_S)

    def _hear(self, schedule: Schedule) -> None:
        """One that is due sooner than all others wakes it."""
        if schedule.next_at is not None and (self._until_ms is None or schedules.milliseconds(schedule.next_at) < self._until_ms):
            self._timer.wake()
