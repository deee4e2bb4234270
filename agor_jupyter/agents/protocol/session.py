"""One agent process that holds one conversation: started, prompted, cancelled, stopped."""

import asyncio
import contextlib
import logging
import re
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, Self

from agor_jupyter._version import __version__
from agor_jupyter.agents.protocol import options, sign_in, updates
from agor_jupyter.agents.protocol.acp import (
    AUTH_REQUIRED,
    METHOD_NOT_FOUND,
    PROTOCOL_VERSION,
    Connection,
    Gone,
    Message,
    Reader,
    RpcError,
    Writer,
)
from agor_jupyter.agents.protocol.background import Background
from agor_jupyter.agents.protocol.calls import Calls
from agor_jupyter.agents.protocol.failures import FailureWatch, ProviderFailure, at
from agor_jupyter.agents.protocol.late import Late, is_speech
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.mask import Mask, MaskedEvents
from agor_jupyter.agents.protocol.options import Offer
from agor_jupyter.agents.protocol.questions import Question, read_question
from agor_jupyter.agents.protocol.tally import Tally
from agor_jupyter.agents.protocol.usage import Reports
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.errors import AgentFailed, AgentSignedOut, BadOption
from agor_jupyter.domain.events import Notice, Text, ToolCall, TranscriptBody, UsageReported
from agor_jupyter.domain.options import MODE, MODEL, SessionOption
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Usage

log = logging.getLogger(__name__)

Identities = Collection[tuple[int, int]]
"""Processes, as the executor knows them."""


class Process(Protocol):
    """What a session needs of a running agent; `executors.local.Process` is one."""

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


@dataclass(frozen=True, kw_only=True)
class PromptResult:
    """How a turn ended, as the agent says. With an `error` the turn failed."""

    stop_reason: str
    """ACP's `stopReason`, or `error`; of a turn that nobody prompted one of `UNPROMPTED`."""
    usage: Usage | None = None
    error: str | None = None
    error_code: str | None = None
    retry_at: datetime | None = None
    """When the model's provider takes requests again, if it said so."""
    has_acted: bool = False
    """It began to use a tool."""
    models: list[ModelUsage] = field(default_factory=list)
    """What each model was used for, if the agent says so."""


QUIET, PROMPTED, GIVEN_UP = "quiet", "prompted", "given_up"
UNPROMPTED = frozenset({QUIET, PROMPTED, GIVEN_UP})
"""How a turn that nobody prompted ends: the agent is quiet, a prompt comes next, or what it began was not heard of for too long."""

How = Literal["new", "resumed", "loaded", "forked"]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A conversation that can be prompted."""

    agent_session_id: str
    how: How
    left: list[str]
    """Options that were wanted and that the agent does not have, such as an effort that this model lacks."""


class ConversationLost(Exception):
    """The agent died or fell silent over `method`, by which a conversation was to come back. Another process may begin without it."""

    def __init__(self, method: str, failure: AgentFailed) -> None:
        super().__init__(failure.message)
        self.method, self.failure = method, failure


class Obstructed(Exception):
    """The agent ended before it was ready, and wrote that another of its processes was in its way. It may start a moment later."""

    def __init__(self, failure: AgentFailed) -> None:
        super().__init__(failure.message)
        self.failure = failure


OnEvent = Callable[[TranscriptBody, JsonObject | None], Awaitable[None]]
"""Gets each event of a turn in order with the raw update; nothing more is read while it is awaited."""
Tools = Callable[[], Awaitable[list[Message]]]
"""Gives MCP servers in ACP's wire form. Asked only for an agent that speaks MCP over HTTP."""
OnPermission = Callable[[Question], Awaitable[str | None]]
"""Answers a question with an option's id, or with `None` to withdraw it. It is cancelled when the turn is."""
LastError = Callable[[str, datetime], object]
"""Gives what the agent's own files say of the error of this conversation's last message, if it is not older. It may block."""
OnOptions = Callable[[tuple[SessionOption, ...]], None]
"""Gets what the agent offers and the values it has, each time that changes."""


