"""Opens the services in the background once the event loop runs, and closes them with the server."""

import asyncio
import contextlib
import getpass
import importlib
import logging
import time
from collections.abc import Callable
from typing import Any

from agor_jupyter.domain import errors

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""How long a request waits for the services before it is told to come again."""
REST_S = 2.0
"""After a failure that may pass, opening is tried again when somebody asks, at most this often."""


class Lifetime:
    """One task owns the services from opening to closing. `open_services` is called in it and gives an async context manager."""

    def __init__(self, open_services: Callable[[], Any], warm: tuple[str, ...] = ()) -> None:
        self._open_services = open_services
        self._warm = warm
        self._is_ready = asyncio.Event()
        self._is_stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._agor: Any = None  # the services; importing their type here would load them
        self._failure: BaseException | None = None
        self._failed_at = 0.0
        self.owner = operating_system_user()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="agor")

    async def ready(self, patience_s: float = PATIENCE_S) -> Any:
        """The services. Raises `Starting` when they take longer, or whatever kept them from opening."""
        self._try_again()
        if not self._is_ready.is_set():
            try:
                async with asyncio.timeout(patience_s):
                    await self._is_ready.wait()
            except TimeoutError:
                raise errors.Starting from None
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        return self._agor

    @property
    def agor(self) -> Any:
        """The services if they are open now, else `None`."""
        return self._agor

    async def close(self) -> None:
        self._is_stopping.set()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _try_again(self) -> None:
        """The disk may have space again, or the other server may be gone."""
        may_pass = isinstance(self._failure, errors.Unavailable) and not self._is_stopping.is_set()
        if may_pass and (self._task is None or self._task.done()) and time.monotonic() - self._failed_at >= REST_S:
            self._failure = None
            self._is_ready.clear()
            self.start()

    async def _run(self) -> None:
        try:
            # In a thread: the records and the database library take a tenth of a second or two to import.
            await asyncio.to_thread(lambda: [importlib.import_module(name) for name in self._warm])
            async with self._open_services() as agor:
                self._agor = agor
                self._is_ready.set()
                await self._is_stopping.wait()
                self._agor, self._failure = None, errors.Starting()
        except errors.AgorError as error:
            log.error("Agor is not available: %s", error)  # noqa: TRY400 it is for a person; a traceback helps nobody
            self._failure = error
        except Exception as error:
            log.exception("Agor could not be opened")
            self._failure = error
        finally:
            self._failed_at = time.monotonic()
            self._is_ready.set()


def operating_system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"
