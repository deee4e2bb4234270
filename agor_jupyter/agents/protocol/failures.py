"""Reads from what an agent says whether the model's provider refused, and why.

An agent that ends a turn well may have shown its reader an error and nothing else. What tells that from an answer is data of each agent:
`AgentType.failures`. Nothing here depends on the words of a sentence, only on codes, statuses and JSON. Where an agent has no such
signs, and nothing shows that a model was used, `error_texts` says whether the turn's only text is that of an error.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agor_jupyter.agents.protocol import error_texts
from agor_jupyter.domain.agents import AgentType, FailureSigns

Update = Mapping[str, Any]
"""The `update` of a `session/update`. `Any`: nothing in it can be trusted to have its type."""

_MAX_TEXT = 16_384
_MAX_NODES = 500
_MAX_STARTS = 4
_LONGEST_WAIT = timedelta(days=40)

_STATUSES = {401: "auth_required", 403: "auth_required", 402: "quota", 408: "unreachable", 425: "overloaded", 429: "rate_limited"}
_CODES = {
    # Anthropic's `error.type`
    "authentication_error": "auth_required",
    "permission_error": "auth_required",
    "billing_error": "quota",
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "api_error": "overloaded",
    "timeout_error": "unreachable",
    "invalid_request_error": "provider_error",
    "not_found_error": "provider_error",
    "request_too_large": "provider_error",
    # OpenAI's `error.code` and `error.type`
    "invalid_api_key": "auth_required",
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "usage_limit_reached": "quota",
    "usage_not_included": "quota",
    "rate_limit_exceeded": "rate_limited",
    "server_is_overloaded": "overloaded",
    "slow_down": "overloaded",
    "server_error": "overloaded",
    "context_length_exceeded": "provider_error",
    "model_not_found": "provider_error",
    # Google's `error.status` and the reasons of its details
    "UNAUTHENTICATED": "auth_required",
    "PERMISSION_DENIED": "auth_required",
    "API_KEY_INVALID": "auth_required",
    "RESOURCE_EXHAUSTED": "rate_limited",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "unreachable",
    "INTERNAL": "overloaded",
    "INVALID_ARGUMENT": "provider_error",
    "FAILED_PRECONDITION": "provider_error",
    "NOT_FOUND": "provider_error",
    # of the system, as Node and Bun name them
    **dict.fromkeys(
        (
            *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EPIPE"),
            *("UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT", "ConnectionRefused", "ConnectionClosed", "FailedToOpenSocket"),
        ),
        "unreachable",
    ),
}
"""What providers and systems call it, and what we do."""
_ORDER = ("auth_required", "quota", "rate_limited", "overloaded", "unreachable", "provider_error")
"""The first that is named counts: a 429 that says the quota is used up is that."""
_PASSING = frozenset({"quota", "rate_limited", "overloaded", "unreachable"})
_ASIDE = ("usage_update", "session_info_update", "available_commands_update", "config_option_update")
"""What an agent tells also while it waits for the model."""
_WORK = ("tool_call", "tool_call_update", "plan", "agent_thought_chunk")
_NO_SIGNS = FailureSigns()
_CODE_KEYS = frozenset({"code", "type", "status", "reason", "name", "errorKind", "errorName", "codexErrorInfo"})
_STATUS_KEYS = frozenset({"status", "statusCode", "status_code", "httpStatusCode", "code"})
_SECONDS_KEYS = frozenset({"retry_after", "retryAfter", "retry-after", "resets_in_seconds", "retryDelay"})
_MOMENT_KEYS = frozenset({"resets_at", "resetsAt"})
_SECONDS = re.compile(r"(\d{1,8}(?:\.\d+)?)s?")


@dataclass(frozen=True, kw_only=True)
class ProviderFailure:
    code: str
    """`provider_error`, `auth_required`, `quota`, `rate_limited`, `overloaded` or `unreachable`."""
    text: str
    """What the provider said, for a person."""
    retry_at: datetime | None = None
    """When it takes requests again, as it says."""


class FailureWatch:
    """Hears the updates of one turn, and says at its end what became of it."""

    def __init__(self, agent: AgentType) -> None:
        self._signs = agent.failures
        self._patterns = [re.compile(pattern, re.DOTALL) for pattern in self._signs.patterns]
        self._whole = [re.compile(pattern, re.DOTALL) for pattern in self._signs.last_message]
        self._text = ""
        self._message: object = None
        self._is_contiguous = False
        self._messages, self._has_worked = 0, False
        self._is_errored = False
        self._detail: object = None
        self.is_retrying = False
        """The agent said last that it could not reach the model and tries again."""

    @property
    def last_message(self) -> str:
        return self._text.strip()

    def hear(self, update: Update) -> None:
        kind = update.get("sessionUpdate")
        if kind == "agent_message_chunk":
            self._hear_text(update)
            return
        self._is_contiguous = False
        self._has_worked = self._has_worked or kind in _WORK
        if kind in ("tool_call", "tool_call_update"):
            self._text = ""
        if (errored := _says(update, self._signs.errored)) is not None:
            self._is_errored = errored
        if (retrying := _says(update, self._signs.retrying)) is not None:
            self.is_retrying = retrying
        elif kind not in _ASIDE:
            self.is_retrying = False
        if self._signs.detail and (detail := at(update.get("_meta"), self._signs.detail)) is not None:
            self._detail = {"code": detail} if isinstance(detail, str) else detail

    def _hear_text(self, update: Update) -> None:
        content = update.get("content")
        text = content.get("text") if isinstance(content, dict) else None
        message = update.get("messageId")
        is_same = self._is_contiguous if message is None else message == self._message
        self._messages += not is_same
        if isinstance(text, str):
            self._text = ((self._text if is_same else "") + text)[-_MAX_TEXT:]
        self._message, self._is_contiguous, self.is_retrying = message, True, False

    def at_end(self, now: datetime, *, is_unused: bool = False, is_used: bool = False) -> ProviderFailure | None:
        """The agent says that it ended well. Did it? `is_unused`, `is_used`: it also says that no model was used, or one was."""
        text = self.last_message
        if self._is_errored:
            return self._read(text, self._detail, now) or ProviderFailure(code="provider_error", text=text)
        if any(pattern.fullmatch(text) for pattern in self._whole):
            return self._read(text, None, now) or ProviderFailure(code="provider_error", text=text)
        if is_unused and self._signs.is_unused:
            return ProviderFailure(code="unreachable", text="")
        return None if is_used else self._only_text(text, now)

    def _only_text(self, text: str, now: datetime) -> ProviderFailure | None:
        """Of an agent without signs: an error, if that is all that it said, and it did nothing."""
        if self._signs != _NO_SIGNS or self._has_worked or self._messages != 1 or (found := error_texts.read(text)) is None:
            return None
        code, status = found
        read = self._read(text, {"status": status} if status else None, now)
        return (
            read
            if read and not code
            else ProviderFailure(code=code or "provider_error", text=text, retry_at=read.retry_at if read else None)
        )

    def of_error(self, text: str, more: object, now: datetime, code: int = 0, kept: object = None) -> ProviderFailure | None:
        """The agent answered with an error. `kept` is what its own files say of it. `None`: nothing says that it is the provider's."""
        return self._read(text, {"code": code, "data": more, "kept": kept}, now)

    def given_up(self, now: datetime) -> ProviderFailure:
        """Why the agent tried again and again."""
        found = self._read("", self._detail, now)
        return found if found and found.code in _PASSING else ProviderFailure(code="unreachable", text="")

    def _read(self, text: str, detail: object, now: datetime) -> ProviderFailure | None:
        known = {**_CODES, **self._signs.codes}
        bodies = [body for body in (detail, _json_in(text)) if body is not None]
        statuses = [status for body in bodies for status in _statuses(body)]
        codes = [code for body in bodies for code in _names(body, known)]
        ours: list[str] = []  # such a pattern knows better than a status that the agent itself made up
        for pattern in self._patterns:
            if match := pattern.search(text):
                groups = match.groupdict()
                statuses += [int(groups["status"])] if groups.get("status") else []
                ours += [name for name in _ORDER if groups.get(name)]
                codes += [known[name]] if (name := groups.get("code")) in known else []
        codes += [code for status in statuses if (code := _code_of(status))]
        code = next((known for known in _ORDER if known in (ours or codes)), None)
        if code is None:
            return None
        said = next((sentence for body in reversed(bodies) if (sentence := _sentence(body))), text)
        return ProviderFailure(code=code, text=said, retry_at=_retry_at(bodies, now))


