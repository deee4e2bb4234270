"""Wakes the sessions whose parked turn is due. What is due when stands in the table; a restart loses nothing."""

import asyncio
import contextlib
import heapq
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from agor_jupyter.domain.events import TurnChanged
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.events import Events
from agor_jupyter.services.tasks import end
from agor_jupyter.storage import turns
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

_LOOK_S = 30.0
"""The machine may sleep, and its clock may be set: look at least this often."""


class Parking:
    def __init__(self, store: Store, clock: Clock, events: Events, wake: Callable[[SessionId], None]) -> None:
        self._store, self._clock, self._events, self._wake = store, clock, events, wake
        self._due: list[tuple[datetime, SessionId]] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        self._unsubscribe = self._events.subscribe(TurnChanged, lambda change, _: self._note(change.turn))
        for turn in await self._store.read(turns.all_parked):
            self._note(turn)
        self._task = asyncio.create_task(self._run(), name="parking")

    async def close(self) -> None:
        self._unsubscribe()
        if self._task is not None:
            await end(self._task)

    def _note(self, turn: Turn) -> None:
        """A turn was parked, or its next attempt moved. A session that is woken for nothing goes to sleep again."""
        if turn.state is TurnState.PARKED and turn.retry_at is not None:
            heapq.heappush(self._due, (turn.retry_at, turn.session_id))
            self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            now = self._clock.now()
            while self._due and self._due[0][0] <= now:
                self._wake(heapq.heappop(self._due)[1])
            left = (self._due[0][0] - now) / timedelta(seconds=1) if self._due else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if left is None else min(left + 0.001, _LOOK_S)):
                    await self._changed.wait()
