"""A limit on how many do something at the same time. First come, first served."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from agor_jupyter.domain.ids import SessionId


class Slots:
    """`on_move` is called whenever somebody comes into the line, moves up in it or leaves it."""

    def __init__(self, count: int, on_move: Callable[[], None] = lambda: None) -> None:
        self.count = count
        self._free = count
        self._waiters: deque[tuple[asyncio.Future[None], SessionId | None]] = deque()
        self._on_move = on_move

    @property
    def taken(self) -> int:
        return self.count - self._free

    @property
    def line(self) -> list[SessionId]:
        """Who waits, the next one first."""
        return [who for waiter, who in self._waiters if who is not None and not waiter.done()]

    @property
    def is_full(self) -> bool:
        return self._free <= 0

    async def acquire(self, who: SessionId | None = None, *, is_first: bool = False) -> None:
        """Wait for one. `is_first`: before all who wait already."""
        if self._free > 0 and not self._waiters:
            self._free -= 1
            return
        entry = asyncio.get_running_loop().create_future(), who
        if is_first:
            self._waiters.appendleft(entry)
        else:
            self._waiters.append(entry)
        self._on_move()
        try:
            await entry[0]
        except asyncio.CancelledError:
            if entry[0].done() and not entry[0].cancelled():
                self.release()  # it was given in the same moment
            elif entry in self._waiters:  # unless it was passed over meanwhile
                self._waiters.remove(entry)
                self._on_move()
            raise

    def take(self) -> None:
        """Have one without waiting, beyond the limit if need be: for the moment in which it is given back."""
        self._free -= 1

    def release(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiters:
            waiter, _ = self._waiters.popleft()
            if not waiter.done():
                self._free -= 1
                waiter.set_result(None)
            self._on_move()

    @asynccontextmanager
    async def held(self, who: SessionId | None = None) -> AsyncIterator[None]:
        await self.acquire(who)
        try:
            yield
        finally:
            self.release()