def _code_of(status: int) -> str | None:
    if status in _STATUSES:
        return _STATUSES[status]
    if 500 <= status < 600:  # HTTP's own
        return "overloaded"
    return "provider_error" if 400 <= status < 500 else None


def _says(update: Update, sign: str | None) -> bool | None:
    """Whether the update's `_meta` has this value there; `None` when it has none."""
    if sign is None:
        return None
    path, _, wanted = sign.partition("=")
    found = at(update.get("_meta"), path)
    if not isinstance(found, str | bool):
        return None
    return (found if isinstance(found, str) else str(found).lower()) == wanted


def at(value: object, path: str) -> object:
    """What is at `a.b` of an object; `None`: nothing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _json_in(text: str) -> object:
    """The JSON object that `text` is, or ends with."""
    start = -1
    for _ in range(_MAX_STARTS):
        start = text.find("{", start + 1)
        if start < 0:
            break
        if (found := _parse(text[start:])) is not None:
            return found
    return None


def _parse(text: str) -> object:
    """JSON, or `None`: also when it is too deep for anybody to mean it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _walk(value: object) -> Iterator[tuple[str, object]]:
    """Each name and value in JSON, the outermost first, bounded. JSON within a string is opened too."""
    waiting, seen = [value], 0
    while waiting and seen < _MAX_NODES:
        value = waiting.pop(0)
        seen += 1
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            value = _parse(value)
        if isinstance(value, dict):
            for name, inner in value.items():
                yield str(name), inner
                waiting.append(inner)
        elif isinstance(value, list):
            waiting += value


