"""What a conversation needs of the process that it talks with, and how long it waits for what."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agor_jupyter.agents.protocol.acp import Reader, Writer

Identities = Collection[tuple[int, int]]
"""Processes, as the executor knows them."""

NO_GRACE_S = 0.1
"""For an agent that has shown that it does not listen."""


class Process(Protocol):
    """A running agent; `executors.local.Process` is one."""

    pid: int
    start_ticks: int
    exited: asyncio.Event
    exit_code: int | None

    @property
    def stdin(self) -> Writer: ...
    @property
    def stdout(self) -> Reader: ...
    def stderr_tail(self) -> str: ...
    async def baseline(self) -> Identities: ...
    async def after_cancel(self, baseline: Identities) -> Identities: ...
    async def stop(self, grace_s: float = ...) -> Identities: ...


class Executor(Protocol):
    async def spawn(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], run_id: str) -> Process: ...


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds."""

    initialize: float = 60.0
    open: float = 60.0
    load: float = 120.0
    """Bringing back a long conversation takes longer than a new one."""
    cancel: float = 10.0
    """After it an agent that was told to cancel and did not is ended."""
    retrying: float = 60.0
    """An agent that says for so long that it cannot reach the model, and nothing else, is stopped."""
    exit: float = 2.0
    """Between the end of an agent's output and the end of its process."""
