"""The event stream over a WebSocket: every event once, in order, across reconnections."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Event

_RESYNC = 4000
_LAST = "Agor-Last"
_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Resync(Exception):
    """Events were missed for good. Load what you need again, then go on iterating: the stream goes on from now."""


class Stream:
    """`async for event in stream`, from after event `after` (default: from now on).

    It connects when it is iterated or entered, and again when the connection is lost. `n` is the last event that was given.

    Raises, while iterating:
        Resync: too far behind; see there.
        errors.Refused: the server does not let us in.
        errors.ServerGone: it did not come back within `patience_s` seconds.
    """

    def __init__(self, url: str, token: str, *, after: int | None = None, patience_s: float = 60.0) -> None:
        self.n = after
        self._url = "ws" + url.rstrip("/").removeprefix("http") + "/agor/api/stream"
        self._token, self._patience_s = token, patience_s
        self._connection: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def connect(self) -> None:
        """Be live: what happens after this returns will be given. Waits out a restart of the server."""
        if self._connection is not None:
            return
        loop = asyncio.get_running_loop()
        until, attempt = loop.time() + self._patience_s, 0
        while True:
            query = "" if self.n is None else f"?after={self.n}"
            try:
                connection = await connect(
                    self._url + query,
                    additional_headers={"Authorization": f"token {self._token}"},
                    compression=None,
                    max_size=None,
                    open_timeout=15,
                    proxy=None,
                )
                await connection.recv()  # the first frame is `[]`
            except (OSError, InvalidHandshake, ConnectionClosed) as error:
                if isinstance(error, InvalidStatus) and error.response.status_code in (403, 404):
                    raise errors.Refused(self._url, error.response.status_code) from error
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                if loop.time() + pause > until:
                    raise errors.ServerGone(self._url, str(error)) from error
                attempt += 1
                await asyncio.sleep(pause)
                continue
            if self.n is None and connection.response is not None:
                self.n = int(connection.response.headers.get(_LAST, "0"))
            self._connection = connection
            return

    async def frames(self) -> AsyncGenerator[list[Event], None]:
        """The events as they come, several at a time when there are many."""
        while True:
            await self.connect()
            assert self._connection is not None
            try:
                frame = await self._connection.recv()
            except ConnectionClosed as closed:
                self._connection = None
                if closed.rcvd is not None and closed.rcvd.code == _RESYNC:
                    self.n = None
                    raise Resync from closed
                continue
            events = [Event.model_validate(found) for found in json.loads(frame)]
            if events:
                self.n = events[-1].n
                yield events

    async def __aiter__(self) -> AsyncIterator[Event]:
        async with contextlib.aclosing(self.frames()) as frames:
            async for events in frames:
                for event in events:
                    yield event

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class ThreadedStream:
    """A `Stream` in a thread of its own, for code without an event loop and for a kernel that is busy.

    `receive` is called in that thread with each frame's events, `resync` after events were missed, and `failed` with the error that
    ended it. Neither may block for long.
    """

    def __init__(
        self,
        stream: Stream,
        receive: Callable[[list[Event]], None],
        *,
        resync: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._stream, self._receive, self._resync, self._failed = stream, receive, resync, failed
        self._is_live = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="agor-stream", daemon=True)

    def start(self, timeout_s: float = 30) -> None:
        """Return when it is live, or has failed."""
        self._thread.start()
        self._is_live.wait(timeout_s)

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._read())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 the root of this thread
            self._failed(error)
        finally:
            self._is_live.set()
            self._loop.close()

    async def _read(self) -> None:
        try:
            await self._stream.connect()
            self._is_live.set()
            while True:
                try:
                    async for events in self._stream.frames():
                        self._receive(events)
                except Resync:
                    await self._stream.connect()  # first live, then load: nothing falls between
                    self._resync()
        finally:
            await self._stream.close()
