"""An agent session on a real process, with everything it says kept."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agor_jupyter.agents.protocol import starting
from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.process import Timeouts
from agor_jupyter.agents.protocol.results import Opened
from agor_jupyter.agents.script import AGENT as SCRIPT
from agor_jupyter.domain.agents import AgentType, Capabilities
from agor_jupyter.domain.events import Notice, Text, ToolOutput
from agor_jupyter.executors import environment
from agor_jupyter.executors.local import LocalExecutor
from agor_jupyter.processes import table

MISBEHAVING = Path(__file__).parents[1] / "misbehaving_agent.py"


class Stage:
    """Starts sessions, answers their questions with `answer`, and keeps what they tell."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.bodies: list = []
        self.raw: list = []
        self.questions: list = []
        self.answer: str | None | Callable = "allow_once"
        self.sessions: list[AgentConversation] = []
        self.run_ids: list[str] = []
        self.opened: list[Opened] = []
        self.tasks: list[asyncio.Task] = []

    async def on_event(self, body, raw) -> None:
        self.bodies.append(body)
        self.raw.append(raw)

    async def on_permission(self, question):
        self.questions.append(question)
        return await self.answer(question) if callable(self.answer) else self.answer

    async def start(
        self, agent: AgentType = SCRIPT, *, previous=None, limits: Limits | None = None, timeouts: Timeouts | None = None, source=None,
        opening=None, **kw,
    ):  # fmt: skip
        run_id = f"ru_test{len(self.run_ids)}_{os.urandom(4).hex()}"
        self.run_ids.append(run_id)
        session = await starting.start(
            agent, cwd=self.cwd, env=environment.build(agent, run_id, source=source), executor=LocalExecutor(), run_id=run_id,
            on_event=self.on_event, on_permission=self.on_permission, limits=limits, timeouts=timeouts, **kw,
        )  # fmt: skip
        self.sessions.append(session)
        self.opened.append(await session.open(previous, **opening or {}))
        return session

    def spawn(self, work) -> asyncio.Task:
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def misbehave(self, *, about: dict | None = None, **kw) -> AgentConversation:
        command = [sys.executable, "-I", "-S", str(MISBEHAVING)]
        agent = AgentType(name="bad", label="Bad", icon="x", command=command, capabilities=Capabilities(can_load=True), **about or {})
        return await self.start(agent, **kw)

    def of(self, kind) -> list:
        return [body for body in self.bodies if isinstance(body, kind)]

    @property
    def text(self) -> str:
        return "".join(body.text for body in self.of(Text))

    @property
    def output(self) -> str:
        return "".join(body.text for body in self.of(ToolOutput))

    @property
    def notices(self) -> list[str]:
        return [body.code for body in self.of(Notice)]

    def marked(self) -> set[int]:
        return set().union(*(table.marked(run_id) for run_id in self.run_ids))

    async def until(self, claim: Callable[[], bool], seconds: float = 50.0) -> None:
        async with asyncio.timeout(seconds):
            while not claim():
                await asyncio.sleep(0.01)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    left = [await session.stop() for session in stage.sessions]
    assert not any(left)
    assert not stage.marked()
