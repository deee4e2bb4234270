"""Boards that somebody looks at: whether their files are there, and the news when one comes or goes.

A board is made by a cell, a shell, a colleague or a checkout of git, and taken away by as many hands, so the folder itself is looked
at. Nothing is looked at for a board that nobody has in view.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from agor_jupyter.documents import files
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import BoardChanged
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

EVERY_S = 1.0
"""Between two looks at the files."""


class Watches:
    def __init__(self, root: Path, clock: Clock, store: Store, every_s: float = EVERY_S) -> None:
        self._root, self._clock, self._store, self._every_s = root, clock, store, every_s
        self._viewers: dict[str, int] = {}
        self._is_there: dict[str, bool] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def watch(self, path: str) -> AsyncIterator[None]:
        """While it is entered, what happens to the file of this board from now on is in the event stream.

        Errors:
            BadPath: it cannot be a board's path.
        """
        path = files.check(path)
        self._viewers[path] = self._viewers.get(path, 0) + 1
        try:
            if path not in self._is_there:
                self._is_there.setdefault(path, await asyncio.to_thread(self._look, path))
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name="agor watches")
            yield
        finally:
            self._viewers[path] -= 1
            if not self._viewers[path]:
                del self._viewers[path]
                self._is_there.pop(path, None)

    async def tell(self, path: str) -> None:
        """Look at this board now: it was just made."""
        if path in self._viewers:
            await self._compare([path])

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._viewers:
            await asyncio.sleep(self._every_s)
            with contextlib.suppress(errors.Unavailable):  # the disk is full or busy: the next look says it
                await self._compare(list(self._viewers))

    async def _compare(self, paths: list[str]) -> None:
        found = await asyncio.to_thread(lambda: {path: self._look(path) for path in paths})
        for path, is_there in found.items():
            if self._is_there.get(path, is_there) == is_there:
                continue
            self._is_there[path] = is_there
            try:
                await self._store.write(
                    lambda transaction, news: transaction.append(self._clock.now(), news), BoardChanged(path=path, is_there=is_there)
                )
            except errors.Unavailable:
                if path in self._is_there:
                    self._is_there[path] = not is_there  # the next look says it
                raise

    def _look(self, path: str) -> bool:
        try:
            return files.is_there(self._root, path)
        except (errors.BadPath, OSError) as error:
            log.debug("A board cannot be looked at: %s", error)
            return False
