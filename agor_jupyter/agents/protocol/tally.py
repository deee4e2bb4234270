"""What a turn that runs has read, at least, from reports that say only how full the context is."""

from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.events import ToolCall, TranscriptBody, UsageReported


class Tally:
    """By model, since the last report of dollars.

    What is new in the context was read or written once and counts as input. What was there before is read again, from a cache, by each
    request: by the turn's first, and by one that follows a tool's result. Answers cost more than input, so the sum is a lower bound.
    """

    def __init__(self) -> None:
        self._context: int | None = 0
        self._is_new_request = True
        self._counts: dict[str | None, tuple[int, int]] = {}

    @property
    def models(self) -> list[ModelUsage]:
        return [ModelUsage(model=model, input_tokens=new, cached_read_tokens=again) for model, (new, again) in self._counts.items()]

    def open(self, *, is_new: bool) -> None:
        """A conversation begins, or is brought back: how long that one is only its first report says."""
        self._context = 0 if is_new else None

    def begin_turn(self) -> None:
        self._counts.clear()
        self._is_new_request = True

    def hear(self, body: TranscriptBody, model: str | None) -> None:
        """`model`: whose report it is."""
        if isinstance(body, ToolCall):
            self._is_new_request = self._is_new_request or body.status in {"completed", "failed"}
        if not isinstance(body, UsageReported):
            return
        used = body.usage.context_used
        if body.usage.cost_usd is not None:
            self._counts.clear()
        elif used is not None:
            before = used if self._context is None else self._context
            new, again = self._counts.get(model, (0, 0))
            self._counts[model] = new + max(0, used - before), again + (min(used, before) if self._is_new_request else 0)
            self._is_new_request = False
        self._context = used if used is not None else self._context
