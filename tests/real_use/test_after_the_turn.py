"""What an agent said and asked after its turn had ended was dropped: nobody saw the answer, and its subagent waited for ever."""

import dataclasses
import json
from datetime import timedelta

import pytest

from agor_jupyter.domain.sessions import Prompt
from tests.services.sessions.test_continuations import bodies, continued, lingering, text

STEPS = [
    ["say", "I explore. You will hear of me."],
    ["end"],
    ["wait", 1],
    ["say", "Found it. "],
    ["ask", "rm", "rm -r build"],
    ["cost", 0.2],
]


@pytest.fixture
def config(config):
    return dataclasses.replace(config, agents=(lingering(),), quiet_time=timedelta(seconds=0.4), idle_timeout=timedelta(seconds=5))


async def test_what_comes_after_the_end_of_the_turn_is_stored_asked_and_paid_for(scene):
    session = await scene.session(agent="lingering")
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=json.dumps(STEPS)), scene.key())
    turn = await scene.ended(turn)

    late = await continued(scene, session)
    question = await scene.question(late)
    await scene.allow(late)
    late = await scene.ended(late)

    assert (turn.state.value, await text(scene, turn)) == ("done", "I explore. You will hear of me.")
    assert (question.title, late.follows) == ("rm -r build", turn.id)
    assert (late.state.value, await text(scene, late), late.cost_usd) == ("done", "Found it. answered yes. ", pytest.approx(0.2))
    assert not [body for body in await bodies(scene, late) if body["kind"] == "notice" and body["code"] == "late"]
