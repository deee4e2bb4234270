"""What a zone starts: order and limits, gates, people who decide, budgets, receivers, and what happens when things go meanwhile."""

import asyncio

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import ObjectMove
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeChange
from agor_jupyter.domain.zones import MAX_HOPS, FiringStart, FiringVerdict, Gate, ZoneChange, ZoneDrop, ZonePolicy
from tests.services.zones.scene import BOARD, block, command

HOLD = Gate(kind="function", run="check")


# Order


async def test_cards_beyond_the_limit_wait_in_order(flow):
    zone = await flow.zone("Two at once", gates=[HOLD], limit=2)
    cards = [flow.worktree, *[await flow.card(f"card-{number}") for number in range(3)]]
    fired = [(await flow.drop(zone, worktree=card)).firing for card in cards]
    for one in fired[:2]:
        await flow.waits(one, "check")
    for one in fired[2:]:
        await flow.waits(one, "a place: 2 of 2 in work")

    await flow.agor.firings.verdict(flow.caller, fired[1].id, FiringVerdict(gate=0, passed=True), flow.key())
    await flow.waits(fired[2], "check")

    assert [(await flow.agor.firings.get(one.id)).state.value for one in fired] == ["verifying", "passed", "verifying", "waiting"]


async def test_a_larger_limit_lets_those_in_who_wait(flow):
    zone = await flow.zone("One at once", gates=[HOLD], limit=1)
    fired = [(await flow.drop(zone, worktree=card)).firing for card in (flow.worktree, await flow.card("second"))]
    await flow.waits(fired[1], "1 of 1")

    await flow.change(zone, gates=[HOLD], limit=2)

    await flow.waits(fired[1], "check")


async def test_a_paused_zone_keeps_its_cards_until_it_goes_on(flow):
    zone = await flow.zone("Paused", prompt=block("true"), is_paused=True)
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "paused")

    await flow.change(zone, prompt=block("true"), agent="script")

    assert (await flow.settled(firing)).state == "passed"


async def test_a_zone_that_is_off_means_what_it_means_and_starts_nothing(flow):
    zone = await flow.zone("Off", prompt=block("true"), is_on=False)

    dropped = await flow.drop(zone)

    assert (dropped.firing, dropped.arrival) == (None, 1)
    assert (await flow.policy(zone)).prompt == block("true")


# People decide


async def test_a_zone_that_asks_first_starts_when_a_person_says_yes(flow):
    zone = await flow.zone("Ask", prompt=block("echo {{ worktree.name }}"), asks_first=True)
    firing = (await flow.drop(zone)).firing
    assert (firing.state, firing.prompt) == ("asking", block("echo fix"))
    assert (await flow.agor.sessions.page())[0] == b"[]"

    await flow.change(zone, prompt=block("true"), agent="script")
    await flow.agor.firings.start(flow.caller, firing.id, FiringStart(prompt=block("true")), flow.key())
    done = await flow.until(firing, "running", "passed")

    assert done.prompt == block("true")
    assert done.decided_by == flow.caller.person


async def test_who_chose_a_receiver_is_not_asked_again(flow):
    zone = await flow.zone("Ask", prompt=block("true"), target="ask")
    session = await flow.agor.sessions.create(flow.caller, SessionCreate(worktree_id=flow.worktree.id), flow.key())

    firing = await flow.fire(zone, session_id=session.id)

    assert firing.state == "passed"
    assert [run.session_id for run in firing.runs] == [session.id]


@pytest.mark.parametrize(("how", "field"), [("fork", "origin_id"), ("spawn", "parent_id")])
async def test_who_is_asked_says_how_a_session_gets_the_prompt(flow, how, field):
    zone = await flow.zone("Ask", prompt=block("true"), target="ask")
    session = await flow.agor.sessions.create(flow.caller, SessionCreate(worktree_id=flow.worktree.id), flow.key())
    firing = (await flow.drop(zone)).firing

    await flow.agor.firings.start(flow.caller, firing.id, FiringStart(session_id=session.id, how=how), flow.key())
    done = await flow.until(firing, "passed")

    made = await flow.agor.sessions.get(done.runs[0].session_id)
    assert made.id != session.id
    assert getattr(made, field) == session.id
    assert (done.policy.how, done.how) == ("prompt", how)


