"""Anthropic's Messages: `POST /v1/messages`. The input tokens are those that were not cached."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

from harness.model_server.api import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Body, Event, flat, pieces
from harness.model_server.script import Said
from harness.model_server.tools import Tool

_ERRORS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}


def said(body: Body) -> list[Said]:
    found = []
    for message in body.get("messages", []):
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block.get("type") == "tool_result":
                found.append(Said("result", flat(block.get("content"))))
            elif block.get("type") == "text":
                found.append(Said(message["role"], block.get("text", "")))
    return found


def tools(body: Body) -> list[Tool]:
    return [
        Tool(name=tool["name"], properties=tool.get("input_schema", {}).get("properties", {}))
        for tool in body.get("tools") or []
        if "name" in tool
    ]


def error(status: int, message: str) -> Body:
    kind = _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


def whole(answer: Answer) -> Body:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": answer.step.text}] if answer.step.text else []
    for called in answer.calls:
        blocks.append({"type": "tool_use", "id": f"toolu_{called.id[5:]}", "name": called.name, "input": called.arguments})
    if answer.step.think:
        blocks.insert(0, {"type": "thinking", "thinking": answer.step.think, "signature": "c2lnbmVk"})
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": blocks,
        "stop_reason": "tool_use" if answer.calls else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": CACHED_TOKENS,
            "output_tokens": OUTPUT_TOKENS,
        },
    }


def events(answer: Answer) -> Iterator[Event]:
    message = whole(answer)
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield _event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        yield from _block(index, block, answer)
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ended, usage={"output_tokens": OUTPUT_TOKENS})
    yield _event("message_stop")


def _block(index: int, block: dict[str, Any], answer: Answer) -> Iterator[Event]:
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}[block["type"]]
    yield _event("content_block_start", index=index, content_block={**block, **empty})
    if block["type"] == "text":
        for piece in answer.step.pieces():
            yield _event("content_block_delta", is_text=True, index=index, delta={"type": "text_delta", "text": piece})
    elif block["type"] == "thinking":
        yield _event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": block["thinking"]})
        yield _event("content_block_delta", index=index, delta={"type": "signature_delta", "signature": block["signature"]})
    else:
        for piece in pieces(json.dumps(block["input"])):
            yield _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece})
    yield _event("content_block_stop", index=index)


def _event(kind: str, *, is_text: bool = False, **fields: object) -> Event:
    return Event(name=kind, data={"type": kind, **fields}, is_text=is_text)
