"""Texts of errors as providers, libraries and gateways write them, and answers that look like them."""

import json

import pytest

from agor_jupyter.agents.protocol.failures import FailureWatch
from agor_jupyter.domain.agents import AgentType
from tests.agents.test_failures import NOW, text

OTHER = AgentType(name="other", label="Other", icon="ag-agent", command=["other"])


def body(**error):
    return json.dumps({"error": error})


ERRORS = [
    ("API Error: 429 Too Many Requests", "rate_limited"),
    ("API Error: 401 Invalid authentication credentials", "auth_required"),
    ('API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"bad"}}', "provider_error"),
    ('API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "overloaded"),
    ("API Error (500): Internal server error", "overloaded"),
    ("API error: 503 Service Unavailable", "overloaded"),
    ("Error: 401 Unauthorized", "auth_required"),
    ("Error: 403 Forbidden", "auth_required"),
    ("Error 502: Bad Gateway", "overloaded"),
    ("LLM error: 402 Payment Required", "quota"),
    ("Provider error 504", "overloaded"),
    ("HTTP 429", "rate_limited"),
    ("HTTP error: 500", "overloaded"),
    ("HTTP/1.1 503 Service Unavailable", "overloaded"),
    ("429 Too Many Requests", "rate_limited"),
    ("503: Service Unavailable", "overloaded"),
    ("404 Not Found: no such model", "provider_error"),
    ("status code: 401 Unauthorized", "auth_required"),
    ("❌ Error: 429 Too Many Requests", "rate_limited"),
    ("**Error:** 500 Internal Server Error", "overloaded"),
    ("```\nAPI Error: 401 Unauthorized\n```", "auth_required"),
    ("AxiosError: Request failed with status code 429", "rate_limited"),
    ("Error: Request failed with status code 401", "auth_required"),
    ("Request failed with status code 500", "overloaded"),
    ("exceeded retry limit, last status: 429 Too Many Requests", "rate_limited"),
    ("unexpected status 401 Unauthorized: Missing bearer authentication in header", "auth_required"),
    ("openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4'}}", "rate_limited"),
    ("openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}", "auth_required"),
    ("anthropic.InternalServerError: Error code: 500", "overloaded"),
    ("anthropic.APIStatusError: Overloaded", "provider_error"),
    ("litellm.AuthenticationError: AnthropicException - invalid x-api-key", "auth_required"),
    ("litellm.RateLimitError: RateLimitError: OpenAIException - try later", "rate_limited"),
    ("litellm.BadRequestError: LLM Provider NOT provided.", "provider_error"),
    ("litellm.ServiceUnavailableError: VertexAIException", "overloaded"),
    ("litellm.ContextWindowExceededError: too long", "provider_error"),
    ("openai.APIConnectionError: Connection error.", "unreachable"),
    ("openai.APITimeoutError: Request timed out.", "unreachable"),
    ("httpx.ConnectError: [Errno -2] Name or service not known", "unreachable"),
    ("httpx.ReadTimeout: timed out", None),
    ("Error: connect ECONNREFUSED 127.0.0.1:11434", "unreachable"),
    ("connect ECONNREFUSED ::1:11434", "unreachable"),
    ("Error: getaddrinfo ENOTFOUND api.openai.com", "unreachable"),
    ("FetchError: request to https://api.x.ai/v1 failed, reason: read ECONNRESET", "unreachable"),
    ("Error: read ETIMEDOUT", "unreachable"),
    ("TypeError: fetch failed", "unreachable"),
    ("fetch failed", "unreachable"),
    ("Error: socket hang up", "unreachable"),
    ("Connection error.", "unreachable"),
    ("API Connection error", "unreachable"),
    ("Request timed out.", "unreachable"),
    ("stream disconnected before completion: error sending request for url", "unreachable"),
    ("stream error: stream disconnected before completion; retrying 5/5", "unreachable"),
    ("upstream connect error or disconnect/reset before headers. reset reason: overflow", "unreachable"),
    ("Rate limit exceeded", "rate_limited"),
    ("Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used 29000.", "rate_limited"),
    ("Rate limit reached: try again in 20s", "rate_limited"),
    ("Error: rate_limit_exceeded", "rate_limited"),
    ("Error: Rate limited. Please wait.", "rate_limited"),
    ("Resource has been exhausted (e.g. check quota).", "rate_limited"),
    ("Too many requests, please try again later.", "rate_limited"),
    ("You exceeded your current quota, please check your plan and billing details.", "quota"),
    ("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.", "quota"),
    ("Insufficient credits. Add more at https://openrouter.ai/credits", "quota"),
    ("Insufficient Balance", "quota"),
    ("Claude AI usage limit reached|1749924000", "quota"),
    ("You've hit your usage limit. Upgrade to Pro.", "quota"),
    ("Billing hard limit has been reached", "quota"),
    ("Incorrect API key provided: sk-abc***xyz. You can find your API key at https://platform.openai.com.", "auth_required"),
    ("Incorrect API key provided: sk-abc***xyz.", "auth_required"),
    ("Invalid API key · Please run /login", "auth_required"),
    ("invalid x-api-key", "auth_required"),
    ("No auth credentials found", "auth_required"),
    ("OAuth token has expired. Please sign in again.", "auth_required"),
    ("Overloaded", "overloaded"),
    ("overloaded_error", "overloaded"),
    ("The model is currently overloaded. Please try again later.", "overloaded"),
    ("The engine is currently overloaded, please try again later", "overloaded"),
    ("Internal Server Error", "overloaded"),
    ("Bad gateway", "overloaded"),
    ("Service temporarily unavailable.", "overloaded"),
    ("This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.", "provider_error"),
    ("prompt is too long: 210000 tokens > 200000 maximum", "provider_error"),
    ("The model `gpt-9` does not exist or you do not have access to it.", "provider_error"),
    ("Error: The model 'qwen:7b' was not found", "provider_error"),
    (body(message="slow down", type="rate_limit_error", code="rate_limit_exceeded"), "rate_limited"),
    (body(message="no key", code=401, status="UNAUTHENTICATED"), "auth_required"),
    (body(message="model not found", code="model_not_found"), "provider_error"),
    (body(message="something new", type="brand_new_error"), "provider_error"),
    (f"Error: {body(message='The quota is used up', code='insufficient_quota')}", "quota"),
    (json.dumps({"type": "error", "error": {"type": "api_error", "message": "Internal"}, "request_id": "req_1"}), "overloaded"),
    ("Error code: 400 - " + body(message="bad", type="invalid_request_error"), "provider_error"),
]
"""The text, and what it is; `None`: it is let through as an answer, since more of it could be one."""

ANSWERS = [
    "",
    "429 means that you sent too many requests.",
    "429 is “Too Many Requests”.",
    "API Error: 429 means that you are rate limited.",
    "HTTP 429 means “Too Many Requests”: the server asks you to slow down.",
    "A 503 Service Unavailable means that the server cannot answer just now.",
    "Error: 401 is what the API returns when the key is wrong.",
    "The log says “API Error: 529 Overloaded”. I fixed the retry loop.",
    "I see `Error: connect ECONNREFUSED 127.0.0.1:5432` in the log; start the database.",
    "ECONNREFUSED means that nobody listens at that port.",
    "Connection refused usually means that the service is down.",
    "Rate limit exceeded is what GitHub says when you ask too often.",
    "Rate limits are described in docs/limits.md.",
    "Rate limiting is done in `middleware.py`, line 42.",
    "Overloaded functions in C++ are resolved at compile time.",
    "Overloaded operators are fine here.",
    "Internal server errors are handled in `errors.py`.",
    "The model `User` does not exist yet. I'll create a migration.",
    "The model `orders` was added.",
    "Error handling is done.",
    "Error: the test fails because `x` is None.",
    "ValueError: invalid literal for int() with base 10: 'x'",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "500 lines were changed in 12 files.",
    "404 tests passed, 3 failed.",
    "429",
    "503 rows",
    "I added a handler for 429 Too Many Requests.",
    "Done. The endpoint now answers 404 Not Found.",
    "Use `Retry-After` with 429 Too Many Requests, as RFC 6585 says.",
    "No errors found.",
    "Fetch failed jobs with `make failed`.",
    "Insufficient test coverage in module a.",
    "Which status did you get: 401 or 403?",
    "Invalid API keys are refused in `auth.py`.",
    '{"error": "none", "rows": 3}',
    '{"error": null, "result": {"message": "ok", "code": 200}}',
    '{"name": "demo", "type": "module"}',
    json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}) + "\nis what the server sends.",
    "This is what the server sends: " + body(message="x", code=429),
    "For example:\n\n```json\n" + body(message="x", code=429) + "\n```\n\nHandle it with a retry.",
    "Too many requests are made in the loop; I moved the call out of it.",
    "The request timed out in CI because of the sleep in `conftest.py`.",
    "Stream processing is disconnected from the UI.",
    "Hello! How can I help you?",
    "Network errors are retried three times.",
]


def end(said, **how):
    watch = FailureWatch(OTHER)
    for half in (said[: len(said) // 2], said[len(said) // 2 :]):
        watch.hear(text(half))
    return watch.at_end(NOW, **how)


@pytest.mark.parametrize(("said", "code"), ERRORS)
def test_a_turn_whose_only_text_is_that_of_an_error_failed(said, code):
    failure = end(said)

    assert (failure.code if failure else None) == code


def test_there_are_enough_of_them():
    assert len([said for said, code in ERRORS if code]) > 60


@pytest.mark.parametrize("said", ANSWERS)
def test_an_answer_about_errors_is_one(said):
    assert end(said) is None


@pytest.mark.parametrize("said", [said for said, code in ERRORS if code][::6])
def test_what_a_model_wrote_or_what_comes_with_work_is_an_answer(said):
    assert end(said, is_used=True) is None
    for other in (
        {"sessionUpdate": "tool_call", "toolCallId": "t"},
        {"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "hm"}},
        text("First I look.", "m0"),
    ):
        watch = FailureWatch(OTHER)
        watch.hear(other)
        watch.hear(text(said, "m1"))
        assert watch.at_end(NOW) is None
