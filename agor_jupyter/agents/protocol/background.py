"""What an agent has begun and not ended, as far as it tells: its tools and tasks, the subagents among them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import ToolCall

_MAX_CALLS, _MAX_TITLE, _MAX_SHOWN = 10_000, 120, 20
_TASK_BEGAN, _TASK_CHANGED = "async_task_spawned", "async_task_state_update"
_GOES_ON = frozenset({"running", "paused", "pending"})


@dataclass
class _Call:
    title: str = ""
    parent_id: str | None = None
    subagent: str | None = None
    """The kind of subagent that it starts."""
    stays: bool = False
    """What it starts goes on when the call has ended."""


class Background:
    """Of one process. An agent that never says that a tool has ended is not believed that one runs."""

    def __init__(self, agent: AgentType) -> None:
        self._quirks = agent.quirks
        self._known: dict[str, _Call] = {}
        self._open: set[str] = set()
        self._stayed: dict[str, str] = {}
        self._tasks: dict[str, str] = {}
        self._says_ends = False

    def hear(self, call: ToolCall) -> None:
        known = self._known.setdefault(call.tool_call_id, _Call())
        while len(self._known) > _MAX_CALLS:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._open.discard(oldest)
        known.title = (call.title or known.title)[:_MAX_TITLE]
        known.parent_id = call.parent_id or known.parent_id
        given = call.input or {}
        kind = given.get(self._quirks.subagent_input) if self._quirks.subagent_input else None
        known.subagent = kind[:_MAX_TITLE] if isinstance(kind, str) and kind else known.subagent
        known.stays = known.stays or (self._quirks.background_input is not None and given.get(self._quirks.background_input) is True)
        if call.status in ("completed", "failed"):
            self._says_ends = True
            self._open.discard(call.tool_call_id)
            if call.status == "completed" and known.stays and known.subagent is None and len(self._stayed) < _MAX_SHOWN:
                self._stayed[call.tool_call_id] = known.title or "a command"
        elif call.status is not None and call.tool_call_id in self._known:
            self._open.add(call.tool_call_id)

    def hear_task(self, update: Mapping[str, Any]) -> None:
        """What some agents tell of work that belongs to no turn. `Any`: nothing in it can be trusted to have its type."""
        task_id, kind = update.get("asyncTaskId"), update.get("sessionUpdate")
        if not isinstance(task_id, str):
            return
        if kind == _TASK_BEGAN and len(self._tasks) < _MAX_SHOWN:
            named = next((name for key in ("name", "description") if isinstance(name := update.get(key), str) and name), "a task")
            self._tasks[task_id[:200]] = named[:_MAX_TITLE]
        elif kind == _TASK_CHANGED and update.get("state") not in _GOES_ON:
            self._tasks.pop(task_id[:200], None)

    def asker(self, call_id: str | None, parent_id: str | None) -> str | None:
        """The subagent that makes this call, by its kind or by what it was asked to do. `None`: the agent itself."""
        known = self._known.get(call_id) if call_id else None
        parent = self._known.get(parent_id or (known.parent_id if known else None) or "")
        if parent is None:
            return "subagent" if parent_id else None
        return parent.subagent or parent.title or "subagent"

    @property
    def open(self) -> list[str]:
        """What runs just now: the titles of calls that have not ended."""
        return [self._known[one].title or "a tool" for one in self._known if one in self._open][:_MAX_SHOWN] if self._says_ends else []

    @property
    def all(self) -> list[str]:
        """What goes on between two turns."""
        return [*self.open, *self._stayed.values(), *self._tasks.values()][:_MAX_SHOWN]

    def woke(self) -> None:
        """The agent went on by itself and is quiet again: what it had left in the background longest has ended."""
        if self._stayed:
            del self._stayed[next(iter(self._stayed))]

    def forget(self) -> None:
        """Nobody believes any more that something runs."""
        self._open.clear()
        self._stayed.clear()
        self._tasks.clear()
