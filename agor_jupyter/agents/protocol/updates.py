"""Turns what an agent says happened into our own events, whatever it says.

Pure. A value of a wrong type never raises: it becomes a notice, and the raw update is kept beside it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast, get_args

from agor_jupyter.agents.protocol.calls import mcp_tool
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import (
    FileChange,
    ModeChanged,
    Notice,
    Plan,
    PlanEntry,
    Text,
    Thought,
    ToolCall,
    ToolOutput,
    TranscriptBody,
    UsageReported,
)
from agor_jupyter.domain.sessions import Usage

Update = Mapping[str, Any]
"""The `update` of a `session/update`. `Any`: nothing in it can be trusted to have its type."""

_MAX_TEXT = 1 << 20
_MAX_TITLE = 2000
_MAX_INPUT = 256 << 10
_MAX_ITEMS = 500
_FENCED = re.compile(r"```[a-z]*\n(.*?)\n?```\n?", re.DOTALL)
_Status = Literal["pending", "in_progress", "completed", "failed"]
_STATUSES = get_args(_Status)


class Malformed(ValueError):
    """A field that does not have the type of the protocol."""


def normalise(update: Update, mcp_titles: Sequence[str] = ()) -> list[TranscriptBody]:
    """The events of one update, in order. Empty for what a transcript does not need. `mcp_titles` are the agent's own."""
    kind = update.get("sessionUpdate")
    if not isinstance(kind, str):
        return [Notice(code="malformed_update", text="The agent sent an update without a kind.")]
    reader = _READERS.get(kind)
    if reader is None:
        return (
            [] if kind in _IGNORED else [Notice(code="unknown_update", text=f"The agent sent an update of an unknown kind, {kind[:80]}.")]
        )
    try:
        bodies = reader(update)
    except Malformed as error:
        return [Notice(code="malformed_update", text=f"The agent sent a {kind} that cannot be read: {error}.")]
    tool = mcp_tool(update, mcp_titles) if kind in _TOOLS else None
    return [body.replace(mcp_tool=tool) if tool and isinstance(body, ToolCall) else body for body in bodies]


def cut(text: str, limit: int = _MAX_TEXT) -> str:
    """At most `limit` characters, with a mark that says how many are missing."""
    return text if len(text) <= limit else f"{text[:limit]}\n… {len(text) - limit:,} more characters were left out …"


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"its {name} is not text")
    return value


def _optional(value: object, name: str, limit: int = _MAX_TITLE) -> str | None:
    return None if value is None else _text(value, name)[:limit]


def _items(value: object, name: str) -> list[Update]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"its {name} is not a list")
    return [item for item in value[:_MAX_ITEMS] if isinstance(item, dict)]


def _object(value: object) -> Update:
    return value if isinstance(value, dict) else {}


def whole(value: object) -> int | None:
    """A count as an agent reports it; `None` when it is not one."""
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def tokens(answer: Update) -> Usage:
    """What a prompt's answer says was read and written: in ACP's `usage`, or where Gemini puts it."""
    usage = _object(answer.get("usage"))
    count = _object(_object(_object(answer.get("_meta")).get("quota")).get("token_count"))
    return Usage(
        input_tokens=whole(usage.get("inputTokens", count.get("input_tokens"))),
        output_tokens=whole(usage.get("outputTokens", count.get("output_tokens"))),
        cached_read_tokens=whole(usage.get("cachedReadTokens")),
        cached_write_tokens=whole(usage.get("cachedWriteTokens")),
    )


