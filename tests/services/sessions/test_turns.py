"""Turns: limits, ends of every kind, and what a person may decide afterwards. Agents are fakes where the moment matters."""

import asyncio
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.sessions import Prompt, Usage
from agor_jupyter.domain.turns import ENDED, NEXT, TurnState
from agor_jupyter.services import transitions
from agor_jupyter.storage import runs
from agor_jupyter.storage.store import Store
from tests.fakes import FakeClock
from tests.scene import Scene
from tests.services.sessions.test_watchdog import SHORT, silence, stalled


async def _prompt(scene: Scene, session, text="go"):
    return await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key())


async def _states(scene, turns):
    return sorted([(await scene.agor.turns.get(turn.id)).state.value for turn in turns])


async def test_at_most_two_agents_start_and_the_rest_waits_visibly(fake):
    scene = await fake(max_starting=2, max_running=8)
    scene.agor.fakes.may_start.clear()
    turns = [await _prompt(scene, await scene.session(), f"p{k}") for k in range(5)]
    await scene.eventually(lambda: scene.agor.fakes.starting == 2)
    await scene.eventually(lambda: len(scene.agor._waiting.starting.line) == 3)

    await scene.eventually_async(lambda: _states(scene, turns), ["queued"] * 3 + ["starting"] * 2)

    scene.agor.fakes.may_start.set()
    for turn in turns:
        await scene.until(turn, "running")
    assert scene.agor.fakes.most_starting == 2


async def test_a_session_is_as_its_last_turn_ended_though_a_retry_before_it_has_a_higher_number(fake):
    scene = await fake()
    session = await scene.session()
    first, agent = await scene.running(session, "first")
    agent.finish("refusal")
    await scene.ended(first)
    await scene.running(session, "second")
    third = await _prompt(scene, session, "third")
    again = await scene.agor.turns.retry(scene.caller, first.id, scene.key())
    for turn, ending in ((again, "refusal"), (third, "end_turn")):
        agent.finish()
        await scene.until(turn, "running")
        await scene.eventually(lambda: agent._turn is not None)
        agent.finish(ending)
        await scene.ended(turn)

    session = await scene.consistent(session)

    assert again.number > third.number
    assert (session.state.value, session.last_turn_id) == ("done", third.id)


async def test_only_so_many_work_and_one_that_waits_for_a_person_lets_another_work(fake):
    scene = await fake(max_running=2)
    sessions = [await scene.session() for _ in range(3)]
    first, agent = await scene.running(sessions[0], "p0")
    second, _ = await scene.running(sessions[1], "p1")
    third = await _prompt(scene, sessions[2], "p2")
    await scene.eventually(lambda: list(scene.agor._waiting.running.line) == [sessions[2].id])
    assert await _states(scene, [first, second, third]) == ["queued", "running", "running"]

    asking = agent.ask()

    await scene.until(third, "running")
    assert await _states(scene, [first, second, third]) == ["running", "running", "waiting"]
    await scene.allow(first)
    scene.agor.fakes.started[-1].finish()
    assert await asking == "yes"


@pytest.mark.parametrize(
    ("reason", "state", "words"),
    [
        ("end_turn", "done", None),
        ("refusal", "failed", "refused"),
        ("max_tokens", "failed", "token limit"),
        ("max_turn_requests", "failed", "requests"),
        ("something_new", "failed", "something_new"),
        ("cancelled", "cancelled", None),
    ],
)
async def test_how_a_turn_ends_follows_from_what_the_agent_says(fake, reason, state, words):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)

    agent.finish(reason)
    turn = await scene.ended(turn)

    assert (turn.state.value, turn.stop_reason) == (state, reason)
    assert (words in turn.error) if words else turn.error is None
    await scene.consistent(session)


async def test_usage_is_kept_for_the_turn_and_summed_for_the_session(fake):
    scene = await fake()
    session = await scene.session()
    for k in range(2):
        turn, agent = await scene.running(session, f"p{k}")
        agent.finish(usage=Usage(input_tokens=10, output_tokens=2, cost_usd=0.25, context_used=100 + k, context_size=1000))
        turn = await scene.ended(turn)
        assert (turn.input_tokens, turn.output_tokens, turn.cost_usd) == (10, 2, 0.25)

    usage = (await scene.agor.sessions.get(session.id)).usage

    assert usage == Usage(input_tokens=20, output_tokens=4, cost_usd=0.5, context_used=101, context_size=1000)


