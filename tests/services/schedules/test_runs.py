"""A moment comes: its slot starts once, and its outcome is that of the work."""

from datetime import timedelta

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import ZoneAdd
from agor_jupyter.domain.schedules import Cron, ScheduleChange
from agor_jupyter.domain.zones import ZoneChange, ZonePolicy
from tests.services.schedules.conftest import BOARD, START


async def test_a_moment_that_comes_starts_a_session_in_the_name_of_its_author(stage):
    schedule = await stage.schedule(script="echo hello > made.txt")

    await stage.after(3600)
    [slot] = await stage.settled(schedule)

    assert slot.state.value == "passed", slot
    assert slot.key == "2026-11-30T13:00:00Z"
    turn = await stage.agor.turns.get(slot.run.turn_id)
    assert (turn.created_by.username, turn.state.value) == ("ann", "done")
    session = await stage.agor.sessions.get(slot.run.session_id)
    assert (session.title, session.worktree_id) == ("nightly", stage.worktree.id)
    assert (await stage.agor.schedules.get(schedule.id)).next_at == START + timedelta(hours=2)


async def test_the_outcome_is_that_of_the_turn(stage):
    schedule = await stage.schedule(script="exit 3")

    await stage.after(3600)
    [slot] = await stage.settled(schedule)

    assert slot.state.value == "failed"
    assert slot.reason.startswith("It failed: ")


async def test_what_failed_is_tried_again_after_a_pause_that_grows(stage):
    schedule = await stage.schedule(script="exit 1", retries=2, retry_seconds=60)
    await stage.after(3600)
    waits = []
    for _ in range(2):
        await stage.eventually_async(lambda: _retry(stage, schedule), True)
        [slot] = await stage.slots(schedule)
        waits.append(slot.retry_at - stage.clock.now())
        stage.clock.show(slot.retry_at)
        stage.agor.schedules._runs._pokes.poke(slot.id)
        await stage.eventually_async(lambda: _tries(stage, schedule), len(waits) + 1)

    [slot] = await stage.settled(schedule)

    assert waits == [timedelta(seconds=60), timedelta(seconds=120)]
    assert (slot.state.value, slot.attempt, len({run.turn_id for run in slot.runs})) == ("failed", 3, 3)


async def _retry(stage, schedule):
    [slot] = await stage.slots(schedule)
    return slot.retry_at is not None


async def _tries(stage, schedule):
    [slot] = await stage.slots(schedule)
    return len(slot.runs)


async def test_a_prompt_is_filled_in_with_the_names_of_its_slot(stage):
    prompt = "```sh\necho {{ schedule.name }} {{ slot.date }} {{ slot.number }} > made.txt\n```"
    schedule = await stage.schedule(prompt=prompt, agent="script", when=Cron(expression="30 0 * * *", zone="Europe/Vienna"))

    await stage.at(schedule.next_at)
    [slot] = await stage.settled(schedule)

    assert slot.state.value == "passed", slot
    diff = await stage.agor.worktrees.diff(stage.worktree.id)
    assert "+nightly 2026-12-01 1" in diff.text  # at 23:30 UTC of the day before


@pytest.mark.parametrize(("overlap", "states"), [
    ("skip", ["running", "skipped"]),
    ("queue", ["running", "planned"]),
    ("cancel", ["cancelled", "running"]),
    ("allow", ["running", "running"]),
])  # fmt: skip
async def test_what_happens_while_an_earlier_slot_is_at_work(stage, overlap, states):
    schedule = await stage.schedule(script="sleep 100", overlap=overlap)
    await stage.after(3600)
    await stage.eventually_async(lambda: stage.states(schedule), ["running"])

    await stage.after(3600)

    await stage.eventually_async(lambda: stage.states(schedule), states)
    for slot in await stage.slots(schedule):
        if slot.state.value in {"planned", "running"}:
            await stage.agor.schedules.cancel(stage.caller, slot.id)
    ended = await stage.settled(schedule)
    assert all(one.reason for one in ended if one.state.value != "passed")
    assert [one.number for one in ended] == [1, 2]


async def test_what_takes_too_long_is_stopped_and_failed(stage):
    schedule = await stage.schedule(script="sleep 100", limit_seconds=60)
    await stage.after(3600)
    await stage.eventually_async(lambda: stage.states(schedule), ["running"])
    [slot] = await stage.slots(schedule)

    stage.clock.show(slot.limit_at)
    stage.agor.schedules._runs._changed.set()
    [slot] = await stage.settled(schedule)

    assert (slot.state.value, slot.reason) == ("failed", "It took longer than its limit of 60 s.")


async def test_each_slot_gets_a_worktree_of_its_own_on_a_branch_that_a_template_names(stage):
    target = {"kind": "fresh", "repo_id": stage.repo.id, "branch": "nightly/{{ slot.date }}"}
    schedule = await stage.schedule(target=target, script="echo x > made.txt")

    await stage.after(3600)
    [slot] = await stage.settled(schedule)

    assert slot.state.value == "passed", slot
    made = await stage.agor.worktrees.get(slot.worktree_id)
    assert (made.branch, made.board) == ("nightly/2026-11-30", BOARD)