def model_usage(answer: Update, router: str | None = None) -> list[ModelUsage]:
    """What each model was used for, where an agent says so. What it says of its `router` is added to the model it names beside it."""
    quota = _object(_object(answer.get("_meta")).get("quota"))
    found = []
    for item in _items(quota.get("model_usage") if isinstance(quota.get("model_usage"), list) else None, "model_usage"):
        count, model = _object(item.get("token_count")), item.get("model")
        found.append(
            ModelUsage(
                model=model[:200] if isinstance(model, str) else None,
                input_tokens=whole(count.get("inputTokens", count.get("input_tokens"))),
                output_tokens=whole(count.get("outputTokens", count.get("output_tokens"))),
                cached_read_tokens=whole(count.get("cachedInputTokens")),
                cached_write_tokens=whole(count.get("cachedWriteTokens", count.get("cacheWriteInputTokens"))),
            )
        )
    named, routed = ([one for one in found if (one.model == router) is is_routed] for is_routed in (False, True))
    if router is None or not routed or len(named) != 1:
        return found
    return [_added([*named, *routed])]


def _added(usages: list[ModelUsage]) -> ModelUsage:
    """All as the first one's."""
    names = [name for name in ModelUsage.model_fields if name != "model"]
    counts = {name: [count for one in usages if (count := getattr(one, name)) is not None] for name in names}
    return usages[0].replace(**{name: sum(known) for name, known in counts.items() if known})


def says_unused(answer: Update) -> bool:
    """It lists the models that it used, and there are none."""
    return _object(_object(answer.get("_meta")).get("quota")).get("model_usage") == []


def block_text(block: Update) -> str:
    """What of a content block can be read: its text, or what it is."""
    match block.get("type"):
        case "text":
            return _text(block.get("text"), "text")
        case "resource_link":
            return str(block.get("uri", ""))[:_MAX_TITLE]
        case "resource":
            resource = _object(block.get("resource"))
            return str(resource.get("text", resource.get("uri", "")))
        case "image" | "audio" as kind:
            return f"[{kind}]"
        case _:
            raise Malformed("its content has an unknown type")


def _message(update: Update) -> list[TranscriptBody]:
    text = cut(block_text(_object(update.get("content"))))
    return [Text(text=text, message_id=_optional(update.get("messageId"), "messageId", 200))] if text else []


def _thought(update: Update) -> list[TranscriptBody]:
    text = cut(block_text(_object(update.get("content"))))
    return [Thought(text=text, message_id=_optional(update.get("messageId"), "messageId", 200))] if text else []


def _tool(update: Update) -> list[TranscriptBody]:
    tool_call_id = _text(update.get("toolCallId"), "toolCallId")[:200]
    status = update.get("status")
    if status is not None and status not in _STATUSES:
        raise Malformed("its status is unknown")
    content = _items(update.get("content"), "content")
    call = ToolCall(
        tool_call_id=tool_call_id,
        title=_optional(update.get("title"), "title"),
        tool_kind=_optional(update.get("kind"), "kind", 40),
        status=cast("_Status | None", status),  # one of _STATUSES, which is all of _Status
        input=tool_input(update.get("rawInput")),
        output=_output(content, update.get("rawOutput")),
        changes=[_change(item) for item in content if item.get("type") == "diff"] or None,
        locations=[str(item.get("path", ""))[:_MAX_TITLE] for item in _items(update.get("locations"), "locations")] or None,
        exit_code=_exit_code(update),
    )
    pieces = [ToolOutput(tool_call_id=tool_call_id, text=cut(text)) for text in _terminal(update) if text]
    says_nothing = pieces and call == ToolCall(tool_call_id=tool_call_id)
    return [*pieces] if says_nothing else [call, *pieces]


def tool_input(value: object) -> dict[str, Any] | None:
    """A tool's input as an object, bounded. `Any`: it is free JSON."""
    if value is None:
        return None
    size = len(json.dumps(value))
    if size > _MAX_INPUT:
        return {"left_out": f"{size:,} characters", "beginning": json.dumps(value)[:_MAX_TITLE]}
    return value if isinstance(value, dict) else {"value": value}


def _output(content: list[Update], raw: object) -> str | None:
    texts = [block_text(_object(item.get("content"))) for item in content if item.get("type") == "content"]
    if texts:
        return cut("\n".join(map(_unfenced, texts)))
    if isinstance(raw, dict):
        raw = next((raw[name] for name in ("output", "formatted_output", "stdout", "error") if isinstance(raw.get(name), str)), None)
    return cut(raw) if isinstance(raw, str) else None


def _unfenced(text: str) -> str:
    """Without the fence that some agents put around a tool's whole output."""
    match = _FENCED.fullmatch(text)
    return match[1] if match and "\n```" not in match[1] else text


def _change(item: Update) -> FileChange:
    old = item.get("oldText")
    return FileChange(
        path=_text(item.get("path"), "path")[:_MAX_TITLE],
        old_text=None if old is None else cut(_text(old, "oldText")),
        new_text=cut(_text(item.get("newText"), "newText")),
    )


def _terminal(update: Update) -> list[str]:
    meta = _object(update.get("_meta"))
    found = []
    for name in ("terminal_output", "terminal_output_delta"):
        value = meta.get(name)
        piece = value.get("data") if isinstance(value, dict) else value
        if isinstance(piece, str):
            found.append(piece)
    return found


def _exit_code(update: Update) -> int | None:
    terminal = _object(_object(update.get("_meta")).get("terminal_exit"))
    raw = _object(update.get("rawOutput"))
    for value in (terminal.get("exit_code"), raw.get("exitCode"), raw.get("exit_code")):
        if type(value) is int and abs(value) < 1 << 31:
            return value
    return None


def _plan(update: Update) -> list[TranscriptBody]:
    if not isinstance(update.get("entries"), list):
        raise Malformed("its entries are not a list")
    return [Plan(entries=[_plan_entry(item) for item in _items(update["entries"], "entries")])]


def _plan_entry(item: Update) -> PlanEntry:
    status, priority = item.get("status"), item.get("priority")
    return PlanEntry(
        content=cut(_text(item.get("content"), "content"), _MAX_TITLE),
        status=status if status in ("pending", "in_progress", "completed") else "pending",
        priority=priority if priority in ("high", "medium", "low") else "medium",
    )


def _plan_update(update: Update) -> list[TranscriptBody]:
    """One of several plans, as entries, as text, or as a file."""
    plan = _object(update.get("plan"))
    if isinstance(plan.get("entries"), list):
        return _plan(plan)
    text = plan.get("content", plan.get("uri"))
    return [Plan(entries=[_plan_entry({"content": _text(text, "content")})])]


def _plan_removed(_update: Update) -> list[TranscriptBody]:
    return [Plan(entries=[])]


def _usage(update: Update) -> list[TranscriptBody]:
    return [
        UsageReported(
            usage=Usage(
                context_used=whole(update.get("used")), context_size=whole(update.get("size")), cost_usd=dollars(update.get("cost"))
            )
        )
    ]


def dollars(cost: object) -> float | None:
    """The amount of an ACP cost in US dollars; `None` in another currency, or when it is not one."""
    amount = _object(cost).get("amount")
    is_dollars = _object(cost).get("currency", "USD") == "USD"
    if not is_dollars or not isinstance(amount, int | float) or isinstance(amount, bool):
        return None
    return float(amount) if 0 <= amount < 1e9 else None


def _mode(update: Update) -> list[TranscriptBody]:
    return [ModeChanged(mode=_text(update.get("currentModeId"), "currentModeId")[:200])]


_READERS: dict[str, Callable[[Update], list[TranscriptBody]]] = {
    "agent_message_chunk": _message,
    "agent_thought_chunk": _thought,
    "tool_call": _tool,
    "tool_call_update": _tool,
    "plan": _plan,
    "plan_update": _plan_update,
    "plan_removed": _plan_removed,
    "usage_update": _usage,
    "current_mode_update": _mode,
}
_TOOLS = frozenset({"tool_call", "tool_call_update"})
_IGNORED = frozenset({
    *("user_message_chunk", "available_commands_update", "config_option_update", "session_info_update"),
    *("async_task_spawned", "async_task_progress", "async_task_state_update"),
})  # fmt: skip
"""Replays of the prompt, what only an editor shows, and what `background` reads."""
