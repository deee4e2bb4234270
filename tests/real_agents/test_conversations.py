"""A conversation outlives the agent's process, and those of one repository do not disturb each other."""

import asyncio

from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.processes import table
from tests.real_agents.stage import PATIENCE_S, Stage


async def test_three_sessions_work_in_one_repository_at_once(stage):
    worktrees = [stage.worktree]
    for name in ("second", "third"):
        made = await stage.agor.worktrees.create(stage.caller, WorktreeCreate(repo=stage.worktree.repo_id, name=name), stage.key())
        worktrees.append(await stage.agor.worktrees.wait_ready(made.id))
    stages = [Stage(stage.agor, stage.caller, stage.key, one, kit=stage.kit, model=stage.model, table=stage.table) for one in worktrees]
    sessions = [await one.begin() for one in stages]

    turns = await asyncio.gather(
        *(
            one.play(
                session, one.write("mine.txt", f"{number}\n"), {"do": "shell", "cmd": "sleep 0.5; git status --short"}, {"text": "Ok."}
            )
            for number, (one, session) in enumerate(zip(stages, sessions, strict=True))
        )
    )

    assert [(turn.state, turn.error, turn.files) for turn in turns] == [("done", None, 1)] * 3
    assert [(one.folder / "mine.txt").read_text() for one in stages] == ["0\n", "1\n", "2\n"]
    for one, turn in zip(stages, turns, strict=True):
        assert "?? mine.txt" in await one.text(turn) or not stage.kit.agent.capabilities.reports_output


async def test_a_session_at_rest_gives_up_its_process_and_comes_back_with_its_memory(stage):
    session = await stage.begin()
    await stage.play(session, {"text": "The password is heron."})
    first = (await stage.agor.sessions.get(session.id)).agent_session_id
    await stage.age()

    await stage.agor.runner.dismiss([session.id])
    left = stage.table.survivors(within_s=10)
    asked = len(stage.model.requests)
    turn = await stage.play(session, {"text": "I remember."})

    assert left == []
    assert turn.state == "done"
    assert (await stage.agor.sessions.get(session.id)).agent_session_id == first
    if stage.kit.remembers:
        assert any("The password is heron." in request for request in stage.model.requests[asked:])


async def test_an_agent_that_is_killed_fails_its_turn_and_the_next_one_remembers(stage):
    session = await stage.begin()
    await stage.play(session, {"text": "The password is heron."})
    turn = await stage.say(session, {"text": "slowly, ", "times": 1000, "chunk": 8, "delay": 0.1})
    answering = asyncio.create_task(stage.see_through(turn))
    await stage.wait_for_text(turn, "slowly, slowly, ")

    for process in sorted(stage.table.ours()):  # the agent before what it started, or it could tell
        if "shim.py" not in stage.table.show(process):
            table.kill(process)
    turn = await stage.ended(turn, timeout=PATIENCE_S)

    await answering
    assert (turn.state, turn.error_code) == ("failed", "agent_failed")
    assert "SIGKILL" in turn.error
    asked = len(stage.model.requests)
    again = await stage.play(session, {"text": "Here again."})
    assert again.state == "done"
    if stage.kit.remembers:
        assert any("The password is heron." in request for request in stage.model.requests[asked:])