async def test_a_card_is_dropped_into_a_zone_again_and_again(stage):
    zone = await stage.agor.boards.add_zone(stage.caller, BOARD, ZoneAdd(name="Test", x=0, y=900), stage.key())
    policy = ZonePolicy(prompt="```sh\necho x >> trail\n```", agent="script", options={"mode": "auto"})
    await stage.agor.zones.change(stage.caller, BOARD, zone.id, ZoneChange(policy=policy, allow=True))
    target = {"kind": "zone", "worktree_id": stage.worktree.id, "zone_id": zone.id}
    schedule = await stage.schedule(target=target, allow=False)

    for number in (1, 2):
        await stage.after(3600)
        found = await stage.settled(schedule)
        assert len(found) == number
        assert found[-1].state.value == "passed", found[-1]

    first, second = await stage.slots(schedule)
    assert first.run.firing_id != second.run.firing_id
    assert second.again == first.run.firing_id


async def test_old_slots_are_put_away_and_nothing_is_deleted(stage):
    schedule = await stage.schedule(keep=1)
    for _ in range(3):
        await stage.after(3600)
        await stage.settled(schedule)

    async def kept():
        return [one.is_kept for one in await stage.slots(schedule)]

    await stage.eventually_async(kept, [False, False, True])
    archived = [(await stage.agor.sessions.get(one.run.session_id)).archived_at for one in await stage.slots(schedule)]
    assert [moment is not None for moment in archived] == [True, True, False]


async def test_run_now_runs_also_while_it_is_paused_and_once_for_its_key(stage):
    schedule = await stage.schedule()
    await stage.agor.schedules.pause(stage.caller, schedule.id)
    key = stage.key()

    first = await stage.agor.schedules.run(stage.caller, schedule.id, key)
    again = await stage.agor.schedules.run(stage.caller, schedule.id, key)

    assert first == again
    [slot] = await stage.settled(schedule)
    assert (slot.state.value, slot.caused_by) == ("passed", "run by Ann")


async def test_a_pause_is_not_made_up_for(stage):
    schedule = await stage.schedule()
    await stage.agor.schedules.pause(stage.caller, schedule.id)
    await stage.after(5 * 3600)
    resumed = await stage.agor.schedules.resume(stage.caller, schedule.id)

    await stage.after(600)

    assert await stage.slots(schedule) == []
    assert resumed.next_at == START + timedelta(hours=6)


async def test_another_time_zone_reckons_the_next_time_again(stage):
    schedule = await stage.schedule(when=Cron(expression="0 3 * * *", zone="Europe/Vienna"))

    changed = await stage.agor.schedules.change(
        stage.caller, schedule.id, ScheduleChange(when=Cron(expression="0 3 * * *", zone="America/New_York"))
    )

    assert (schedule.next_at.hour, changed.schedule.next_at.hour) == (2, 8)


async def test_the_day_s_budget_skips_what_comes_next(stages):
    from agor_jupyter.services.schedules import slots as kept
    from agor_jupyter.storage import slots

    stage = await stages()
    schedule = await stage.schedule(day_usd=1.0)
    await stage.after(3600)
    [slot] = await stage.settled(schedule)
    await stage.agor.store.write(lambda t: kept.save(t, slots.hold(t, slot.id), stage.clock.now(), cost_usd=1.5))

    await stage.after(3600)
    _, second = await stage.settled(schedule)

    assert (second.state.value, second.reason) == ("skipped", "The day's $1.00 are used up: $1.50 were spent.")
    await stage.at(START + timedelta(days=1))
    assert (await stage.settled(schedule))[-1].state.value == "passed"


async def test_only_an_owner_lets_a_schedule_ask_nobody(stage, steerer, viewer):
    with pytest.raises(errors.NotAllowed, match="let a schedule ask nobody"):
        await stage.schedule(caller=steerer)
    with pytest.raises(errors.NotAllowed, match="create a schedule"):
        await stage.schedule(caller=viewer, allow=False)
    schedule = await stage.schedule()
    with pytest.raises(errors.NotAllowed, match="let a schedule ask nobody"):
        await stage.agor.schedules.change(steerer, schedule.id, ScheduleChange(script="rm -rf ."))


async def test_the_same_command_makes_one_schedule_and_a_name_is_taken_once(stage):
    key = stage.key()
    first = await stage.schedule(key=key)
    again = await stage.schedule(key=key)

    assert first == again
    with pytest.raises(errors.AlreadyExists, match="nightly"):
        await stage.schedule()
    await stage.agor.schedules.remove(stage.caller, first.id)
    assert (await stage.schedule()).id != first.id


async def test_a_change_that_does_not_fit_is_refused_with_its_reasons_and_changes_nothing(stage):
    schedule = await stage.schedule()

    with pytest.raises(errors.BadRequest, match="prompt and script are set") as refused:
        await stage.agor.schedules.change(stage.caller, schedule.id, ScheduleChange(prompt="go"))
    with pytest.raises(errors.BadRequest, match="retries: .*less than or equal to 10"):
        await stage.agor.schedules.change(stage.caller, schedule.id, ScheduleChange(retries=99))

    assert refused.value.details["problems"] == ["set one of prompt, script and notebook; prompt and script are set"]
    assert await stage.agor.schedules.get(schedule.id) == schedule
