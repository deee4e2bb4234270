"""An agent that says nothing is shown, and a person decides."""

import asyncio
from datetime import timedelta

from tests.services.test_parking import notices

SHORT = timedelta(milliseconds=150)


async def stalled(scene, session):
    return (await scene.agor.sessions.get(session.id)).stalled_at is not None


async def test_silence_is_shown_and_forgotten_when_the_agent_speaks(fake):
    scene = await fake(stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    began = scene.agor.clock.now()

    await scene.eventually_async(lambda: stalled(scene, session), True)

    found = await scene.agor.sessions.get(session.id)
    assert abs(found.stalled_at - began) < timedelta(seconds=2)
    assert found.state.value == "running"
    await agent.say("here I am")
    await scene.eventually_async(lambda: stalled(scene, session), False)
    await scene.eventually_async(lambda: stalled(scene, session), True)  # and again
    agent.finish()
    await scene.ended(turn)
    assert not await stalled(scene, session)
    assert await notices(scene, session) == ["stalled", "stalled"]


async def test_a_start_that_takes_too_long_is_shown_and_can_be_cancelled(fake):
    scene = await fake(stall_timeout=SHORT)
    session = await scene.session(prompt="go")
    scene.agor.fakes.may_start.clear()
    other = await scene.session()
    turn = await scene.prompt(other, "go")
    await scene.until(turn, "starting")

    await scene.eventually_async(lambda: stalled(scene, other), True)

    await scene.eventually_async(lambda: notices(scene, other), ["stalled"])
    events = [event["body"] for event in await scene.transcript(other) if event["body"]["kind"] == "notice"]
    assert "has been starting" in events[0]["text"]
    await scene.agor.turns.cancel(scene.caller, turn.id)
    assert (await scene.ended(turn)).state.value == "cancelled"
    assert not await stalled(scene, other)
    await scene.agor.sessions.cancel(scene.caller, session.id)


async def test_while_a_person_is_asked_nobody_is_silent(fake):
    scene = await fake(stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    asking = agent.ask()
    await scene.until(turn, "waiting")
    await asyncio.sleep(0.5)

    assert not await stalled(scene, session)

    await scene.allow(turn)
    assert await asking == "yes"
    await scene.eventually_async(lambda: stalled(scene, session), True)  # now it is the agent's turn
    agent.finish()
    await scene.ended(turn)
