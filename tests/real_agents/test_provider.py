"""The model refuses, is overloaded, breaks off, or is not there: the turn says so, and goes on when the model is back.

The agent without a model shows that a failed step fails its turn.
"""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from agor_jupyter.domain.parking import PASSING, Schedule
from agor_jupyter.services.agents.installs import Installs
from harness.kits import KITS
from harness.model_server import Trouble
from tests.real_agents.stage import PATIENCE_S

PATIENCE_WITH_RETRIES_S = 150
"""Some agents try again by themselves for more than a minute, and say nothing meanwhile."""
SILENCE_S = 5
WITH_A_MODEL = [pytest.param(name, marks=pytest.mark.agent) for name, kit in KITS.items() if kit.remembers]
SILENT = [kit for kit in WITH_A_MODEL if KITS[str(kit.values[0])].agent.failures.silent_retry_s is not None]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def config(config, kit):
    """A parked turn waits for a person. A silence is shown soon."""
    agent = kit.agent if (ready := Installs(config.data_dir).ready(kit.agent)) is None else ready
    sooner = agent.replace(
        failures=agent.failures.replace(silent_retry_s=agent.failures.silent_retry_s and SILENCE_S),
        install=agent.install.replace(package=None),
    )
    retries = Schedule(first=timedelta(hours=1), longest=timedelta(hours=2))
    return dataclasses.replace(config, retries=retries, agents=() if agent.is_builtin else (sooner,))


async def meet(stage, trouble: Trouble | None):
    """A turn that begins when the model is in this trouble, or is not there at all."""
    session = await stage.begin()
    await stage.play(session, {"text": "Before."})
    if trouble is None:
        stage.model.leave()
    stage.model.trouble = trouble
    return session, await stage.say(session, {"text": "After all, it said all that it wanted to say."})


def end(stage) -> None:
    """The model is back."""
    stage.model.trouble = None
    if not stage.model.is_there:
        stage.model.come_back()


async def settled(stage, turn):
    return await stage.until(turn, "parked", "done", "failed", "cancelled", timeout=PATIENCE_WITH_RETRIES_S)


async def is_shown(stage, session, turn) -> None:
    """The turn runs, and everybody sees that nothing was heard of it, and the likely cause."""

    async def is_told():
        causes = [notice["text"] for notice in await stage.events(turn, "notice") if notice["code"] == "stalled"]
        return any("The model's provider may be refusing requests" in cause for cause in causes)

    await stage.eventually_async(is_told, True, timeout=PATIENCE_S)
    assert (await stage.agor.turns.get(turn.id)).state == "running"
    assert (await stage.agor.sessions.get(session.id)).stalled_at is not None


async def is_parked_and_goes_on(stage, session, turn, code: str) -> None:
    """While the trouble lasts, the turn does not pretend to be done; afterwards the same session works.

    It is parked, and the same turn is tried again.
    """
    turn = await settled(stage, turn)
    assert (turn.state, turn.parks, turn.error_code) == ("parked", 1, code), turn
    assert turn.retry_at > stage.agor.clock.now()
    end(stage)
    await goes_on(stage, session, turn)


async def goes_on(stage, session, turn) -> None:
    again = await stage.agor.turns.retry(stage.caller, turn.id, stage.key())
    await stage.ended(again, timeout=PATIENCE_S)
    again, session = await stage.agor.turns.get(again.id), await stage.agor.sessions.get(session.id)
    assert (again.id, again.state, again.error, session.state) == (turn.id, "done", None, "done")


@pytest.mark.parametrize("kit", ["script"], indirect=True)
async def test_a_step_that_fails_fails_the_turn_of_the_agent_without_a_model(stage):
    session = await stage.begin()

    turn = await stage.play(session, {"do": "shell", "cmd": "exit 3"})

    assert (turn.state, turn.error_code) == ("failed", "block_failed")


@pytest.mark.parametrize("kit", WITH_A_MODEL, indirect=True)
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(400, "provider_error", "The request is bad."), (401, "auth_required", "")],
    ids=["the_request_is_refused", "the_key_is_not_valid"],
)
async def test_the_turn_fails_when(stage, status, code, words):
    session, turn = await meet(stage, Trouble(status=status))

    turn = await settled(stage, turn)

    assert turn.state == "failed"
    assert turn.error_code == code
    assert words in turn.error
    end(stage)
    assert (await stage.play(session, {"text": "On we go."})).state == "done"


@pytest.mark.parametrize("kit", WITH_A_MODEL, indirect=True)
@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (529, "overloaded")], ids=["a_rate_limit", "an_overload"])
async def test_the_turn_is_parked_at(stage, status, code):
    """One that tries again by itself and says nothing has its turn shown as silent; it ends well when the model is back."""
    session, turn = await meet(stage, Trouble(status=status, headers={"retry-after": "1"}))

    if stage.kit.agent.failures.silent_retry_s is None:
        await is_parked_and_goes_on(stage, session, turn, code)
    else:
        await is_shown(stage, session, turn)
        end(stage)
        assert (await settled(stage, turn)).state == "done"


@pytest.mark.parametrize("kit", WITH_A_MODEL, indirect=True)
async def test_a_stream_that_is_dropped_ends_well_or_parks_the_turn(stage):
    session, turn = await meet(stage, Trouble(drop=4))
    await stage.eventually(lambda: stage.model.dropped > 1, timeout=PATIENCE_S)
    end(stage)

    turn = await settled(stage, turn)

    if turn.state == "parked":
        assert turn.error_code in PASSING
        await goes_on(stage, session, turn)
    else:
        assert (turn.state, turn.error) == ("done", None)
        assert "all that it wanted to say" in await stage.text(turn)


@pytest.mark.parametrize("kit", WITH_A_MODEL, indirect=True)
async def test_a_model_that_is_not_there_parks_the_turn_until_it_is_back(stage):
    session, turn = await meet(stage, None)

    await is_parked_and_goes_on(stage, session, turn, "unreachable")


@pytest.mark.parametrize("kit", SILENT, indirect=True)
@pytest.mark.parametrize("status", [429, 529], ids=["a_rate_limit", "an_overload"])
async def test_a_turn_that_is_silent_while_the_trouble_lasts_can_be_cancelled(stage, status):
    session, turn = await meet(stage, Trouble(status=status))
    await is_shown(stage, session, turn)

    turn = await stage.cancelled(session)

    assert turn.state == "cancelled"
    assert (await stage.agor.sessions.get(session.id)).stalled_at is None
    await stage.agor.runner.dismiss([session.id])
    assert await asyncio.to_thread(stage.table.survivors, 10) == []


@pytest.mark.parametrize("kit", [kit for kit in WITH_A_MODEL if KITS[str(kit.values[0])].agent.failures.is_unused], indirect=True)
async def test_an_answer_that_breaks_off_is_not_taken_for_one(stage):
    """The others try again until the answer is whole, or say that it failed."""
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})

    turn = await stage.say(session, {"text": "A long text that is cut somewhere in the middle of it all.", "drop": 5})
    turn = await stage.until(turn, "parked", "done", "failed", timeout=PATIENCE_S)

    assert (turn.state, turn.error_code) == ("parked", "unreachable")