class AgentSession:
    """Made by `start`; then `open` once, `prompt` or `go_on` one at a time, and `stop` always.

    What the agent says or asks between two prompts is held. `late` is set then, and `go_on` makes a turn of it.
    """

    def __init__(
        self,
        agent: AgentType,
        process: Process,
        *,
        cwd: Path,
        on_event: OnEvent,
        on_permission: OnPermission,
        on_options: OnOptions,
        limits: Limits,
        timeouts: Timeouts,
        mask: Mask,
        now: Callable[[], datetime],
        authenticate: Message | None = None,
        last_error: LastError | None = None,
    ) -> None:
        self.agent = agent
        self.process = process
        self.agent_session_id: str | None = None
        self._cwd, self._authenticate = cwd, authenticate
        self._mask = mask
        self._on_event, self._on_permission = MaskedEvents(mask, on_event), on_permission
        self._on_options = on_options
        self._offer = Offer()
        self._applied: dict[str, str] = {}
        self._setting = asyncio.Lock()
        self._timeouts = timeouts
        self._capabilities: Message = {}
        self._mcp_servers: list[Message] = []
        self._phase: Literal["opening", "rest", "taking", "turn"] = "opening"
        self._began_turn = asyncio.Event()
        self._cancelled = asyncio.Event()
        self._settled, self._stirred = asyncio.Event(), asyncio.Event()
        self._late, self._dropped = Late(), 0
        self._background = Background(agent)
        self._heard, self._is_thinking, self._open_questions = 0.0, False, 0
        self._baseline: Identities = ()
        self._spoke = asyncio.Event()
        self._told: set[str] = set()
        self._calls = Calls()
        self._was_allowed = False
        self._usage = Usage()
        self._cost_before: float | None = None
        self._models: list[ModelUsage] = []
        self._tally = Tally()
        self._reports = Reports(agent.usage)
        self._is_command = False
        self._now, self._watch, self._has_acted = now, FailureWatch(agent), False
        self._last_error, self._began = last_error, now()
        self._retrying, self._progressed = asyncio.Event(), asyncio.Event()
        self._connection = Connection(
            process.stdout,
            process.stdin,
            on_update=self._update,
            on_request=self._request,
            on_notice=self._notice,
            mask=mask.text,
            limits=limits,
        )

    @classmethod
    async def start(
        cls,
        agent: AgentType,
        *,
        cwd: Path,
        env: Mapping[str, str],
        executor: Executor,
        run_id: str,
        on_event: OnEvent,
        on_permission: OnPermission,
        on_options: OnOptions = lambda _options: None,
        on_spawned: Callable[[Process], Awaitable[None]] | None = None,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        mask: Mask | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        last_error: LastError | None = None,
    ) -> Self:
        """Start the process and shake hands. `on_spawned` is where its identity is recorded.

        `mask` takes secrets out of all that the agent says, also those that are added to it later.

        Nothing of it runs when it raises:
            Obstructed: it can be tried again.
            AgentFailed: with what the agent wrote to stderr.

        """
        try:
            process = await executor.spawn(agent.command, cwd, env, run_id)
        except OSError as error:
            raise AgentFailed(agent.name, f"it could not be started ({error.strerror})") from error
        session = cls(
            agent,
            process,
            cwd=cwd,
            on_event=on_event,
            on_permission=on_permission,
            on_options=on_options,
            limits=limits or Limits(),
            timeouts=timeouts or Timeouts(),
            mask=Mask() if mask is None else mask,
            now=now,
            authenticate=sign_in.request(agent, env),
            last_error=last_error,
        )
        try:
            if on_spawned:
                await on_spawned(process)
            await session._initialize()
        except BaseException as error:
            has_ended = process.exited.is_set()
            await session.stop()
            if isinstance(error, AgentFailed) and has_ended and agent.starts_again and re.search(agent.starts_again, process.stderr_tail()):
                raise Obstructed(error) from error
            raise
        return session

    @property
    def is_alive(self) -> bool:
        """It can take another prompt."""
        return self._connection.gone is None and not self.process.exited.is_set()

    @property
    def options(self) -> tuple[SessionOption, ...]:
        """What it offers in this conversation, and the values."""
        return self._offer.options

    async def open(
        self,
        previous: str | None = None,
        *,
        fork_of: str | None = None,
        wanted: Mapping[str, str] | None = None,
        spent_usd: float | None = None,
        spent: Usage | None = None,
        tools: Tools | None = None,
        skip: Collection[str] = (),
    ) -> Opened:
        """Begin the conversation, bring back `previous`, or fork `fork_of`; when the agent cannot, it is a new one.

        `wanted` are options by their ids, the mode among them; nothing is prompted in another mode. Default: the catalogue's mode.
        `spent_usd` is what `previous` has cost until now: agents report sums. Without it the cost of the next turn is an estimate.
        `spent` are its tokens, for an agent that reports sums of them too.
        `tools` are the MCP servers that the agent may use in it. `skip` are methods of ACP that were the end of a process before.

        Raises:
            ConversationLost: the end of this process; with its method in `skip` another goes on.
            BadOption: the agent does not offer a value that is wanted.
            AgentFailed: as it says.

        """
        mcp = self._capabilities.get("mcpCapabilities")
        if tools is not None and isinstance(mcp, dict) and mcp.get("http") is True:
            self._mcp_servers = await tools()
        how, session_id, answer = await self._converse(previous, fork_of, skip)
        self.agent_session_id = session_id
        self._cost_before = 0.0 if how == "new" else spent_usd
        self._tally.open(is_new=how == "new")
        self._reports.open(spent, is_new=how == "new")
        self._offer = options.read(answer)
        if how == "loaded":
            await self._until_quiet()
            self._dropped = 0
        if wanted is None:
            wanted = {MODE: self.agent.mode} if self.agent.mode else {}
        left = await self.apply(wanted)
        self._on_options(self.options)
        return Opened(agent_session_id=session_id, how=how, left=left)

    async def _until_quiet(self) -> None:
        """Some agents say an old conversation again after they answered that it is loaded; that is not part of the next turn."""
        end = asyncio.get_running_loop().time() + _REPLAY_S
        with contextlib.suppress(TimeoutError):
            while asyncio.get_running_loop().time() < end:
                self._spoke.clear()
                async with asyncio.timeout(_QUIET_S):
                    await self._spoke.wait()

    async def apply(self, wanted: Mapping[str, str]) -> list[str]:
        """Set what was not wanted before: the model first, since others depend on it, the mode last. Returns what the agent does not have.

        What changed since is left alone, but for a mode that the agent took by itself. Raises as `open`.
        """
        left = []
        for option_id in options.in_order(wanted):
            value = wanted[option_id]
            if self._applied.get(option_id) == value:
                continue
            known = self._offer.get(option_id)
            if known is None and option_id not in (MODEL, MODE):
                left.append(option_id)
            elif known is None or known.value != value:
                await self.set_option(option_id, value)
            self._applied[option_id] = value
        return left

    async def set_option(self, option_id: str, value: str) -> None:
        """Set one option, also while a turn runs.

        Raises:
            BadOption: the agent does not offer it, or does not take it.
            AgentFailed: it died, or does not answer.

        """
        async with self._setting:
            self._check(option_id, value)
            assert self.agent_session_id is not None
            method, params = self._offer.request(self.agent_session_id, option_id, value)
            try:
                answer = await self._connection_call(method, params, self._timeouts.open, "when it was asked for another option")
            except RpcError as error:
                raise BadOption(self.agent.name, option_id, value, (), self._sentence(error)) from error
            self._offer = self._offer.after(option_id, value, answer)
            now = self._offer.get(option_id)
            if option_id == MODE and now is not None and now.value != value:
                raise BadOption(self.agent.name, option_id, value, (), f"it stayed in {now.value!r}.")
            self._applied[option_id] = value
        self._on_options(self.options)

    def _check(self, option_id: str, value: str) -> None:
        option = self._offer.get(option_id)
        if option is None and option_id != MODE:
            raise BadOption(self.agent.name, option_id, None, [one.id for one in self._offer.options])
        known = [choice.id for choice in option.choices] if option else []
        if known and value not in known and len(known) < options.MAX_CHOICES:
            raise BadOption(self.agent.name, option_id, value, known)

    @property
    def takes_images(self) -> bool:
        """It says that it sees pictures that come with a prompt."""
        told = self._capabilities.get("promptCapabilities")
        return isinstance(told, dict) and told.get("image") is True

    async def prompt(self, text: str, context: str | None = None, pictures: Sequence[Mapping[str, str]] = ()) -> PromptResult:
        """Run one turn to its end, with `context` as a piece of text before the prompt, and `pictures`, ACP's content blocks, after it.

        Raises `AgentFailed` when the agent dies or floods; an error it reports is in the result.

        After `cancel` the result is `cancelled` and what the turn started is dead; an agent that does not stop is ended with it.
        """
        self._cancelled.clear()
        self._baseline = await self.process.baseline()
        return await self._turn(text, lambda: self._await_turn([context, text] if context else [text], pictures))

    async def go_on(self, *, quiet_s: float, patience_s: float, on_wait: Callable[[], None] = lambda: None) -> PromptResult:
        """Run a turn of what it says and asks by itself, from what was held until it is quiet. Raises and is cancelled as `prompt`.

        It is quiet when nothing was heard for `quiet_s`, longer where the model has to speak next, and no tool and no question of it is
        open; tools that nothing was heard of for `patience_s` are given up. `on_wait` is called whenever it only waits for its tools.
        """
        self._cancelled.clear()
        return await self._turn("", lambda: self._await_quiet(quiet_s, patience_s, on_wait))

    async def _turn(self, text: str, work: Callable[[], Awaitable[PromptResult]]) -> PromptResult:
        self._connection.begin_turn()
        self._told.clear()
        self._settled.clear()
        self._was_allowed = False
        self._watch, self._has_acted, self._began = FailureWatch(self.agent), False, self._now()
        self._retrying.clear()
        self._models, self._is_command = [], text.lstrip().startswith("/")
        self._tally.begin_turn()
        self._reports.begin_turn()
        self._phase = "taking"
        try:
            if self._dropped:
                await self._notice("late", f"The agent sent {self._dropped} updates outside of its turns. They were dropped.")
                self._dropped = 0
            for params in self._late.take():
                await self._hear(params)
            self._phase, self._heard = "turn", asyncio.get_running_loop().time()
            self._began_turn.set()
            result = await work()
        finally:
            self._end_turn()
            await self._on_event.flush()
        if self._cancelled.is_set():
            self._background.forget()
            await self.process.after_cancel(self._baseline)
        return replace(result, models=self._models)

    @property
    def late(self) -> asyncio.Event:
        """Set while it has said or asked something outside of a turn."""
        return self._late.came

    @property
    def background(self) -> list[str]:
        """What it has begun and not ended, as far as it says, by its titles."""
        return self._background.all

    @property
    def heard_ago_s(self) -> float:
        """Since it was last heard of, in seconds."""
        return asyncio.get_running_loop().time() - self._heard

    def settle(self) -> None:
        """A prompt waits: end the turn that nobody prompted, as soon as no question of it is open."""
        self._settled.set()

    @property
    def spent_usd(self) -> float | None:
        """What the turn that runs has cost until now, if the agent says so in the middle of it."""
        total, before = self._usage.cost_usd, self._cost_before
        return None if total is None or before is None else total - before if total >= before else total

    @property
    def unpaid(self) -> list[ModelUsage]:
        """The tokens that the turn that runs has used beyond that, at least."""
        return self._tally.models

    def cancel(self) -> None:
        """Tell the agent to stop this turn. Open questions are withdrawn. `prompt` returns when it did."""
        self._cancelled.set()

    async def stop(self) -> Identities:
        """End the process and all that it started. Returns what could not be ended."""
        is_deaf = self._connection.gone is not None and self._connection.gone.code == "flooded"
        left = await (self.process.stop(_NO_GRACE_S) if is_deaf else self.process.stop())
        await self._connection.close()
        return left

    # The handshake

    async def _initialize(self) -> None:
        answer = await self._ask(
            "initialize",
            {
                "protocolVersion": PROTOCOL_VERSION,
                "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
                "clientInfo": {"name": "agor-jupyter", "version": __version__},
            },
            self._timeouts.initialize,
        )
        if answer.get("protocolVersion") != PROTOCOL_VERSION:
            raise self._failed(f"it speaks version {answer.get('protocolVersion')!r} of the protocol, not {PROTOCOL_VERSION}")
        capabilities = answer.get("agentCapabilities")
        self._capabilities = capabilities if isinstance(capabilities, dict) else {}

    async def _converse(self, previous: str | None, fork_of: str | None, skip: Collection[str]) -> tuple[How, str, Message]:
        if previous is not None:
            how, brought = await self._bring_back(previous, skip)
            if brought is not None:
                return how, previous, brought
        elif fork_of is not None and "session/fork" not in skip and (forked := await self._fork(fork_of)):
            return "forked", *forked
        return "new", *await self._new()

    async def _new(self) -> tuple[str, Message]:
        answer = await self._ask("session/new", self._place(), self._timeouts.open)
        session_id = answer.get("sessionId")
        if not isinstance(session_id, str) or not session_id:
            raise self._failed("it began a session without an id")
        return session_id, answer

    def _place(self) -> Message:
        """What every conversation needs, also one that is brought back."""
        place: Message = {"cwd": str(self._cwd), "mcpServers": self._mcp_servers}
        return {**place, "_meta": self.agent.session_meta} if self.agent.session_meta else place

    def _can(self, what: str) -> bool:
        also = self._capabilities.get("sessionCapabilities")
        return isinstance(also, dict) and isinstance(also.get(what), dict)

    async def _bring_back(self, previous: str, skip: Collection[str]) -> tuple[How, Message | None]:
        """Resume, else load; no answer when the agent can do neither or does not know the session any more."""
        ways: list[tuple[How, str]] = [("resumed", "session/resume")] if self._can("resume") else []
        ways += [("loaded", "session/load")] if self._capabilities.get("loadSession") is True else []
        for how, method in ways:
            answer = await self._try(method, previous) if method not in skip else None
            if answer is not None:
                return how, answer
        return "new", None

    async def _fork(self, origin: str) -> tuple[str, Message] | None:
        answer = await self._try("session/fork", origin) if self._can("fork") else None
        session_id = answer.get("sessionId") if answer is not None else None
        return (session_id, answer) if answer is not None and isinstance(session_id, str) and session_id not in ("", origin) else None

    async def _try(self, method: str, session_id: str) -> Message | None:
        try:
            return await self._signed_in(method, {"sessionId": session_id, **self._place()}, self._timeouts.load)
        except RpcError as error:
            if error.code == AUTH_REQUIRED:
                raise AgentSignedOut(self.agent.name, self._sentence(error)) from error
            log.info("Agent %s: %s failed with code %s", self.agent.name, method, error.code)
            return None
        except AgentFailed as error:
            raise ConversationLost(method, error) from error

    async def _ask(self, method: str, params: Message, timeout_s: float) -> Message:
        try:
            return await self._signed_in(method, params, timeout_s)
        except RpcError as error:
            if error.code == AUTH_REQUIRED:
                raise AgentSignedOut(self.agent.name, self._sentence(error)) from error
            raise self._failed(f"it answered {method} with an error: {self._sentence(error)}") from error

    async def _signed_in(self, method: str, params: Message, timeout_s: float) -> Message:
        """Call it, and once more with the key of the environment when the agent wants a sign-in."""
        try:
            return await self._connection_call(method, params, timeout_s)
        except RpcError as error:
            if error.code != AUTH_REQUIRED or self._authenticate is None:
                raise
        request, self._authenticate = self._authenticate, None
        await self._connection_call("authenticate", request, timeout_s)
        return await self._connection_call(method, params, timeout_s)

    async def _connection_call(self, method: str, params: Message, timeout_s: float, when: str = "before it was ready") -> Message:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._connection.call(method, params)
        except TimeoutError as error:
            raise self._failed(f"it did not answer {method} within {timeout_s:g} s") from error
        except Gone as gone:
            raise await self._died(gone, when) from gone
        masked: Message = self._mask.json(answer)
        if masked.get("sessionId") != answer.get("sessionId"):
            raise self._failed("it named its conversation after a secret, and that name would have to be stored")
        return masked

    # A turn

    async def _await_turn(self, texts: Sequence[str], pictures: Sequence[Mapping[str, str]]) -> PromptResult:
        if self._cancelled.is_set():
            return PromptResult(stop_reason="cancelled")
        blocks = [*({"type": "text", "text": text} for text in texts), *(dict(one) for one in pictures)]
        params: Message = {"sessionId": self.agent_session_id, "prompt": blocks}
        asking = asyncio.create_task(self._connection.call("session/prompt", params, self._end_turn))
        cancelled = asyncio.create_task(self._cancelled.wait())
        exited = asyncio.create_task(self.process.exited.wait())
        hopeless = asyncio.create_task(self._wait_hopeless())
        try:
            await asyncio.wait({asking, cancelled, exited, hopeless}, return_when=asyncio.FIRST_COMPLETED)
            is_hopeless = hopeless.done() and not asking.done() and not self._cancelled.is_set()
            if not asking.done() and not exited.done():
                await self._send_cancel()
                await asyncio.wait({asking, exited}, timeout=self._timeouts.cancel, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and exited.done():  # its last words are still being read
                await asyncio.wait({asking}, timeout=self._timeouts.exit)
            forced = None if asking.done() else await self._end_by_force(exited.done())
            if is_hopeless and not self._cancelled.is_set():
                return self._refused(self._watch.given_up(self._now()), "error", self._turn_usage({}))
            if forced:
                return forced
            return self._result(self._mask.json(asking.result()))
        except RpcError as error:
            return await self._rejected(error)
        except Gone as gone:
            if self._cancelled.is_set():
                return PromptResult(stop_reason="cancelled", usage=self._turn_usage({}))
            raise await self._died(gone, "in the middle of a turn") from gone
        finally:
            for task in (asking, cancelled, exited, hopeless):
                task.cancel()
            await asyncio.gather(asking, cancelled, exited, hopeless, return_exceptions=True)

    async def _wait_hopeless(self) -> None:
        """Return when the agent has tried to reach the model for too long, and did nothing else."""
        while True:
            await self._retrying.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timeouts.retrying):
                    await self._progressed.wait()
                continue
            return

    @property
    def _in_turn(self) -> bool:
        return self._phase in {"taking", "turn"}

    def _end_turn(self) -> None:
        self._phase, self._heard = "rest", asyncio.get_running_loop().time()
        self._began_turn.clear()

    # A turn that nobody prompted

    async def _await_quiet(self, quiet_s: float, patience_s: float, on_wait: Callable[[], None]) -> PromptResult:
        watched = [
            asyncio.create_task(work)
            for work in (
                self._cancelled.wait(),
                self._settled.wait(),
                self._connection.until_gone(),
                self.process.exited.wait(),
                self._wait_hopeless(),
            )
        ]
        cancelled, settled, gone, exited, hopeless = watched
        stirred: asyncio.Task[bool] | None = None
        try:
            while True:
                if cancelled.done():
                    return await self._stop_going_on(quiet_s)
                if gone.done() or exited.done():
                    raise await self._died(self._connection.gone or Gone("ended"), "while it worked by itself")
                if hopeless.done():
                    await self._send_cancel()
                    return self._refused(self._watch.given_up(self._now()), "error", self._turn_usage({}))
                silence, limit = self.heard_ago_s, self._silence_s(quiet_s, patience_s)
                if not self._open_questions and (settled.done() or silence >= limit):
                    return self._went_quiet(PROMPTED if settled.done() else GIVEN_UP if self._background.open else QUIET)
                if is_waiting := bool(self._background.open) and silence >= quiet_s:
                    on_wait()
                first = limit if is_waiting or not self._background.open else quiet_s
                until = None if self._open_questions else max(first - silence, _SHORTEST_S)
                stirred = stirred if stirred and not stirred.done() else asyncio.create_task(self._next_stir())
                waited = {one for one in (cancelled, gone, exited, hopeless, stirred) if not one.done()}
                if not settled.done():
                    waited.add(settled)
                await asyncio.wait(waited, timeout=until, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = [one for one in (*watched, stirred) if one is not None]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _next_stir(self) -> bool:
        self._stirred.clear()
        return await self._stirred.wait()

    def _silence_s(self, quiet_s: float, patience_s: float) -> float:
        """How long nothing may be heard before it is believed to be quiet. A model may think for a while before it speaks."""
        return max(patience_s, quiet_s) if self._background.open else quiet_s * (_THINKING if self._is_thinking else 1)

    def _went_quiet(self, reason: str) -> PromptResult:
        usage = self._turn_usage({})
        if reason == QUIET:
            self._background.woke()
        if reason == GIVEN_UP:
            self._background.forget()
        if failure := self._watch.at_end(self._now()):
            return self._refused(failure, reason, usage)
        return PromptResult(stop_reason=reason, usage=usage, has_acted=self._has_acted)

    async def _stop_going_on(self, quiet_s: float) -> PromptResult:
        """No answer says that it has stopped: it has when its tools have ended and it is silent."""
        await self._send_cancel()
        loop = asyncio.get_running_loop()
        self._heard, silence_s = loop.time(), min(quiet_s, _STOPPED_S)
        end = self._heard + self._timeouts.cancel
        while not self.process.exited.is_set() and (self._background.open or self.heard_ago_s < silence_s):
            if loop.time() > end:
                return await self._end_by_force(has_exited=False)
            await asyncio.sleep(_LOOK_S)
        return PromptResult(stop_reason="cancelled", usage=self._turn_usage({}))

    async def _send_cancel(self) -> None:
        """After the prompt on the same pipe, or an agent would take it for nothing."""
        with contextlib.suppress(Gone, TimeoutError):
            async with asyncio.timeout(self._timeouts.exit):
                await self._connection.notify("session/cancel", {"sessionId": self.agent_session_id})

    async def _end_by_force(self, has_exited: bool) -> PromptResult:
        if has_exited and not self._cancelled.is_set():
            raise await self._died(Gone("ended"), "in the middle of a turn")
        if not has_exited:
            await self._notice("killed", f"The agent did not stop within {self._timeouts.cancel:g} s after it was told to. It was ended.")
        await self.process.stop(_NO_GRACE_S)
        return PromptResult(stop_reason="cancelled", usage=self._turn_usage({}))

    def _result(self, answer: Message) -> PromptResult:
        reason = answer.get("stopReason")
        usage = self._turn_usage(answer)
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
            return PromptResult(stop_reason=reason[:80], usage=usage, error=error[:2000], error_code=code, has_acted=self._has_acted)
        if reason != "cancelled" and (
            failure := self._watch.at_end(self._now(), is_unused=self._is_unused(answer), is_used=_is_used(usage))
        ):
            return self._refused(failure, reason[:80], usage)
        return PromptResult(stop_reason=reason[:80], usage=usage, has_acted=self._has_acted)

    def _is_unused(self, answer: Message) -> bool:
        """It says that it is done. What stopped at a limit may not have counted what it used."""
        return answer.get("stopReason") == "end_turn" and not self._is_command and updates.says_unused(answer)

    def _refused(self, failure: ProviderFailure, reason: str, usage: Usage | None) -> PromptResult:
        """The model's provider did not answer, or answered no."""
        said = self._mask.text(failure.text)[:1000].rstrip(".")
        hint = f" {_SIGN_IN}" if failure.code == "auth_required" else ""
        return PromptResult(
            stop_reason=reason,
            usage=usage,
            error=f"{_REFUSALS[failure.code]}{f': {said}' if said else ''}.{hint}",
            error_code=failure.code,
            retry_at=failure.retry_at,
            has_acted=self._has_acted,
        )

    async def _rejected(self, error: RpcError) -> PromptResult:
        if self._cancelled.is_set():
            return PromptResult(stop_reason="cancelled", usage=self._turn_usage({}))
        usage = self._turn_usage({})
        if error.code != AUTH_REQUIRED and (failure := await self._failure_of(error)):
            return self._refused(failure, "error", usage)
        code = "auth_required" if error.code == AUTH_REQUIRED else "agent_error"
        hint = f" {_SIGN_IN}" if code == "auth_required" else ""
        sentence = f"The agent reported an error: {self._sentence(error)}{hint}"
        return PromptResult(stop_reason="error", usage=usage, error=sentence, error_code=code, has_acted=self._has_acted)

    async def _failure_of(self, error: RpcError) -> ProviderFailure | None:
        """From what it says; if that does not tell why, also from what its files keep."""
        told = self._watch.of_error(error.message, error.more, self._now(), error.code)
        if told is None or told.code != "provider_error" or self._last_error is None or self.agent_session_id is None:
            return told
        kept = await asyncio.to_thread(self._last_error, self.agent_session_id, self._began)
        return self._watch.of_error(error.message, error.more, self._now(), error.code, kept)

    def _turn_usage(self, answer: Message) -> Usage | None:
        """Tokens from the answer, context and cost from the last report; the cost of this turn is what was added to the sum."""
        total, before = self._usage.cost_usd, self._cost_before
        cost = total
        tokens, self._models = self._reports.at_end(answer, self._usage.context_used)
        if self.unpaid and not self.spent_usd and tokens == Usage() and not self._models:  # it was stopped, and does not say what that cost
            self._models = self.unpaid
            return self._usage.replace(cost_usd=None)
        if total is not None and before is not None and total >= before:  # less than before: the agent counts from its start
            cost = total - before
        self._cost_before = total if total is not None else before
        usage = tokens.replace(
            context_used=self._usage.context_used,
            context_size=self._usage.context_size,
            cost_usd=cost,
            is_estimate=cost is not None and before is None,
        )
        return None if usage == Usage() else usage

    # What the agent sends

    async def _update(self, params: Message) -> None:
        self._spoke.set()
        if self._phase == "turn":
            await self._hear(params)
            return
        update = self._mask.json(params.get("update"))
        if params.get("sessionId", self.agent_session_id) != self.agent_session_id or not isinstance(update, dict):
            return
        if str(update.get("sessionUpdate")) in _OPTIONS:
            await self._hear_options(update)
        elif self._setting.locked() and is_speech(update):  # some say that they changed
            return
        elif self._phase == "opening" or self._is_straggler:
            self._dropped += self.agent_session_id is not None and is_speech(update)
        else:
            self._background.hear_task(update)
            reported = next((one.usage.cost_usd for one in updates.normalise(update) if isinstance(one, UsageReported)), None)
            await self._late.hold(params, spends=reported is not None and reported > (self._usage.cost_usd or 0.0))

    @property
    def _is_straggler(self) -> bool:
        """What comes at once after a turn that was cancelled belongs to it."""
        return self._phase == "rest" and self._cancelled.is_set() and self.heard_ago_s < _STRAGGLES_S

    async def _hear(self, params: Message) -> None:
        update = self._mask.json(params.get("update"))
        if isinstance(update, dict) and params.get("sessionId") == self.agent_session_id and str(update.get("sessionUpdate")) in _OPTIONS:
            await self._hear_options(update)
        if params.get("sessionId", self.agent_session_id) != self.agent_session_id:
            self._dropped += is_speech(update)
            return
        if not isinstance(update, dict):
            await self._notice("malformed_update", "The agent sent an update that is not an object.")
            return
        self._watch.hear(update)
        self._reports.hear(update)
        self._background.hear_task(update)
        if self._watch.is_retrying:
            self._retrying.set()
            self._progressed.clear()
        elif self._retrying.is_set():
            self._retrying.clear()
            self._progressed.set()
        for body in self._bodies(update, is_masked=update != params.get("update")):
            await self._take(self._in_its_place(body, update), update)

    async def _take(self, body: TranscriptBody, update: Message) -> None:
        self._heard = asyncio.get_running_loop().time()
        self._has_acted = self._has_acted or isinstance(body, ToolCall)
        if isinstance(body, UsageReported):
            self._usage = _merge(self._usage, body.usage)
        else:
            self._is_thinking = not isinstance(body, Text | Notice)
        if isinstance(body, ToolCall):
            self._background.hear(body)
            self._stirred.set()
            if len(self._told) < _MAX_TOLD:
                self._told.add(body.tool_call_id)
        if self.agent.reports_in_turn:
            self._tally.hear(body, self._model_of(update))
        await self._on_event(body, update)

    def _in_its_place(self, body: TranscriptBody, update: Message) -> TranscriptBody:
        """A tool call of a subagent is part of the call that started it."""
        if not isinstance(body, ToolCall):
            return body
        named = at(update.get("_meta"), self.agent.parent_call)
        is_other = isinstance(named, str) and named and named != body.tool_call_id
        return body.replace(parent_id=str(named)[:200]) if is_other else body

    def _bodies(self, update: Message, *, is_masked: bool) -> list[TranscriptBody]:
        """Its events. Tool calls are remembered: a question may name one, also one of an older turn."""
        bodies = updates.normalise(update, self._mcp_titles)
        for body in bodies:
            if isinstance(body, ToolCall):
                self._calls.hear(body, is_begun=update.get("sessionUpdate") == "tool_call", is_masked=is_masked)
        return bodies

    @property
    def _mcp_titles(self) -> list[str]:
        """The agent's own, and the usual beginnings for the servers that we gave it."""
        given = [name for server in self._mcp_servers if isinstance(name := server.get("name"), str)]
        return [*self.agent.mcp_titles, *(rf"(?P<server>{re.escape(name)})[_.:/-]+(?P<tool>[\w.-]+)" for name in given)]

    def _model_of(self, update: Message) -> str | None:
        """Whose report of usage it is."""
        named = at(update.get("_meta"), self.agent.usage_model) if self.agent.usage_model else None
        chosen = self._offer.get(MODEL)
        return named[:200] if isinstance(named, str) else chosen.value if chosen else None

    async def _hear_options(self, update: Message) -> None:
        offer, before = self._offer.told(update), self._offer.get(MODE)
        if offer is self._offer:
            return
        self._offer = offer
        self._on_options(self.options)
        mode, wanted = offer.get(MODE), self._applied.get(MODE)
        is_own = before is not None and mode is not None and mode.value != before.value and not self._setting.locked()
        if is_own and not self._was_allowed and wanted is not None and mode is not None and mode.value != wanted:
            del self._applied[MODE]  # so that it is set again before the next turn; what a person allowed may have changed it, and stays
            text = f"The agent changed its mode to {mode.value!r} by itself. Before its next turn it is set to {wanted!r} again."
            await self._notice("mode_taken", text)

    async def _notice(self, code: str, text: str) -> None:
        if self._in_turn:
            await self._on_event(Notice(code=code, text=text), None)
        else:
            log.info("Agent %s: %s", self.agent.name, code)

    async def _request(self, method: str, params: Message) -> Message:
        if method != "session/request_permission":
            raise RpcError(METHOD_NOT_FOUND, f"{method[:80]} is not offered")
        masked = self._mask.json(params)
        if not await self._is_heard():
            return {"outcome": {"outcome": "cancelled"}}
        self._has_acted = True
        self._open_questions += 1
        try:
            question = await self._read_question(masked, is_masked=masked != params)
            option_id = await self._put(question, masked) if question is not None and self._is_asked else None
        finally:
            self._open_questions -= 1
            self._heard, self._is_thinking = asyncio.get_running_loop().time(), True
            self._stirred.set()
        if question is None or option_id not in {option.id for option in question.options}:
            return {"outcome": {"outcome": "cancelled"}}
        self._was_allowed = True
        return {"outcome": {"outcome": "selected", "optionId": option_id}}

    async def _read_question(self, params: Message, *, is_masked: bool) -> Question | None:
        """Joined to its tool call, which some agents tell a moment later."""
        read = partial(read_question, params, agent=self.agent, calls=self._calls, mcp_titles=self._mcp_titles, is_masked=is_masked)
        question = read()
        end = asyncio.get_running_loop().time() + _CALL_S
        while question is not None and question.is_bare and question.tool_call_id and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_CALL_S / 10)
            question = read()
        return question

    async def _is_heard(self) -> bool:
        """Wait for a turn in which a person can be asked. `False`: the agent was told to stop, or nobody has prompted it yet."""
        while self._phase in {"rest", "taking"} and not self._is_straggler:
            self._late.ask()
            try:
                await self._began_turn.wait()
            finally:
                self._late.asked()
        return self._is_asked

    @property
    def _is_asked(self) -> bool:
        return self._phase == "turn" and not self._cancelled.is_set()

    async def _put(self, question: Question, masked: Message) -> str | None:
        """Ask, after the call that it is about is told: some agents ask without telling it before."""
        call = question.call
        if call is not None:
            told = masked.get("toolCall")
            placed = self._in_its_place(call, told if isinstance(told, dict) else {})
            if call.tool_call_id not in self._told:
                await self._on_event(placed, masked)
            parent_id = placed.parent_id if isinstance(placed, ToolCall) else None
            question = replace(question, asked_by=self._background.asker(call.tool_call_id, parent_id))
        await self._on_event.flush()
        return await self._ask_person(question)

    async def _ask_person(self, question: Question) -> str | None:
        """The chosen option, or `None` as soon as the turn is cancelled."""
        answering = asyncio.ensure_future(self._on_permission(question))
        cancelled = asyncio.create_task(self._cancelled.wait())
        try:
            await asyncio.wait({answering, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() and not self._cancelled.is_set() else None
        finally:
            answering.cancel()
            cancelled.cancel()
            await asyncio.gather(answering, cancelled, return_exceptions=True)

    # Failure

    def _sentence(self, error: RpcError) -> str:
        message, more = self._mask.text(error.message), self._mask.json(error.more)
        more = more.get("details") if isinstance(more, dict) else more
        said = f"{message}: {more}" if isinstance(more, str) and more not in message else message
        return f"{said[:1000] or f'code {error.code}'}".rstrip(".") + "."

    def _failed(self, why: str) -> AgentFailed:
        said = self.process.stderr_tail()
        if self.agent.chatter:
            said = "\n".join(line for line in said.splitlines() if not re.match(self.agent.chatter, line))
        return AgentFailed(self.agent.name, self._mask.text(why), self._mask.text(said))

    async def _died(self, gone: Gone, when: str) -> AgentFailed:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if gone.code == "flooded" else self._timeouts.exit):
                await self.process.exited.wait()
        code = self.process.exit_code
        if gone.code == "flooded" or code is None:
            return self._failed(f"it {gone.why} {when}" if gone.code != "flooded" else f"it {gone.why}")
        return self._failed(f"it ended with {_exit(code)} {when}")


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
_NO_GRACE_S = 0.1
"""For an agent that has shown that it does not listen."""
_OPTIONS = frozenset({"config_option_update", "current_mode_update"})
_CALL_S = 0.3
"""For how long a question that says nothing waits for its tool call."""
_QUIET_S, _REPLAY_S = 0.25, 20.0
_STRAGGLES_S = 2.0
_STOPPED_S, _LOOK_S, _SHORTEST_S = 1.0, 0.05, 0.001
_THINKING = 4
"""So many times as long may be silent what has used a tool or thought last: the model is to speak next."""
_SIGNALLED = 128


def _exit(code: int) -> str:
    try:
        return f"signal {signal.Signals(code - _SIGNALLED).name}" if code > _SIGNALLED else f"code {code}"
    except ValueError:
        return f"code {code}"


def _is_used(usage: Usage | None) -> bool:
    """A model answered in this turn, as the agent counts."""
    return usage is not None and bool(usage.output_tokens)


def _merge(known: Usage, told: Usage) -> Usage:
    return known.replace(**{name: value for name, value in told if value is not None})
