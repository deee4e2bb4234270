"""What a turn used and cost, as the agent says it, else by the price table."""

import json

import pytest


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
