"""What needs a person reaches their place: once, together, not at night, again when the place was away, and without a word of anyone's."""

import json
from datetime import UTC, datetime, timedelta

from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.destinations import DestinationChange
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.services.notifications import outbox
from tests import leaks

CANARY = "canary-0123456789abcdef0123456789"
NIGHT = {"start": "22:00", "end": "07:00", "zone": "Europe/Vienna"}


async def test_what_comes_together_is_one_message_with_names_and_links_and_nothing_that_was_said(post):
    await post.add()
    _, agent, _, _ = await post.asks(f"Please use {CANARY}", title=f"May I {CANARY}?")
    await post.stored(1)
    await post.asks("and this")
    await post.stored(2)
    await agent.say(f"I say {CANARY}")
    await post.at(post.clock.now() + timedelta(seconds=29))
    early = list(post.place.came)
    await post.after(1)
    await post.after(3600)

    assert early == []
    [message] = post.place.came
    assert message["title"] == "2 questions on “team.agor”"
    line = "Script asks to run a command in “fix-login”.\nhttps://hub.example.org/user/ann/lab/tree/team.agor"
    assert message["message"] == f"{line}\n\n{line}"
    said = json.dumps(message)
    assert leaks.traces(CANARY, said.encode()) == []
    assert "secret-plans" not in said


async def test_a_failure_a_budget_and_only_the_kinds_and_boards_that_were_named(post):
    await post.add()
    await post.add(name="budgets", kinds=["budget"])
    await post.add(name="elsewhere", boards=["other.agor"])
    session = await post.scene.session(agent="script")
    budget = BudgetSet(scope="worktree", subject=post.scene.worktree.id, soft_usd=1, hard_usd=5)
    await post.agor.budgets.set(post.caller, budget, post.scene.key())
    turn, agent = await post.scene.running(session)
    await agent.spend(2.0)
    await post.stored(2)
    agent.fail(RuntimeError(CANARY))
    await post.scene.ended(turn)
    await post.stored(3)
    await post.after(30)

    by_title = {one["title"]: one["message"] for one in post.place.came}
    assert sorted(by_title) == ["1 budget on “team.agor”", "1 failure and 1 budget on “team.agor”"]
    assert "Script failed in “fix-login”." in by_title["1 failure and 1 budget on “team.agor”"]
    assert "The budget of worktree “fix-login” is near its limit" in by_title["1 budget on “team.agor”"]
    assert CANARY not in json.dumps(post.place.came)


async def test_a_place_that_was_away_gets_it_later_and_its_person_sees_why(post):
    place = await post.add()
    post.place.statuses[:] = [500, 302]
    await post.asks()
    await post.stored()
    await post.after(30)
    first = await post.get(place)
    await post.after(29)
    still = len(post.place.came)
    await post.after(1)
    second = await post.get(place)
    await post.after(120)
    last = await post.get(place)

    assert (first.trouble, first.waiting, first.sent_at) == ("it answered with status 500", 1, None)
    assert still == 1
    assert second.trouble == "it answered with status 302"
    assert len(post.place.came) == 3, "a redirect was followed"
    assert (last.trouble, last.waiting, last.sent_at) == (None, 0, post.clock.now())


async def test_what_never_arrives_is_given_up_and_says_so(post, monkeypatch):
    monkeypatch.setattr(outbox, "PAUSES", (timedelta(seconds=1),))
    place = await post.add()
    post.place.statuses[:] = [500] * 5
    await post.asks()
    await post.stored()
    await post.after(30)
    await post.after(1)
    await post.after(3600)

    found = await post.get(place)
    assert (found.waiting, len(post.place.came)) == (0, 2)
    assert found.trouble == "1 message given up after 2 attempts: it answered with status 500"


async def test_at_night_it_waits_until_the_morning_and_what_was_answered_meanwhile_is_not_told(posts):
    night = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 in Vienna, and the clocks go back at three
    post = await posts(at=night)
    place = await post.add(quiet=NIGHT)
    _, _, question, _ = await post.asks("one")
    await post.asks("two")
    await post.asks("three")
    await post.stored(3)
    await post.after(60)
    await post.agor.permissions.answer(post.caller, question.id, Answer(option_id="yes"), post.scene.key())
    await post.at(datetime(2026, 10, 25, 5, 59, tzinfo=UTC))
    held = (await post.get(place)).waiting
    before = len(post.place.came)
    await post.at(datetime(2026, 10, 25, 6, 0, tzinfo=UTC))  # 07:00 by the winter's clock

    assert (before, held) == (0, 3)
    assert [one["title"] for one in post.place.came] == ["2 questions on “team.agor”"]


async def test_a_paused_place_is_told_nothing_not_even_later(post):
    place = await post.add()
    await post.asks()
    await post.stored()
    paused = await post.agor.destinations.change(post.caller, place.id, DestinationChange(is_paused=True))
    await post.agor.destinations.change(post.caller, place.id, DestinationChange(is_paused=False))
    await post.after(60)

    assert paused.waiting == 0
    assert post.place.came == []
