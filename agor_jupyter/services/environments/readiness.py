"""How a service shows that it can be used: by a listener of its own, an answer over HTTP, or a line of its log."""

import asyncio
import contextlib
import logging
import time
from urllib.parse import quote

from agor_jupyter.domain.environments import ServiceSpec
from agor_jupyter.processes import listeners, rings
from agor_jupyter.processes.lasting import Lasting
from agor_jupyter.processes.listeners import Listener

log = logging.getLogger(__name__)

_FIRST_S, _THEN_S, _EAGER_S = 0.005, 0.1, 3.0
_RUNS_S = 0.1
"""A program without a port that still runs after this could be started."""
_HTTP_S = 2.0
_FRESH_S = 0.004
_PIECE = 256 << 10
_SAFE = "/?&=%:,;@+!$*'()~.-_"


class PortTaken(Exception):
    """Another program listens where the service should."""


class Table:
    """The listeners of this machine. One reading serves all who ask at about the same time."""

    def __init__(self) -> None:
        self._found: dict[int, list[Listener]] = {}
        self._at = 0.0
        self._is_told = True
        """By the kernel, at once. `False`: it does not do that here, and all connections have to be gone through, in a thread."""
        self._lock = asyncio.Lock()

    async def read(self) -> dict[int, list[Listener]]:
        async with self._lock:
            if time.monotonic() - self._at > _FRESH_S:
                self._found = await self._read()
                self._at = time.monotonic()
            return self._found

    async def _read(self) -> dict[int, list[Listener]]:
        if self._is_told:
            try:
                return listeners.asked()
            except OSError as error:
                log.info("The kernel is not asked for listeners: %s", error)
                self._is_told = False
        return await asyncio.to_thread(listeners.listeners)


class Readiness:
    """Of one run of a service. `seen` says what is missing, for a person."""

    def __init__(
        self, spec: ServiceSpec, process: Lasting, ports: dict[str, int], table: Table, *, log_from: int = 0, is_delegated: bool = False
    ) -> None:
        """`log_from` is where its log begins. `is_delegated`: who listens is none of its processes, but a container engine's."""
        self._is_delegated = is_delegated
        self._spec, self._process, self._table, self._place = spec, process, table, log_from
        name = spec.ready.port or (spec.ports[0] if spec.ports else None)
        self.port = ports[name] if name is not None else None
        self.sockets: frozenset[int] = frozenset()
        """Of its own listeners on that port."""
        self.seen = ""

    async def wait(self) -> None:
        """Until it is ready. Raises `PortTaken`."""
        began = time.monotonic()
        while not await self._is_ready(began):  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(_FIRST_S if time.monotonic() - began < _EAGER_S else _THEN_S)

    async def listens(self, found: dict[int, list[Listener]]) -> bool:
        """Whether a listener of its own is there, by what `found` says. One look at its processes, only if the listener is a new one."""
        here = found.get(self.port or 0, [])
        if self.sockets & {one.inode for one in here}:
            return True
        self.sockets = await asyncio.to_thread(self._own, here) if here else frozenset()
        return bool(self.sockets)

    async def _is_ready(self, began: float) -> bool:
        ready = self._spec.ready
        if ready.log is not None and not await asyncio.to_thread(self._has_said, ready.log):
            self.seen = f"no line of its log has “{ready.log}”"
            return False
        if self.port is None or (ready.log is not None and ready.http is None and ready.port is None):
            return ready.log is not None or time.monotonic() - began >= _RUNS_S
        found = await self._table.read()
        if not await self.listens(found):
            if found.get(self.port) and not self._process.exited.is_set():
                raise PortTaken
            self.seen = f"it does not listen on port {self.port}"
            return False
        if ready.http is None:
            return True
        address = next((one.address for one in found[self.port] if one.inode in self.sockets), "") or "127.0.0.1"
        status = await answer(address, self.port, ready.http)
        self.seen = f"{ready.http} answers with status {status}" if status else f"{ready.http} is not answered"
        return 0 < status < 400  # what is no error

    def _own(self, here: list[Listener]) -> frozenset[int]:
        if self._is_delegated:
            return frozenset(one.inode for one in here)
        # of the program and those below it; only when it is none of them, of all that carries the run's mark, which is a look at every
        # process of the machine
        for pids in (self._process.below, lambda: (process.pid for process in self._process.find())):
            sockets = listeners.sockets_of(pids())
            if own := frozenset(one.inode for one in here if one.inode in sockets):
                return own
        return frozenset()

    def _has_said(self, text: str) -> bool:
        while (part := rings.read(self._process.log, self._place, _PIECE)).content:
            if text.encode() in part.content:
                return True
            line = part.content.rfind(b"\n") + 1  # a line that is not whole is read again
            self._place = part.start + line if line else part.end
            if line < len(part.content):
                break
        return False


async def answer(address: str, port: int, path: str) -> int:
    """The status of a GET, or 0 when there is none within two seconds. Redirections are not followed."""
    status, writer = 0, None
    with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(_HTTP_S):
            reader, writer = await asyncio.open_connection(address, port, limit=64 << 10)
            lines = (f"GET {quote(path, safe=_SAFE)} HTTP/1.1", f"Host: localhost:{port}", "User-Agent: agor", "Connection: close", "", "")
            writer.write("\r\n".join(lines).encode())
            line = (await reader.readline()).split(None, 2)
            status = int(line[1]) if line[0].startswith(b"HTTP/") else 0
    if writer is not None:
        writer.close()
    return status
