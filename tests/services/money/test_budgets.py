"""Costs are written down, and budgets warn, stop and hold back: never silently, and in no order of things above a hard limit."""

import asyncio
import json
import random

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.sessions import Prompt, SessionCreate, Usage
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.domain.worktrees import WorktreeChange
from tests.fakes import FakeAgor
from tests.scene import Scene
from tests.services.sessions.test_parking import REFUSED, SOON, notices


async def _prompt(scene, session, text="go"):
    return await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key())


async def _set(scene, scope, subject, hard=None, soft=None):
    request = BudgetSet(scope=scope, subject=subject, hard_usd=hard, soft_usd=soft)
    return await scene.agor.budgets.set(scene.caller, request, scene.key())


async def _spend(scene, session, cost, text="go", **fields):
    turn, agent = await scene.running(session, text)
    agent.finish(usage=Usage(input_tokens=10, output_tokens=5, cost_usd=cost), **fields)
    return await scene.ended(turn)


async def _ledger(scene, **filters):
    return json.loads(await scene.agor.ledger.page(**filters))


# The ledger


async def test_a_turn_has_a_row_for_each_model_whose_costs_are_what_the_agent_reported(fake):
    scene = await fake()
    session = await scene.session()
    models = [
        ModelUsage(model="claude-opus-4-6", input_tokens=1_000_000, output_tokens=0),
        ModelUsage(model="claude-haiku-4-5", input_tokens=1_000_000, output_tokens=10),
    ]
    turn, agent = await scene.running(session)
    agent.finish(usage=Usage(input_tokens=1, cost_usd=3.0), models=models)
    turn = await scene.ended(turn)

    haiku, opus = await _ledger(scene, session=session.id)

    assert (opus["model"], haiku["model"]) == ("claude-opus-4-6", "claude-haiku-4-5")
    assert opus["costUsd"] == pytest.approx(2.5, abs=1e-3)  # $5 to $1
    assert opus["costUsd"] + haiku["costUsd"] == pytest.approx(3.0)
    assert (opus["isEstimate"], opus["pricesAsOf"], opus["username"], opus["turnId"]) == (False, None, "ann", turn.id)
    assert (turn.cost_usd, turn.cost_is_estimate, turn.input_tokens, turn.model) == (
        pytest.approx(3.0),
        False,
        2_000_000,
        "claude-haiku-4-5",
    )
    assert (await scene.agor.sessions.get(session.id)).usage.cost_usd == pytest.approx(3.0)


