"""The planner: what was missed, a clock that jumps, two servers, and ten thousand schedules."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from agor_jupyter.domain import times
from agor_jupyter.domain.schedules import Cron, Interval, Once, ScheduleChange
from agor_jupyter.services.schedules.planner import Planner
from agor_jupyter.storage.store import Store
from tests.services.schedules.conftest import START


@pytest.mark.parametrize(("late", "runs"), [("skip", 0), ("latest", 1), ("all", 3)])
async def test_a_machine_that_slept_for_two_days_accounts_for_each_moment(stage, late, runs):
    schedule = await stage.schedule(when=Interval(seconds=3600), late=late, late_limit=3, overlap="queue")

    await stage.at(START + timedelta(days=2, minutes=30))
    found = await stage.settled(schedule)

    ran = [one for one in found if one.state.value == "passed"]
    skipped = [one for one in found if one.state.value == "skipped"]
    assert len(ran) == runs
    assert len(ran) + len(skipped) + sum(one.missed for one in skipped) == 48
    assert all(one.reason.startswith("No server ran at that time") for one in skipped)
    assert [one.planned_at for one in ran] == [START + timedelta(hours=48 - count) for count in reversed(range(runs))]
    assert (await stage.agor.schedules.get(schedule.id)).next_at == START + timedelta(hours=49)


async def test_a_clock_that_goes_back_fires_nothing_twice_and_is_not_silent_for_a_year(stage):
    schedule = await stage.schedule(when=Cron(expression="0 * * * *"), late="skip")
    await stage.after(3600)
    await stage.settled(schedule)

    await stage.at(START + timedelta(days=365))
    await stage.settled(schedule)
    await stage.at(START + timedelta(hours=1, minutes=10))
    again = await stage.agor.schedules.get(schedule.id)
    await stage.at(START + timedelta(minutes=30))
    await stage.at(START + timedelta(hours=1))
    await stage.at(START + timedelta(hours=2))
    found = await stage.settled(schedule)

    assert again.next_at == START + timedelta(hours=2)
    assert len({one.key for one in found}) == len(found)
    passed = [one.key for one in found if one.state.value == "passed"]
    assert passed.count("2026-11-30T13:00:00Z") == passed.count("2026-11-30T14:00:00Z") == 1


async def test_two_servers_on_one_database_fire_once(stage):
    schedule = await stage.schedule()
    other = Planner(stage.agor.store, stage.clock, stage.agor.events)
    stage.clock.show(START + timedelta(hours=1))

    await asyncio.gather(*(planner.look() for planner in (stage.agor.planner, other) * 8))

    [slot] = await stage.settled(schedule)
    session = (await stage.agor.sessions.page(worktree=stage.worktree.id))[0]
    assert slot.state.value == "passed"
    assert session.count(b'"id":"se_') == 1


async def test_one_time_comes_once_and_is_over(stage):
    schedule = await stage.schedule(when=Once(at=START + timedelta(minutes=5)))

    await stage.after(300)
    await stage.after(300)
    found = await stage.settled(schedule)

    assert [one.state.value for one in found] == ["passed"]
    assert (await stage.agor.schedules.get(schedule.id)).is_over


@pytest.fixture
async def another(stage):
    """The planner of a second server on the same database, with connections of its own; and the events that it wrote."""
    store, told = Store(stage.agor.store.url), []
    store.start()
    store.listen(told.extend)
    yield Planner(store, stage.clock, stage.agor.events), told
    await asyncio.to_thread(store.close)


YEARS = {
    # schedule: (expression, zone, the moments that have a slot, in UTC)
    "spring in Vienna": ("30 2 27-29 3 *", "Europe/Vienna", ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"]),
    "autumn in Vienna": ("30 2 30,31 10 *", "Europe/Vienna", ["2027-10-30T00:30", "2027-10-31T00:30"]),
    "spring in New York": ("30 2 13-15 3 *", "America/New_York", ["2027-03-13T07:30", "2027-03-14T07:00", "2027-03-15T06:30"]),
    "autumn in New York": ("30 1 6-8 11 *", "America/New_York", ["2027-11-06T05:30", "2027-11-07T05:30", "2027-11-08T06:30"]),
    "spring on Lord Howe": ("15 2 2-4 10 *", "Australia/Lord_Howe", ["2027-10-01T15:45", "2027-10-02T15:30", "2027-10-03T15:15"]),
    "autumn on Lord Howe": ("45 1 3-5 4 *", "Australia/Lord_Howe", ["2027-04-02T14:45", "2027-04-03T14:45", "2027-04-04T15:15"]),
    "leap day": ("0 0 29 2 *", "UTC", ["2028-02-29T00:00"]),
}


async def test_through_all_changes_of_clocks_two_servers_plan_each_moment_once(stage, another):
    """The clock goes on by a quarter of an hour, and sometimes back by half an hour and on again."""
    planners, told = (stage.agor.planner, another[0]), another[1]
    made = {
        name: await stage.schedule(name=name, when=Cron(expression=line, zone=zone), late="skip", overlap="allow", limit_seconds=None)
        for name, (line, zone, _) in YEARS.items()
    }

    days = sorted({datetime.fromisoformat(one).replace(tzinfo=UTC) for _, _, moments in YEARS.values() for one in moments})
    for number, moment in enumerate(days):
        for minutes in (-30, -15, 0, -30, 0, 15, 30, 60):
            stage.clock.show(moment + timedelta(minutes=minutes))
            await asyncio.gather(*(one.look() for one in planners[:: -1 if number % 2 else 1]))

    for schedule in made.values():
        for slot in await stage.slots(schedule):
            stage.agor.schedules._runs._pokes.poke(slot.id)  # what the second server planned, its own runs would start
    for name, schedule in made.items():
        found = await stage.settled(schedule)
        assert [(f"{one.planned_at:%Y-%m-%dT%H:%M}", one.state.value) for one in found] == [(one, "passed") for one in YEARS[name][2]], name
    sessions = (await stage.agor.sessions.page(worktree=stage.worktree.id, limit=100))[0]
    assert sessions.count(b'"id":"se_') == sum(len(moments) for _, _, moments in YEARS.values())
    assert told, "the second server planned nothing"


async def test_two_engines_that_race_for_one_moment_make_one_slot_of_it_and_the_other_server_finds_it(stage, another):
    schedules = [await stage.schedule(name=f"each-{number}", overlap="allow") for number in range(20)]
    stage.clock.show(START + timedelta(hours=1))

    await asyncio.gather(*(one.look() for one in (stage.agor.planner, another[0]) * 8))
    stage.clock.show(START + timedelta(hours=1, seconds=1))
    await asyncio.gather(another[0].look(), stage.agor.planner.look())

    for schedule in schedules:
        [slot] = await stage.slots(schedule)
        assert slot.key == "2026-11-30T13:00:00Z"
        stage.agor.schedules._runs._pokes.poke(slot.id)
        assert [one.state.value for one in await stage.settled(schedule)] == ["passed"]


async def test_a_schedule_that_cannot_be_reckoned_says_so_and_keeps_no_other_from_its_moment(stage, monkeypatch, caplog):
    bad = await stage.schedule(name="bad", when=Interval(seconds=3600))
    good = await stage.schedule(name="good", when=Interval(seconds=1800))
    until = times.until

    def fails(when, *rest):
        if when == bad.when:
            raise OverflowError("date value out of range")
        return until(when, *rest)

    monkeypatch.setattr(times, "until", fails)
    await stage.after(3600)

    assert [one.state.value for one in await stage.settled(good)][-1] == "passed"
    found = await stage.agor.schedules.get(bad.id)
    assert (found.next_at, await stage.slots(bad)) == (None, [])
    assert "could not be reckoned" in found.trouble
    assert "date value out of range" in caplog.text
    monkeypatch.undo()
    changed = await stage.agor.schedules.change(stage.caller, bad.id, ScheduleChange(when=Interval(seconds=7200)))
    assert (changed.schedule.trouble, changed.schedule.next_at) == (None, START + timedelta(hours=3))
