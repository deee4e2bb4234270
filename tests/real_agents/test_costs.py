"""What a turn used and cost, as the agent says it, else by the price table."""

import json

import pytest

from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.errors import BudgetExhausted
from agor_jupyter.domain.turns import TurnState
from harness.model_server.api import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS

_LITTLE_USD = 0.0001
"""Less than any request costs with the model of the tests, and its context read from a cache."""


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
    if agent.usage.scope == "request":
        assert turn.input_tokens is None
    else:
        assert turn.input_tokens == sum(row["inputTokens"] for row in rows) > 0
        assert turn.output_tokens > 0
    assert {row["isEstimate"] for row in rows} == {not agent.usage.reports_cost} == {turn.cost_is_estimate}
    assert turn.cost_usd == pytest.approx(sum(row["costUsd"] for row in rows))
    assert turn.cost_usd > 0


async def test_the_ledger_is_what_the_models_server_counted(stage):
    session = await stage.begin()
    for steps in (
        ({"text": "Hi."},),
        (stage.write("one.txt", "1\n"), {"text": "Written."}),
        ({"do": "shell", "cmd": "echo ran > ran.txt"}, stage.write("two.txt", "2\n"), {"text": "Done."}),
        ({"text": "Bye."},),
    ):
        turn = await stage.play(session, *steps)
        assert turn.state is TurnState.DONE
    rows = json.loads(await stage.agor.ledger.page(session=session.id))
    form = stage.kit.agent.usage

    counted = [request for request in stage.model.requests if not (form.omits_own and request.is_aside)]
    if form.scope == "request":
        assert counted
        assert {(row["inputTokens"], row["outputTokens"]) for row in rows} == {(None, None)}
        return
    read = sum(row["inputTokens"] + (row["cachedReadTokens"] or 0) + (row["cachedWriteTokens"] or 0) for row in rows)
    apart = [CACHED_TOKENS if request.path.endswith("/messages") else 0 for request in counted]
    assert read == len(counted) * INPUT_TOKENS + sum(apart)
    assert sum(row["outputTokens"] for row in rows) == len(counted) * OUTPUT_TOKENS
    if any(row["cachedReadTokens"] for row in rows):
        assert sum(row["cachedReadTokens"] for row in rows) == len(counted) * CACHED_TOKENS


async def test_a_turn_that_passes_a_hard_limit_is_stopped_or_is_the_last(stage):
    agent, names = stage.kit.agent, ("one", "two", "three")
    session = await stage.begin()
    await stage.play(session, {"text": "Hi."})
    spent = (await stage.agor.sessions.get(session.id)).usage.cost_usd or 0.0
    limit = BudgetSet(scope="session", subject=session.id, hard_usd=spent + _LITTLE_USD)
    await stage.agor.budgets.set(stage.caller, limit, stage.key())

    turn = await stage.play(session, *({"do": "shell", "cmd": f"sleep 1; touch {name}"} for name in names), {"text": "Done."})

    [budget] = await stage.agor.budgets.list()
    done = [name for name in names if (stage.folder / name).exists()]
    if not stage.kit.models:
        assert (turn.state, budget.state, budget.spent_usd) == (TurnState.DONE, "ok", 0.0)
        return
    if agent.usage.reports_in_turn:
        assert (turn.state, turn.error_code) == (TurnState.FAILED, "budget_exhausted")
        assert len(done) < len(names)
    else:
        assert turn.state is TurnState.DONE
        assert done == [*names]
    told = [body["code"] for body in await stage.events(turn, "notice")]
    assert told.count("budget_exhausted") == 1
    assert (budget.state, budget.spent_usd) == ("exhausted", pytest.approx(spent + turn.cost_usd))
    with pytest.raises(BudgetExhausted):
        await stage.say(session, {"text": "No."})
