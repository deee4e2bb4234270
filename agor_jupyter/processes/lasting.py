"""Runs services that go on when this server ends, such as a development server: a later server adopts them, and can stop them as well.

Each is below a shim of its own, as an agent is, but this shim outlives us, and writes the program's output to a file of bounded size.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agor_jupyter.processes import shim, starting, table
from agor_jupyter.processes.starting import Child, Limits
from agor_jupyter.processes.table import Identity

_SHIM = str(Path(__file__).with_name("shim.py"))
_LOG_BYTES = 1 << 20
_GRACE_S, _KILL_S = 10.0, 5.0


class Lasting:
    """One service, started or adopted by this server."""

    def __init__(self, identity: Identity, run_id: str, log: Path, pidfd: int, child: Child | None) -> None:
        self.identity = identity.text()
        """For a record, with which `adopt` finds it again."""
        self.run_id, self.log = run_id, log
        self.exited = asyncio.Event()
        """Of the program and all below it."""
        self.exit_code: int | None = None
        """The program's, 128 + signal when it was killed. `None` while it runs, or when its shim was killed."""
        self._shim, self._child = identity, child
        self._pidfd: int | None = pidfd
        self._stopping: asyncio.Task[set[Identity]] | None = None
        asyncio.get_running_loop().add_reader(pidfd, self._on_exit)

    def find(self) -> set[Identity]:
        """All that belongs to it but the shim. Reads `/proc`: in a thread."""
        root = None if self.exited.is_set() else self._shim.pid
        return table.of_run(self.run_id, root) - {self._shim}

    def below(self) -> list[int]:
        """The processes below its shim: a quick look, which misses what has left its tree. None when it has exited."""
        return [] if self.exited.is_set() else shim.below(self._shim.pid)

    async def stop(self, grace_s: float = _GRACE_S) -> set[Identity]:
        """SIGTERM to all of it, and after `grace_s` SIGKILL. Returns what is left. Also when it has exited: nothing of it is there then.

        Asked twice, it answers twice.
        """
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace_s))
        return await asyncio.shield(self._stopping)

    def let_go(self) -> None:
        """Look after it no more. It goes on, for another server to adopt."""
        if self._pidfd is not None:
            self._forget(self._pidfd)
        if self._child is not None and self._child.returncode is None:
            self._child.returncode = 0  # it is not ours to reap any more; else its destructor warns

    def tail(self, size: int = 64 << 10) -> str:
        """The end of what it wrote. Reads files: in a thread."""
        content = b""
        for path in (self.log, _sibling(self.log, ".1")):
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - (size - len(content))))
                content = file.read(size - len(content)) + content
        return content.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")

    async def _stop(self, grace_s: float) -> set[Identity]:
        self._signal(signal.SIGTERM)
        if not await self._gone_within(grace_s):
            self._signal(signal.SIGTERM)  # said twice: now
            if not await self._gone_within(_KILL_S):
                await asyncio.to_thread(table.sweep, self.find)  # below the shim while it still adopts orphans
                self._signal(signal.SIGKILL)
                await self._gone_within(_KILL_S)
        left = await asyncio.to_thread(table.sweep, self.find)
        return left if self.exited.is_set() else left | {self._shim}

    async def _gone_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.exited.wait()
        return self.exited.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _on_exit(self) -> None:
        assert self._pidfd is not None
        self._forget(self._pidfd)
        if self._child is not None:
            self._child.wait()
        self.exit_code = exit_code(self.log)
        self.exited.set()

    def _forget(self, pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        self._pidfd = None


async def start(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    run_id: str,
    log: Path,
    log_bytes: int = _LOG_BYTES,
    limits: Limits | None = None,
    keeps_log: bool = False,
) -> Lasting:
    """Start `command` with exactly `env` and the run's mark. The end of its output is in `log`, what came before in `log`.1.

    Together they take `log_bytes`; `rings` reads them. `keeps_log`: it goes on after what an earlier run wrote there.

    Write `run_id` down before, and `identity` after: `adopt` finds it with either. Raises
    `OSError` when it cannot be started.
    """
    await asyncio.to_thread(_prepare, log, keeps_log=keeps_log)
    child = starting.start(
        [sys.executable, "-I", "-S", _SHIM, *(limits or Limits()).around(command)],
        cwd=cwd,
        env={**env, table.MARK: run_id, "AGOR_LOG": str(log), "AGOR_LOG_BYTES": str(log_bytes)},
    )
    pidfd = os.pidfd_open(child.pid)  # it is ours and not reaped, so the pid is its own
    return Lasting(Identity(child.pid, table.start_ticks(child.pid) or 0), run_id, log, pidfd, child)


async def adopt(run_id: str, identity: str | None, *, log: Path) -> Lasting | None:
    """The service that an earlier server started, or `None` when it has ended; then what it may have left is ended too.

    `identity` is `None` when the server died before it was written down. Raises `ValueError` when it is none.
    """
    found = Identity.living(identity) if identity is not None else await asyncio.to_thread(_shim_of, run_id)
    pidfd = table.pin(found) if found is not None else None
    if found is None or pidfd is None:
        await end(run_id)
        return None
    return Lasting(found, run_id, log, pidfd, None)


async def end(run_id: str) -> set[Identity]:
    """Kill what carries the mark of a service whose shim is gone. Returns what is left."""
    return await asyncio.to_thread(table.sweep, lambda: table.of_run(run_id))


def _shim_of(run_id: str) -> Identity | None:
    shims = {process for process in table.of_run(run_id) if _is_shim(process.pid)}
    below = set().union(*(table.tree(process.pid) for process in shims))
    return next((process for process in shims if process.pid not in below), None)


def _is_shim(pid: int) -> bool:
    """Also of its child, before that becomes the program."""
    with contextlib.suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")[3:4] == [os.fsencode(_SHIM)]
    return False


def exit_code(log: Path) -> int | None:
    """Of the program that wrote this log last, whoever looked after it. `None`: it has not ended, or its shim was killed."""
    with contextlib.suppress(OSError, ValueError):
        return int(_sibling(log, ".exit").read_text())
    return None


def _prepare(log: Path, *, keeps_log: bool) -> None:
    """An old code must not be taken for the new one."""
    log.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT | (0 if keeps_log else os.O_TRUNC), 0o600))
    for suffix in (".exit",) if keeps_log else (".exit", ".1", ".at"):
        _sibling(log, suffix).unlink(missing_ok=True)


def _sibling(log: Path, suffix: str) -> Path:
    return log.with_name(log.name + suffix)
