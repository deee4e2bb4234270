"""Runs agents on the server's own machine, each below a shim that leaves nothing behind."""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from agor_jupyter.executors import processes
from agor_jupyter.executors.processes import Identity

_SHIM = str(Path(__file__).with_name("shim.py"))
_STDERR_KEPT = 64 << 10
_READ_AHEAD = 256 << 10
_PIPE_SIZE = 1 << 20
_GRACE_S, _TERM_S, _KILL_S = 2.0, 5.0, 5.0


class _Tail(asyncio.Protocol):
    """Reads everything, keeps the end: an agent whose stderr is not read stops working."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * _STDERR_KEPT:
            del self._kept[:-_STDERR_KEPT]

    def text(self) -> str:
        return self._kept[-_STDERR_KEPT:].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


class Process:
    """One run: the shim, the agent below it, and all that the agent starts."""

    def __init__(self, popen: subprocess.Popen[bytes], run_id: str, start_ticks: int) -> None:
        self.pid = popen.pid
        """The shim's."""
        self.start_ticks = start_ticks
        self.run_id = run_id
        self.exited = asyncio.Event()
        self.exit_code: int | None = None
        """The agent's; 128 + signal when it was killed. `None` while it runs."""
        self.stdin: asyncio.StreamWriter
        self.stdout: asyncio.StreamReader
        self._popen = popen
        self._tail = _Tail()
        self._reading: list[asyncio.ReadTransport] = []
        self._writing: asyncio.WriteTransport
        self._stopping: asyncio.Task[set[Identity]] | None = None
        self._pidfd = os.pidfd_open(popen.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_exit)  # asyncio's own wait can hang on a full pipe

    async def connect(self) -> None:
        """Hand the pipes to the event loop."""
        loop = asyncio.get_running_loop()
        assert self._popen.stdin
        assert self._popen.stdout
        assert self._popen.stderr
        for pipe in (self._popen.stdin, self._popen.stdout):
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        self.stdout = asyncio.StreamReader(limit=_READ_AHEAD)
        reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self.stdout), self._popen.stdout)
        draining, _ = await loop.connect_read_pipe(lambda: self._tail, self._popen.stderr)
        writing, protocol = await loop.connect_write_pipe(lambda: asyncio.streams.FlowControlMixin(loop), self._popen.stdin)
        self.stdin = asyncio.StreamWriter(writing, protocol, None, loop)
        self._reading, self._writing = [reading, draining], writing

    def end(self) -> None:
        """Tell the shim to kill all below it and to end, and do not wait for it."""
        self._signal(signal.SIGTERM)

    def stderr_tail(self) -> str:
        """The last 64 KiB of what the agent wrote to stderr."""
        return self._tail.text()

    def find(self) -> set[Identity]:
        """All that belongs to this run but the shim."""
        root = None if self.exited.is_set() else self.pid
        return {process for process in processes.of_run(self.run_id, root) if process.pid != self.pid}

    async def baseline(self) -> frozenset[Identity]:
        """What runs now: the agent and its helpers. Taken when a turn begins."""
        return frozenset(await asyncio.to_thread(self.find))

    async def after_cancel(self, baseline: Collection[tuple[int, int]]) -> set[Identity]:
        """Kill what was not there at `baseline`. Returns what is left."""
        return await asyncio.to_thread(processes.sweep, self.find, baseline)

    async def stop(self, grace_s: float = _GRACE_S) -> set[Identity]:
        """End the agent and all that it started: end-of-file, SIGTERM, SIGKILL. Returns what is left; asked twice, it answers twice."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace_s))
        return await asyncio.shield(self._stopping)

    async def _stop(self, grace_s: float) -> set[Identity]:
        self.stdin.close()
        if not await self._gone_within(grace_s):
            self.end()
            if not await self._gone_within(_TERM_S):
                await asyncio.to_thread(processes.sweep, self.find)  # below the shim while it still adopts orphans
                self._signal(signal.SIGKILL)
                await self._gone_within(_KILL_S)
        left = await asyncio.to_thread(processes.sweep, self.find)
        if self._writing.get_write_buffer_size():  # never read; without it there is nothing to abort
            self._writing.abort()
        for transport in self._reading:
            transport.close()
        return left if self.exited.is_set() else left | {Identity(self.pid, self.start_ticks)}

    async def _gone_within(self, seconds: float) -> bool:
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
        self.exit_code = self._popen.wait()
        if self.exit_code < 0:
            self.exit_code = 128 - self.exit_code
        self.exited.set()


class LocalExecutor:
    """Processes of this machine."""

    async def spawn(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], run_id: str) -> Process:
        """Start `command` with exactly `env` and the run's mark. Call it on the main thread: the shim dies with the thread that forked it.

        Raises `OSError` when the shim cannot be started, for instance because `cwd` is gone. A command that does not exist ends with
        code 127 and says so on stderr.
        """
        marked = {**env, processes.MARK: run_id, "AGOR_SERVER_PID": str(os.getpid())}
        popen = subprocess.Popen(  # noqa: ASYNC220  # asyncio's own would wait for it in a thread, and could hang
            [sys.executable, "-I", "-S", _SHIM, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=marked,
            start_new_session=True,
        )
        process = Process(popen, run_id, processes.start_ticks(popen.pid) or 0)
        try:
            await process.connect()
        except BaseException:
            process.end()
            raise
        return process
