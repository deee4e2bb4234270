"""The model refuses, takes no more for now or is gone; and what it costs when it answers."""

import asyncio
import json

import pytest

from tests.model_server import Trouble

PATIENCE_S = 60


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_turn_failed_with_that_reason_and_the_next_one_works(stage, status):
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})
    stage.model.trouble = Trouble(status=status)

    if not stage.kit.models:  # nobody who could refuse anything
        assert (await stage.play(session, {"text": "Again."})).state == "done"
        return
    turn = await stage.say(session, {"text": "Again."})
    turn = await stage.until(turn, "done", "failed", "parked", timeout=PATIENCE_S)

    assert turn.state == "failed"
    expected = {400: {"provider_error"}, 401: {"auth_required", *(["provider_error"] if stage.kit.on_trouble == "fails" else [])}}
    assert turn.error_code in expected[status], turn
    stage.model.trouble = None
    assert (await stage.play(session, {"text": "Here I am."})).state == "done"


@pytest.mark.parametrize("status", [429, 529, None], ids=["429", "529", "cut"])
async def test_a_turn_is_parked_while_the_model_takes_nothing_and_is_the_same_turn_afterwards(stage, status):
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})
    stage.model.trouble = Trouble(status=status, headers={"retry-after": "1"})
    if stage.kit.on_trouble == "fails":  # after its own attempts, which take it a minute and more
        return
    if not stage.kit.models:
        assert (await stage.play(session, {"text": "Again."})).state == "done"
        return
    turn = await stage.say(session, {"text": "Again."})
    if stage.kit.on_trouble == "tries":
        await asyncio.sleep(3)
        assert (await stage.agor.turns.get(turn.id)).state == "running"  # the watchdog shows that; a person may cancel it
        assert (await stage.cancelled(session)).state == "cancelled"
        return

    turn = await stage.until(turn, "parked", "done", "failed", timeout=PATIENCE_S)
    assert turn.state == "parked"
    assert turn.error_code == {429: "rate_limited", 529: "overloaded", None: "unreachable"}[status], turn
    assert turn.retry_at > stage.agor.clock.now()
    stage.model.trouble = None
    again = await stage.agor.turns.retry(stage.caller, turn.id, stage.key())
    turn = await stage.ended(turn, timeout=PATIENCE_S)

    assert (again.id, turn.state, turn.parks, turn.error) == (turn.id, "done", 1, None)
    assert "Again." in await stage.text(turn)


async def test_what_a_turn_used_is_written_down(stage):
    session = await stage.begin()
    turn = await stage.play(session, stage.write("one.txt", "1\n"), {"text": "Done."})
    rows = json.loads(await stage.agor.ledger.page(session=session.id))
    agent = stage.kit.agent

    if not stage.kit.models:
        assert rows == []
        return
    assert {row["turnId"] for row in rows} == {turn.id}
    assert turn.model
    if agent.usage_is_partial:
        assert turn.input_tokens is None
    else:
        assert turn.input_tokens == sum(row["inputTokens"] for row in rows) > 0
        assert turn.output_tokens > 0
    known = [row["costUsd"] for row in rows if row["costUsd"] is not None]
    assert (turn.cost_usd or 0) == pytest.approx(sum(known))
    assert {row["isEstimate"] for row in rows if row["costUsd"] is not None} <= {not agent.reports_cost}
    if agent.reports_cost:
        assert turn.cost_usd > 0


async def test_an_answer_that_breaks_off_is_not_taken_for_one(stage):
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})
    if not stage.kit.agent.failure_signs.is_unused:  # others try again until the answer is whole, or say that it failed
        return
    turn = await stage.say(session, {"text": "A long text that is cut somewhere in the middle of it all.", "drop": 5})
    turn = await stage.until(turn, "parked", "done", "failed", timeout=PATIENCE_S)
    assert (turn.state, turn.error_code) == ("parked", "unreachable")
