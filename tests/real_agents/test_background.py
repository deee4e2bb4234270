"""A command that a real agent leaves running in the background. Claude Code is told of its end and goes on: that is a turn of its own.

The other agents have no such tool: for them the command runs to its end within the turn.
"""

import asyncio
import dataclasses
import json
import time
from datetime import timedelta

import pytest

from harness.model_server.script import script
from tests.real_agents.stage import PATIENCE_S

QUIET_S = 3


@pytest.fixture
def config(config):
    return dataclasses.replace(config, quiet_time=timedelta(seconds=QUIET_S))


def in_background(command: str, then: str = "It is built.") -> dict:
    """`then` is what the agent tells its model when the command has ended."""
    return {"do": "shell", "cmd": command, "background": True, "description": then, "asks": True}


async def continued(stage, session):
    """The turn that the agent began by itself."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = [turn for turn in await stage.agor.turns.list(session.id) if turn.origin == "continued"]
        if found:
            return found[0]
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_what_it_does_when_its_command_has_ended_is_a_turn_of_its_own(stage):
    session = await stage.begin()
    first = await stage.play(session, in_background("sleep 5; echo late > late.txt"), {"text": "It runs."})
    if not stage.kit.agent.quirks.background_input:
        await asyncio.sleep(QUIET_S)
        assert (first.state, [file.path for file in (await stage.agor.turns.patch(first.id)).files]) == ("done", ["late.txt"])
        assert len(await stage.agor.turns.list(session.id)) == 1
        return
    asked = len(stage.model.requests)
    await stage.eventually_async(lambda: _background(stage, session), ["sleep 5; echo late > late.txt"])

    second = await stage.ended(await continued(stage, session), timeout=PATIENCE_S)

    assert (first.state, first.files, second.state, second.stop_reason, second.follows) == ("done", 0, "done", "quiet", first.id)
    assert [file.path for file in (await stage.agor.turns.patch(second.id)).files] == ["late.txt"]
    assert "It is built." in await stage.text(second)  # the notification, which the model says back
    await stage.eventually_async(lambda: _background(stage, session), [])
    [told] = stage.model.requests[asked:]
    assert "It is built." in told
    rows = json.loads(await stage.agor.ledger.page(session=session.id))
    assert {row["turnId"] for row in rows} == {first.id, second.id}
    spent = (await stage.agor.sessions.get(session.id)).usage.cost_usd
    assert sum(row["costUsd"] for row in rows) == pytest.approx(spent)
    assert second.cost_usd == pytest.approx(first.cost_usd / 2, rel=0.5)  # one request, after two


async def test_what_it_asks_then_reaches_a_person(stage):
    if not stage.kit.agent.quirks.background_input:
        return
    then = script({"do": "shell", "cmd": "touch asked.txt", "asks": True}, {"text": "Asked and done."})
    session = await stage.begin()
    first = await stage.play(session, in_background("sleep 2", then), {"text": "It runs."})

    second = await continued(stage, session)
    [question] = await stage.see_through(second)
    second = await stage.agor.turns.get(second.id)

    assert (question.command, question.turn_id) == ("touch asked.txt", second.id)
    assert (first.files, second.state.value) == (0, "done")
    assert "Asked and done." in await stage.text(second)
    assert [file.path for file in (await stage.agor.turns.patch(second.id)).files] == ["asked.txt"]


async def test_cancelling_ends_what_runs_in_the_background(stage):
    if not stage.kit.agent.quirks.background_input:
        return
    session = await stage.begin()
    await stage.play(session, in_background(f"sleep 400; : {stage.table.mark}"), {"text": "It runs."})
    assert stage.table.marked()

    await stage.agor.sessions.cancel(stage.caller, session.id)

    await stage.eventually_async(lambda: _background(stage, session), [])
    assert stage.table.marked() == set()
    assert (await stage.play(session, {"text": "Here again."})).state == "done"


async def _background(stage, session) -> list[str]:
    return (await stage.agor.sessions.get(session.id)).background
