"""How a turn ended and how a conversation began, as an agent says; and what those who talk with it hand in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agor_jupyter.agents.protocol.acp import Message
from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.errors import AgentFailed
from agor_jupyter.domain.events import TranscriptBody
from agor_jupyter.domain.options import SessionOption
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Usage


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
