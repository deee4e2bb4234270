"""One task for each thing that may have something to do. Poked while it works, it looks once more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from agor_jupyter.domain import errors
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

PAUSES_S = (0.2, 2.0, 10.0)
"""Before each further attempt at what failed; the last of them counts for all that follow."""


class Pokes(Generic[K]):
    def __init__(self, work: Callable[[K], Awaitable[None]]) -> None:
        self._work = work
        self._tasks: dict[K, asyncio.Task[None]] = {}
        self._again: set[K] = set()
        self._is_closing = False

    def poke(self, key: K) -> None:
        """There may be something to do."""
        if self._is_closing:
            return
        if key in self._tasks:
            self._again.add(key)
            return
        task = asyncio.create_task(self._run(key), name=f"zones {key}")
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._left(key))

    async def settled(self, key: K, timeout_s: float) -> None:
        """Wait until nothing more is to do for it, or for so long."""
        if (task := self._tasks.get(key)) is not None:
            await asyncio.wait({task}, timeout=timeout_s)

    async def close(self) -> None:
        """What was in the middle of something is looked at again when the server starts."""
        self._is_closing = True
        await end(*self._tasks.values())

    async def _run(self, key: K) -> None:
        failures = 0
        while True:
            self._again.discard(key)
            try:
                await self._work(key)
            except Exception as error:  # noqa: BLE001  # a database that is busy or full; and a bug must not stop a zone for ever
                (log.warning if isinstance(error, errors.Unavailable) else log.exception)("Zones could not go on with %s: %s", key, error)
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
            else:
                if key not in self._again:
                    return

    def _left(self, key: K) -> None:
        del self._tasks[key]
        if key in self._again:
            self._again.discard(key)
            self.poke(key)
