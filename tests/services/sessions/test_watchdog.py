"""An agent that says nothing is shown, and a person decides."""

import asyncio
import sys
from datetime import timedelta

from agor_jupyter.domain.agents import AgentType, FailureSigns
from agor_jupyter.domain.events import ToolCall
from agor_jupyter.services.sessions.running.watchdog import Watchdog
from tests.fakes import FakeClock
from tests.services.sessions.test_parking import notices

SHORT = timedelta(milliseconds=150)
"""So often it is looked; how long an agent was silent is told by the clock, which stands still but for `let_pass`."""


async def stalled(scene, session):
    return (await scene.agor.sessions.get(session.id)).stalled_at is not None


async def silence(scene, **fields):
    """Time passes, and has been noticed: an agent that began later than all others is shown. Answers its session and its turn."""
    session = await scene.session(**fields)
    turn, agent = await scene.running(session, "a witness")
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)
    agent.finish()
    await scene.ended(turn)
    return session


async def test_silence_is_shown_and_forgotten_when_the_agent_speaks(fake):
    scene = await fake(FakeClock(), stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    began = scene.agor.clock.now() - timedelta(seconds=1)

    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)

    found = await scene.agor.sessions.get(session.id)
    assert began <= found.stalled_at < scene.agor.clock.now()
    assert found.state.value == "running"
    await agent.say("here I am")
    await scene.eventually_async(lambda: stalled(scene, session), False)
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)  # and again
    agent.finish()
    await scene.ended(turn)
    assert not await stalled(scene, session)
    assert await notices(scene, session) == ["stalled", "stalled"]


async def test_a_start_that_takes_too_long_is_shown_and_can_be_cancelled(fake):
    scene = await fake(FakeClock(), stall_timeout=SHORT)
    session = await scene.session(prompt="go")
    scene.agor.fakes.may_start.clear()
    other = await scene.session()
    turn = await scene.prompt(other, "go")
    await scene.until(turn, "starting")

    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, other), True)

    await scene.eventually_async(lambda: notices(scene, other), ["stalled"])
    events = [event["body"] for event in await scene.transcript(other) if event["body"].get("code") == "stalled"]
    assert "has been starting" in events[0]["text"]
    await scene.agor.turns.cancel(scene.caller, turn.id)
    assert (await scene.ended(turn)).state.value == "cancelled"
    assert not await stalled(scene, other)
    await scene.agor.sessions.cancel(scene.caller, session.id)


async def test_while_a_person_is_asked_nobody_is_silent(fake):
    scene = await fake(FakeClock(), stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    asking = agent.ask()
    await scene.until(turn, "waiting")
    await silence(scene)

    assert not await stalled(scene, session)

    await scene.allow(turn)
    assert await asking == "yes"
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)  # now it is the agent's turn
    agent.finish()
    await scene.ended(turn)


async def silent_one(fake):
    """With an agent whose silence is shown long before the server's own time."""
    agent = AgentType(
        name="silent", label="Silent", icon="x", command=[sys.executable], failures=FailureSigns(silent_retry_s=SHORT.total_seconds())
    )
    scene = await fake(FakeClock(), stall_timeout=timedelta(hours=1), agents=(agent,))
    return scene, await scene.session(agent="silent")


async def test_an_agent_that_tries_again_in_silence_is_shown_sooner_with_the_likely_cause(fake):
    scene, session = await silent_one(fake)
    turn, agent = await scene.running(session)

    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)

    await scene.eventually_async(lambda: notices(scene, session), ["stalled"])
    [told] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert "The model's provider may be refusing requests" in told
    agent.finish()
    await scene.ended(turn)


async def test_an_agent_that_waits_for_a_tool_does_not_wait_for_the_model(fake):
    scene, session = await silent_one(fake)
    turn, agent = await scene.running(session)
    await agent.callbacks["on_event"](ToolCall(tool_call_id="t", status="in_progress"), None)
    await silence(scene, agent="silent")

    assert not await stalled(scene, session)

    await agent.callbacks["on_event"](ToolCall(tool_call_id="t", status="completed"), None)
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)
    agent.finish()
    await scene.ended(turn)


async def test_an_agent_that_only_starts_has_the_servers_own_time(fake):
    scene, session = await silent_one(fake)
    running, agent = await scene.running(witness := await scene.session(agent="silent"), "a witness")
    scene.agor.fakes.may_start.clear()
    turn = await scene.prompt(session, "go")
    await scene.until(turn, "starting")
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, witness), True)
    agent.finish()
    await scene.ended(running)

    assert not await stalled(scene, session)

    await scene.agor.turns.cancel(scene.caller, turn.id)
    await scene.ended(turn)


async def test_it_ends_also_when_it_is_told_something_in_the_same_moment(fake):
    scene = await fake()
    turn, agent = await scene.running(await scene.session())
    watchdog = Watchdog(scene.agor.runner._context, turn)

    for _ in range(20):
        async with asyncio.timeout(50), watchdog:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            watchdog.prompted(agent.agent)

    assert watchdog._task.cancelled()
