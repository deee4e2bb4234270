"""Wires everything together, and opens and closes it in order. The only place that does."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from agor_jupyter.domain import errors
from agor_jupyter.services.boards import Boards, Rooms
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.events import Events
from agor_jupyter.services.repos import Repos
from agor_jupyter.services.worktrees import Worktrees
from agor_jupyter.storage import commands
from agor_jupyter.storage.lock import DataLock
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import Store, sqlite_url

COMMANDS_KEPT = timedelta(days=7)
"""How long a command's id is remembered."""


class Agor:
    """The engine. `async with Agor(config) as app:` has the data directory for itself.

    Errors on entering:
        DataInUse: another server has the data directory.
        StorageBusy, StorageFull, StorageBroken: as they say.
    """

    config: Config
    clock: Clock
    store: Store
    events: Events
    repos: Repos
    worktrees: Worktrees
    boards: Boards

    def __init__(self, config: Config, clock: Clock | None = None, *, url: str | None = None, rooms: Rooms | None = None) -> None:
        self.config = config
        self.clock = clock or Clock()
        self._rooms = rooms
        self.lock = DataLock(config.data_dir, url=url)
        self._stack = AsyncExitStack()
        self._opened: asyncio.Future[None] | None = None

    async def ready(self, timeout_s: float = 10) -> None:
        """Wait until it is open.

        Errors:
            Starting: it is not, after `timeout_s`.
            Whatever entering raised.
        """
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(asyncio.shield(self._opened), timeout_s)
        except TimeoutError:
            raise errors.Starting from None

    async def __aenter__(self) -> Self:
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack)
                self._stack = stack.pop_all()
        except BaseException as error:
            self._opened.set_exception(error if isinstance(error, Exception) else errors.Starting())
            self._opened.exception()  # whoever waits gets it; nobody has to
            raise
        self._opened.set_result(None)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        stack.enter_context(self.lock)
        url = self.config.database_url or sqlite_url(self.config.data_dir / "agor.db")
        await asyncio.to_thread(migrate, url)
        self.store = await asyncio.to_thread(Store, url)
        self.store.start()
        stack.push_async_callback(asyncio.to_thread, self.store.close)
        await self.store.write(commands.forget, self.clock.now() - COMMANDS_KEPT)
        self.events = Events(self.store)
        await self.events.start()
        self.repos = Repos(self.store, self.config, self.clock)
        stack.push_async_callback(self.repos.close)
        await self.repos.start()
        self.worktrees = Worktrees(self.store, self.config, self.clock, self.repos)
        stack.push_async_callback(self.worktrees.close)
        self.boards = self.worktrees.boards = Boards(self.config, self.clock, self.store, self._rooms)
        await self.worktrees.start()
