"""OpenAI's Responses: `POST /v1/responses`. The input tokens include those that were cached."""

import itertools
import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

from harness.model_server.api import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Answer, Body, Event, flat
from harness.model_server.script import Said
from harness.model_server.tools import ASKS, Called, Tool

Item = dict[str, Any]

_POLICY = re.compile(r"Approval policy is currently ([a-z-]+)")
"""How Codex tells the model whether it may ask a person; a call that does so in vain is refused."""


def said(body: Body) -> list[Said]:
    items = body.get("input", [])
    if isinstance(items, str):
        return [Said("user", items)]
    found = []
    for item in items:
        kind = item.get("type", "message")
        if kind.endswith("_output"):
            found.append(Said("result", flat(item.get("output"))))
        elif kind == "message":
            found.append(Said(item.get("role", "user"), flat(item.get("content"))))
    return found


def tools(body: Body) -> list[Tool]:
    declared = list(body.get("tools") or [])
    items = body.get("input", [])
    for item in items if isinstance(items, list) else []:
        if item.get("type") == "additional_tools":  # how Codex declares them to the models that it knows
            declared += item["tools"]
    policies = _POLICY.findall(json.dumps(items))
    may_ask = not policies or policies[-1] != "never"
    found: list[Tool] = []
    for tool in declared:
        if tool.get("type") == "namespace":
            namespace = None if tool["name"] == "functions" else tool["name"]
            found += [_tool(one, namespace, may_ask=may_ask) for one in tool.get("tools", [])]
        else:
            found.append(_tool(tool, may_ask=may_ask))
    return found


def _tool(tool: Item, namespace: str | None = None, *, may_ask: bool) -> Tool:
    properties = (tool.get("parameters") or {}).get("properties", {})
    name, is_free = tool.get("name") or tool.get("type", ""), tool.get("type") == "custom"
    properties = properties | {ASKS: {}} if may_ask and is_free else properties
    if not may_ask:
        properties = {key: value for key, value in properties.items() if key != ASKS}
    return Tool(name=name, properties=properties, is_free=is_free, namespace=namespace)


def error(status: int, message: str) -> Body:
    kinds = {401: "authentication_error", 429: "rate_limit_exceeded", 529: "server_overloaded"}
    return {"error": {"type": kinds.get(status, "invalid_request_error"), "code": str(status), "message": message}}


def whole(answer: Answer) -> Body:
    return {
        "id": f"resp_{uuid.uuid4().hex[:20]}",
        "object": "response",
        "created_at": int(time.time()),
        "model": answer.model,
        "status": "completed",
        "output": _items(answer),
        "error": None,
        "incomplete_details": None,
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS},
            "output_tokens": OUTPUT_TOKENS,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _items(answer: Answer) -> list[Item]:
    items: list[Item] = []
    if answer.step.think:
        summary = [{"type": "summary_text", "text": answer.step.think}]
        items.append({"type": "reasoning", "id": f"rs_{uuid.uuid4().hex[:16]}", "encrypted_content": "c2VjcmV0", "summary": summary})
    if answer.step.text:
        content = [{"type": "output_text", "text": answer.step.text, "annotations": []}]
        message = {"type": "message", "id": f"msg_{uuid.uuid4().hex[:16]}", "role": "assistant", "status": "completed"}
        items.append({**message, "content": content})
    return items + [_call(called) for called in answer.calls]


def _call(called: Called) -> Item:
    common = {"call_id": called.id, "name": called.name, "status": "completed"}
    if isinstance(called.arguments, str):
        return {"type": "custom_tool_call", "id": f"ctc_{called.id}", "input": called.arguments, **common}
    item = {"type": "function_call", "id": f"fc_{called.id}", "arguments": json.dumps(called.arguments), **common}
    return item if called.namespace is None else {**item, "namespace": called.namespace}


def events(answer: Answer) -> Iterator[Event]:
    response, numbers = whole(answer), itertools.count()

    def event(kind: str, *, is_text: bool = False, **fields: object) -> Event:
        return Event(name=kind, data={"type": kind, "sequence_number": next(numbers), **fields}, is_text=is_text)

    yield event("response.created", response={**response, "status": "in_progress", "output": [], "usage": None})
    for index, item in enumerate(response["output"]):
        at = {"item_id": item["id"], "output_index": index}
        begun = {**item, **{name: type(item[name])() for name in ("content", "summary", "arguments", "input") if name in item}}
        yield event("response.output_item.added", output_index=index, item=begun)
        if item["type"] == "message":
            part = {"type": "output_text", "text": "", "annotations": []}
            yield event("response.content_part.added", **at, content_index=0, part=part)
            for piece in answer.step.pieces():
                yield event("response.output_text.delta", is_text=True, **at, content_index=0, delta=piece)
            yield event("response.output_text.done", **at, content_index=0, text=answer.step.text)
            yield event("response.content_part.done", **at, content_index=0, part=item["content"][0])
        elif item["type"] == "reasoning":
            yield event("response.reasoning_summary_part.added", **at, summary_index=0, part={"type": "summary_text", "text": ""})
            yield event("response.reasoning_summary_text.delta", **at, summary_index=0, delta=answer.step.think)
            yield event("response.reasoning_summary_text.done", **at, summary_index=0, text=answer.step.think)
        elif item["type"] == "function_call":
            yield event("response.function_call_arguments.delta", **at, delta=item["arguments"])
            yield event("response.function_call_arguments.done", **at, arguments=item["arguments"])
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=response)