async def test_an_agent_that_dies_fails_its_turn_and_the_session_is_usable_again(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "sleep 60")
    await scene.allow(turn)
    [row] = await scene.agor.store.read(runs.every)
    children = [int(pid) for pid in Path(f"/proc/{row.pid}/task/{row.pid}/children").read_text().split()]

    os.kill(children[0], signal.SIGKILL)
    turn = await scene.ended(turn)

    assert (turn.state, turn.error_code) == (TurnState.FAILED, "agent_failed")
    assert "SIGKILL" in turn.error
    again = await scene.prompt(session, "true")
    await scene.allow(again)
    again = await scene.ended(again)
    assert again.state is TurnState.DONE
    assert again.run_id != turn.run_id
    await scene.consistent(session)


async def test_a_turn_cancelled_before_its_agent_starts_leaves_no_run(fake, monkeypatch):
    scene = await fake()
    session = await scene.session()
    looked = asyncio.Event()

    async def look(_worktree, _agent):
        looked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(scene.agor.trusts, "look", look)
    turn = await _prompt(scene, session)
    await looked.wait()

    await scene.agor.turns.cancel(scene.caller, turn.id)

    assert (await scene.ended(turn)).state is TurnState.CANCELLED
    assert await scene.agor.store.read(runs.every) == []


async def test_a_turn_cancelled_while_its_agent_starts_never_reaches_it(fake):
    scene = await fake()
    session = await scene.session()
    scene.agor.fakes.may_start.clear()
    turn = await _prompt(scene, session)
    await scene.until(turn, "starting")

    await scene.agor.turns.cancel(scene.caller, turn.id)
    turn = await scene.ended(turn)

    assert (turn.state, turn.ended_by) == (TurnState.CANCELLED, scene.caller.person)
    scene.agor.fakes.may_start.set()
    assert await scene.agor.store.read(runs.every) == []
    other, agent = await scene.running(session, "next")
    assert [one.prompts for one in scene.agor.fakes.started] == [["next"]]
    agent.finish()
    await scene.ended(other)