async def test_a_session_of_another_card_is_no_receiver(flow):
    zone = await flow.zone("Ask", prompt=block("true"), target="ask")
    other = await flow.card("other")
    session = await flow.agor.sessions.create(flow.caller, SessionCreate(worktree_id=other.id), flow.key())
    firing = (await flow.drop(zone)).firing

    with pytest.raises(errors.SessionNotFound):
        await flow.agor.firings.start(flow.caller, firing.id, FiringStart(session_id=session.id), flow.key())
    with pytest.raises(errors.SessionNotFound):
        await flow.drop(await flow.zone("Also", prompt=block("true")), session_id=session.id)


async def test_a_person_lets_the_card_move_on(flow):
    done = await flow.zone("Done")
    zone = await flow.zone("Review", prompt=block("true"), next=done, needs_approval=True)
    firing = await flow.fire(zone)
    assert (firing.state, await flow.where()) == ("approval", zone)

    answers = [await flow.agor.firings.approve(flow.caller, firing.id, "one-yes") for _ in range(3)]

    assert {answer.state.value for answer in answers} == {"passed"}
    assert answers[0].decided_by == flow.caller.person
    assert await flow.where() == done
    await flow.eventually(flow.lies_in, done)
    with pytest.raises(errors.FiringNotOpen):
        await flow.agor.firings.approve(flow.caller, firing.id, flow.key())


@pytest.mark.parametrize("has_place", [True, False])
async def test_a_rejected_card_goes_where_failed_cards_go_or_stays(flow, has_place):
    back, done = await flow.zone("Back"), await flow.zone("Done")
    zone = await flow.zone("Review", prompt=block("true"), next=done, on_failure=back if has_place else None, needs_approval=True)
    firing = await flow.fire(zone)

    rejected = await flow.agor.firings.reject(flow.caller, firing.id, flow.key())

    assert (rejected.state, rejected.reason) == ("failed", "Ann rejected it.")
    assert await flow.where() == (back if has_place else zone)


async def test_a_firing_is_run_again_where_the_card_still_lies(flow):
    zone = await flow.zone("Test", gates=[command("test -e there")])
    failed = await flow.fire(zone)
    assert failed.state == "failed"

    await flow.change(zone, gates=[command("true")])
    await flow.agor.zones.change(flow.caller, BOARD, zone, ZoneChange(policy=ZonePolicy(gates=[command("true")]), allow=True))
    again = [await flow.agor.firings.retry(flow.caller, failed.id, "again") for _ in range(3)]
    passed = await flow.settled(again[0])

    assert len({one.id for one in again}) == 1
    assert (passed.state, passed.retry_of, passed.arrival) == ("passed", failed.id, 2)
    assert len(await flow.firings()) == 2


async def test_a_card_that_left_is_not_run_again_there(flow):
    zone = await flow.zone("Build", prompt=block("true"))
    firing = await flow.fire(zone)
    await flow.drop(None)

    with pytest.raises(errors.CardElsewhere, match="not in zone 'Build'"):
        await flow.agor.firings.retry(flow.caller, firing.id, flow.key())


async def test_what_waits_is_withdrawn_and_the_card_returns(flow):
    first = await flow.zone("First")
    zone = await flow.zone("Paused", prompt=block("true"), is_paused=True)
    await flow.drop(first)
    place = await flow.agor.boards.card_at(BOARD, flow.worktree.id)
    firing = (await flow.drop(zone)).firing

    taken = await flow.agor.firings.withdraw(flow.caller, firing.id, flow.key())

    assert (taken.state, taken.reason) == ("withdrawn", "Ann took it back.")
    assert (await flow.where(), await flow.agor.boards.card_at(BOARD, flow.worktree.id)) == (first, place)
    assert (await flow.agor.sessions.page())[0] == b"[]"


