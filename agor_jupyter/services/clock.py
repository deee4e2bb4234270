"""The clock and the dice, handed in so that tests can hold both."""

import secrets
import time
from datetime import UTC, datetime

from agor_jupyter.domain import ids


class Clock:
    def now(self) -> datetime:
        """Aware, UTC, cut to milliseconds as on the wire."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Seconds, for time-outs and durations only."""
        return time.monotonic()

    def dice(self) -> float:
        """From 0 to below 1."""
        return secrets.randbits(53) / (1 << 53)

    def new_id(self, noun: str) -> str:
        return ids.make(noun, time.time_ns() // 1_000_000, secrets.randbits(55))
