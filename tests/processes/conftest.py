"""All who run a program here, behind one face: begun, stopped, and what is left."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.executors import commands, installer
from agor_jupyter.executors.local import LocalExecutor
from agor_jupyter.git import run as git
from agor_jupyter.processes import lasting, once

ENV = {"PATH": os.environ["PATH"]}
RUN_TO_THE_END = ("once", "git", "setup", "installation")
BELOW_A_SHIM = ("setup", "installation", "agent", "lasting", "adopted")
ALL = ("once", "git", *BELOW_A_SHIM)
LATE = "late"


def sleeping(token: str) -> set[int]:
    """The processes of `sleep token…`."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(f"sleep\0{token}".encode()):
                found.add(int(entry.name))
    return found


async def until(is_so: Callable[[], object], patience_s: float = 20) -> None:
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


@pytest.fixture
def token() -> str:
    return f"{random.randint(10_000, 99_999)}.{random.randint(1000, 9999)}"


@dataclass
class Begun:
    stop: Callable[[], Awaitable[object]]
    """Ends it in the middle."""
    result: Callable[[], Awaitable[object]]
    """Waits for its end. `LATE` when that was its deadline, else what it wrote, as far as it is kept."""


@dataclass
class Runner:
    """Begins a line of shell as one of `ALL` does."""

    folder: Path
    run_id: str
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "logs" / "service.log"

    async def begin(self, kind: str, line: str, *, timeout_s: float = 60, cap: int = 1 << 20) -> Begun:
        if kind in RUN_TO_THE_END:
            return self._to_the_end(kind, line, timeout_s, cap)
        if kind == "agent":
            process = await LocalExecutor().spawn(["sh", "-c", line], self.folder, ENV, self.run_id)
            return Begun(lambda: process.stop(grace_s=0.1), process.stdout.read)
        service = await lasting.start(["sh", "-c", line], cwd=self.folder, env=ENV, run_id=self.run_id, log=self.log, log_bytes=cap)
        if kind == "adopted":
            first, found = service, await lasting.adopt(self.run_id, service.identity, log=self.log)
            assert found is not None
            service = found

            async def stop() -> object:
                left = await found.stop(grace_s=0.2)
                await first.exited.wait()  # it is our child still, which is to be reaped
                return left

            return Begun(stop, service.exited.wait)
        return Begun(lambda: service.stop(grace_s=0.2), service.exited.wait)

    def _to_the_end(self, kind: str, line: str, timeout_s: float, cap: int) -> Begun:
        async def work() -> object:
            with contextlib.suppress(TimeoutError):
                if kind == "once":
                    return (await once.run(["sh", "-c", line], cwd=self.folder, env=ENV, timeout_s=timeout_s, cap=cap)).text
                if kind == "git":
                    words = ["-c", f"alias.go=!{line}\n:", "go"]
                    try:
                        return (await git.run("go", words, cwd=self.folder, timeout_s=timeout_s, cap=cap)).text
                    except errors.GitFailed as error:
                        assert "took longer" in error.message
                        return LATE
                if kind == "setup":
                    ended = await commands.run([line], cwd=self.folder, mark=self.run_id, env={}, timeout_s=timeout_s)
                    return LATE if ended is not None and ended.code is None else ended and ended.tail
                done = await installer.run(["sh", "-c", line], cwd=self.folder, env=ENV, mark=self.run_id, timeout_s=timeout_s)
                return LATE if done.code is None else done.output
            return LATE

        task = asyncio.create_task(work())

        async def stop() -> None:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

        async def result() -> object:
            return await task

        return Begun(stop, result)


@pytest.fixture
def runner(tmp_path: Path, token: str) -> Runner:
    return Runner(tmp_path, f"ru_contract{token}")
