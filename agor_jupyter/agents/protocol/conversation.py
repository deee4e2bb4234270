"""One conversation with an agent, in a process of its own: started, opened, prompted, cancelled, stopped."""

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from agor_jupyter.agents.protocol import updates
from agor_jupyter.agents.protocol.acp import METHOD_NOT_FOUND, Message, RpcError
from agor_jupyter.agents.protocol.background import Background
from agor_jupyter.agents.protocol.calls import Calls
from agor_jupyter.agents.protocol.choices import Choices, is_change
from agor_jupyter.agents.protocol.late import Late, is_speech
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.mask import Mask, MaskedEvents
from agor_jupyter.agents.protocol.opening import Opening
from agor_jupyter.agents.protocol.peer import Peer
from agor_jupyter.agents.protocol.process import Identities, Process, Timeouts
from agor_jupyter.agents.protocol.prompted import PromptedTurn
from agor_jupyter.agents.protocol.questions import Question, read_question
from agor_jupyter.agents.protocol.results import LastError, OnEvent, OnOptions, OnPermission, Opened, PromptResult, Tools
from agor_jupyter.agents.protocol.spending import Spending
from agor_jupyter.agents.protocol.turn import Signs, Surroundings, Turn
from agor_jupyter.agents.protocol.unprompted import UnpromptedTurn
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import UsageReported
from agor_jupyter.domain.options import MODE, SessionOption
from agor_jupyter.domain.sessions import Usage

log = logging.getLogger(__name__)

_CALL_S = 0.3
"""For how long a question that says nothing waits for its tool call."""
_QUIET_S, _REPLAY_S = 0.25, 20.0
_STRAGGLES_S = 2.0
_CANCELLED: Message = {"outcome": {"outcome": "cancelled"}}


