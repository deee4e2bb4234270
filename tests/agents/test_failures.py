"""What the four agents send when their model's provider refuses, as they sent it; and what only looks like it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from agor_jupyter.agents import claude, codex, gemini, opencode
from agor_jupyter.agents.protocol.failures import FailureWatch
from agor_jupyter.agents.script import AGENT as SCRIPT
from agor_jupyter.domain.agents import AgentType, FailureSigns

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
_HTTP = {"type": "error", "error": {"type": "invalid_request_error", "code": 400, "message": "fake error"}}


def text(said, message=None):
    return {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": said}, "messageId": message}


def status(kind):
    return {"sessionUpdate": "session_info_update", "_meta": {"codex": {"threadStatus": {"type": kind}}}}


def reconnecting(info, will_retry=True):
    return {"sessionUpdate": "session_info_update", "_meta": {"codex": {"error": {"codexErrorInfo": info, "willRetry": will_retry}}}}


def watch(agent, *updates):
    found = FailureWatch(agent)
    for update in updates:
        found.hear(update)
    return found


def codex_says(info, said):
    warning = text("Warning: Model metadata for `x` not found.\n\n")
    before = [reconnecting(info)] if info else []
    return watch(codex.AGENT, warning, status("active"), *before, status("systemError"), text(said)).at_end(NOW)


@pytest.mark.parametrize(
    ("info", "said", "code", "shown"),
    [
        (None, json.dumps(_HTTP) + "\n\n", "provider_error", "fake error"),
        ({"responseStreamDisconnected": {"httpStatusCode": 429}}, "exceeded retry limit\n\n", "rate_limited", "exceeded retry limit"),
        ({"responseStreamDisconnected": {"httpStatusCode": 529}}, "unexpected status\n\n", "overloaded", "unexpected status"),
        ({"responseStreamDisconnected": {"httpStatusCode": None}}, "stream disconnected\n\n", "unreachable", "stream disconnected"),
        ("usageLimitExceeded", "You have hit your limit\n\n", "quota", "You have hit your limit"),
        (None, "something else", "provider_error", "something else"),
    ],
)
def test_a_codex_turn_that_ends_well_after_a_system_error_failed(info, said, code, shown):
    failure = codex_says(info, said)

    assert (failure.code, failure.text) == (code, shown)


def test_a_codex_turn_that_recovered_is_done():
    found = watch(codex.AGENT, reconnecting({"responseStreamDisconnected": {}}), status("systemError"), status("active"), text("Done."))

    assert found.at_end(NOW) is None


@pytest.mark.parametrize("agent", [claude.AGENT, codex.AGENT, gemini.AGENT, opencode.AGENT, SCRIPT])
@pytest.mark.parametrize(
    "answer",
    [
        "API Error: 429 means that you are rate limited.",
        "The log says “API Error: 529 Overloaded”. I fixed the retry loop.",
        json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}) + "\nis what the server sends.",
        "",
    ],
)
def test_an_agent_that_talks_of_errors_has_not_failed(agent, answer):
    assert watch(agent, text(answer)).at_end(NOW) is None


def test_a_turn_that_used_no_model_had_no_answer_where_the_agent_says_so():
    broken = [text("a long text that is cut "), text("a long text that is cut ")]

    assert watch(gemini.AGENT, *broken).at_end(NOW, is_unused=True).code == "unreachable"
    assert watch(gemini.AGENT, *broken).at_end(NOW) is None
    assert watch(claude.AGENT, *broken).at_end(NOW, is_unused=True) is None


def test_only_the_last_message_counts():
    agent = AgentType(name="a", label="A", icon="x", command=["a"], failures=FailureSigns(last_message=[r"ERROR \d+"]))

    assert watch(agent, text("ERROR 1", "m1")).at_end(NOW) is not None
    assert watch(agent, text("ERR", "m1"), text("OR 1", "m1")).at_end(NOW) is not None
    assert watch(agent, text("ERROR 1", "m1"), text("It went well", "m2")).at_end(NOW) is None
    assert watch(agent, text("ERROR 1"), {"sessionUpdate": "tool_call", "toolCallId": "t"}).at_end(NOW) is None
    assert watch(agent, text("About ERROR 1", "m1")).at_end(NOW) is None


@pytest.mark.parametrize(
    ("agent", "code", "message", "more", "expected"),
    [
        (claude.AGENT, -32603, "Internal error: API Error: 400 fake error", {"errorKind": "unknown"}, "provider_error"),
        (claude.AGENT, -32603, "Internal error: API Error: Repeated 529 Overloaded errors.", {"errorKind": "server_error"}, "overloaded"),
        (claude.AGENT, -32603, "Internal error: API Error: 429 fake error", {"errorKind": "rate_limit"}, "rate_limited"),
        (claude.AGENT, -32603, "Internal error: credit balance is too low", {"errorKind": "billing_error"}, "quota"),
        (claude.AGENT, -32603, "Internal error: API Error: Unable to connect to API (ECONNREFUSED)", None, "unreachable"),
        (claude.AGENT, -32603, "Internal error: API Error: Connection dropped (ECONNRESET).", {"errorKind": "server_error"}, "unreachable"),
        (opencode.AGENT, -32603, "Internal error: no", {"service": "session", "errorName": "APIError"}, "provider_error"),
        (gemini.AGENT, 400, json.dumps(_HTTP), None, "provider_error"),
        (gemini.AGENT, 401, "x", None, "auth_required"),
        (gemini.AGENT, 429, "x", None, "rate_limited"),
        (gemini.AGENT, 500, "exception TypeError: fetch failed sending request", None, "unreachable"),
        (gemini.AGENT, 503, "x", None, "overloaded"),
        (gemini.AGENT, 500, '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"slow"}}', None, "rate_limited"),
        (SCRIPT, -32603, "Internal error", {"details": "no credit"}, None),
        (SCRIPT, -32602, "Invalid params", None, None),
        (claude.AGENT, -32603, "Internal error", None, None),
    ],
)
def test_an_error_that_is_the_providers_has_its_code(agent, code, message, more, expected):
    failure = FailureWatch(agent).of_error(message, more, NOW, code)

    assert (failure and failure.code) == expected


@pytest.mark.parametrize(
    ("error", "expected", "seconds"),
    [
        ({"statusCode": 429, "isRetryable": True, "responseHeaders": {"retry-after": "7"}}, "rate_limited", 7),
        ({"statusCode": 529, "isRetryable": True}, "overloaded", None),
        ({"statusCode": 400, "isRetryable": False}, "provider_error", None),
        ({"isRetryable": True, "metadata": {"code": "ConnectionRefused"}}, "unreachable", None),
        ({"code": "NoAnswer", "isRetryable": True}, "unreachable", None),
        (None, "provider_error", None),
    ],
)
def test_what_its_files_keep_says_more_than_what_it_tells(error, expected, seconds):
    told, kept = {"service": "session", "errorName": "APIError"}, error and {"name": "APIError", "data": {"message": "No.", **error}}

    failure = FailureWatch(opencode.AGENT).of_error("Internal error: No.", told, NOW, -32603, kept)

    assert (failure.code, failure.retry_at) == (expected, seconds and NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"error": {"type": "rate_limit_error", "retry_after": 7}}, 7),
        ({"error": {"code": 429, "details": [{"@type": "RetryInfo", "retryDelay": "34.5s"}]}}, 34.5),
        ({"error": {"type": "usage_limit_reached", "resets_in_seconds": 3600}}, 3600),
        ({"error": {"type": "usage_limit_reached", "resets_at": (NOW + timedelta(hours=2)).timestamp()}}, 7200),
        ({"error": {"type": "rate_limit_error", "retry_after": "soon"}}, None),
        ({"error": {"type": "rate_limit_error", "retry_after": -5}}, None),
        ({"error": {"type": "rate_limit_error", "resets_at": 1e300}}, None),
    ],
)
def test_when_the_provider_takes_requests_again_is_read_from_its_json(more, seconds):
    failure = FailureWatch(SCRIPT).of_error("no", more, NOW)

    assert failure.retry_at == (None if seconds is None else NOW + timedelta(seconds=seconds))


def test_an_agent_that_reconnects_is_retrying_until_it_says_something_else():
    found = watch(codex.AGENT, status("active"), reconnecting({"responseStreamDisconnected": {"httpStatusCode": None}}))
    assert found.is_retrying
    found.hear({"sessionUpdate": "usage_update", "used": 1, "size": 2})
    assert found.is_retrying
    assert found.given_up(NOW).code == "unreachable"

    found.hear(text("Here I am"))

    assert not found.is_retrying


@pytest.mark.parametrize(
    "text_", ["{" * 20_000, '{"a":' * 5_000, "[" * 20_000, '{"code": 1e999}', "\ud800{", '{"code": ' + "9" * 5000 + "}"]
)
def test_nonsense_is_survived_at_once(text_):
    found = watch(codex.AGENT, status("systemError"), text(text_))

    assert found.at_end(NOW).code == "provider_error"