async def test_a_turn_that_waits_in_a_queue_is_withdrawn(flow):
    zone = await flow.zone("Build", prompt=block("touch never"), target="latest")
    session = await flow.agor.sessions.create(
        flow.caller, SessionCreate(worktree_id=flow.worktree.id, prompt=block("sleep 60")), flow.key()
    )
    firing = await flow.until((await flow.drop(zone)).firing, "running")
    [turn] = await flow.turns(firing)
    assert turn.state == "queued"

    await flow.agor.firings.withdraw(flow.caller, firing.id, flow.key())

    assert (await flow.agor.turns.get(turn.id)).state == "cancelled"
    assert (await flow.agor.sessions.get(session.id)).queue == []


async def test_a_turn_that_runs_is_cancelled_when_its_card_is_taken_back(flow):
    zone = await flow.zone("Build", prompt=block("sleep 60"))
    firing = await flow.until((await flow.drop(zone)).firing, "running")
    turn = (await flow.turns(firing))[0]

    await flow.agor.firings.withdraw(flow.caller, firing.id, flow.key())

    async def state():
        return (await flow.agor.turns.get(turn.id)).state.value

    await flow.eventually(state, "cancelled")
    assert await flow.where() is None
    with pytest.raises(errors.FiringNotOpen):
        await flow.agor.firings.withdraw(flow.caller, firing.id, flow.key())


async def test_a_turn_that_runs_goes_on_when_its_card_leaves_but_moves_it_no_more(flow):
    done, other = await flow.zone("Done"), await flow.zone("Other")
    zone = await flow.zone("Build", prompt=block("while ! test -e go; do sleep 0.05; done"), next=done)
    firing = (await flow.drop(zone)).firing
    await flow.until(firing, "running")
    from pathlib import Path

    async def runs():
        turns = await flow.turns(await flow.agor.firings.get(firing.id))
        return turns[0].state.value

    await flow.eventually(runs, "running")

    await flow.drop(other)
    (Path(flow.worktree.path) / "go").touch()
    ended = await flow.settled(firing)

    assert ended.state == "passed"
    assert "had left" in ended.reason
    assert await flow.where() == other


# Gates


async def test_a_gate_before_the_prompt_keeps_it_from_being_sent(flow):
    zone = await flow.zone("Guarded", prompt=block("touch sent"), gates=[command("false", when="before")])

    firing = await flow.fire(zone)

    assert firing.state == "failed"
    assert [run.gate for run in firing.runs] == [0]
    assert firing.prompt is None


async def test_gates_run_in_order_before_and_after(flow):
    order = [command("echo 1 >> o", "before"), command("echo 4 >> o"), command("echo 2 >> o", "before"), command("echo 5 >> o")]
    zone = await flow.zone("Ordered", prompt=block("echo 3 >> o"), gates=order)

    firing = await flow.fire(zone)

    from pathlib import Path

    assert firing.state == "passed"
    assert (Path(flow.worktree.path) / "o").read_text().split() == ["1", "2", "3", "4", "5"]


async def test_a_gate_that_ran_before_runs_in_its_old_session(flow):
    zone = await flow.zone("Test", gates=[command("true")])
    first = await flow.fire(zone)
    await flow.drop(None)

    second = await flow.fire(zone)

    assert first.runs[0].session_id == second.runs[0].session_id
    assert first.runs[0].turn_id != second.runs[0].turn_id
    assert (await flow.agor.sessions.get(first.runs[0].session_id)).title == "Test: true"


async def test_no_line_of_a_gate_closes_its_block(flow):
    zone = await flow.zone("Ticks", gates=[command("printf '```\\n' | grep -q '```'\n```\ntouch outside")])

    firing = await flow.fire(zone)

    from pathlib import Path

    assert not (Path(flow.worktree.path) / "outside").exists()
    assert firing.state == "failed"


@pytest.mark.parametrize("passed", [True, False])
async def test_a_function_is_answered_by_a_kernel(flow, passed):
    done = await flow.zone("Done")
    zone = await flow.zone("Function", gates=[Gate(kind="function", run="has_rows", when="before")], next=done)
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "“has_rows”")

    verdict = FiringVerdict(gate=0, passed=passed, reason="no rows")
    await flow.agor.firings.verdict(flow.caller, firing.id, verdict, flow.key())
    ended = await flow.settled(firing)

    assert ended.state == ("passed" if passed else "failed")
    assert ended.reason == (None if passed else "The function “has_rows” says: no rows")
    assert await flow.where() == (done if passed else zone)


