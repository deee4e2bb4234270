"""Gemini: `POST /v1beta/models/NAME:generateContent` and `:streamGenerateContent`. The prompt's tokens include those that were cached."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

from harness.model_server.api import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Body, Event
from harness.model_server.script import Said
from harness.model_server.tools import Tool

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


def said(body: Body) -> list[Said]:
    found = []
    for content in body.get("contents", []):
        for part in content.get("parts", []):
            if "functionResponse" in part:
                found.append(Said("result", json.dumps(part["functionResponse"].get("response"))))
            elif "text" in part:
                found.append(Said("assistant" if content.get("role") == "model" else "user", part["text"]))
    return found


def tools(body: Body) -> list[Tool]:
    declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations", [])]
    schemas = [(one["name"], one.get("parametersJsonSchema") or one.get("parameters") or {}) for one in declared]
    return [Tool(name=name, properties=schema.get("properties", {})) for name, schema in schemas]


def error(status: int, message: str) -> Body:
    return {"error": {"code": status, "message": message, "status": _STATUS.get(status, "UNAVAILABLE")}}


def whole(answer: Answer) -> Body:
    parts = [*_thought(answer), *([{"text": answer.step.text}] if answer.step.text else []), *_calls(answer)]
    return _response(answer, parts, "STOP")


def events(answer: Answer) -> Iterator[Event]:
    if thought := _thought(answer):
        yield Event(data=_response(answer, thought))
    for piece in answer.step.pieces():
        yield Event(data=_response(answer, [{"text": piece}]), is_text=True)
    if calls := _calls(answer):
        yield Event(data=_response(answer, calls))
    yield Event(data=_response(answer, [{"text": ""}], "STOP"))


def _thought(answer: Answer) -> list[dict[str, Any]]:
    return [{"text": answer.step.think, "thought": True}] if answer.step.think else []


def _calls(answer: Answer) -> list[dict[str, Any]]:
    calls = [{"id": called.id, "name": called.name, "args": called.arguments} for called in answer.calls]
    return [{"functionCall": call, "thoughtSignature": "c2lnbmVk"} for call in calls]


def _response(answer: Answer, parts: list[dict[str, Any]], finish: str | None = None) -> Body:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "modelVersion": answer.model,
        "responseId": uuid.uuid4().hex[:12],
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "cachedContentTokenCount": CACHED_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }
