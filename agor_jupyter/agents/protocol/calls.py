"""What an agent has told of its tool calls, by their ids, so that a question that names only an id can be read.

Kept for as long as the process lives: a question may be about a call of an older turn. Bounded, the oldest are forgotten.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agor_jupyter.domain.events import ToolCall
from agor_jupyter.domain.permissions import McpTool

Update = Mapping[str, Any]
"""A tool call as an agent tells it. `Any`: nothing in it can be trusted to have its type."""

_MAX_CALLS = 1000
_MAX_SIZE = 4 << 20
_MAX_NAME = 200
_ENDED = frozenset({"completed", "failed"})
_MCP_TITLES = (r"mcp__(?P<server>.+?)__(?P<tool>.+)", r"mcp\.(?P<server>[^.\s]+)\.(?P<tool>\S+)")
"""The usual names of an MCP server's tool, as a title or as the tool's name."""
_TOOL_NAMES = frozenset({"toolName", "tool_name"})
_SERVERS, _TOOLS = ("server", "serverName", "server_name"), ("tool", "toolName", "tool_name")


class Calls:
    def __init__(self) -> None:
        self._known: OrderedDict[str, ToolCall] = OrderedDict()
        self._masked: set[str] = set()
        self._size = 0

    def __contains__(self, tool_call_id: str) -> bool:
        return tool_call_id in self._known

    def get(self, tool_call_id: str) -> ToolCall | None:
        return self._known.get(tool_call_id)

    def is_masked(self, tool_call_id: str) -> bool:
        """A secret stood in what is known of it."""
        return tool_call_id in self._masked

    def hear(self, call: ToolCall, *, is_begun: bool = False, is_masked: bool = False) -> None:
        """`is_begun`: it is a new call, also if one before it had this id."""
        before = self._known.pop(call.tool_call_id, None)
        if is_begun:
            self._masked.discard(call.tool_call_id)
        if is_masked:
            self._masked.add(call.tool_call_id)
        if before is not None:
            self._size -= _size(before)
        known = (call if before is None or is_begun else merged(before, call)).replace(output=None)
        self._known[call.tool_call_id] = known
        self._size += _size(known)
        while len(self._known) > _MAX_CALLS or (self._size > _MAX_SIZE and len(self._known) > 1):
            tool_call_id, oldest = self._known.popitem(last=False)
            self._masked.discard(tool_call_id)
            self._size -= _size(oldest)


def merged(before: ToolCall, call: ToolCall) -> ToolCall:
    """As the protocol has it: what a later message says replaces what was said of it before."""
    return before.replace(**{name: value for name, value in call if value is not None})


def has_ended(call: ToolCall) -> bool:
    return call.status in _ENDED


def _size(call: ToolCall) -> int:
    """Roughly, in characters."""
    changes = sum(len(change.new_text) + len(change.old_text or "") for change in call.changes or ())
    return changes + len(str(call.input or "")) + len(call.title or "")


def mcp_tool(told: Update, titles: Sequence[str] = ()) -> McpTool | None:
    """The server and the tool, where a call is to a tool of an MCP server. `titles` are the agent's own forms of it."""
    for name in _names(told):
        for pattern in (*titles, *_MCP_TITLES):
            if (match := re.fullmatch(pattern, name)) and match["server"] and match["tool"]:
                return McpTool(server=match["server"][:_MAX_NAME], tool=match["tool"][:_MAX_NAME])
    given = told.get("rawInput")
    if not isinstance(given, dict):
        return None
    server, tool = (next((given[key] for key in keys if isinstance(given.get(key), str)), None) for keys in (_SERVERS, _TOOLS))
    if not server or not tool or not isinstance(given.get("arguments"), dict | None):
        return None
    return McpTool(server=server[:_MAX_NAME], tool=tool[:_MAX_NAME])


def _names(told: Update) -> Iterator[str]:
    """What may name the tool: what programs read comes before what people do."""
    meta = told.get("_meta")
    for one in (meta, *(meta.values() if isinstance(meta, dict) else ())):
        if isinstance(one, dict):
            yield from (value for key, value in one.items() if key in _TOOL_NAMES and isinstance(value, str))
    yield from (value for key in ("name", "title") if isinstance(value := told.get(key), str))