class AgentConversation:
    """Made by `starting.start`; then `open` once, `prompt` or `go_on` one at a time, and `stop` always.

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
        """`None` until it is opened."""
        self._cwd, self._mask = cwd, mask
        self._on_event = MaskedEvents(mask, on_event)
        self._mcp_titles: list[str] = list(agent.mcp.titles)
        self._phase: Literal["opening", "rest", "taking", "turn"] = "opening"
        self._began_turn, self._spoke = asyncio.Event(), asyncio.Event()
        self._turn: Turn | None = None
        """The one that runs, else the last one."""
        self._late, self._dropped = Late(), 0
        self._baseline: Identities = ()
        self._calls, self._background, self._signs, self._spending = Calls(), Background(agent), Signs(), Spending(agent)
        self._peer = Peer(
            agent,
            process,
            on_update=self._update,
            on_request=self._request,
            on_notice=self._notice,
            mask=mask,
            limits=limits,
            timeouts=timeouts,
            authenticate=authenticate,
        )
        self._choices = Choices(self._peer, on_options)
        self._surroundings = Surroundings(
            peer=self._peer,
            on_event=self._on_event,
            on_permission=on_permission,
            now=now,
            last_error=last_error,
            background=self._background,
            calls=self._calls,
            spending=self._spending,
            signs=self._signs,
            model=lambda: self._choices.model,
        )

    async def initialize(self) -> None:
        """Shake hands. Raises `AgentFailed`."""
        await self._peer.initialize()

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
        servers = await tools() if tools is not None and self._peer.has("mcpCapabilities", "http") else []
        given = [name for server in servers if isinstance(name := server.get("name"), str)]  # with the usual beginnings of their tools
        self._mcp_titles += [rf"(?P<server>{re.escape(name)})[_.:/-]+(?P<tool>[\w.-]+)" for name in given]
        opening = Opening(peer=self._peer, cwd=self._cwd, mcp_servers=servers, skip=skip)
        how, session_id, answer = await opening.converse(previous, fork_of)
        self.agent_session_id = session_id
        self._spending.open(spent_usd, spent, is_new=how == "new")
        self._choices.read(answer)
        if how == "loaded":
            await self._until_quiet()
            self._dropped = 0
        if wanted is None:
            wanted = {MODE: mode} if (mode := self.agent.permissions.mode) else {}
        left = await self.apply(wanted)
        self._choices.tell()
        return Opened(agent_session_id=session_id, how=how, left=left)

    async def _until_quiet(self) -> None:
        """Some agents say an old conversation again after they answered that it is loaded; that is not part of the next turn."""
        end = asyncio.get_running_loop().time() + _REPLAY_S
        with contextlib.suppress(TimeoutError):
            while asyncio.get_running_loop().time() < end:
                self._spoke.clear()
                async with asyncio.timeout(_QUIET_S):
                    await self._spoke.wait()

    async def stop(self) -> Identities:
        """End the process and all that it started. Returns what could not be ended."""
        return await self._peer.stop()

    # What it is like now

    @property
    def is_alive(self) -> bool:
        """It can take another prompt."""
        return self._peer.is_alive

    @property
    def takes_images(self) -> bool:
        """It says that it sees pictures that come with a prompt."""
        return self._peer.has("promptCapabilities", "image")

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
        return self._signs.heard_ago_s

    @property
    def spent_usd(self) -> float | None:
        """What the turn that runs has cost until now, if the agent says so in the middle of it."""
        return self._spending.spent_usd

    @property
    def unpaid(self) -> list[ModelUsage]:
        """The tokens that the turn that runs has used beyond that, at least."""
        return self._spending.unpaid

    # Its options

    @property
    def options(self) -> tuple[SessionOption, ...]:
        """What it offers in this conversation, and the values."""
        return self._choices.offered

    async def apply(self, wanted: Mapping[str, str]) -> list[str]:
        """Set what was not wanted before: the model first, since others depend on it, the mode last. Returns what the agent does not have.

        What changed since is left alone, but for a mode that the agent took by itself. Raises as `open`.
        """
        return await self._choices.apply(self._session_id, wanted)

    async def set_option(self, option_id: str, value: str) -> None:
        """Set one option, also while a turn runs.

        Raises:
            BadOption: the agent does not offer it, or does not take it.
            AgentFailed: it died, or does not answer.

        """
        await self._choices.set(self._session_id, option_id, value)

    async def _hear_options(self, update: Message) -> None:
        told = self._choices.hear(update, was_allowed=self._turn is not None and self._turn.was_allowed)
        if told is not None:
            await self._notice("mode_taken", told)

    # Its turns

    @property
    def _session_id(self) -> str:
        if self.agent_session_id is None:
            raise RuntimeError("A conversation is opened first.")
        return self.agent_session_id

    async def prompt(self, text: str, context: str | None = None, pictures: Sequence[Mapping[str, str]] = ()) -> PromptResult:
        """Run one turn to its end, with `context` as a piece of text before the prompt, and `pictures`, ACP's content blocks, after it.

        Raises `AgentFailed` when the agent dies or floods; an error it reports is in the result.

        After `cancel` the result is `cancelled` and what the turn started is dead; an agent that does not stop is ended with it.
        """
        is_command = text.lstrip().startswith("/")
        turn = PromptedTurn(self._surroundings, self._session_id, self._mcp_titles, is_command=is_command)
        self._turn = turn
        self._baseline = await self.process.baseline()
        return await self._run(turn, lambda: turn.run([context, text] if context else [text], pictures, self._end_turn))

    async def go_on(self, *, quiet_s: float, patience_s: float, on_wait: Callable[[], None] = lambda: None) -> PromptResult:
        """Run a turn of what it says and asks by itself, from what was held until it is quiet. Raises and is cancelled as `prompt`.

        It is quiet when nothing was heard for `quiet_s`, longer where the model has to speak next, and no tool and no question of it is
        open; tools that nothing was heard of for `patience_s` are given up. `on_wait` is called whenever it only waits for its tools.
        """
        self._turn = turn = UnpromptedTurn(self._surroundings, self._session_id, self._mcp_titles)
        return await self._run(turn, lambda: turn.run(quiet_s, patience_s, on_wait))

    async def _run(self, turn: Turn, work: Callable[[], Awaitable[PromptResult]]) -> PromptResult:
        self._peer.begin_turn()
        self._spending.begin_turn()
        self._phase = "taking"
        try:
            if self._dropped:
                await turn.notice("late", f"The agent sent {self._dropped} updates outside of its turns. They were dropped.")
                self._dropped = 0
            for params in self._late.take():
                await self._hear(turn, params)
            self._phase = "turn"
            self._signs.hear()
            self._began_turn.set()
            result = await work()
        finally:
            self._end_turn()
            await self._on_event.flush()
        if turn.cancelled.is_set():
            self._background.forget()
            await self.process.after_cancel(self._baseline)
        return replace(result, models=turn.models)

    def _end_turn(self) -> None:
        self._phase = "rest"
        self._signs.hear()
        self._began_turn.clear()

    def settle(self) -> None:
        """A prompt waits: end the turn that nobody prompted, as soon as no question of it is open."""
        if self._turn is not None:
            self._turn.settled.set()

    def cancel(self) -> None:
        """Tell the agent to stop this turn. Open questions are withdrawn. `prompt` returns when it did."""
        if self._turn is not None:
            self._turn.cancelled.set()

    # What the agent sends

    async def _update(self, params: Message) -> None:
        self._spoke.set()
        if self._phase == "turn" and self._turn is not None:
            await self._hear(self._turn, params)
            return
        update = self._mask.json(params.get("update"))
        if params.get("sessionId", self.agent_session_id) != self.agent_session_id or not isinstance(update, dict):
            return
        if is_change(update):
            await self._hear_options(update)
        elif self._choices.is_being_set and is_speech(update):  # some say that they changed
            return
        elif self._phase == "opening" or self._is_straggler:
            self._dropped += self.agent_session_id is not None and is_speech(update)
        else:
            self._background.hear_task(update)
            reported = next((one.usage.cost_usd for one in updates.normalise(update) if isinstance(one, UsageReported)), None)
            await self._late.hold(params, spends=self._spending.grows(reported))

    async def _hear(self, turn: Turn, params: Message) -> None:
        """Thousands of pieces in a second may come through here."""
        told = params.get("update")
        update = self._mask.json(told)
        if isinstance(update, dict) and params.get("sessionId") == self.agent_session_id and is_change(update):
            await self._hear_options(update)
        if params.get("sessionId", self.agent_session_id) != self.agent_session_id:
            self._dropped += is_speech(update)
        elif not isinstance(update, dict):
            await turn.notice("malformed_update", "The agent sent an update that is not an object.")
        else:
            await turn.hear(update, is_masked=update != told)

    @property
    def _is_straggler(self) -> bool:
        """What comes at once after a turn that was cancelled belongs to it."""
        is_cancelled = self._turn is not None and self._turn.cancelled.is_set()
        return self._phase == "rest" and is_cancelled and self.heard_ago_s < _STRAGGLES_S

    async def _notice(self, code: str, text: str) -> None:
        if self._turn is not None and self._phase in {"taking", "turn"}:
            await self._turn.notice(code, text)
        else:
            log.info("Agent %s: %s", self.agent.name, code)

    async def _request(self, method: str, params: Message) -> Message:
        if method != "session/request_permission":
            raise RpcError(METHOD_NOT_FOUND, f"{method[:80]} is not offered")
        masked = self._mask.json(params)
        if (turn := await self._turn_that_asks()) is None:
            return _CANCELLED
        turn.has_acted = True
        self._signs.open_questions += 1
        try:
            question = await self._read_question(masked, is_masked=masked != params)
            turn = self._asking_turn
            option_id = await turn.ask(question, masked) if question is not None and turn is not None else None
        finally:
            self._signs.open_questions -= 1
            self._signs.hear()
            self._signs.is_thinking = True
            self._signs.stirred.set()
        if question is None or turn is None or option_id not in {option.id for option in question.options}:
            return _CANCELLED
        turn.was_allowed = True
        return {"outcome": {"outcome": "selected", "optionId": option_id}}

    async def _turn_that_asks(self) -> Turn | None:
        """Wait for a turn in which a person can be asked. `None`: the agent was told to stop, or nobody has prompted it yet."""
        while self._phase in {"rest", "taking"} and not self._is_straggler:
            self._late.ask()
            try:
                await self._began_turn.wait()
            finally:
                self._late.asked()
        return self._asking_turn

    @property
    def _asking_turn(self) -> Turn | None:
        turn = self._turn
        return turn if turn is not None and self._phase == "turn" and not turn.cancelled.is_set() else None

    async def _read_question(self, params: Message, *, is_masked: bool) -> Question | None:
        """Joined to its tool call, which some agents tell a moment later."""
        read = partial(read_question, params, agent=self.agent, calls=self._calls, mcp_titles=self._mcp_titles, is_masked=is_masked)
        question = read()
        end = asyncio.get_running_loop().time() + _CALL_S
        while question is not None and question.is_bare and question.tool_call_id and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_CALL_S / 10)
            question = read()
        return question