async def test_what_is_not_reported_is_estimated_and_marked(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.finish(usage=Usage(input_tokens=1), models=[ModelUsage(model="gpt-5.4", input_tokens=1_000_000, cached_read_tokens=1_000_000)])
    turn = await scene.ended(turn)

    [row] = await _ledger(scene)

    assert (row["costUsd"], row["isEstimate"], row["pricesAsOf"]) == (pytest.approx(2.75), True, scene.agor.ledger.prices.as_of)
    assert (turn.cost_usd, turn.cost_is_estimate) == (pytest.approx(2.75), True)


async def test_an_unknown_model_keeps_its_tokens_and_has_no_cost(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=1)
    turn, agent = await scene.running(session)
    agent.finish(usage=Usage(input_tokens=7), models=[ModelUsage(model="made-up", input_tokens=7)])
    turn = await scene.ended(turn)

    [row] = await _ledger(scene)

    assert (row["inputTokens"], row["costUsd"], turn.cost_usd) == (7, None, None)
    assert await notices(scene, session) == ["cost_unknown"]


async def test_of_a_turn_of_several_models_the_unknown_one_is_told(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "worktree", scene.worktree.id, hard=10)
    turn, agent = await scene.running(session)
    known = ModelUsage(model="gpt-5.4", input_tokens=1_000_000)
    agent.finish(usage=Usage(), models=[known, ModelUsage(model="made-up", input_tokens=7)])
    turn = await scene.ended(turn)

    [notice] = [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert (notice["code"], turn.cost_usd) == ("cost_unknown", pytest.approx(2.5))
    assert "made-up" in notice["text"]
    assert "gpt-5.4" not in notice["text"]
    [budget] = await scene.agor.budgets.list()
    assert budget.spent_usd == pytest.approx(2.5)


async def test_a_turn_that_used_nothing_has_no_row(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=1)
    for usage in (None, Usage(input_tokens=0, output_tokens=0), Usage(context_used=5), Usage(cost_usd=0.0)):
        turn, agent = await scene.running(session)
        agent.finish(usage=usage)
        await scene.ended(turn)

    assert await _ledger(scene) == []
    assert await notices(scene, session) == []


async def test_each_attempt_at_a_parked_turn_is_written_down(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.finish(**REFUSED, usage=Usage(input_tokens=10, cost_usd=0.5))
    await scene.eventually(lambda: len(agent.prompts) == 2 and agent._turn)
    agent.finish(usage=Usage(input_tokens=1, cost_usd=0.25))
    turn = await scene.ended(turn)

    rows = await _ledger(scene, session=session.id)

    assert [row["costUsd"] for row in rows] == [0.25, 0.5]
    assert turn.cost_usd == 0.75


async def test_the_ledger_is_searched_by_session_worktree_board_user_and_time(fake):
    scene = await fake()
    one, two = await scene.session(), await scene.session()
    await _spend(scene, one, 1.0, "a")
    before = scene.agor.clock.now()
    await scene.eventually(lambda: scene.agor.clock.now() > before)
    await _spend(scene, two, 2.0, "b")

    assert [row["costUsd"] for row in await _ledger(scene, worktree=scene.worktree.id)] == [2.0, 1.0]
    assert [row["costUsd"] for row in await _ledger(scene, session=one.id)] == [1.0]
    assert [row["costUsd"] for row in await _ledger(scene, user="ann", since=before)] == [2.0]
    assert await _ledger(scene, user="ben") == []


# Budgets


@pytest.mark.parametrize("scope", ["session", "worktree", "board", "user"])
async def test_a_hard_limit_refuses_prompts_and_holds_back_what_waits(fake, scope):
    scene = await fake()
    await scene.agor.worktrees.change(scene.caller, scene.worktree.id, WorktreeChange(board="a.agor"))
    session = await scene.session()
    subject = {"session": session.id, "worktree": scene.worktree.id, "board": "a.agor", "user": "ann"}[scope]
    await _set(scene, scope, subject, hard=1.0)
    turn, agent = await scene.running(session)
    waiting = await _prompt(scene, session, "waiting")

    agent.finish(usage=Usage(cost_usd=1.5))
    await scene.ended(turn)
    waiting = await scene.until(waiting, "parked")

    assert (waiting.error_code, waiting.retry_at, waiting.started_at) == ("budget", None, None)
    assert "$1.50 of $1.00" in waiting.error
    with pytest.raises(errors.BudgetExhausted) as refused:
        await _prompt(scene, session, "no")
    assert refused.value.details["scope"] == scope
    with pytest.raises(errors.BudgetExhausted):
        await scene.agor.turns.retry(scene.caller, waiting.id, scene.key())
    [budget] = await scene.agor.budgets.list()
    assert (budget.state, budget.spent_usd) == ("exhausted", 1.5)
    assert await notices(scene, session) == ["budget_exhausted", "parked"]
    assert (await scene.consistent(session)).state.value == "parked"

    await _set(scene, scope, subject, hard=5.0)  # it is raised, and what waited goes on

    await scene.until(waiting, "running")
    await scene.eventually(lambda: agent._turn)
    agent.finish()
    assert (await scene.ended(waiting)).state is TurnState.DONE
    kinds = [event["body"]["kind"] for event in await scene.transcript(session)]
    assert (kinds.count("prompt"), kinds.count("turn_ended")) == (2, 2)


async def test_what_waits_goes_on_when_the_budget_is_removed(fake):
    scene = await fake()
    session = await scene.session()
    budget = await _set(scene, "session", session.id, hard=1.0)
    turn, agent = await scene.running(session)
    waiting = await _prompt(scene, session, "waiting")
    agent.finish(usage=Usage(cost_usd=1.0))
    await scene.until(waiting, "parked")

    await scene.agor.budgets.remove(scene.caller, budget.id, scene.key())

    await scene.until(waiting, "running")
    assert await scene.agor.budgets.list() == []
    with pytest.raises(errors.BudgetNotFound):
        await scene.agor.budgets.remove(scene.caller, budget.id, scene.key())


async def test_a_turn_held_back_by_a_budget_survives_a_restart(fake, config, owner, key):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=1.0)
    turn, agent = await scene.running(session)
    waiting = await _prompt(scene, session, "waiting")
    agent.finish(usage=Usage(cost_usd=1.0))
    await scene.until(waiting, "parked")

    await scene.agor.__aexit__(None, None, None)

    async with FakeAgor(config) as app:
        scene = Scene(app, owner, key, scene.worktree)
        await scene.running(await scene.session(), "from now on")  # what goes on by itself would have gone on before
        assert (await app.turns.get(waiting.id)).state is TurnState.PARKED
        await _set(scene, "session", session.id, hard=2.0)
        await scene.until(waiting, "running")


async def test_a_running_turn_is_cancelled_and_says_which_budget(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "worktree", scene.worktree.id, hard=1.0, soft=0.5)
    turn, agent = await scene.running(session)

    await agent.spend(0.6)
    await scene.eventually_async(lambda: notices(scene, session), ["budget_warned"])
    assert (await scene.agor.turns.get(turn.id)).state is TurnState.RUNNING
    agent.cancel = lambda: agent.finish("cancelled", usage=Usage(cost_usd=1.2))
    await agent.spend(1.2)
    turn = await scene.ended(turn)

    assert (turn.state, turn.error_code, turn.cost_usd) == (TurnState.FAILED, "budget_exhausted", 1.2)
    assert "worktree 'fix' is used up: $1.20 of $1.00" in turn.error
    assert await notices(scene, session) == ["budget_warned", "budget_exhausted"]
    [budget] = await scene.agor.budgets.list()
    assert (budget.state, budget.spent_usd) == ("exhausted", 1.2)


async def test_a_turn_whose_agent_reports_no_dollars_is_stopped_by_an_estimate_that_its_end_replaces(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=1.0)
    turn, agent = await scene.running(session)
    real = [ModelUsage(model="gpt-5.4", input_tokens=500_000, output_tokens=10_000)]
    agent.cancel = lambda: agent.finish("cancelled", models=real)

    await agent.read(ModelUsage(model="gpt-5.4", input_tokens=300_000))
    assert (await scene.agor.turns.get(turn.id)).state is TurnState.RUNNING
    await agent.read(ModelUsage(model="gpt-5.4", input_tokens=400_000))
    turn = await scene.ended(turn)

    assert (turn.error_code, turn.cost_usd, turn.cost_is_estimate) == ("budget_exhausted", pytest.approx(1.4), True)
    assert "$1.00 of $1.00" in turn.error
    assert await notices(scene, session) == ["budget_exhausted"]
    [budget] = await scene.agor.budgets.list()
    assert budget.spent_usd == pytest.approx(1.4)


async def test_what_a_turn_cost_is_not_lost_when_its_agent_dies(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=4.0)
    turn, agent = await scene.running(session)
    agent.cancel = lambda: agent.fail(errors.AgentFailed("claude", "it ended in the middle of a turn"))

    await agent.spend(9.0)
    turn = await scene.ended(turn)

    [row] = await _ledger(scene)
    assert (row["costUsd"], row["isEstimate"], row["turnId"]) == (9.0, False, turn.id)
    assert (turn.state, turn.error_code, turn.cost_usd) == (TurnState.FAILED, "agent_failed", 9.0)
    with pytest.raises(errors.BudgetExhausted):
        await _prompt(scene, session)


async def test_of_an_agent_that_dies_what_it_did_not_report_is_estimated(fake):
    scene = await fake()
    session = await scene.session()
    read = ModelUsage(model="gpt-5.4", input_tokens=400_000, cached_read_tokens=0)
    for number, spent in enumerate((None, 2.0)):
        turn, agent = await scene.running(session, f"p{number}")
        agent.spent_usd = spent
        await agent.read(read)
        agent.fail(errors.AgentFailed("codex", "it ended in the middle of a turn"))
        await agent.stop()
        await scene.ended(turn)

    rows = await _ledger(scene)

    assert [(row["model"], row["inputTokens"], row["costUsd"], row["isEstimate"]) for row in rows] == [
        ("gpt-5.4", 400_000, pytest.approx(3.0), True),
        ("gpt-5.4", 400_000, pytest.approx(1.0), True),
    ]


async def test_a_turn_that_fails_before_its_prompt_costs_nothing(fake):
    scene = await fake()
    session = await scene.session()
    await _spend(scene, session, 1.0)
    [agent] = scene.agor.fakes.started
    agent.spent_usd = 1.0

    async def cannot(_wanted):
        raise errors.BadOption("script", "model", "none", ())

    agent.apply = cannot
    turn = await scene.ended(await _prompt(scene, session, "again"))

    assert (turn.state, turn.cost_usd) == (TurnState.FAILED, None)
    assert len(await _ledger(scene)) == 1


async def test_all_that_share_a_budget_are_stopped_together(fake):
    scene = await fake()
    one, two = await scene.session(), await scene.session()
    await _set(scene, "user", "ann", hard=1.0)
    first, agent_one = await scene.running(one, "a")
    second, agent_two = await scene.running(two, "b")
    await agent_one.spend(0.6)
    assert (await scene.agor.turns.get(first.id)).state is TurnState.RUNNING

    await agent_two.spend(0.6)

    assert {(await scene.ended(turn)).error_code for turn in (first, second)} == {"budget_exhausted"}


async def test_a_turn_is_stopped_when_another_ends_above_their_limit(fake):
    scene = await fake(concurrent_edits="allow")
    one, two = await scene.session(), await scene.session()
    await _set(scene, "worktree", scene.worktree.id, hard=1.0)
    first, agent_one = await scene.running(one, "a")
    second, _ = await scene.running(two, "b")

    agent_one.finish(usage=Usage(cost_usd=5.0))
    first, second = await scene.ended(first), await scene.ended(second)

    assert first.state is TurnState.DONE
    assert (second.state, second.error_code) == (TurnState.FAILED, "budget_exhausted")
    assert "worktree 'fix' is used up: $5.00 of $1.00" in second.error
    assert await notices(scene, one) == await notices(scene, two) == ["budget_exhausted"]


async def test_a_turn_is_stopped_when_a_limit_is_set_below_what_is_spent(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, hard=10.0)
    await _spend(scene, session, 5.0, "before")
    turn, _ = await scene.running(session)

    await _set(scene, "session", session.id, hard=1.0)
    turn = await scene.ended(turn)

    assert (turn.state, turn.error_code) == (TurnState.FAILED, "budget_exhausted")
    assert "$5.00 of $1.00" in turn.error
    assert await notices(scene, session) == ["budget_exhausted"]
    with pytest.raises(errors.BudgetExhausted):
        await _prompt(scene, session)


async def test_a_turn_that_ends_is_counted_with_those_that_run(fake):
    """The warning is given once, by the report that passes the limit."""
    scene = await fake(concurrent_edits="allow")
    one, two = await scene.session(), await scene.session()
    await _set(scene, "worktree", scene.worktree.id, soft=1.0)
    first, agent_one = await scene.running(one, "a")
    second, agent_two = await scene.running(two, "b")
    await agent_one.spend(0.9)
    await agent_two.spend(0.2)
    agent_two.finish(usage=Usage(cost_usd=0.2))
    await scene.ended(second)
    await agent_one.spend(0.95)
    agent_one.finish(usage=Usage(cost_usd=0.95))
    await scene.ended(first)

    assert (await notices(scene, one), await notices(scene, two)) == ([], ["budget_warned"])


async def test_a_session_begins_with_its_prompt_under_a_budget_of_its_own(fake, viewer):
    scene = await fake()
    request = SessionCreate(worktree_id=scene.worktree.id, agent="script", prompt="go", budget_usd=0.5)
    key = scene.key()

    session = await scene.agor.sessions.create(scene.caller, request, key)
    again = await scene.agor.sessions.create(scene.caller, request, key)

    assert again.id == session.id
    [budget] = await scene.agor.budgets.list()
    assert (budget.scope, budget.subject, budget.hard_usd, budget.created_by.username) == ("session", session.id, 0.5, "ann")
    [turn] = await scene.agor.turns.list(session.id)
    await scene.eventually(lambda: any(agent.prompts == ["go"] for agent in scene.agor.fakes.started))
    await scene.agor.fakes.started[-1].spend(0.6)
    assert (await scene.ended(turn)).error_code == "budget_exhausted"
    with pytest.raises(errors.NotAllowed):
        await scene.agor.sessions.create(viewer, request, scene.key())


async def test_a_soft_limit_warns_once_and_stops_nothing(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "session", session.id, soft=1.0)
    for number in range(3):
        turn = await _spend(scene, session, 0.6, f"p{number}")
        assert turn.state is TurnState.DONE

    assert await notices(scene, session) == ["budget_warned"]
    [budget] = await scene.agor.budgets.list("session", session.id)
    assert budget.state == "warned"


async def test_what_an_agent_spawns_counts_to_its_person_and_not_to_its_session(fake):
    scene = await fake()
    session = await scene.session()
    await _set(scene, "user", "ann", hard=1.0)
    await _set(scene, "session", session.id, hard=1.0)
    agent = Caller(person=Person(username=f"agent:{session.id}", name="agent"), role=Role.STEERER)
    request = SessionCreate(worktree_id=scene.worktree.id, parent_id=session.id, prompt="child")
    child = await scene.agor.sessions.create(agent, request, scene.key())
    await scene.until((await scene.agor.turns.list(child.id))[0], "running")
    [fake_agent] = scene.agor.fakes.started
    await scene.eventually(lambda: fake_agent._turn)
    fake_agent.finish(usage=Usage(cost_usd=2.0))
    await scene.ended((await scene.agor.turns.list(child.id))[0])

    spent = {budget.scope: budget.spent_usd for budget in await scene.agor.budgets.list()}
    assert spent == {"user": 2.0, "session": 0.0}
    with pytest.raises(errors.BudgetExhausted):
        await scene.agor.sessions.create(agent, request, scene.key())
    with pytest.raises(errors.NotAllowed):
        await scene.agor.budgets.set(agent, BudgetSet(scope="user", subject="ann", hard_usd=100), scene.key())


async def test_a_budget_that_is_made_later_counts_what_was_spent_before(fake):
    scene = await fake()
    session = await scene.session()
    await _spend(scene, session, 3.0)

    budget = await _set(scene, "session", session.id, hard=2.0)

    assert (budget.spent_usd, budget.state) == (3.0, "exhausted")
    again = await _set(scene, "session", session.id, soft=10.0)
    assert (again.id, again.hard_usd, again.state) == (budget.id, None, "ok")
    with pytest.raises(errors.SessionNotFound):
        await _set(scene, "session", "se_none", hard=1)
    with pytest.raises(errors.WorktreeNotFound):
        await _set(scene, "worktree", "wt_none", hard=1)


@pytest.mark.parametrize("seed", range(4))
async def test_in_no_order_of_things_a_turn_starts_above_a_hard_limit(fake, seed):
    """Sessions spend side by side while the budget is raised and lowered. Each claim is compared with the ledger at that moment."""
    dice = random.Random(seed)
    scene = await fake(max_running=4, max_starting=4)
    agor, limit = scene.agor, {"hard": 1.0}
    sessions = [await scene.session() for _ in range(3)]
    await _set(scene, "worktree", scene.worktree.id, hard=limit["hard"])
    broken = []
    claim = type(agor.budgets).exhausted

    def watched(self, connection, session, username, spending, then):
        found = claim(self, connection, session, username, spending, then)
        from agor_jupyter.storage import budgets, ledger

        [budget] = budgets.of(connection, [("worktree", scene.worktree.id)])
        spent = ledger.total(connection, "worktree", scene.worktree.id)
        if abs(spent - budget.spent_usd) > 1e-9:
            broken.append(("sum", spent, budget.spent_usd))
        if found is None and spent >= budget.hard_usd:
            broken.append(("over", spent, budget.hard_usd))
        return found

    agor.budgets.exhausted = watched.__get__(agor.budgets)

    async def work():
        while True:
            for agent in agor.fakes.started:
                if agent._turn is not None and dice.random() < 0.5:
                    agent.finish(usage=Usage(cost_usd=dice.choice([0.0, 0.1, 0.3, 0.7])))
            await asyncio.sleep(0.005)

    working = asyncio.create_task(work())
    for number in range(25):
        try:
            await _prompt(scene, dice.choice(sessions), f"p{number}")
        except errors.BudgetExhausted:
            limit["hard"] += dice.choice([0.2, 1.0])
            await _set(scene, "worktree", scene.worktree.id, hard=limit["hard"])
        await asyncio.sleep(dice.choice([0, 0.01]))
    await _set(scene, "worktree", scene.worktree.id, hard=1000.0)
    for session in sessions:
        for turn in await agor.turns.list(session.id):
            await scene.ended(turn)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert broken == []
    rows = await _ledger(scene)
    [budget] = await agor.budgets.list()
    assert budget.spent_usd == pytest.approx(sum(row["costUsd"] or 0 for row in rows))


async def test_where_the_server_knows_no_people_all_count_as_one(fake):
    scene = await fake(only_account="root")
    session = await scene.session()
    budget = await _set(scene, "user", "anonymous-1", hard=1.0)
    await _spend(scene, session, 2.0)

    assert budget.subject == "root"
    assert [row["username"] for row in await _ledger(scene, user="somebody")] == ["root"]
    with pytest.raises(errors.BudgetExhausted):
        await _prompt(scene, session)
