"""Looks after services that are healthy: now and then one reading of the kernel's table of listeners for all of them, and of each the
number of its processes.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from agor_jupyter.processes.listeners import Listener
from agor_jupyter.services.environments.readiness import Table
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)

EVERY_S = 10.0


class Patient(Protocol):
    def count(self) -> int:
        """Its processes. Reads `/proc`: it is called in a thread."""
        ...

    async def examine(self, found: Mapping[int, list[Listener]], count: int) -> None: ...


class Health:
    def __init__(self, table: Table, every_s: float = EVERY_S) -> None:
        self._table, self._every_s = table, every_s
        self._watched: set[Patient] = set()
        self._task: asyncio.Task[None] | None = None

    def watch(self, patient: Patient) -> None:
        self._watched.add(patient)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="health of services")

    def leave(self, patient: Patient) -> None:
        self._watched.discard(patient)

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while self._watched:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
            except Exception:
                log.exception("Services could not be looked after. They are next time.")
        self._task = None

    async def _look(self) -> None:
        watched, found = list(self._watched), await self._table.read()
        counts = await asyncio.to_thread(lambda: [one.count() for one in watched])
        for one, count in zip(watched, counts, strict=True):
            try:
                await one.examine(found, count)
            except Exception:
                log.exception("A service could not be looked after. It is next time.")
