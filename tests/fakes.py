"""Fakes where real things are slow, paid or random. `FakeAgents` stands for agent processes whose every step a test decides."""

import asyncio
import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.agents.protocol.results import Opened, PromptResult
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import Text, ToolCall, UsageReported
from agor_jupyter.domain.permissions import PermissionOption
from agor_jupyter.domain.sessions import Usage
from agor_jupyter.services.app import Agor
from agor_jupyter.services.clock import Clock

OPTIONS = [PermissionOption(id="yes", name="Yes", kind="allow_once"), PermissionOption(id="no", name="No", kind="reject_once")]


class FakeClock(Clock):
    """Its seconds pass when a test says so, and silence lasts as long. Its days go on, unless a test shows a moment."""

    def __init__(self) -> None:
        self._at = super().monotonic()
        self._shown: datetime | None = None

    def now(self) -> datetime:
        return self._shown or super().now()

    def show(self, moment: datetime) -> None:
        """From now on it stands at this moment."""
        self._shown = moment

    def monotonic(self) -> float:
        return self._at

    def let_pass(self, seconds: float) -> None:
        self._at += seconds


class FakeProcess:
    def __init__(self, pid: int) -> None:
        self.pid, self.start_ticks, self.exited, self.exit_code = pid, 1, asyncio.Event(), None


@dataclass
class FakeAgent:
    """One process. The turn goes on when the test says so."""

    callbacks: dict[str, Any]
    process: FakeProcess
    agent: Any = None
    agent_session_id: str | None = None
    opened_with: str | None = None
    prompts: list[str] = field(default_factory=list)
    contexts: list[str | None] = field(default_factory=list)
    is_stopped: bool = False
    spent_usd: float | None = None
    unpaid: list[ModelUsage] = field(default_factory=list)
    can_bring_back: bool = True
    late: asyncio.Event = field(default_factory=asyncio.Event)
    background: list[str] = field(default_factory=list)
    heard_ago_s: float = 0.0
    _turn: "asyncio.Future[PromptResult] | None" = None

    @property
    def is_alive(self) -> bool:
        return not self.is_stopped and not self.process.exited.is_set()

    async def open(self, previous=None, **_options):
        self.opened_with = previous
        is_resumed = previous is not None and self.can_bring_back
        self.agent_session_id = previous if is_resumed else f"conversation-{self.process.pid}"
        return Opened(agent_session_id=self.agent_session_id, how="resumed" if is_resumed else "new", left=[])

    async def apply(self, _wanted):
        return []

    async def set_option(self, _option_id, _value):
        pass

    takes_images = True

    async def prompt(self, text, context=None, pictures=()):
        self.prompts.append(text)
        self.contexts.append(context)
        self._turn = asyncio.get_running_loop().create_future()
        try:
            return await self._turn
        finally:
            self._turn = None

    def cancel(self):
        self.finish("cancelled")

    async def stop(self):
        self.is_stopped = True
        self.process.exited.set()
        return set()

    # What the test does

    async def say(self, text, message_id="m"):
        await self.callbacks["on_event"](Text(text=text, message_id=message_id), None)

    async def spend(self, cost_usd):
        """Report what the turn has cost until now."""
        self.spent_usd = cost_usd
        await self.callbacks["on_event"](UsageReported(usage=Usage(cost_usd=cost_usd)), None)

    async def read(self, *models):
        """Report how full the context is; `models` are the tokens that this means."""
        self.unpaid = list(models)
        await self.callbacks["on_event"](UsageReported(usage=Usage(context_used=sum(one.input_tokens for one in models))), None)

    def ask(self, title="May I?", **fields):
        question = Question(**{"title": title, "options": OPTIONS, "input": {}, **fields})
        return asyncio.create_task(self.callbacks["on_permission"](question))

    def ask_to_run(self, command, **fields):
        return self.ask(tool_kind="execute", input={"command": command, **fields.pop("also", {})}, **fields)

    def ask_to_change(self, *paths, kind="edit", **fields):
        call = ToolCall(tool_call_id="t", locations=list(paths) or None)
        return self.ask(tool_kind=kind, call=call, **fields)

    def finish(self, stop_reason="end_turn", **fields):
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(PromptResult(stop_reason=stop_reason, **fields))

    def fail(self, error):
        self._turn.set_exception(error)


class FakeAgents:
    """Give its `start` to the run context."""

    def __init__(self) -> None:
        self.started: list[FakeAgent] = []
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.can_bring_back = True
        self.starting = self.most_starting = 0

    async def start(self, agent, **callbacks):
        self.starting += 1
        self.most_starting = max(self.most_starting, self.starting)
        try:
            await self.may_start.wait()
        finally:
            self.starting -= 1
        fake = FakeAgent(callbacks, FakeProcess(1_000_000 + len(self.started)), agent, can_bring_back=self.can_bring_back)
        self.started.append(fake)
        await callbacks["on_spawned"](fake.process)
        return fake


class FakeKernel:
    """Runs anything at once, and shows its source."""

    name, is_busy = "agor-fix", False

    async def run(self, source, tell):
        tell("execute_input", {"execution_count": 1})
        tell("stream", {"name": "stdout", "text": source})

    async def interrupt(self):
        pass


class FakeJupyter:
    """Nobody has a notebook open, and each has a kernel once one was started."""

    def __init__(self):
        self.kernels = {}

    async def get_document(self, file):
        return None

    async def show(self, file, person):
        pass

    async def get_kernel(self, file):
        return self.kernels.get(file)

    async def start_kernel(self, file, spec):
        return self.kernels.setdefault(file, FakeKernel())


class FakeAgor(Agor):
    """The real engine whose agents are `self.fakes`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"jupyter": FakeJupyter(), **kwargs})
        self.fakes = FakeAgents()

    def _run_context(self, collector):
        return dataclasses.replace(super()._run_context(collector), start_agent=self.fakes.start)
