"""Sessions with the real `script` agent: real git, real SQLite, real processes."""

import asyncio
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.sessions import Answer, Prompt, SessionChange, SessionCreate, SessionState
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.domain.worktrees import WorktreeChange
from agor_jupyter.processes import table
from agor_jupyter.storage import runs
from tests.scene import sh


async def test_a_turn_runs_records_what_git_saw_and_counts_it(scene):
    session = await scene.session()
    assert session.state is SessionState.IDLE
    turn = await scene.prompt(session, "echo hello; printf 'a\\nb\\n' > new.txt; echo more >> README.md")
    assert turn.state is TurnState.QUEUED
    await scene.allow(turn)

    turn = await scene.ended(turn)

    assert (turn.state, turn.stop_reason, turn.error) == (TurnState.DONE, "end_turn", None)
    assert (turn.files, turn.added, turn.deleted) == (2, 3, 0)
    assert turn.commit_before == turn.commit_after == scene.worktree.base_sha
    assert (turn.dirty_before, turn.dirty_after) == (False, True)
    assert turn.seconds > 0
    assert {file.path for file in (await scene.agor.turns.patch(turn.id)).files} == {"new.txt", "README.md"}
    session = await scene.consistent(session)
    assert session.state is SessionState.DONE
    assert session.agent_session_id
    kinds = [event["body"]["kind"] for event in await scene.transcript(session)]
    assert kinds[0] == "prompt"
    assert kinds[-1] == "turn_ended"
    assert {"tool_call", "permission_asked", "permission_settled"} <= set(kinds)
    assert session.last_seq == len(kinds)


async def test_a_block_that_fails_fails_the_turn_and_the_session_goes_on(scene):
    session = await scene.session()
    first, second = await scene.prompt(session, "exit 3"), await scene.prompt(session, "true")
    await scene.allow(first)

    first = await scene.ended(first)
    await scene.allow(second)
    second = await scene.ended(second)

    assert first.state is TurnState.FAILED
    assert "3" in first.error
    assert second.state is TurnState.DONE
    assert first.run_id == second.run_id  # the process is used again
    await scene.consistent(session)


async def test_prompts_wait_their_turn_and_run_in_order(scene):
    session = await scene.session()
    turns = [await scene.prompt(session, f"echo {k} >> order") for k in range(3)]
    await scene.until(turns[0], "waiting")
    assert (await scene.consistent(session)).queue == [turns[1].id, turns[2].id]

    await scene.agor.sessions.change(scene.caller, session.id, SessionChange(queue=[turns[2].id, turns[1].id]))
    for turn in (turns[0], turns[2], turns[1]):
        await scene.allow(turn)
        await scene.ended(turn)

    assert Path(scene.worktree.path, "order").read_text().split() == ["0", "2", "1"]


async def test_only_the_whole_queue_can_be_ordered(scene):
    session = await scene.session()
    turns = [await scene.prompt(session, "true") for _ in range(3)]
    await scene.until(turns[0], "waiting")

    for wrong in ([turns[1].id], [turns[1].id, turns[1].id], [turns[0].id, turns[1].id, turns[2].id], []):
        with pytest.raises(errors.Conflict):
            await scene.agor.sessions.change(scene.caller, session.id, SessionChange(queue=wrong))

    assert (await scene.agor.sessions.get(session.id)).queue == [turns[1].id, turns[2].id]


async def test_a_waiting_turn_is_taken_out_of_the_queue(scene):
    session = await scene.session()
    first, second, third = [await scene.prompt(session, f"echo {k} >> ran") for k in range(3)]
    await scene.until(first, "waiting")

    cancelled = await scene.agor.turns.cancel(scene.caller, second.id)
    for turn in (first, third):
        await scene.allow(turn)
        await scene.ended(turn)

    assert cancelled.state is TurnState.CANCELLED
    assert cancelled.ended_by == scene.caller.person
    assert Path(scene.worktree.path, "ran").read_text().split() == ["0", "2"]
    assert (await scene.agor.turns.cancel(scene.caller, second.id)).state is TurnState.CANCELLED
    with pytest.raises(errors.TurnNotOpen):
        await scene.agor.turns.cancel(scene.caller, first.id)