async def test_what_a_person_cancelled_is_cancelled_whatever_the_agent_says_last(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.cancel = lambda: agent.finish("end_turn")

    await scene.agor.turns.cancel(scene.caller, turn.id)

    assert (await scene.ended(turn)).state is TurnState.CANCELLED


async def test_an_idle_process_is_stopped_and_the_next_prompt_resumes_its_conversation(fake):
    scene = await fake(idle_timeout=timedelta(milliseconds=100))
    session = await scene.session()
    turn, first = await scene.running(session, "one")
    first.finish()
    await scene.ended(turn)
    await scene.eventually(lambda: first.is_stopped)
    await scene.eventually(lambda: not scene.agor.runner._loops)
    assert await scene.agor.store.read(runs.every) == []

    turn, second = await scene.running(session, "two")
    second.finish()
    await scene.ended(turn)

    assert second.opened_with == first.agent_session_id
    notices = [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert [notice["code"] for notice in notices] == ["resumed"]


async def test_a_conversation_that_cannot_be_brought_back_says_so(fake):
    scene = await fake(idle_timeout=timedelta(0))
    session = await scene.session()
    turn, first = await scene.running(session, "one")
    first.finish()
    await scene.ended(turn)
    await scene.eventually(lambda: not scene.agor.runner._loops)
    scene.agor.fakes.can_bring_back = False
    turn, second = await scene.running(session, "two")
    second.finish()
    await scene.ended(turn)

    notices = [event["body"]["code"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert notices == ["not_resumed"]
    assert (await scene.agor.sessions.get(session.id)).agent_session_id == second.agent_session_id


async def test_a_silent_turn_is_told_of_once(fake):
    scene = await fake(FakeClock(), stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    scene.agor.clock.let_pass(1)
    await scene.eventually_async(lambda: stalled(scene, session), True)
    await silence(scene)  # it lasts, and others are told of
    agent.finish()
    await scene.ended(turn)

    notices = [event["body"]["code"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert notices == ["stalled"]


async def test_a_turn_that_waits_for_a_person_is_not_silent(fake):
    scene = await fake(FakeClock(), stall_timeout=SHORT)
    session = await scene.session()
    turn, agent = await scene.running(session)
    asking = agent.ask()
    await scene.until(turn, "waiting")
    await silence(scene)
    await scene.allow(turn)
    assert await asking == "yes"
    agent.finish()
    await scene.ended(turn)

    assert "notice" not in [event["body"]["kind"] for event in await scene.transcript(session)]


async def test_cancel_in_the_middle_of_text_keeps_what_was_said_and_who_stopped_it(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    await agent.say("I will now")

    stopping = await scene.agor.sessions.cancel(scene.caller, session.id, scene.key())
    turn = await scene.ended(turn)

    assert stopping.state is TurnState.STOPPING
    assert (turn.state, turn.ended_by.name, turn.stop_reason) == (TurnState.CANCELLED, "Ann", "cancelled")
    events = await scene.transcript(session)
    assert [event["body"]["text"] for event in events if event["body"]["kind"] == "text"] == ["I will now"]
    assert events[-1]["body"]["kind"] == "turn_ended"


async def test_a_turn_that_ends_while_the_disk_is_full_is_written_down_when_there_is_space(fake, monkeypatch, caplog):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    monkeypatch.setattr("agor_jupyter.services.sessions.running.endings._RETRY_S", 0.05)
    pages = await scene.agor.store.write(lambda t: t.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    await scene.agor.store.write(lambda t: t.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    await agent.say("x" * 100_000)
    agent.finish()
    await scene.eventually(lambda: sum(record.levelname == "WARNING" for record in caplog.records) >= 2)  # it was tried
    assert (await scene.agor.turns.get(turn.id)).state is TurnState.RUNNING
    with pytest.raises(errors.StorageFull):
        await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="y" * 100_000), scene.key())

    await scene.agor.store.write(lambda t: t.connection.exec_driver_sql("PRAGMA max_page_count=1000000"))
    turn = await scene.ended(turn)

    assert turn.state is TurnState.DONE
    texts = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "text"]
    assert texts == ["x" * 100_000]


async def test_retry_sends_the_same_prompt_next(scene):
    session = await scene.session()
    failed, later = await scene.prompt(session, "exit 1"), await scene.prompt(session, "true")
    await scene.allow(failed)
    await scene.ended(failed)
    await scene.until(later, "waiting")
    last = await scene.prompt(session, "true")
    key = scene.key()

    retried = await scene.agor.turns.retry(scene.caller, failed.id, key)

    assert (retried.prompt, retried.retry_of, retried.number) == (failed.prompt, failed.id, 4)
    assert (await scene.agor.turns.retry(scene.caller, failed.id, key)) == retried
    assert (await scene.consistent(session)).queue == [retried.id, last.id]
    with pytest.raises(errors.TurnNotOpen):
        await scene.agor.turns.discard(scene.caller, failed.id, scene.key())
    with pytest.raises(errors.TurnNotOpen):
        await scene.agor.turns.retry(scene.caller, later.id, scene.key())


async def test_the_figures_of_a_patch_count_lines(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "git rm -q model.sql; git -c user.name=a -c user.email=a@b commit -qm gone; echo x > y")
    await scene.allow(turn)

    turn = await scene.ended(turn)

    assert turn.commit_after != turn.commit_before
    assert (turn.files, turn.added, turn.deleted) == (2, 1, 1)


@pytest.mark.parametrize("state", list(TurnState))
async def test_no_turn_takes_a_step_that_is_not_in_the_table(fake, state):
    scene = await fake()
    session = await scene.session()
    scene.agor.fakes.may_start.clear()
    turn = (await _prompt(scene, session)).replace(state=state)
    wrong = [other for other in TurnState if other not in NEXT[state]]

    for other in wrong:
        with pytest.raises(errors.TurnNotOpen):
            await scene.agor.store.write(lambda t, other=other: transitions.move(t, turn, other, scene.agor.clock.now()))

    assert set(wrong) >= {TurnState.QUEUED} if state in ENDED else wrong


async def test_a_crash_inside_the_server_fails_the_turn_and_not_the_session(fake, caplog):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session, "one")
    agent.fail(ZeroDivisionError("ours"))

    turn = await scene.ended(turn)

    assert (turn.state, turn.error_code) == (TurnState.FAILED, "internal")
    assert "ours" not in turn.error
    second, agent = await scene.running(session, "two")
    agent.finish()
    assert (await scene.ended(second)).state is TurnState.DONE


async def test_an_orderly_stop_leaves_turns_interrupted_and_the_queue_as_it_was(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    later = await _prompt(scene, session, "later")
    start = time.monotonic()

    await scene.agor.__aexit__(None, None, None)

    assert time.monotonic() - start < 30
    assert agent.is_stopped
    store = Store(scene.agor.store.url)
    store.start()
    from agor_jupyter.storage import sessions, turns

    assert (await store.read(turns.get, turn.id)).state is TurnState.INTERRUPTED
    assert (await store.read(turns.get, later.id)).state is TurnState.QUEUED
    assert (await store.read(sessions.get, session.id)).state.value == "interrupted"
    assert await store.read(runs.every) == []
    store.close()