def _statuses(body: object) -> list[int]:
    found = [value for name, value in _walk(body) if name in _STATUS_KEYS and type(value) is int]
    return [status for status in found if 400 <= status < 600]


def _names(body: object, known: Mapping[str, str]) -> list[str]:
    """Our codes of the codes that are named in it. One may also be the name of an object, as in `{"quotaExceeded": {…}}`."""
    found = []
    for name, value in _walk(body):
        if name in _CODE_KEYS and isinstance(value, str) and value in known:
            found.append(known[value])
        elif isinstance(value, dict) and name in known:
            found.append(known[name])
    return found


def _sentence(body: object) -> str | None:
    """What it says to a person: the innermost `message`."""
    found = [value for name, value in _walk(body) if name == "message" and isinstance(value, str) and value.strip()]
    plain = [value for value in found if value.lstrip()[:1] not in ("{", "[")]
    return plain[-1].strip() if plain else None


def _retry_at(bodies: list[object], now: datetime) -> datetime | None:
    found: list[datetime] = []
    for name, value in (pair for body in bodies for pair in _walk(body)):
        if name in _SECONDS_KEYS and (match := _SECONDS.fullmatch(str(value))):
            found.append(now + timedelta(seconds=float(match[1])))
        elif name in _MOMENT_KEYS and isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
            found.append(datetime.fromtimestamp(value, UTC))
    return max((moment for moment in found if now <= moment <= now + _LONGEST_WAIT), default=None)
