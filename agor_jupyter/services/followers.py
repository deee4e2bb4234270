"""Durable subscribers: each has a name and a cursor in the database, and goes on from there after a crash.

A reaction is called at least once for each event, in order of `n`, one at a time. What it does outside of the database must therefore be
safe to do again, by `event.n`; the job that it returns runs in the transaction that moves the cursor, so that its writes happen once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Event
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import end
from agor_jupyter.storage import events, followers
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

B = TypeVar("B")
Job = Callable[[Transaction], object]
Reaction = Callable[[B, Event], Awaitable[Job | None]]

PAUSES_S = (0.5, 5.0, 30.0)
"""Before each further attempt. What fails after the last of them is logged and passed over, so that what comes after it is not stuck."""
_BATCH = 100
_SLACK = 1_000
"""The stored cursor may be behind by so many events of other kinds."""


class Follower:
    """`Events.follow` makes one, and starts it."""

    unsubscribe: Callable[[], None]

    def __init__(self, store: Store, name: str, kinds: Sequence[str], reaction: Reaction[Any], newest: Callable[[], int]) -> None:
        self._store, self._name, self._kinds, self._reaction, self._newest = store, name, kinds, reaction, newest
        self._n = self._stored = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """One that is new follows what comes from now on."""
        self._n = self._stored = await self._store.write(followers.begin, self._name, self._newest())
        self._task = asyncio.create_task(self._run(), name=f"follow {self._name}")

    def wake(self) -> None:
        """There is an event of its kinds."""
        self._changed.set()

    async def close(self) -> None:
        """What it is in the middle of is done again at the next start."""
        self.unsubscribe()
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._catch_up()
            except errors.Unavailable as error:
                log.warning("%s reacts to nothing for now: %s", self._name, error)
                await asyncio.sleep(PAUSES_S[-1])
            else:
                await self._changed.wait()

    async def _catch_up(self) -> None:
        while self._n < (to := self._newest()):
            found = await self._store.read(events.of_kinds, self._kinds, self._n, to, _BATCH)
            for event in found:
                await self._store.write(self._move, event.n, await self._react(event))
                self._n = self._stored = event.n
                crash_point("follow.after_commit")
            if len(found) < _BATCH:
                self._n = to
        if self._n - self._stored > _SLACK:
            await self._store.write(self._move, self._n, None)
            self._stored = self._n

    async def _react(self, event: Event) -> Job | None:
        crash_point("follow.before_reaction")
        for pause_s in (*PAUSES_S, None):
            try:
                job = await self._reaction(event.body, event)
            except errors.Unavailable:
                raise
            except Exception:
                log.exception("%s failed at event %d (%s)", self._name, event.n, event.body.kind)
            else:
                crash_point("follow.before_commit")
                return job
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        log.error("%s passed over event %d after %d attempts", self._name, event.n, len(PAUSES_S) + 1)
        return None

    def _move(self, transaction: Transaction, n: int, job: Job | None) -> None:
        if job is not None:
            job(transaction)
        followers.move(transaction, self._name, n)
