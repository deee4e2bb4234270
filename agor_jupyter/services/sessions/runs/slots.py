"""A limit on how many do something at the same time. First come, first served."""

import asyncio
from bisect import insort
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from agor_jupyter.domain.ids import SessionId

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Waiter:
    given: asyncio.Future[None]
    who: SessionId | None
    since: datetime


class Slots:
    """`on_move` is called whenever somebody comes into the line, moves up in it or leaves it."""

    def __init__(self, count: int, on_move: Callable[[], None] = lambda: None) -> None:
        self.count = count
        self._free = count
        self._waiters: list[_Waiter] = []
        self._on_move = on_move

    @property
    def taken(self) -> int:
        return self.count - self._free

    @property
    def line(self) -> list[SessionId]:
        """Who waits, the next one first."""
        return [waiter.who for waiter in self._waiters if waiter.who is not None and not waiter.given.done()]

    @property
    def is_full(self) -> bool:
        return self._free <= 0

    async def acquire(self, who: SessionId | None = None, *, since: datetime = LAST) -> None:
        """Wait for one. `since`: when its turn in the line began; tasks that run side by side may ask in another order."""
        if self._free > 0 and not self._waiters:
            self._free -= 1
            return
        waiter = _Waiter(asyncio.get_running_loop().create_future(), who, since)
        insort(self._waiters, waiter, key=lambda one: one.since)
        self._on_move()
        try:
            await waiter.given
        except asyncio.CancelledError:
            if waiter.given.done() and not waiter.given.cancelled():
                self.release()  # it was given in the same moment
            elif waiter in self._waiters:  # unless it was passed over meanwhile
                self._waiters.remove(waiter)
                self._on_move()
            raise

    def take(self) -> None:
        """Have one without waiting, beyond the limit if need be: for the moment in which it is given back."""
        self._free -= 1

    def release(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiters:
            waiter = self._waiters.pop(0)
            if not waiter.given.done():
                self._free -= 1
                waiter.given.set_result(None)
            self._on_move()

    @asynccontextmanager
    async def held(self, who: SessionId | None = None, *, since: datetime = LAST) -> AsyncIterator[None]:
        await self.acquire(who, since=since)
        try:
            yield
        finally:
            self.release()
