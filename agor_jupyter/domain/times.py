"""When something is due: the next moment of a cron expression, of an interval, of one time. Pure; the moment it is now is handed in."""

import contextlib
import difflib
import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field

_FIELDS = 5
_CHANGE = timedelta(hours=4)
"""So long after its clock was changed a zone is looked at with care."""


def check_zone(name: str) -> str:
    """Raises `ValueError` with the nearest names."""
    zone_of(name)
    return name


ZoneName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(check_zone)]
"""A time zone, as IANA names it."""


@functools.cache
def zone_of(name: str) -> ZoneInfo:
    """Raises `ValueError` with the nearest names."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, sorted(available_timezones()), 2)
        hint = f" Did you mean {' or '.join(close)}?" if close else " Use a name such as Europe/Vienna."
        raise ValueError(f"{name!r} is no IANA time zone.{hint}") from None


def check_cron(expression: str) -> str:
    """Five fields that some day has. Raises `ValueError`."""
    from cronsim import CronSim, CronSimError

    found = len(expression.split())
    if found != _FIELDS:
        raise ValueError(f"five fields are needed (minute, hour, day of month, month, day of week); here are {found}")
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no cron expression: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except StopIteration:
        raise ValueError(f"{expression!r} never comes") from None
    return " ".join(expression.split())


class _When(Protocol):
    @property
    def kind(self) -> str: ...


def next_after(when: "_When", moment: datetime, since: datetime) -> datetime | None:
    """The first moment after `moment`, in UTC. `None`: it never comes, or it is nothing that comes by the clock.

    A time that the clock of its zone shows twice comes once, at the first; one that it leaves out comes at the next that it shows. `since`
    is from when intervals count.
    """
    return next(_after(when, moment, since), None)


def following(when: "_When", moment: datetime, since: datetime, count: int) -> list[datetime]:
    """The first `count` moments after `moment`."""
    return list(islice(_after(when, moment, since), count))


def until(when: "_When", moment: datetime, end: datetime, since: datetime, count: int) -> list[datetime]:
    """Those after `moment`, the last not after `end`; at most `count`. What comes later is not reckoned."""
    return list(islice(takewhile(lambda one: one <= end, _after(when, moment, since)), count))


def _after(when: "_When", moment: datetime, since: datetime) -> Iterator[datetime]:
    match when.kind:
        case "cron":
            yield from _cron(when.expression, when.zone, moment)  # type: ignore[attr-defined]  # the kind says so
        case "interval":
            step = timedelta(seconds=when.seconds)  # type: ignore[attr-defined]
            number = max(1, (moment - since) // step + 1)
            while True:
                yield since + number * step
                number += 1
        case "once":
            if when.at > moment:  # type: ignore[attr-defined]
                yield when.at.astimezone(UTC)  # type: ignore[attr-defined]
        case _:
            return


def _cron(expression: str, zone: str, moment: datetime) -> Iterator[datetime]:
    """Soon after the clock was changed it is enumerated from the day before, so that the moment makes no difference."""
    from cronsim import CronSim

    place = zone_of(zone)
    local = moment.astimezone(place)
    if local.utcoffset() != (moment - _CHANGE).astimezone(place).utcoffset():
        local = (moment - timedelta(days=1)).astimezone(place)
    last: datetime | None = None
    with contextlib.suppress(OverflowError):  # the year 10,000
        for each in CronSim(expression, local.replace(microsecond=0)):
            found = each.astimezone(UTC)
            if found > moment and found != last:
                yield found
                last = found


def in_zone(moment: datetime, zone: str) -> str:
    """For a person: “Mon 30 Nov 2026, 03:00 CET”."""
    local = moment.astimezone(zone_of(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


def day_of(moment: datetime, zone: str) -> datetime:
    """When the day of a moment began there."""
    local = moment.astimezone(zone_of(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