async def test_a_command_that_nobody_allowed_waits_for_an_owner(flow):
    zone = await flow.zone("Test", allow=False, gates=[command("true")])
    firing = (await flow.drop(zone)).firing

    async def asked():
        return [one.command for one in await flow.agor.permissions.list()]

    await flow.eventually(asked, ["true\n"])
    assert (await flow.agor.firings.get(firing.id)).state == "verifying"


async def test_a_rule_of_a_zone_allows_that_very_command_and_no_other(flow):
    """`pytest -q` is allowed, `pytest -q; rm -rf .` is another command, and outside of the zone all is asked."""
    zone = await flow.zone("Test", gates=[command("true")])
    await flow.fire(zone)
    await flow.change(zone, gates=[command("true; touch more")])
    await flow.drop(None)
    firing = (await flow.drop(zone)).firing

    async def asked():
        return [one.command for one in await flow.agor.permissions.list()]

    await flow.eventually(asked, ["true; touch more\n"])
    await flow.agor.firings.withdraw(flow.caller, firing.id, flow.key())


# On and on


async def test_a_circle_of_zones_ends_with_a_person(flow):
    here = await flow.zone("Here", gates=[command("true")])
    there = await flow.zone("There", gates=[command("true")], next=here)
    await flow.change(here, gates=[command("true")], next=there)

    await flow.drop(here)

    async def last():
        return (await flow.firings(limit=1))[0].state.value

    await flow.eventually(last, "approval")
    found = await flow.firings(limit=100)
    assert [one.hops for one in reversed(found)] == list(range(MAX_HOPS + 1))
    assert "circle" in found[0].waits_for
    approved = await flow.agor.firings.approve(flow.caller, found[0].id, flow.key())
    assert approved.state == "passed"
    assert (await flow.firings(limit=1))[0].hops in {0, 1, 2, 3}


async def test_a_circle_of_failures_ends_by_itself(flow):
    here = await flow.zone("Here", gates=[command("false")])
    there = await flow.zone("There", gates=[command("false")], on_failure=here)
    await flow.change(here, gates=[command("false")], on_failure=there)

    await flow.drop(here)

    async def count():
        found = await flow.firings(limit=100)
        return len(found), found[0].state.value

    await flow.eventually(count, (MAX_HOPS + 1, "failed"))
    assert "so the card stays" in (await flow.firings(limit=1))[0].reason


async def test_a_zone_that_moves_on_to_itself_ends(flow):
    zone = await flow.zone("Same", gates=[command("true")])
    await flow.change(zone, gates=[command("true")], next=zone)

    firing = await flow.fire(zone)

    assert (firing.state, firing.moved_to) == ("passed", None)
    assert len(await flow.firings()) == 1


async def test_who_brought_the_card_is_who_it_runs_for_to_the_end(flow, steerer):
    last = await flow.zone("Last", prompt=block("true"))
    zone = await flow.zone("First", prompt=block("true"), next=last)
    firing = (await flow.drop(zone, caller=steerer)).firing
    await flow.settled(firing)

    async def states():
        return [one.state.value for one in await flow.firings()]

    await flow.eventually(states, ["passed", "passed"])
    second, first = await flow.firings()
    assert (second.by, second.via, second.caused_by, second.hops) == (steerer.person, "zone", first.id, 1)
    assert {turn.created_by.username for one in (first, second) for turn in await flow.turns(one)} == {"ben"}


# To whom


