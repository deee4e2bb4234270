"""The event stream: one ring of encoded events for all, a cursor for each client. Loads nothing but tornado.

A client costs no queue, no copy, and no task for each event. What comes within a tick is sent in one frame, which clients in step
share. A client that does not read is told so and leaves; it never slows the others.
"""

import asyncio
import contextlib
import socket
from contextlib import AbstractAsyncContextManager
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web, websocket
from tornado.iostream import StreamClosedError

from agor_jupyter.domain import errors
from agor_jupyter.server.base import Guarded

TICK_S = 0.025
MAX_STALL_S = 5.0
MAX_FRAME = 500
"""Events in one frame."""
SEND_BUFFER = 128 << 10
"""Bytes. The kernel would hide megabytes of a stalled client's backlog."""
RESYNC, SLOW, CLOSING = 4000, 4001, 1001
LAST = "Agor-Last"
"""Header of the handshake's answer: the number of the last event that this connection takes as known."""


class Stream(WebSocketMixin, websocket.WebSocketHandler, Guarded):
    """`?after=N`: what came after event N. Without it: what comes from now on. The first frame is `[]`.

    `&board=PATH`: somebody looks at this board, so it is said when its file comes or goes.
    """

    _cursor = 0
    _pump_task: asyncio.Task[None] | None = None
    _watch: AbstractAsyncContextManager[None] = contextlib.nullcontext()

    def set_default_headers(self) -> None:
        """None: an upgrade carries no content."""

    def get_compression_options(self) -> dict[str, Any] | None:
        return None  # costs 15 points of CPU at 2,000 events/s

    @property
    def max_message_size(self) -> int:
        return 1024  # a client has nothing to say here

    @ws_authenticated
    async def get(self, *args: str, **kwargs: str) -> None:
        try:
            if await self.role() is None:
                raise web.HTTPError(403)
            after = self.get_query_argument("after", "")
            if after and not (after.isdigit() and len(after) < 19):
                raise errors.BadRequest(["after: a number is needed"])
            agor = await self.lifetime.ready()
            self._events = agor.events
            if board := self.get_query_argument("board", ""):
                self._watch = agor.boards.watches.watch(agor.boards.check(board))
            self._cursor = int(after) if after else self._events.n
        except Exception as error:  # noqa: BLE001 the root of this handler until the upgrade
            self.refuse(error)
            return
        self.set_header(LAST, str(self._cursor))
        await super().get(*args, **kwargs)

    def open(self, *_args: str, **_kwargs: str) -> None:
        super().open()
        assert self.ws_connection is not None
        assert self.ws_connection.stream is not None
        self.ws_connection.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.set_nodelay(True)
        self._pump_task = asyncio.create_task(self._pump(), name="agor stream")

    async def _pump(self) -> None:
        with contextlib.suppress(websocket.WebSocketClosedError, StreamClosedError):
            async with self._watch:
                await self._follow()

    async def _follow(self) -> None:
        if not await self._send(b"[]"):
            return
        while True:
            if self._cursor <= self._events.n:  # a number of another database is not waited for
                await self._events.wait(self._cursor)
            found = await self._events.since(self._cursor, MAX_FRAME)
            if found is None:
                self.close(RESYNC, "resync")
                return
            frame, self._cursor = found
            if not await self._send(frame):
                return
            await asyncio.sleep(TICK_S)

    async def _send(self, frame: bytes) -> bool:
        try:
            # Resolves when the frame is in the socket.
            async with asyncio.timeout(MAX_STALL_S):
                await self.write_message(frame.decode())
        except TimeoutError:
            self.close(SLOW, "slow")
            if self.ws_connection is not None and self.ws_connection.stream is not None:
                self.ws_connection.stream.close()
            return False
        return True

    def on_message(self, message: str | bytes) -> None:
        """Nothing is taken from a client."""

    def on_close(self) -> None:
        super().on_close()
        if self._pump_task is not None:
            self._pump_task.cancel()
