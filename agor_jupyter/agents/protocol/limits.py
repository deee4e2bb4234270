"""How much an agent may write, and how fast."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """A turn may write a burst; after it the server reads at a fixed rate; an agent that is held back too long is stopped.

    A turn of hours at an ordinary pace is never held back.
    """

    burst_messages: int = 20_000
    messages_per_s: float = 5_000
    burst_bytes: int = 64 << 20
    bytes_per_s: float = 4 << 20
    held_back_s: float = 20.0
    dropped_bytes: int = 1 << 30
    """Of lines that are too long to be messages."""


class Meter:
    """Token buckets of one agent's output."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """A new turn begins."""
        self._messages = float(self._limits.burst_messages)
        self._bytes = float(self._limits.burst_bytes)
        self._at = self._clock()
        self._held_back_s = 0.0
        self._dropped = 0

    def drop(self, length: int) -> None:
        self._dropped += length

    def take(self, messages: int, length: int) -> float:
        """Count what was read. Returns for how many seconds nothing more should be read."""
        limits, now = self._limits, self._clock()
        passed, self._at = now - self._at, now
        self._messages = min(limits.burst_messages, self._messages + passed * limits.messages_per_s) - messages
        self._bytes = min(limits.burst_bytes, self._bytes + passed * limits.bytes_per_s) - length
        wait = max(-self._messages / limits.messages_per_s, -self._bytes / limits.bytes_per_s, 0.0)
        self._held_back_s += wait
        return wait

    @property
    def is_held_back(self) -> bool:
        return self._held_back_s > 0

    @property
    def is_flooded(self) -> bool:
        return self._held_back_s > self._limits.held_back_s or self._dropped > self._limits.dropped_bytes
