"""Runs programs below a shim that leaves nothing behind, and that ends with this server: to talk with, or to their end."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.processes import starting, table
from agor_jupyter.processes.starting import NOTHING, PIPE, SAME, Child, Limits
from agor_jupyter.processes.table import Identity

_SHIM = str(Path(__file__).with_name("shim.py"))
_STDERR_KEPT = 64 << 10
_READ_AHEAD = 256 << 10
_PIPE_SIZE = 1 << 20
_PIECE = 64 << 10
_OUTPUT_KEPT = 32 << 10
_GRACE_S, _TERM_S, _KILL_S = 2.0, 5.0, 5.0


class _Tail(asyncio.Protocol):
    """Reads everything, keeps the end: a program whose stderr is not read stops working."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * _STDERR_KEPT:
            del self._kept[:-_STDERR_KEPT]

    def text(self) -> str:
        return self._kept[-_STDERR_KEPT:].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


class Process:
    """One run: the shim, the program below it, and all that the program starts."""

    def __init__(self, child: Child, run_id: str) -> None:
        self.pid = child.pid
        """The shim's."""
        self.start_ticks = table.start_ticks(child.pid) or 0
        self.run_id = run_id
        self.exited = asyncio.Event()
        self.exit_code: int | None = None
        """The program's; 128 + signal when it was killed. `None` while it runs."""
        self.stdin: asyncio.StreamWriter
        """Only of one that was given an input."""
        self.stdout: asyncio.StreamReader
        self._child = child
        self._tail = _Tail()
        self._reading: list[asyncio.ReadTransport] = []
        self._writing: asyncio.WriteTransport | None = None
        self._stopping: asyncio.Task[set[Identity]] | None = None
        self._pidfd = os.pidfd_open(child.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_exit)  # asyncio's own wait can hang on a full pipe

    @property
    def identity(self) -> str:
        """For a record; `Identity.living` reads it."""
        return Identity(self.pid, self.start_ticks).text()

    async def connect(self, longest_line: int) -> None:
        """Hand the pipes to the event loop."""
        loop = asyncio.get_running_loop()
        assert self._child.stdout
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        self.stdout = asyncio.StreamReader(limit=longest_line)
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self.stdout), self._child.stdout)
        self._reading.append(reading)
        if self._child.stderr is not None:
            draining, _ = await loop.connect_read_pipe(lambda: self._tail, self._child.stderr)
            self._reading.append(draining)
        if self._child.stdin is not None:
            self._writing, protocol = await loop.connect_write_pipe(lambda: asyncio.streams.FlowControlMixin(loop), self._child.stdin)
            self.stdin = asyncio.StreamWriter(self._writing, protocol, None, loop)

    def end(self) -> None:
        """Tell the shim to kill all below it and to end, and do not wait for it."""
        self._signal(signal.SIGTERM)

    def stderr_tail(self) -> str:
        """The last 64 KiB of what the program wrote to stderr, if that is an output of its own."""
        return self._tail.text()

    def find(self) -> set[Identity]:
        """All that belongs to this run but the shim."""
        root = None if self.exited.is_set() else self.pid
        return {process for process in table.of_run(self.run_id, root) if process.pid != self.pid}

    async def baseline(self) -> frozenset[Identity]:
        """What runs now: an agent and its helpers. Taken when a turn begins."""
        return frozenset(await asyncio.to_thread(self.find))

    async def after_cancel(self, baseline: Collection[tuple[int, int]]) -> set[Identity]:
        """Kill what was not there at `baseline`. Returns what is left."""
        return await asyncio.to_thread(table.sweep, self.find, baseline)

    async def stop(self, grace_s: float = _GRACE_S) -> set[Identity]:
        """End the program and all that it started: end-of-file, SIGTERM, SIGKILL. Returns what is left; asked twice, it answers twice."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace_s))
        return await asyncio.shield(self._stopping)

    async def _stop(self, grace_s: float) -> set[Identity]:
        if self._writing is not None:
            self.stdin.close()
        if not await self.gone_within(grace_s):
            self.end()
            if not await self.gone_within(_TERM_S):
                await asyncio.to_thread(table.sweep, self.find)  # below the shim while it still adopts orphans
                self._signal(signal.SIGKILL)
                await self.gone_within(_KILL_S)
        left = await asyncio.to_thread(table.sweep, self.find)
        if self._writing is not None and self._writing.get_write_buffer_size():  # never read; without it there is nothing to abort
            self._writing.abort()
        for transport in self._reading:
            transport.close()
        return left if self.exited.is_set() else left | {Identity(self.pid, self.start_ticks)}

    async def gone_within(self, seconds: float) -> bool:
        """Whether it has exited by then, with the shim and all below it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.exited.wait()
        return self.exited.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if not self.exited.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.exit_code = self._child.wait()
        if self.exit_code < 0:
            self.exit_code = 128 - self.exit_code
        self.exited.set()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`code` is `None` when the deadline passed. `output` is the end of what the program wrote to both outputs."""

    code: int | None
    output: str


async def spawn(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    run_id: str,
    *,
    limits: Limits | None = None,
    has_input: bool = True,
    is_merged: bool = False,
    longest_line: int = _READ_AHEAD,
) -> Process:
    """Start `command` with exactly `env` and the run's mark. Call it on the main thread: the shim dies with the thread that forked it.

    With `is_merged` its errors go where its output goes. Of a slow reader's output `longest_line` bytes are read ahead. Raises `OSError`
    when the shim cannot be started, for instance because `cwd` is gone. A command that does not exist ends with code 127 and says so on
    stderr.
    """
    process = Process(
        starting.start(
            [sys.executable, "-I", "-S", _SHIM, *(limits or Limits()).around(command)],
            cwd=cwd,
            env={**env, table.MARK: run_id, "AGOR_SERVER_PID": str(os.getpid())},
            stdin=PIPE if has_input else NOTHING,
            stdout=PIPE,
            stderr=SAME if is_merged else PIPE,
        ),
        run_id,
    )
    try:
        await process.connect(longest_line)
    except BaseException:
        process.end()
        await _surely(process.gone_within(_KILL_S))
        raise
    return process


async def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    run_id: str,
    timeout_s: float,
    kept_bytes: int = _OUTPUT_KEPT,
    limits: Limits | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> Ended:
    """Run `command` to its end, without input. Nothing that it started is there afterwards, nor after the deadline or a cancel.

    Of what it writes the last `kept_bytes` are kept; `on_output` gets all of it. Raises `OSError` as `spawn`.
    """
    process = await spawn(command, cwd, env, run_id, limits=limits, has_input=False, is_merged=True)
    kept = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            while piece := await process.stdout.read(_PIECE):
                kept += piece
                if len(kept) > 2 * kept_bytes + _PIECE:
                    del kept[:-kept_bytes]
                if on_output is not None:
                    on_output(piece)
            await process.exited.wait()
    except TimeoutError:
        pass
    finally:
        code = process.exit_code
        await _surely(process.stop(grace_s=0))
    return Ended(code=code, output=kept[-kept_bytes:].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}").strip())


async def _surely(ending: Coroutine[None, None, object]) -> None:
    """To its end, also when it is cancelled meanwhile; then raise that."""
    task = asyncio.create_task(ending)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            is_cancelled = True
    task.result()
    if is_cancelled:
        raise asyncio.CancelledError
