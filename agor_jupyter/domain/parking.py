"""When a parked turn is tried again. Pure: the clock and the dice are handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

QUOTA, BUDGET = "quota", "budget"
PASSING = frozenset({"rate_limited", "overloaded", "unreachable"})
"""What goes away by itself, so that it is worth trying again."""
PARKING = PASSING | {QUOTA}
"""The error codes that park a turn. A budget parks one too, but not by an error."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    first: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=10)
    """Between two attempts, unless the provider asks for more."""
    attempts: int = 8
    """How often a turn is tried again by itself."""

    def next_attempt(self, code: str, *, parks: int, now: datetime, dice: float, told: datetime | None = None) -> datetime | None:
        """When to try again. `None`: when a person says so.

        `parks` counts this time too. `told` is when the provider takes requests again, as it says; it is never tried before. `dice` is
        from 0 to below 1 and spreads attempts, so that sessions that were refused together do not come back together.
        """
        if told is not None:
            wait = max(told - now, timedelta(0))
            return now + wait + min(max(wait / 4, timedelta(seconds=2)), timedelta(minutes=1)) * dice
        if code not in PASSING:
            return None
        wait = min(self.first * 2.0 ** min(parks - 1, 30), self.longest)
        return now + wait * (0.75 + 0.5 * dice)
