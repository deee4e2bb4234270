"""Runs shell lines to their end, such as a repository's setup: few variables, a deadline, and no survivors."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.processes import guarded, table

_PASSED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "TZ", "XDG_CACHE_HOME")
_TAIL = 4000


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`code` is `None` when the deadline passed. `tail` is the end of what the command wrote."""

    line: str
    code: int | None
    tail: str


async def run(lines: Sequence[str], *, cwd: Path, mark: str, env: Mapping[str, str], timeout_s: float) -> Ended | None:
    """Run each line with `sh -c` until one fails, and return that one. `None`: all went well. Call it on the main thread.

    What a line started is ended with it, and `end` finds by `mark` what a dead server left. Raises `OSError` when a line cannot be
    started.
    """
    clock = asyncio.get_running_loop()
    deadline = clock.time() + timeout_s
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | dict(env)
    for line in lines:
        left_s = max(0.0, deadline - clock.time())
        ended = await guarded.run(["/bin/sh", "-c", line], cwd=cwd, env=environment, run_id=mark, timeout_s=left_s, kept_bytes=_TAIL)
        if ended.code != 0:
            return Ended(line=line, code=ended.code, tail=ended.output)
    return None


async def end(mark: str) -> None:
    """End what still carries `mark`."""
    await asyncio.to_thread(table.sweep, lambda: table.of_run(mark))
