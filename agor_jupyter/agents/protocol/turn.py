"""One turn of a conversation: what is heard and asked in it, and how it ended. Made anew for each; `prompted` and `unprompted` run it."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from agor_jupyter.agents.protocol import updates
from agor_jupyter.agents.protocol.acp import AUTH_REQUIRED, Gone, Message, RpcError
from agor_jupyter.agents.protocol.background import Background
from agor_jupyter.agents.protocol.calls import Calls
from agor_jupyter.agents.protocol.failures import FailureWatch, ProviderFailure, at
from agor_jupyter.agents.protocol.mask import MaskedEvents
from agor_jupyter.agents.protocol.peer import Peer
from agor_jupyter.agents.protocol.process import NO_GRACE_S
from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.agents.protocol.results import LastError, OnPermission, PromptResult
from agor_jupyter.agents.protocol.spending import Spending
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import Notice, Text, ToolCall, TranscriptBody, UsageReported
from agor_jupyter.domain.sessions import Usage

_SIGN_IN = "Log in with its own command line, or give it its key."
_REFUSALS = {
    "provider_error": "The model's provider refused the request",
    "auth_required": "The model's provider did not accept the login",
    "quota": "The quota of the model's provider is used up",
    "rate_limited": "The model's provider takes no more requests for now",
    "overloaded": "The model's provider is overloaded or failed",
    "unreachable": "The model could not be reached",
}
_MAX_TOLD = 10_000


@dataclass
class Signs:
    """When the agent was last heard of, and what it seems to be at."""

    heard: float = 0.0
    is_thinking: bool = False
    """The model has to speak next."""
    open_questions: int = 0
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a tool or a question of it changes."""

    @property
    def heard_ago_s(self) -> float:
        return asyncio.get_running_loop().time() - self.heard

    def hear(self) -> None:
        self.heard = asyncio.get_running_loop().time()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all turns of a conversation share."""

    peer: Peer
    on_event: MaskedEvents
    on_permission: OnPermission
    now: Callable[[], datetime]
    last_error: LastError | None
    background: Background
    calls: Calls
    spending: Spending
    signs: Signs
    model: Callable[[], str | None]
    """The one that is chosen."""


class Turn:
    def __init__(self, surroundings: Surroundings, session_id: str, mcp_titles: list[str], *, is_command: bool = False) -> None:
        self._its, self._peer, self._agent = surroundings, surroundings.peer, surroundings.peer.agent
        self._session_id, self._mcp_titles, self._is_command = session_id, mcp_titles, is_command
        self.cancelled = asyncio.Event()
        self.settled = asyncio.Event()
        """A prompt waits for the end of it."""
        self.has_acted = False
        self.was_allowed = False
        """A person allowed something in it."""
        self.models: list[ModelUsage] = []
        self._told: set[str] = set()
        self._began = surroundings.now()
        self._watch = FailureWatch(self._agent)
        self._retrying, self._progressed = asyncio.Event(), asyncio.Event()

    # What the agent says

    async def hear(self, update: Message, *, is_masked: bool) -> None:
        """Thousands of pieces in a second may come through here. `is_masked`: something was taken out of it."""
        its = self._its
        self._watch.hear(update)
        its.spending.hear_update(update)
        its.background.hear_task(update)
        if self._watch.is_retrying:
            self._retrying.set()
            self._progressed.clear()
        elif self._retrying.is_set():
            self._retrying.clear()
            self._progressed.set()
        for body in self._bodies(update, is_masked=is_masked):
            await self._take(self._in_its_place(body, update), update)

    def _bodies(self, update: Message, *, is_masked: bool) -> list[TranscriptBody]:
        """Its events. Tool calls are remembered: a question may name one, also one of an older turn."""
        bodies = updates.normalise(update, self._mcp_titles)
        for body in bodies:
            if isinstance(body, ToolCall):
                self._its.calls.hear(body, is_begun=update.get("sessionUpdate") == "tool_call", is_masked=is_masked)
        return bodies

    async def _take(self, body: TranscriptBody, update: Message) -> None:
        its = self._its
        its.signs.hear()
        if isinstance(body, UsageReported):
            its.spending.hear_report(body.usage)
        else:
            its.signs.is_thinking = not isinstance(body, Text | Notice)
        if isinstance(body, ToolCall):
            self.has_acted = True
            its.background.hear(body)
            its.signs.stirred.set()
            if len(self._told) < _MAX_TOLD:
                self._told.add(body.tool_call_id)
        if self._agent.usage.reports_in_turn:
            its.spending.count(body, self._model_of(update))
        await its.on_event(body, update)

    def _in_its_place(self, body: TranscriptBody, update: Message) -> TranscriptBody:
        """A tool call of a subagent is part of the call that started it."""
        if not isinstance(body, ToolCall):
            return body
        named = at(update.get("_meta"), self._agent.quirks.parent_call)
        is_other = isinstance(named, str) and named and named != body.tool_call_id
        return body.replace(parent_id=str(named)[:200]) if is_other else body

    def _model_of(self, update: Message) -> str | None:
        """Whose report of usage it is."""
        named = at(update.get("_meta"), self._agent.usage.model_at) if self._agent.usage.model_at else None
        return named[:200] if isinstance(named, str) else self._its.model()

    async def notice(self, code: str, text: str) -> None:
        await self._its.on_event(Notice(code=code, text=text), None)

    # What the agent asks

    async def ask(self, question: Question, masked: Message) -> str | None:
        """Ask, after the call that it is about is told: some agents ask without telling it before. `None` as soon as it is cancelled."""
        call = question.call
        if call is not None:
            told = masked.get("toolCall")
            placed = self._in_its_place(call, told if isinstance(told, dict) else {})
            if call.tool_call_id not in self._told:
                await self._its.on_event(placed, masked)
            parent_id = placed.parent_id if isinstance(placed, ToolCall) else None
            question = replace(question, asked_by=self._its.background.asker(call.tool_call_id, parent_id))
        await self._its.on_event.flush()
        return await self._ask_person(question)

    async def _ask_person(self, question: Question) -> str | None:
        answering = asyncio.ensure_future(self._its.on_permission(question))
        cancelled = asyncio.create_task(self.cancelled.wait())
        try:
            await asyncio.wait({answering, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() and not self.cancelled.is_set() else None
        finally:
            answering.cancel()
            cancelled.cancel()
            await asyncio.gather(answering, cancelled, return_exceptions=True)

    # How it ends

    async def _wait_hopeless(self) -> None:
        """Return when the agent has tried to reach the model for too long, and did nothing else."""
        while True:
            await self._retrying.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._peer.timeouts.retrying):
                    await self._progressed.wait()
                continue
            return

    async def _end_by_force(self, *, has_exited: bool) -> PromptResult:
        if has_exited and not self.cancelled.is_set():
            raise await self._peer.died(Gone("ended"), "in the middle of a turn")
        if not has_exited:
            limit_s = self._peer.timeouts.cancel
            await self.notice("killed", f"The agent did not stop within {limit_s:g} s after it was told to. It was ended.")
        await self._peer.process.stop(NO_GRACE_S)
        return self._was_cancelled()

    def _was_cancelled(self) -> PromptResult:
        return PromptResult(stop_reason="cancelled", usage=self._usage({}))

    def _given_up(self) -> PromptResult:
        return self._refused(self._watch.given_up(self._its.now()), "error", self._usage({}))

    def _result(self, answer: Message) -> PromptResult:
        reason = answer.get("stopReason")
        usage = self._usage(answer)
        if not isinstance(reason, str):
            return PromptResult(
                stop_reason="error", usage=usage, error="The agent ended the turn without a reason.", error_code="agent_error"
            )
        meta = answer.get("_meta")
        own = meta.get("agor") if isinstance(meta, dict) else None
        own = own if isinstance(own, dict) else {}
        error, code = own.get("error"), own.get("code")
        if isinstance(error, str):
            code = code[:80] if isinstance(code, str) else "agent_error"
            return PromptResult(stop_reason=reason[:80], usage=usage, error=error[:2000], error_code=code, has_acted=self.has_acted)
        if reason != "cancelled" and (
            failure := self._watch.at_end(self._its.now(), is_unused=self._is_unused(answer), is_used=_is_used(usage))
        ):
            return self._refused(failure, reason[:80], usage)
        return PromptResult(stop_reason=reason[:80], usage=usage, has_acted=self.has_acted)

    def _is_unused(self, answer: Message) -> bool:
        """It says that it is done. What stopped at a limit may not have counted what it used."""
        return answer.get("stopReason") == "end_turn" and not self._is_command and updates.says_unused(answer)

    def _refused(self, failure: ProviderFailure, reason: str, usage: Usage | None) -> PromptResult:
        """The model's provider did not answer, or answered no."""
        said = self._peer.mask.text(failure.text)[:1000].rstrip(".")
        hint = f" {_SIGN_IN}" if failure.code == "auth_required" else ""
        return PromptResult(
            stop_reason=reason,
            usage=usage,
            error=f"{_REFUSALS[failure.code]}{f': {said}' if said else ''}.{hint}",
            error_code=failure.code,
            retry_at=failure.retry_at,
            has_acted=self.has_acted,
        )

    async def _rejected(self, error: RpcError) -> PromptResult:
        if self.cancelled.is_set():
            return self._was_cancelled()
        usage = self._usage({})
        if error.code != AUTH_REQUIRED and (failure := await self._failure_of(error)):
            return self._refused(failure, "error", usage)
        code = "auth_required" if error.code == AUTH_REQUIRED else "agent_error"
        hint = f" {_SIGN_IN}" if code == "auth_required" else ""
        sentence = f"The agent reported an error: {self._peer.sentence(error)}{hint}"
        return PromptResult(stop_reason="error", usage=usage, error=sentence, error_code=code, has_acted=self.has_acted)

    async def _failure_of(self, error: RpcError) -> ProviderFailure | None:
        """From what it says; if that does not tell why, also from what its files keep."""
        its = self._its
        told = self._watch.of_error(error.message, error.more, its.now(), error.code)
        if told is None or told.code != "provider_error" or its.last_error is None:
            return told
        kept = await asyncio.to_thread(its.last_error, self._session_id, self._began)
        return self._watch.of_error(error.message, error.more, its.now(), error.code, kept)

    def _usage(self, answer: Message) -> Usage | None:
        usage, self.models = self._its.spending.at_end(answer)
        return usage


def _is_used(usage: Usage | None) -> bool:
    """A model answered in this turn, as the agent counts."""
    return usage is not None and bool(usage.output_tokens)
