"""When something is due, through everything that clocks do."""

from datetime import UTC, datetime, timedelta

import pytest

from agor_jupyter.domain import times
from agor_jupyter.domain.schedules import Cron, Interval, Once

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def cron(expression, zone="UTC"):
    return Cron(expression=expression, zone=zone)


@pytest.mark.parametrize(("when", "after", "wanted"), [
    (cron("30 2 * * *", "Europe/Vienna"), "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),  # 02:30 is not shown
    (cron("30 2 * * *", "Europe/Vienna"), "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),  # 02:30 is shown twice
    (cron("30 2 * * *", "Europe/Vienna"), "2026-10-25T00:45", ["2026-10-26T01:30"]),  # asked within the hour that comes again
    (cron("30 2 * * *", "Europe/Vienna"), "2026-10-25T01:10", ["2026-10-26T01:30"]),  # and within the second one
    (cron("30 2 * * *", "America/New_York"), "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
    (cron("30 1 * * *", "America/New_York"), "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
    (cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T12:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),  # half an hour
    (cron("45 1 * * *", "Australia/Lord_Howe"), "2026-04-04T12:00", ["2026-04-04T14:45", "2026-04-05T15:15"]),
    (cron("*/30 * * * *", "Europe/Vienna"), "2026-10-24T23:50", ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00"]),
    (cron("0 0 29 2 *"), "2026-11-30T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
    (Interval(seconds=3600), "2026-01-01T02:00", ["2026-01-01T03:00", "2026-01-01T04:00"]),
    (Interval(seconds=3600), "2025-06-01T00:00", ["2026-01-01T01:00"]),  # before it was set
    (Once(at=datetime(2026, 5, 1, tzinfo=UTC)), "2026-04-01T00:00", ["2026-05-01T00:00"]),
    (Once(at=datetime(2026, 5, 1, tzinfo=UTC)), "2026-05-01T00:00", []),
])  # fmt: skip
def test_the_next_moments(when, after, wanted):
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)

    found = times.following(when, start, SINCE, max(len(wanted), 1))

    assert [f"{one:%Y-%m-%dT%H:%M}" for one in found] == wanted


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("expression", ["30 2 * * *", "45 1 * * *", "15 * * * *"])
def test_from_wherever_it_is_asked_the_moments_are_the_same(zone, expression):
    when = cron(expression, zone)
    for middle in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"):
        noon = datetime.fromisoformat(middle).replace(tzinfo=UTC)
        start, end = noon - timedelta(days=1), noon + timedelta(days=1)
        every = [one for one in times.following(when, start, SINCE, 60) if one <= end]
        for minutes in range(0, 48 * 60, 10):
            after = start + timedelta(minutes=minutes)
            assert times.next_after(when, after, SINCE) == next((one for one in every if one > after), None) or not [
                one for one in every if one > after
            ]


def test_moments_until_another_are_reckoned_no_further():
    leap, hourly = cron("0 0 29 2 *"), Interval(seconds=3600)
    start, end = datetime(2027, 12, 1, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)

    assert times.until(leap, start, end, SINCE, 5_000) == [end]
    assert times.until(leap, end, end + timedelta(days=100), SINCE, 5_000) == []
    assert len(times.until(hourly, start, end, SINCE, 10)) == 10
    assert times.following(leap, start, SINCE, 5_000)[-1].year == 9996  # there is no year 10,000


@pytest.mark.parametrize(("expression", "why"), [
    ("* * * * * *", "five fields"),
    ("@daily today", "five fields"),
    ("0 0 30 2 *", "no cron expression"),
    ("61 * * * *", "no cron expression"),
])  # fmt: skip
def test_what_is_no_cron_expression_is_refused(expression, why):
    with pytest.raises(ValueError, match=why):
        cron(expression)


def test_a_zone_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Europe/Vienna"):
        cron("0 3 * * *", "Europe/Viena")