async def test_cancel_in_the_middle_of_a_question_withdraws_it(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "echo no > file")
    question = await scene.question(turn)

    stopping = await scene.agor.sessions.cancel(scene.caller, session.id, scene.key())
    turn = await scene.ended(turn)

    assert stopping.state is TurnState.STOPPING
    assert (turn.state, turn.ended_by) == (TurnState.CANCELLED, scene.caller.person)
    assert (await scene.agor.permissions.get(question.id)).state.value == "withdrawn"
    assert not os.path.exists(os.path.join(scene.worktree.path, "file"))
    with pytest.raises(errors.AlreadyAnswered):
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id=question.options[0].id), scene.key())
    again = await scene.prompt(session, "true")
    await scene.allow(again)
    assert (await scene.ended(again)).state is TurnState.DONE


async def test_cancel_in_the_middle_of_a_tool_kills_what_it_started(scene, tmp_path):
    session = await scene.session()
    turn = await scene.prompt(
        session, "nohup setsid sleep 77 >/dev/null 2>&1 &", "env -i setsid sleep 77 &", "echo started > started", "sleep 77"
    )
    await scene.allow(turn)
    while not os.path.exists(os.path.join(scene.worktree.path, "started")):
        await asyncio.sleep(0.01)
    run_id = (await scene.agor.turns.get(turn.id)).run_id
    before = await asyncio.to_thread(table.marked, run_id)

    await scene.agor.turns.cancel(scene.caller, turn.id)
    start = time.monotonic()
    turn = await scene.ended(turn)

    assert len(before) >= 3
    assert turn.state is TurnState.CANCELLED
    assert time.monotonic() - start < 50
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 77" not in listed
    assert (await scene.agor.turns.patch(turn.id)).files[0].path == "started"


async def test_two_clients_that_send_the_same_command_make_one_session_and_one_turn(scene):
    request, key = SessionCreate(worktree_id=scene.worktree.id, prompt="```sh\ntrue\n```"), scene.key()

    made = await asyncio.gather(*[scene.agor.sessions.create(scene.caller, request, key) for _ in range(10)])

    assert len({session.id for session in made}) == 1
    assert len(await scene.agor.turns.list(made[0].id)) == 1
    prompt_key, prompt = scene.key(), sh("true")
    turns = await asyncio.gather(*[scene.agor.sessions.prompt(scene.caller, made[0].id, prompt, prompt_key) for _ in range(10)])
    assert len({turn.id for turn in turns}) == 1


async def test_the_title_is_the_first_line_that_says_something(scene):
    session = await scene.session()
    assert session.title == "script"
    await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="\n## Fix the *keys*\n\nmore"), scene.key())
    assert (await scene.agor.sessions.get(session.id)).title == "Fix the *keys*"


async def test_what_cannot_start_is_refused_with_a_reason(scene, viewer, key):
    agor = scene.agor
    with pytest.raises(errors.AgentNotFound, match="script"):
        await scene.session(agent="nobody")
    with pytest.raises(errors.WorktreeNotFound):
        await agor.sessions.create(scene.caller, SessionCreate(worktree_id="wt_none"), key())
    with pytest.raises(errors.SessionNotFound):
        await agor.sessions.prompt(scene.caller, "se_none", sh("true"), key())
    with pytest.raises(errors.SessionNotFound):
        await scene.session(parent_id="se_none")
    session = await scene.session()
    with pytest.raises(errors.NotAllowed):
        await agor.sessions.prompt(viewer, session.id, sh("true"), key())
    with pytest.raises(errors.NotAllowed):
        await agor.sessions.create(viewer, SessionCreate(worktree_id=scene.worktree.id), key())
    with pytest.raises(errors.Conflict):
        await agor.sessions.cancel(scene.caller, session.id)
    assert await agor.turns.list(session.id) == []


async def test_a_session_is_put_away_only_at_rest(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "true")
    await scene.until(turn, "waiting")
    with pytest.raises(errors.SessionBusy):
        await scene.agor.sessions.archive(scene.caller, session.id)
    await scene.allow(turn)
    await scene.ended(turn)

    archived = await scene.agor.sessions.archive(scene.caller, session.id)

    assert archived.archived_at is not None
    assert json.loads((await scene.agor.sessions.page())[0]) == []
    assert len(json.loads((await scene.agor.sessions.page(include_archived=True))[0])) == 1
    with pytest.raises(errors.SessionBusy):
        await scene.prompt(session, "true")


