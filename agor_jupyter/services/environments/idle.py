"""Stops environments that nobody uses: no command, no look at a log, and no connection to what it serves for a long time."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from datetime import timedelta

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import EnvironmentState
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.processes import listeners
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.environments.supervisor import Supervisor
from agor_jupyter.services.tasks import end

EVERY_S = 60.0
_LEFT_ALONE = frozenset({EnvironmentState.STOPPED, EnvironmentState.STOPPING, EnvironmentState.STARTING})


class Idle:
    def __init__(self, clock: Clock, limit: timedelta | None, supervisors: Mapping[WorktreeId, Supervisor]) -> None:
        self._clock, self._limit, self._supervisors = clock, limit, supervisors
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._limit is not None:
            self._task = asyncio.create_task(self._run(), name="environments that nobody uses")

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def look(self) -> None:
        """Stop those whose time is over."""
        assert self._limit is not None
        up = [one for one in self._supervisors.values() if one.record.state not in _LEFT_ALONE]
        if not up:
            return
        used = await asyncio.to_thread(listeners.connected)
        now = self._clock.monotonic()
        for one in up:
            if used & _served(one):
                one.used_at = now
            elif now - one.used_at >= self._limit.total_seconds():
                with contextlib.suppress(errors.Unavailable):  # the next look stops it
                    await one.halt(f"It was stopped because nobody had used it for {_in_words(self._limit)}. Start it again.")

    async def _run(self) -> None:
        assert self._limit is not None
        while True:
            await asyncio.sleep(min(EVERY_S, max(1.0, self._limit.total_seconds() / 4)))
            await self.look()


def _served(one: Supervisor) -> set[int]:
    """The ports that people open. What services say to each other is no use of them, if there are links."""
    names: Iterable[str] = [link.port for link in one.plan.links] or one.record.ports
    return {one.record.ports[name] for name in names if name in one.record.ports}


def _in_words(limit: timedelta) -> str:
    seconds = limit.total_seconds()
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:g} s"