@pytest.mark.parametrize(
    ("target", "how", "expected"),
    [
        ("new", "prompt", "new"),
        ("new", "fork", "new"),
        ("latest", "prompt", "itself"),
        ("latest", "fork", "fork"),
        ("latest", "spawn", "below"),
        ("each", "prompt", "both"),
        ("each", "fork", "both forks"),
    ],
)
async def test_to_whom_the_prompt_goes(flow, target, how, expected):
    first, latest = [
        await flow.agor.sessions.create(flow.caller, SessionCreate(worktree_id=flow.worktree.id, title=name), flow.key())
        for name in ("first", "latest")
    ]
    zone = await flow.zone("To whom", prompt=block("true"), target=target, how=how)

    firing = await flow.fire(zone)

    assert firing.state == "passed", firing
    got = [await flow.agor.sessions.get(run.session_id) for run in firing.runs]
    match expected:
        case "new":
            assert [one.id in {first.id, latest.id} for one in got] == [False]
            assert (got[0].origin_id, got[0].parent_id) == (None, None)
        case "itself":
            assert [one.id for one in got] == [latest.id]
        case "fork":
            assert [one.origin_id for one in got] == [latest.id]
        case "below":
            assert [one.parent_id for one in got] == [latest.id]
        case "both":
            assert {one.id for one in got} == {first.id, latest.id}
        case "both forks":
            assert {one.origin_id for one in got} == {first.id, latest.id}


@pytest.mark.parametrize("target", ["latest", "each"])
async def test_without_a_session_there_is_a_new_one(flow, target):
    zone = await flow.zone("Nobody there", prompt=block("true"), target=target)

    firing = await flow.fire(zone)

    assert firing.state == "passed"
    assert len(firing.runs) == 1


async def test_the_session_of_a_gate_is_nobody_s_latest(flow):
    gated = await flow.zone("Gated", gates=[command("true")])
    zone = await flow.zone("Latest", prompt=block("true"), target="latest")
    checked = await flow.fire(gated)

    firing = await flow.fire(zone)

    assert firing.runs[0].session_id != checked.runs[0].session_id


async def test_one_of_several_that_fails_fails_the_firing_when_all_have_ended(flow):
    for name in ("first", "second"):
        await flow.agor.sessions.create(flow.caller, SessionCreate(worktree_id=flow.worktree.id, title=name), flow.key())
    zone = await flow.zone("Each", prompt=block("mkdir only-one"), target="each")

    firing = await flow.fire(zone)

    assert firing.state == "failed"
    assert sorted(run.outcome for run in firing.runs) == ["failed", "passed"]


# What goes meanwhile


async def test_a_zone_that_goes_lets_what_waits_go_too(flow):
    zone = await flow.zone("Paused", prompt=block("true"), is_paused=True)
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "paused")

    await flow.agor.boards.remove(flow.caller, BOARD, zone)
    flow.agor.zones._engine.poke_zone(BOARD, zone)

    assert (await flow.settled(firing)).reason == "The zone was removed."


async def test_the_next_zone_may_be_gone_when_the_card_is_done(flow):
    done = await flow.zone("Done")
    zone = await flow.zone("Build", prompt=block("true"), needs_approval=True, next=done)
    firing = await flow.fire(zone)
    await flow.agor.boards.remove(flow.caller, BOARD, done)

    ended = await flow.agor.firings.approve(flow.caller, firing.id, flow.key())

    assert (ended.state, ended.moved_to) == ("passed", None)
    assert "is gone, so the card stays" in ended.reason
    assert await flow.where() == zone


@pytest.mark.parametrize("how", ["archived", "removed"])
async def test_a_worktree_that_goes_takes_its_firing_with_it(flow, how):
    zone = await flow.zone("Function", gates=[HOLD])
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "check")

    if how == "archived":
        await flow.agor.worktrees.archive(flow.caller, flow.worktree.id, flow.key())
    else:
        await flow.agor.worktrees.remove(flow.caller, flow.worktree.id, flow.key())
    ended = await flow.settled(firing)

    assert ended.state == "withdrawn"
    assert ("archived" if how == "archived" else "gone") in ended.reason


async def test_an_archived_card_arrives_nowhere(flow):
    zone = await flow.zone("Function", gates=[HOLD])
    await flow.agor.worktrees.archive(flow.caller, flow.worktree.id, flow.key())

    with pytest.raises(errors.WorktreeNotReady):
        await flow.drop(zone)


