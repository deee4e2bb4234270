"""Runs a program to its end: input, a deadline, a bound on what it says. Made for hundreds of short calls in a second, such as git's.

A thread waits for the process, so that neither a full pipe nor a slow exit touches the event loop. It costs no process besides the one
that is run: what was stopped is found by its group and by its mark, and what ended by itself may leave something running, as git's
credential cache does.
"""

import asyncio
import contextlib
import functools
import itertools
import os
import secrets
import selectors
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.processes import starting, table
from agor_jupyter.processes.starting import NOTHING, PIPE, Child

MAX_OUTPUT = 64 << 20
_ERRORS_KEPT = 64 << 10
_PIECE = 256 << 10
_THREADS = 16

_numbers = itertools.count()
_OURS = secrets.token_hex(4)


@dataclass(frozen=True, kw_only=True)
class Output:
    """`code` is negative for a signal. Of `err` the end is kept, at most 64 KiB. With `is_cut` it wrote more, and was stopped."""

    code: int
    out: bytes
    err: bytes
    is_cut: bool = False

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "surrogateescape")


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout_s: float,
    cap: int = MAX_OUTPUT,
    on_progress: Callable[[bytes], None] | None = None,
) -> Output:
    """Run `argv` with exactly `env` and a mark. Cancelling kills it with all that it started, and waits for that.

    Of the output `cap` bytes are kept; it is stopped when it writes more. `on_progress` gets pieces of stderr, from another thread.

    Raises `TimeoutError` after it was stopped at the deadline, and `OSError` when it cannot be started.
    """
    call = _Call(argv, cwd, env, stdin, timeout_s, cap, on_progress)
    ended = _Ended()
    _pool().submit(ended.work, call)
    return await ended.wait(call)


def wait_for(argv: Sequence[str], *, cwd: Path = Path("/"), env: Mapping[str, str] | None = None, timeout_s: float) -> Output:
    """As `run`, in this thread, and with the server's own environment if no other is given."""
    return _Call(argv, cwd, os.environ if env is None else env, b"", timeout_s, MAX_OUTPUT, None).run()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "agor-once")


class _Ended:
    """Brings the end from the thread to the loop. One future, where `run_in_executor` and `shield` need three."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting = self._loop.create_future()
        self._result: Output | BaseException | None = None

    def work(self, call: "_Call") -> None:
        """In the thread."""
        result: Output | BaseException
        try:
            result = call.run()
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            result = error
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(self._arrive, result)

    async def wait(self, call: "_Call") -> Output:
        try:
            await self._waiting
        except asyncio.CancelledError:
            call.kill()
            while self._result is None:  # cancelled again, it still waits: nothing is left behind
                self._waiting = self._loop.create_future()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._waiting
            raise
        assert self._result is not None
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result

    def _arrive(self, result: Output | BaseException) -> None:
        self._result = result
        if not self._waiting.done():
            self._waiting.set_result(None)


class _Call:
    """One process, run to its end by a thread."""

    def __init__(  # noqa: PLR0917 made in two places
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes,
        timeout_s: float,
        cap: int,
        on_progress: Callable[[bytes], None] | None,
    ) -> None:
        self._mark = f"once.{_OURS}.{next(_numbers)}"
        self._argv, self._cwd, self._env, self._stdin = argv, cwd, {**env, table.MARK: self._mark}, stdin
        self._timeout_s, self._cap, self._on_progress = timeout_s, cap, on_progress
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._is_killed = False

    def kill(self) -> None:
        """Kill the process group, now or as soon as it starts. Safe from any thread: an id is not used after it was reaped."""
        with self._lock:
            self._is_killed = True
            if self._child is not None and self._child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._child.pid, signal.SIGKILL)

    def run(self) -> Output:
        with self._lock:
            if self._is_killed:
                return Output(code=-signal.SIGKILL, out=b"", err=b"")
            child = self._child = starting.start(
                self._argv, cwd=self._cwd, env=self._env, stdin=PIPE if self._stdin else NOTHING, stdout=PIPE, stderr=PIPE
            )
        is_late = is_cut = has_talked = False
        out, err = bytearray(), bytearray()
        try:
            is_late, is_cut = self._talk(child, out, err)
            has_talked = True
        finally:
            if is_late or is_cut or not has_talked:
                self.kill()
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._reap(child)
            if self._is_killed:  # what left the group
                table.sweep(lambda: table.of_run(self._mark))
        if is_late:
            raise TimeoutError
        return Output(code=child.returncode, out=bytes(out), err=bytes(err), is_cut=is_cut)

    def _reap(self, child: Child) -> None:
        """Wait without the lock, reap under it, so that `kill` never meets an id that was given to another."""
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            child.wait()

    def _talk(self, child: Child, out: bytearray, err: bytearray) -> tuple[bool, bool]:
        """Feed and drain until both outputs end. Returns whether the deadline passed, and whether the cap was reached."""
        deadline = time.monotonic() + self._timeout_s
        left = memoryview(self._stdin)
        with selectors.PollSelector() as selector:  # for three descriptors it is cheaper than epoll
            assert child.stdout is not None
            assert child.stderr is not None
            selector.register(child.stdout, selectors.EVENT_READ, out)
            selector.register(child.stderr, selectors.EVENT_READ, err)
            if child.stdin is not None:
                os.set_blocking(child.stdin.fileno(), False)
                selector.register(child.stdin, selectors.EVENT_WRITE)
            while len(selector.get_map()) > (child.stdin is not None and not child.stdin.closed):
                ready = selector.select(max(0.0, min(deadline - time.monotonic(), 5.0)))
                if time.monotonic() > deadline:
                    return True, False
                for key, _ in ready:
                    if key.fileobj is child.stdin:
                        left = self._feed(selector, child, left)
                        continue
                    piece = os.read(key.fd, _PIECE)
                    if not piece:
                        selector.unregister(key.fileobj)
                        continue
                    key.data.extend(piece)
                    if key.data is err:
                        if self._on_progress is not None:
                            self._on_progress(piece)
                        del err[:-_ERRORS_KEPT]
                    elif len(out) > self._cap:
                        del out[self._cap :]
                        return False, True
        return False, False

    def _feed(self, selector: selectors.BaseSelector, child: Child, left: memoryview) -> memoryview:
        assert child.stdin is not None
        try:
            left = left[os.write(child.stdin.fileno(), left[:65_536]) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            left = left[len(left) :]
        if not left:
            selector.unregister(child.stdin)
            child.stdin.close()
        return left
