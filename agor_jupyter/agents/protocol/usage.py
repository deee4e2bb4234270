"""What a turn used, from counts that each agent means in its own way: of a request, of the turn, or of the conversation until now.

A ledger that counts double is worse than one that counts too little: where nobody said what an agent means, the smaller reading is taken.
"""

from collections.abc import Mapping
from typing import Any

from agor_jupyter.agents.protocol import updates
from agor_jupyter.domain.agents import UsageForm
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.sessions import Usage

Message = Mapping[str, Any]
"""An object of the protocol. `Any`: nothing in it can be trusted to have its type."""

_COUNTS = ("input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens")
_NAMES = {
    "input_tokens": ("inputTokens", "input_tokens", "prompt_tokens", "promptTokens"),
    "output_tokens": ("outputTokens", "output_tokens", "completion_tokens", "completionTokens"),
    "cached_read_tokens": ("cachedReadTokens", "cachedInputTokens", "cached_input_tokens", "cache_read_input_tokens", "cached_tokens"),
    "cached_write_tokens": ("cachedWriteTokens", "cacheWriteInputTokens", "cache_creation_input_tokens"),
}
_THOUGHTS = ("thoughtTokens", "reasoningOutputTokens", "reasoning_tokens", "thought_tokens")
_TOTAL = ("totalTokens", "total_tokens")
_NEARLY = 0.8
"""Of the context: what a request of the turn read at least, if the counts are sums."""

Counts = dict[str, int]
"""Tokens by the names of `Usage`, those in a cache apart."""


class Reports:
    """Hears one process's reports. `open` once; then for each turn `begin_turn`, `hear` and `at_end`."""

    def __init__(self, form: UsageForm) -> None:
        self._form = form
        self._before: Counts | None = {}
        self._models_before: dict[str | None, Counts] | None = {}
        self._reported: list[Counts] = []
        self._requests = 1
        self._read_before = 0
        """What one request of the last turn read, roughly."""
        self._is_of_turn = False
        """One count was smaller than before, so they are no sums."""

    def open(self, spent: Usage | None, *, is_new: bool) -> None:
        """`spent` is what a conversation that is brought back has used, as far as it is known."""
        known = _of(spent) if spent is not None else None
        self._before = {} if is_new else known or None
        self._models_before = {} if is_new else None

    def begin_turn(self) -> None:
        self._reported, self._requests = [], 1

    def hear(self, update: Message) -> None:
        """One update of the turn."""
        if update.get("sessionUpdate") == "tool_call_update" and update.get("status") in ("completed", "failed"):
            self._requests += 1
        found = _at(update.get("_meta"), self._form.at) if self._form.at and update.get("sessionUpdate") == "usage_update" else None
        if isinstance(found, dict) and (counts := _read(found, self._form)):
            self._reported.append(counts)

    def at_end(self, answer: Message, context: int | None) -> tuple[Usage, list[ModelUsage]]:
        """What the turn used, in sum and by model. `context` is how full the context is, if the agent says so."""
        scope = self._form.scope
        if self._form.at is not None:
            return self._of_updates(), []
        if scope == "request":  # the last one's: nobody knows the others
            return Usage(), []
        usage = answer.get("usage")
        counts = _read(usage, self._form) if isinstance(usage, dict) else _of(updates.tokens(answer))
        rows = updates.model_usage(answer, self._form.router)
        is_inside = self._is_inside(usage)
        models = [(row.model, _apart(_of(row), is_inside=is_inside)) for row in rows]
        if scope == "session" or (scope is None and self._may_be_sums(counts, context)):
            before, told_before = self._models_before, models
            models = [(name, _less(one, before.get(name, {}))) for name, one in models] if before is not None else []
            self._models_before = dict(told_before) or before
            whole = _less(counts, self._before)
        else:
            whole = counts
            self._models_before = dict(models) or self._models_before
        self._before = counts or self._before
        self._read_before = _input(whole) // self._requests or self._read_before
        return Usage(**whole), [ModelUsage(model=name, **one) for name, one in models]

    def _is_inside(self, usage: object) -> bool:
        return self._form.cached == "inside" or (self._form.cached is None and isinstance(usage, dict) and _is_inside(usage))

    def _of_updates(self) -> Usage:
        match self._form.scope:
            case "request":
                return Usage(**{name: sum(one.get(name, 0) for one in self._reported) for one in self._reported for name in one})
            case "session":
                before, last = self._before, self._reported[-1] if self._reported else None
                if last is None:
                    return Usage()
                self._before = last
                return Usage(**_less(last, before))
            case _:
                return Usage(**self._reported[-1]) if self._reported else Usage()

    def _may_be_sums(self, counts: Counts, context: int | None) -> bool:
        """Whether the counts hold those of the turns before, as far as anybody can see.

        If they do, none is smaller than before, and what is new has the whole context in it, which the turn's first request read.
        """
        before = self._before
        if not before or self._is_of_turn or not counts:
            return False
        if any(counts.get(name, 0) < count for name, count in before.items()):
            self._is_of_turn = True
            return False
        new = _input(counts) - _input(before)
        least = min(context, self._read_before) if context else self._read_before
        return new >= _NEARLY * least


def _at(value: object, path: str | None) -> object:
    for name in (path or "").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _of(usage: Usage | ModelUsage) -> Counts:
    return {name: count for name in _COUNTS if (count := getattr(usage, name)) is not None}


def _count(told: Message, names: tuple[str, ...]) -> int | None:
    return next((count for name in names if (count := updates.whole(told.get(name))) is not None), None)


def _read(told: Message, form: UsageForm) -> Counts:
    """The counts that an object names, those in a cache beside the others, and thoughts among what was written."""
    counts = {name: count for name, names in _NAMES.items() if (count := _count(told, names)) is not None}
    is_inside = form.cached == "inside" or (form.cached is None and _is_inside(told))
    thoughts = _count(told, _THOUGHTS)
    if thoughts and "output_tokens" in counts and _count(told, _TOTAL) == sum(_apart(counts, is_inside=is_inside).values()) + thoughts:
        counts["output_tokens"] += thoughts
    return _apart(counts, is_inside=is_inside)


def _is_inside(told: Message) -> bool:
    """Its own total says that the input has the cached tokens in it."""
    read, written = _count(told, _NAMES["cached_read_tokens"]) or 0, _count(told, _NAMES["cached_write_tokens"]) or 0
    given, out = _count(told, _NAMES["input_tokens"]), _count(told, _NAMES["output_tokens"])
    if not read + written or given is None or out is None or read + written > given:
        return False
    return _count(told, _TOTAL) in {given + out, given + out + (_count(told, _THOUGHTS) or 0)}


def _apart(counts: Counts, *, is_inside: bool) -> Counts:
    """The input without what was read from a cache or written to it."""
    if not is_inside or "input_tokens" not in counts:
        return counts
    cached = counts.get("cached_read_tokens", 0) + counts.get("cached_write_tokens", 0)
    return {**counts, "input_tokens": max(0, counts["input_tokens"] - cached)}


def _input(counts: Counts) -> int:
    return sum(count for name, count in counts.items() if name != "output_tokens")


def _less(counts: Counts, before: Counts | None) -> Counts:
    """What was added. Nothing where nobody knows what was before; all, where the agent began to count anew."""
    if before is None:
        return {}
    if any(counts.get(name, 0) < count for name, count in before.items()):
        return counts
    return {name: count - before.get(name, 0) for name, count in counts.items()}