async def test_a_card_that_goes_to_another_board_leaves_its_zone(flow):
    zone = await flow.zone("Paused", prompt=block("true"), is_paused=True)
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "paused")

    await flow.agor.worktrees.change(flow.caller, flow.worktree.id, WorktreeChange(board="other.agor"))

    assert (await flow.settled(firing)).state == "withdrawn"
    assert await flow.where() is None


async def test_a_board_that_cannot_be_read_keeps_its_cards_waiting(flow, config):
    done = await flow.zone("Done")
    zone = await flow.zone("Function", gates=[HOLD], next=done)
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "check")
    path = config.root_dir / BOARD
    text = path.read_text()
    path.write_text("<<<<<<< ours\n" + text)

    await flow.agor.firings.verdict(flow.caller, firing.id, FiringVerdict(gate=0, passed=True), flow.key())
    await flow.waits(firing, "cannot be read")
    path.write_text(text)
    flow.agor.zones._engine._firings.poke(firing.id)

    assert (await flow.settled(firing)).moved_to == done


# Money


async def test_what_a_firing_costs_is_limited(fake, key):
    """Over the budget its turns are cancelled, also while they run."""
    from tests.services.zones.scene import Flow

    scene = await fake()
    flow = await Flow(scene.agor, scene.caller, key, scene.worktree).open()
    agent = scene.agor.agents.list()[0].agent.name
    zone = await flow.zone("Dear", allow=False, prompt="go", agent=agent, budget_usd=0.5)
    firing = await flow.until((await flow.drop(zone)).firing, "running")
    [turn] = await flow.turns(firing)
    await scene.until(turn, "running")

    await scene.agor.budgets.report(await scene.agor.turns.get(turn.id), 0.4)
    await asyncio.sleep(0.1)
    assert (await flow.agor.firings.get(firing.id)).state == "running"
    await scene.agor.budgets.report(await scene.agor.turns.get(turn.id), 0.75)
    ended = await flow.settled(firing)

    assert ended.state == "failed"
    assert "$0.75" in ended.reason
    assert "$0.50" in ended.reason
    assert ended.cost_usd == pytest.approx(0.75)


# Rights


async def test_a_mode_that_asks_less_needs_an_owner_wherever_it_is_said(flow, steerer):
    policy = {"prompt": block("true"), "agent": "script", "options": {"mode": "auto"}}
    zone = await flow.zone("Auto", allow=False, **policy)

    with pytest.raises(errors.NotAllowed):
        await flow.change(zone, caller=steerer, **policy)
    with pytest.raises(errors.NotAllowed):
        await flow.drop(zone, caller=steerer)
    plain = await flow.zone("Plain", prompt=block("true"))
    with pytest.raises(errors.NotAllowed):
        await flow.drop(plain, caller=steerer, agent="script", options={"mode": "auto"})

    assert await flow.firings() == []
    assert (await flow.fire(zone)).state == "passed"


async def test_a_mode_that_asks_less_is_not_reached_by_way_of_another_zone(flow, steerer):
    auto = await flow.zone("Auto", allow=False, prompt=block("touch reached"), agent="script", options={"mode": "auto"})
    zone = await flow.zone("First", gates=[command("true")], next=auto)
    await flow.drop(zone, caller=steerer)

    async def states():
        return [one.state.value for one in await flow.firings()]

    await flow.eventually(states, ["failed", "passed"])
    assert "owner" in (await flow.firings())[0].reason


@pytest.mark.parametrize("changes", [{"agent": "no-such"}, {"next": "ob_none"}, {"on_failure": "ob_none"}])
async def test_a_policy_that_names_what_is_not_there_is_refused(flow, changes):
    zone = await flow.zone("Zone")

    with pytest.raises((errors.AgentNotFound, errors.BadRequest)):
        await flow.change(zone, prompt="go", **changes)

    assert await flow.policy(zone) is None


# Agents


