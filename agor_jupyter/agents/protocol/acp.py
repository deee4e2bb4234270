"""Speaks the Agent Client Protocol over an agent's pipes: JSON-RPC, one message a line. Dicts in, dicts out.

`fs/*` and `terminal/*` are never offered and never served.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agor_jupyter.agents.protocol.frames import BadMessage, Framer, decode
from agor_jupyter.agents.protocol.limits import Limits, Meter

log = logging.getLogger(__name__)

PROTOCOL_VERSION = 1
METHOD_NOT_FOUND, INTERNAL, CANCELLED, AUTH_REQUIRED = -32601, -32603, -32800, -32000
_CHUNK = 64 << 10
_SLICE_S = 0.005
_MAX_SERVING = 64
_LOOKED_AT = 64 << 10
"""Of a line that is no message: what is masked before its beginning is shown."""

Message = dict[str, Any]
"""A JSON object of the protocol. `Any` because an agent may send what it likes; each field is checked where it is used."""


class Reader(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> None: ...
    async def drain(self) -> None: ...


class RpcError(Exception):
    """The other side answered with an error, or should be answered with one."""

    def __init__(self, code: int, message: str, more: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.more = more


class Gone(ConnectionError):
    """The agent closed its side, or was flooding. `why` completes "the agent …"."""

    def __init__(self, why: str, code: str = "gone") -> None:
        super().__init__(why)
        self.why = why
        self.code = code


class Connection:
    """One agent's two pipes.

    `on_update` gets each `session/update` in order; while it is awaited nothing more is read. `on_request` answers a request,
    as a task of its own, by returning the result or raising `RpcError`. `on_notice` gets (code, sentence) for what was dropped, in which
    `mask` has been applied to what the agent wrote.
    """

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        *,
        on_update: Callable[[Message], Awaitable[None]],
        on_request: Callable[[str, Message], Awaitable[Message]],
        on_notice: Callable[[str, str], Awaitable[None]],
        mask: Callable[[str], str] = str,
        limits: Limits,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._on_update, self._on_request, self._on_notice, self._mask = on_update, on_request, on_notice, mask
        self._ids = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Message], Callable[[], None]]] = {}
        self._serving: dict[int | str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._meter = Meter(limits)
        self._counts: dict[str, int] = {}
        self.gone: Gone | None = None
        self._task = asyncio.create_task(self._read(), name="acp")

    async def call(self, method: str, params: Message, on_answer: Callable[[], None] = lambda: None) -> Message:
        """Ask and wait for the answer. Raises `RpcError` or `Gone`.

        `on_answer` is called when the answer is read, before any update behind it.
        """
        if self.gone:
            raise self.gone
        number = next(self._ids)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (answer, on_answer)
        try:
            await self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            return await answer
        finally:
            del self._waiting[number]
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even when sending failed first

    async def notify(self, method: str, params: Message) -> None:
        await self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def until_gone(self) -> None:
        """Wait until nothing more is read."""
        await asyncio.wait({self._task})

    def begin_turn(self) -> None:
        """The allowance for output starts afresh."""
        self._meter.reset()
        self._counts.clear()

    async def close(self) -> None:
        """Stop reading and fail what waits. The pipes belong to the process."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _send(self, message: Message) -> None:
        line = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            async with self._sending:
                self._writer.write(line)
                await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise self.gone or Gone("closed its input") from error

    async def _read(self) -> None:
        gone = Gone("was stopped")
        try:
            gone = await self._read_all()
        except Exception:
            log.exception("Reading from an agent failed")
            gone = Gone("could not be read")
        finally:
            self.gone = gone
            for answer, _ in self._waiting.values():
                if not answer.done():
                    answer.set_exception(gone)
            for task in self._serving.values():
                task.cancel()

    async def _read_all(self) -> Gone:
        framer = Framer()
        slice_end = time.monotonic() + _SLICE_S
        while received := await self._reader.read(_CHUNK):
            messages = length = 0
            for line in framer.feed(received):
                messages += 1
                length += 0 if isinstance(line, int) else len(line)
                await self._take(line)
                if time.monotonic() > slice_end:  # a flood must not hold up other sessions
                    await asyncio.sleep(0)
                    slice_end = time.monotonic() + _SLICE_S
            await self._hold_back(messages, length)
            if self._meter.is_flooded:
                return Gone("flooded the server with output and was stopped", "flooded")
        if rest := framer.rest():
            await self._take(rest, is_cut=True)
        return Gone("closed its output")

    async def _hold_back(self, messages: int, length: int) -> None:
        was_held_back = self._meter.is_held_back
        wait = self._meter.take(messages, length)
        if wait and not was_held_back:
            await self._on_notice("throttled", "The agent writes faster than it can be read safely. It is being slowed down.")
        if wait:
            await asyncio.sleep(wait)

    async def _take(self, line: bytes | int, *, is_cut: bool = False) -> None:
        if isinstance(line, int):
            self._meter.drop(line)
            await self._count("oversize", f"The agent wrote a line of {line / 1e6:.0f} MB, which was dropped")
            return
        if not line.strip():
            return
        try:
            message = decode(line)
        except BadMessage:
            what = "ended in the middle of a message" if is_cut else "wrote a line that is not a message"
            shown = self._mask(line[:_LOOKED_AT].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"))[:120]
            await self._count("cut" if is_cut else "garbage", f"The agent {what}: {shown}")
            return
        await self._handle(message)

    async def _count(self, code: str, sentence: str) -> None:
        """A notice at the first, second, fourth, eighth… time."""
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if count & (count - 1) == 0:
            await self._on_notice(code, sentence if count == 1 else f"{sentence} ({count} such lines in this turn)")

    async def _handle(self, message: Message) -> None:
        method, number = message.get("method"), message.get("id")
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if method is None:
            self._settle(number, message)
        elif not isinstance(method, str) or not (number is None or type(number) in {int, str}):
            await self._count("garbage", "The agent wrote a message without a proper method or id")
        elif number is not None:
            await self._begin_serving(number, method, params)
        elif method == "session/update":
            await self._on_update(params)
        elif method == "$/cancel_request":
            request = params.get("requestId")
            if isinstance(request, int | str) and (task := self._serving.get(request)):
                task.cancel()

    def _settle(self, number: object, message: Message) -> None:
        if type(number) is not int or number not in self._waiting:
            return
        answer, on_answer = self._waiting[number]
        if answer.done():
            return
        on_answer()
        if (error := message.get("error")) is None:
            result = message.get("result")
            answer.set_result(result if isinstance(result, dict) else {})
            return
        error = error if isinstance(error, dict) else {"message": str(error)}
        code = error.get("code")
        answer.set_exception(RpcError(code if isinstance(code, int) else INTERNAL, str(error.get("message", ""))[:2000], error.get("data")))

    async def _begin_serving(self, number: int | str, method: str, params: Message) -> None:
        if number in self._serving or len(self._serving) >= _MAX_SERVING:
            await self._count("requests", "The agent sent too many requests at once; the rest were not answered")
            return
        self._serving[number] = asyncio.create_task(self._serve(number, method, params), name=f"acp {method[:40]}")

    async def _serve(self, number: int | str, method: str, params: Message) -> None:
        answer: Message
        try:
            answer = {"result": await self._on_request(method, params)}
        except asyncio.CancelledError:
            if self.gone:
                raise
            answer = {"error": {"code": CANCELLED, "message": "cancelled"}}
        except RpcError as error:
            answer = {"error": {"code": error.code, "message": error.message}}
        except Exception:
            log.exception("Serving %s failed", method)
            answer = {"error": {"code": INTERNAL, "message": "The client failed"}}
        finally:
            del self._serving[number]
        with contextlib.suppress(Gone):
            await self._send({"jsonrpc": "2.0", "id": number, **answer})
