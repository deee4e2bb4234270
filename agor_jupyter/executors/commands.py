"""Run shell lines to their end, such as a repository's setup: own session, few variables, a deadline, and no survivors."""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "TZ", "XDG_CACHE_HOME")
_TAIL = 4000
_MARK = "AGOR_COMMAND"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`code` is `None` when the deadline passed. `tail` is the end of what the command wrote."""

    line: str
    code: int | None
    tail: str


async def run(lines: Sequence[str], *, cwd: Path, mark: str, env: Mapping[str, str], timeout_s: float) -> Ended | None:
    """Run each line with `sh -c` until one fails, and return that one. `None`: all went well.

    Whatever carries `mark` in its environment is killed at the end, also what left the process group.
    """
    deadline = time.monotonic() + timeout_s
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | {**env, _MARK: mark}
    for line in lines:
        ended = await _run(line, cwd, mark, environment, deadline)
        if ended.code != 0:
            return ended
    return None


async def _run(line: str, cwd: Path, mark: str, environment: dict[str, str], deadline: float) -> Ended:
    stop = threading.Event()
    work = asyncio.get_running_loop().run_in_executor(None, _run_here, line, cwd, mark, environment, deadline, stop)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(work, return_exceptions=True)
        raise


def _run_here(  # noqa: PLR0917 run_in_executor passes by position
    line: str, cwd: Path, mark: str, environment: dict[str, str], deadline: float, stop: threading.Event
) -> Ended:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = _wait(process, deadline, stop)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            sweep(mark)
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _TAIL))
        return Ended(line=line, code=code, tail=output.read().decode("utf-8", "replace").strip())


def _wait(process: subprocess.Popen[bytes], deadline: float, stop: threading.Event) -> int | None:
    pause = 0.002
    while time.monotonic() < deadline and not stop.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(pause)
        pause = min(pause * 2, 0.1)
    return None


def sweep(mark: str) -> int:
    """Kill every process that carries `mark`, and those they start meanwhile. Returns how many."""
    wanted = f"{_MARK}={mark}".encode()
    killed = 0
    for _ in range(20):
        found = [pid for pid in _processes() if wanted in _environment(pid)]
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            break
        killed += len(found)
        time.sleep(0.02)
    return killed


def _processes() -> list[int]:
    try:
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except OSError:
        return []


def _environment(pid: int) -> list[bytes]:
    try:
        if (Path("/proc") / str(pid) / "stat").read_bytes().rpartition(b") ")[2][:1] == b"Z":
            return []
        return (Path("/proc") / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