async def test_an_agent_brings_cards_where_nothing_starts_and_where_it_may(flow):
    agent = flow.caller.replace(person=flow.caller.person.replace(username="agent:se_1", name="script in “x”"), role="steerer")
    plain = await flow.zone("Plain")
    closed = await flow.zone("Closed", prompt=block("true"))
    open_ = await flow.zone("Open", prompt=block("true"), agents_may_enter=True, asks_first=True)

    async def bring(zone):
        worktree = await flow.agor.worktrees.get(flow.worktree.id)
        return await flow.agor.zones.drop_as_agent(agent, worktree, zone, flow.key())

    assert (await bring(plain)).zone_id == plain
    with pytest.raises(errors.NotAllowed):
        await bring(closed)
    fired = await bring(open_)
    assert (fired.firing.via, fired.firing.state) == ("agent", "asking")
    with pytest.raises(errors.NotAllowed):
        await bring(plain)  # a person has to say yes first
    assert await flow.where() == open_


@pytest.mark.parametrize("policy", [{"gates": [HOLD]}, {"prompt": block("true"), "needs_approval": True}])
async def test_an_agent_moves_no_card_past_a_gate_or_a_person(flow, policy):
    agent = flow.caller.replace(role="steerer")
    plain = await flow.zone("Plain")
    zone = await flow.zone("Guarded", **policy)
    firing = (await flow.drop(zone)).firing
    await flow.until(firing, "verifying", "approval")

    with pytest.raises(errors.NotAllowed, match="past a gate or a person"):
        await flow.agor.zones.drop_as_agent(agent, await flow.agor.worktrees.get(flow.worktree.id), plain, flow.key())


# Beforehand


async def test_a_preview_says_what_will_happen_and_does_nothing(flow):
    done = await flow.zone("Done")
    zone = await flow.zone(
        "Build", prompt=block("echo {{ worktree.branch }}"), gates=[command("pytest -q")], next=done, needs_approval=True, limit=1
    )

    seen = await flow.agor.zones.preview(flow.caller, flow.worktree.id, ZoneDrop(zone_id=zone))

    assert seen.text == "Starts Script in a new session, then runs pytest -q, then waits for a person's approval, then moves to Done."
    assert (seen.starts, seen.waits, seen.prompt, seen.problem) == (True, None, block("echo fix"), None)
    assert await flow.firings() == []
    assert await flow.where() is None


async def test_a_policy_is_tried_before_it_is_saved_also_where_the_card_lies_and_not_by_a_viewer(flow, viewer):
    zone = await flow.zone("Draft", prompt=block("true"))
    await flow.fire(zone)
    drop, tried = ZoneDrop(zone_id=zone), ZonePolicy(prompt=block("echo {{ worktree.name }}"), is_on=False)

    seen = await flow.agor.zones.preview(flow.caller, flow.worktree.id, drop, tried)
    wrong = await flow.agor.zones.preview(flow.caller, flow.worktree.id, drop, tried.replace(prompt="one\n{{ worktree.nam }}"))

    assert (seen.prompt, seen.starts, seen.problem) == (block("echo fix"), False, None)
    assert (wrong.prompt, wrong.problem_line) == (None, 2)
    assert "worktree.name" in wrong.problem
    assert (await flow.policy(zone)).prompt == block("true")
    with pytest.raises(errors.NotAllowed):
        await flow.agor.zones.preview(viewer, flow.worktree.id, drop, tried)


async def test_a_preview_says_why_it_would_wait_and_what_is_wrong(flow):
    zone = await flow.zone("Build", prompt="a\n{{ worktree.nam }}", is_paused=True)

    seen = await flow.agor.zones.preview(flow.caller, flow.worktree.id, ZoneDrop(zone_id=zone))

    assert seen.waits == "The zone is paused."
    assert seen.problem_line == 2
    assert "worktree.name" in seen.problem


async def test_moving_the_zone_keeps_its_cards_meaning(flow):
    zone = await flow.zone("Function", gates=[HOLD])
    firing = (await flow.drop(zone)).firing
    await flow.waits(firing, "check")

    await flow.agor.boards.move(flow.caller, BOARD, zone, ObjectMove(x=9000, y=9000, width=300, height=300))
    await flow.agor.firings.verdict(flow.caller, firing.id, FiringVerdict(gate=0, passed=True), flow.key())

    assert (await flow.settled(firing)).state == "passed"
    assert len(await flow.firings()) == 1
