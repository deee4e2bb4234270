"""Why a session waits is told, and not at each step of a long line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.services.sessions import waiting
from agor_jupyter.services.sessions.runs.slots import FIRST, Slots


async def _prompt(scene, session, text):
    return await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key())


async def _waits(scene, session):
    return (await scene.agor.sessions.get(session.id)).waits_for


async def test_a_session_says_what_it_waits_for_and_where_it_stands(fake):
    scene = await fake(max_running=1)
    first, second, third = [await scene.session() for _ in range(3)]
    turn, agent = await scene.running(first, "first")
    await _prompt(scene, second, "second")
    await scene.eventually_async(lambda: _waits(scene, second), "1 of 1 agents work, next in line")
    last = await _prompt(scene, third, "third")
    await scene.eventually_async(lambda: _waits(scene, third), "1 of 1 agents work, 2nd in line")

    agent.finish()
    await scene.ended(turn)

    await scene.eventually_async(lambda: _waits(scene, third), "1 of 1 agents work, next in line")
    assert await _waits(scene, second) is None
    assert await _waits(scene, first) is None
    await scene.agor.turns.cancel(scene.caller, last.id)
    assert await _waits(scene, third) is None


async def test_whoever_waits_for_a_place_to_work_holds_none_to_start(fake):
    scene = await fake(max_running=1, max_starting=2)
    sessions = [await scene.session() for _ in range(5)]
    await scene.running(sessions[0], "first")

    for number, session in enumerate(sessions[1:]):
        await _prompt(scene, session, f"p{number}")

    for session, place in zip(sessions[1:], ("next", "2nd", "3rd", "4th"), strict=True):
        await scene.eventually_async(lambda one=session: _waits(scene, one), f"1 of 1 agents work, {place} in line")


async def test_answers_to_questions_let_no_more_work_than_may(fake):
    scene = await fake(max_running=1)
    asking, other, last = [await scene.session() for _ in range(3)]
    turn, agent = await scene.running(asking, "asks")
    question = agent.ask("may I?")
    await scene.until(turn, "waiting")
    working, worker = await scene.running(other, "works meanwhile")
    third = await _prompt(scene, last, "came later")

    await scene.allow(turn)
    await scene.eventually(lambda: len(scene.agor._waiting.running._waiters) == 2)
    assert not question.done()
    worker.finish()
    await scene.ended(working)

    assert await question == "yes"
    assert (await scene.agor.turns.get(third.id)).state == "queued"
    agent.finish()
    await scene.ended(turn)
    await scene.until(third, "running")


async def test_no_more_processes_live_than_may_work(fake):
    scene = await fake(max_running=2)
    for number in range(5):
        turn, agent = await scene.running(await scene.session(), f"p{number}")
        agent.finish()
        await scene.ended(turn)

    await scene.eventually(lambda: [one.is_alive for one in scene.agor.fakes.started] == [False, False, False, True, True])


async def test_starts_have_a_line_of_their_own(fake):
    scene = await fake(max_starting=2)
    scene.agor.fakes.may_start.clear()
    sessions = [await scene.session() for _ in range(3)]
    turns = [await _prompt(scene, session, f"p{number}") for number, session in enumerate(sessions)]

    await scene.eventually_async(lambda: _waits(scene, sessions[2]), "2 of 2 agents start, next in line")

    scene.agor.fakes.may_start.set()
    for turn in turns:
        await scene.until(turn, "running")
    assert await _waits(scene, sessions[2]) is None


async def test_a_long_line_that_moves_makes_few_events(fake, monkeypatch):
    monkeypatch.setattr(waiting, "SHOWN", 3)
    scene = await fake(max_running=1, max_starting=20)
    first = await scene.session()
    turn, agent = await scene.running(first, "first")
    for number in range(12):
        await _prompt(scene, await scene.session(), f"p{number}")
    await scene.eventually(lambda: len(scene.agor._waiting.running.line) == 12)
    line = scene.agor._waiting.running.line
    await scene.eventually_async(lambda: _last(scene, line), "1 of 1 agents work, more than 3 are before it")
    await scene.eventually(lambda: _is_told(scene.agor._waiting))
    before = scene.agor.events.n

    agent.finish()
    await scene.ended(turn)
    await scene.eventually(lambda: len(scene.agor._waiting.running.line) == 11 and _is_told(scene.agor._waiting))

    events = json.loads((await scene.agor.events.since(before))[0])
    told = [
        event["body"]["session"]["id"] for event in events if event["body"]["kind"] == "session" and event["body"]["session"]["waitsFor"]
    ]
    assert len(set(told)) <= 3
    assert len(told) <= 4


def _is_told(waiting):
    return waiting._told == waiting.sentences() and not waiting._dirty.is_set()


async def _last(scene, line):
    return (await scene.agor.sessions.get(line[-1])).waits_for


async def test_the_line_of_slots_is_who_waits():
    moves = []
    slots = Slots(1, lambda: moves.append(1))
    await slots.acquire("a")
    waiters = [asyncio.create_task(slots.acquire(name)) for name in ("b", "c")]
    await asyncio.sleep(0)
    assert (slots.taken, slots.line) == (1, ["b", "c"])

    waiters[0].cancel()
    await asyncio.gather(waiters[0], return_exceptions=True)

    assert slots.line == ["c"]
    slots.release()
    await waiters[1]
    assert (slots.taken, slots.line) == (1, [])
    assert len(moves) == 4


async def test_who_came_first_is_first_though_it_asks_later():
    now = datetime.now(UTC)
    slots = Slots(1)
    await slots.acquire("at work")
    ages = {"second": 2, "third": 1, "first": 3}
    waiters = [asyncio.create_task(slots.acquire(name, since=now - timedelta(seconds=age))) for name, age in ages.items()]
    waiters.append(asyncio.create_task(slots.acquire("back from a question", since=FIRST)))
    waiters.append(asyncio.create_task(slots.acquire("whenever")))
    await asyncio.sleep(0)

    assert slots.line == ["back from a question", "first", "second", "third", "whenever"]
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)


async def test_a_long_queue_of_one_session_does_not_hold_up_another(fake):
    scene = await fake(max_running=1)
    busy, other = [await scene.session() for _ in range(2)]
    first, agent = await scene.running(busy, "first")
    await _prompt(scene, busy, "second of many")
    single = await _prompt(scene, other, "the only one")
    await scene.eventually_async(lambda: _waits(scene, other), "1 of 1 agents work, next in line")

    agent.finish()
    await scene.ended(first)

    await scene.until(single, "running")


async def test_one_that_leaves_in_the_moment_of_a_release_is_passed_over():
    slots = Slots(1)
    await slots.acquire()
    waiters = [asyncio.create_task(slots.acquire("b")) for _ in range(2)]
    await asyncio.sleep(0)

    waiters[0].cancel()  # its future is cancelled at once, its task runs later
    slots.release()
    results = await asyncio.gather(*waiters, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1] is None
    assert slots.taken == 1
