"""Tasks that outlive the call that started them. None is lost: shutdown cancels and awaits them all."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel them, and wait until all have ended, however they do."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Tasks:
    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guard(work, name), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before it began, nobody has awaited it
        return task

    async def _guard(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:
            log.exception("%s failed", name)

    async def settled(self) -> None:
        """Wait until those that run now have ended."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        await end(*self._running)
