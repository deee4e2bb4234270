"""OpenAI's Chat Completions: `POST /v1/chat/completions`. The input tokens include those that were cached."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from harness.model_server.api import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Body, Event, flat
from harness.model_server.script import Said
from harness.model_server.tools import Called, Tool

_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
}


def said(body: Body) -> list[Said]:
    roles = {"tool": "result"}
    return [Said(roles.get(one["role"], one["role"]), flat(one.get("content"))) for one in body.get("messages", [])]


def tools(body: Body) -> list[Tool]:
    declared = [tool["function"] for tool in body.get("tools") or [] if "function" in tool]
    return [Tool(name=one["name"], properties=(one.get("parameters") or {}).get("properties", {})) for one in declared]


def error(status: int, message: str) -> Body:
    return {"error": {"type": "invalid_request_error" if status < 500 else "server_error", "code": str(status), "message": message}}


def whole(answer: Answer) -> Body:
    message: dict[str, Any] = {"role": "assistant", "content": answer.step.text or None}
    if answer.calls:
        message["tool_calls"] = [_call(index, called) for index, called in enumerate(answer.calls)]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if answer.calls else "stop"}
    return {**_envelope(answer), "object": "chat.completion", "choices": [choice], "usage": _USAGE}


def events(answer: Answer) -> Iterator[Event]:
    envelope = {**_envelope(answer), "object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None = None, *, is_text: bool = False) -> Event:
        return Event(data={**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, is_text=is_text)

    yield event({"role": "assistant", "content": ""})
    if answer.step.think:
        yield event({"reasoning_content": answer.step.think})
    for piece in answer.step.pieces():
        yield event({"content": piece}, is_text=True)
    for index, called in enumerate(answer.calls):
        yield event({"tool_calls": [_call(index, called)]})
    yield event({}, "tool_calls" if answer.calls else "stop")
    yield Event(data={**envelope, "choices": [], "usage": _USAGE})
    yield Event(data="[DONE]")


def _envelope(answer: Answer) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex[:16]}", "created": int(time.time()), "model": answer.model}


def _call(index: int, called: Called) -> dict[str, Any]:
    return {
        "index": index,
        "id": called.id,
        "type": "function",
        "function": {"name": called.name, "arguments": json.dumps(called.arguments)},
    }
