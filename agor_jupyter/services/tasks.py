"""Tasks that outlive the call that started them. None is lost: shutdown cancels and awaits them all."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from agor_jupyter.domain import errors

log = logging.getLogger(__name__)

_TROUBLE_S = 5.0


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


class Timer:
    """Calls `look` for what is due: at once, then after the seconds that it returned, or as soon as it is woken."""

    def __init__(self, look: Callable[[], Awaitable[float]], what: str) -> None:
        """`what` waits, as the log says it, while `look` fails. It is called again after 5 s."""
        self._look, self._what = look, what
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._what)

    def wake(self) -> None:
        """Something else may be due."""
        self._woken.set()

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                pause_s = await self._look()
            except Exception as error:  # noqa: BLE001  # a database that is busy or full; and a bug must not stop it for ever
                (log.warning if isinstance(error, errors.Unavailable) else log.exception)("%s wait: %s", self._what.capitalize(), error)
                pause_s = _TROUBLE_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
