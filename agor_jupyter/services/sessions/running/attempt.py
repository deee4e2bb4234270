"""One attempt at a turn, from its claim to its end: what the agent says and asks in it, what it costs, and how it is stopped."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import replace
from typing import TypeVar

from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.questions import Question, about
from agor_jupyter.agents.protocol.results import PromptResult
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Notice, ToolCall, TranscriptBody, UsageReported
from agor_jupyter.domain.own_files import Spoken
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Usage
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions.running.watchdog import Watchdog
from agor_jupyter.services.sessions.runs import outcomes
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.sessions.runs.process import AgentProcess, Run
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.sessions.runs.slots import FIRST
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.keepers import said

T = TypeVar("T")

MISTAKE = "An error occurred in the server; its log says more."


class Cancelled(Exception):
    """The turn was cancelled before its prompt was sent."""


class Attempt:
    """Of a prompt's turn, or of one that no prompt began: `prompted` and `continued` have the two kinds."""

    def __init__(self, context: RunContext, run: Run, turn: Turn, watchdog: Watchdog) -> None:
        self._context, self.run, self.turn, self.watchdog = context, run, turn, watchdog
        self.agent: AgentConversation | None = run.process.agent if run.process is not None else None
        """`None` until it has been started."""
        self.cancelled = asyncio.Event()
        self.exhausted: errors.BudgetExhausted | None = None
        """The budget that stops it."""
        self.before: Checkpoint | None = None
        """`None` until it was read, and if it could not be."""
        self.at_begin: Checkpoint | None = None
        """Of a continued turn, whose `before` is what the turn that it follows had left: what was there when it began."""
        self.is_sandboxed = False
        self.spoken = Spoken()
        """What its tools named."""
        self.is_spoiled = False
        """Its process sees a repository that cannot be used any more."""
        self.is_ending = False
        """How it ended is being written down."""
        self.is_over = asyncio.Event()
        self._is_asked = False
        """The agent works on it, so what the agent spends belongs to it."""
        self._has_place = True
        """It is one of those that may work at the same time."""

    # Stopping it

    def cancel(self) -> None:
        """It was marked as stopping: make the agent stop."""
        self.cancelled.set()
        if self.agent is not None:
            self.agent.cancel()

    def exhaust(self, error: errors.BudgetExhausted) -> None:
        """A budget is used up: make the agent stop."""
        if self.exhausted is None:
            self.exhausted = error
            self.cancel()

    async def unless_cancelled(self, work: Awaitable[T]) -> T:
        """Do it, unless a person cancels the turn meanwhile: then it is broken off and cleans up after itself.

        Raises `Cancelled`.
        """
        doing = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self.cancelled.wait())
        try:
            await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise Cancelled
            return doing.result()
        finally:
            await end(stopping, doing)

    # The agent at work

    async def _talk(self, process: AgentProcess, talk: Coroutine[None, None, PromptResult]) -> PromptResult:
        """Let the agent work on the turn, to its end."""
        self._is_asked = True
        agent = process.agent
        talking = asyncio.create_task(talk, name=f"turn {self.turn.id}")
        try:
            await asyncio.sleep(0)
            if self.cancelled.is_set():  # a cancel just before it began was not for this turn yet
                agent.cancel()
            if self.turn.origin == "prompt":
                crash_point("prompt.sent")
                self.watchdog.prompted(agent.agent)
            result = await talking
            if result.has_acted or outcomes.read(result).state is not TurnState.PARKED:  # else the model may not know it yet
                process.prologue = None
            return result
        finally:
            await end(talking)

    async def hear(self, body: TranscriptBody, raw: JsonObject | None) -> None:
        """Thousands of pieces in a second may come through here."""
        if not self._has_place:
            self.take_place()
        self.watchdog.hear(body)
        if isinstance(body, ToolCall):
            self.spoken.hear(said(body))
            if self.run.process is not None and self.run.process.making is not None:
                self.run.process.making.hear(body)
        if isinstance(body, UsageReported) and self.agent is not None:
            await self._context.budgets.report(self.turn, self._cost(self.agent))
        await self._context.collector.add(self.turn.session_id, self.turn.id, body, raw)
        if isinstance(body, ToolCall) and self._context.permissions.is_bare(self.turn.id, body.tool_call_id):
            await self._context.permissions.learn(self.turn.id, about(body))

    async def tell(self, notice: Notice) -> None:
        await self._context.collector.add(self.turn.session_id, self.turn.id, notice)

    async def ask(self, question: Question) -> str | None:
        """Ask a person. While people think, others may work."""
        if self.cancelled.is_set():
            return None
        await self._context.collector.flush()
        self.take_place()
        self.watchdog.is_paused = True
        running = self._context.running
        running.release()
        try:
            answer = await self._context.permissions.ask(self.turn, question)
            if running.is_full:
                text = f"{running.taken} of {running.count} agents are working. This one is next in line."
                await self.tell(Notice(code="waits_for_place", text=text))
            await running.acquire(since=FIRST)
        except BaseException:
            running.take()
            raise
        finally:
            self.watchdog.is_paused = False
            self.watchdog.hear()
        return answer

    def give_place(self) -> None:
        """While it only waits for what it began, another may work."""
        if self._has_place:
            self._has_place = False
            self._context.running.release()

    def take_place(self) -> None:
        if not self._has_place:
            self._has_place = True
            self._context.running.take()

    # Its failure

    def _failed(self, error: str, code: str) -> AttemptOutcome:
        """With what it cost until then, as far as the agent said."""
        outcome, agent = AttemptOutcome(state=TurnState.FAILED, error=error, error_code=code), self.agent
        if agent is None or not self._is_asked:
            return outcome
        spent, unpaid = self._cost(agent), agent.unpaid
        usage = Usage(cost_usd=spent, is_estimate=bool(unpaid)) if agent.spent_usd else None
        return replace(outcome, usage=usage, models=unpaid)

    def _cost(self, agent: AgentConversation) -> float | None:
        """Of the turn that runs until now: the dollars that the agent reported, and an estimate of what it used since, at least."""
        prices = self._context.budgets.books.prices
        estimates = [cost for usage in agent.unpaid if (cost := prices.estimate(usage)) is not None]
        return None if agent.spent_usd is None and not estimates else (agent.spent_usd or 0.0) + sum(estimates)