async def test_a_worktree_in_which_a_turn_waits_or_runs_is_live(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "true")
    await scene.until(turn, "waiting")
    with pytest.raises(errors.Conflict):
        await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())
    await scene.allow(turn)
    await scene.ended(turn)
    [row] = await scene.agor.store.read(runs.every)
    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())

    assert table.start_ticks(row.pid) is None  # the agent at rest does not outlive its folder
    with pytest.raises(errors.WorktreeNotReady):
        await scene.prompt(session, "true")


async def test_pages_go_on_where_they_ended_with_any_filter(scene):
    sessions = [await scene.session(title=f"s{k}") for k in range(7)]
    made = [session.id for session in sorted(sessions, key=lambda session: (session.updated_at, session.id))]

    for filters in ({}, {"agent": "script"}, {"person": "ann"}, {"state": SessionState.IDLE}, {"worktree": scene.worktree.id}):
        seen, cursor = [], None
        while True:
            items, cursor = await scene.agor.sessions.page(limit=3, before=cursor, **filters)
            seen += [item["id"] for item in json.loads(items)]
            if cursor is None:
                break
        assert seen == made[::-1], filters
    assert json.loads((await scene.agor.sessions.page(agent="other"))[0]) == []
    with pytest.raises(errors.BadRequest):
        await scene.agor.sessions.page(before="nonsense")


async def test_the_run_is_recorded_while_its_process_lives_and_forgotten_when_it_is_gone(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "true")
    await scene.until(turn, "waiting")
    [row] = await scene.agor.store.read(runs.every)
    assert table.start_ticks(row.pid) == row.start_ticks

    await scene.agor.runner.close()

    assert await scene.agor.store.read(runs.every) == []
    assert table.start_ticks(row.pid) is None


async def test_sessions_go_with_their_worktree_to_another_board(scene):
    session = await scene.session()

    await scene.agor.worktrees.change(scene.caller, scene.worktree.id, WorktreeChange(board="other.agor"))

    assert (await scene.agor.sessions.get(session.id)).board == "other.agor"
    assert [item["id"] for item in json.loads((await scene.agor.sessions.page(board="other.agor"))[0])] == [session.id]


async def test_the_stored_last_line_and_number_are_those_of_the_transcript(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "true")
    await scene.allow(turn)
    await scene.ended(turn)

    found = await scene.agor.sessions.get(session.id)

    events = await scene.transcript(session)
    assert found.last_seq == events[-1]["seq"]
    assert found.last_line
    [listed] = json.loads((await scene.agor.sessions.page())[0])
    assert listed == json.loads(found.model_dump_json())


async def test_a_prompt_that_comes_while_its_loop_is_dismissed_is_not_forgotten(fake):
    scene = await fake(max_running=1)
    first, agent = await scene.running(await scene.session(), "first")
    waiting = await scene.session()
    turn = await scene.agor.sessions.prompt(scene.caller, waiting.id, Prompt(text="second"), scene.key())
    await scene.eventually(lambda: scene.agor._waiting.running.line == [waiting.id])

    await scene.agor.runner.dismiss([waiting.id])
    agent.finish()

    await scene.ended(first)
    await scene.until(turn, "running")


@pytest.mark.parametrize("stops_soon", [True, False], ids=["stopped soon", "dismissed"])
async def test_a_loop_that_is_about_to_rest_is_not_forgotten(fake, stops_soon):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    checking, may_go_on = asyncio.Event(), asyncio.Event()

    async def check():
        checking.set()
        await may_go_on.wait()

    scene.agor.budgets.check = check
    agent.finish()
    await scene.ended(turn)
    await checking.wait()

    if stops_soon:
        scene.agor.runner.stop_soon(session.id)
        may_go_on.set()
    else:
        dismissing = asyncio.create_task(scene.agor.runner.dismiss([session.id]))
        await asyncio.sleep(0)
        may_go_on.set()
        await dismissing
        assert agent.is_stopped

    await scene.eventually(lambda: agent.is_stopped)


async def test_a_loop_that_claims_a_turn_is_not_dismissed(fake):
    scene = await fake()
    session = await scene.session()
    begun, blocked = threading.Event(), threading.Event()
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go"), scene.key())
    scene.agor.store.write(lambda _: (begun.set(), blocked.wait(50)))  # the writer is busy while the loop claims
    await asyncio.to_thread(begun.wait, 50)

    dismissing = asyncio.create_task(scene.agor.runner.dismiss([session.id]))
    await asyncio.sleep(0.05)
    blocked.set()
    await dismissing

    await scene.until(turn, "running")
