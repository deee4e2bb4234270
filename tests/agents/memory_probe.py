"""Prints how many MiB this process grew at most while an agent flooded it, and how many messages it took."""

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from agor_jupyter.agents.protocol import starting
from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.errors import AgentFailed
from agor_jupyter.executors import environment
from agor_jupyter.executors.local import LocalExecutor

AGENT = AgentType(
    name="bad", label="Bad", icon="x", command=[sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "misbehaving_agent.py")]
)


def status(name: str) -> float:
    return next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))


async def main() -> None:
    count = 0

    async def on_event(body, raw) -> None:
        nonlocal count
        count += 1

    async def on_permission(question) -> None:
        return None

    async def session(number: int) -> AgentConversation:
        run_id = f"ru_probe{number}_{os.getpid()}"
        made = await starting.start(
            AGENT, cwd=Path(tempfile.gettempdir()), env=environment.build(AGENT, run_id), executor=LocalExecutor(), run_id=run_id,
            on_event=on_event, on_permission=on_permission, limits=Limits(held_back_s=2),
        )  # fmt: skip
        await made.open()
        return made

    first = await session(1)
    await first.prompt("say ready")
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    await first.prompt("line 100")
    await first.stop()
    second = await session(2)
    with contextlib.suppress(AgentFailed):
        await second.prompt("many 1000000")
    await second.stop()
    print(status("VmHWM") - before, count)


asyncio.run(main())
