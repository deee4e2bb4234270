"""The server is killed at each step of a turn that no prompt began. Nothing is lost, nothing is there twice. The agent is real."""

import collections
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.processes import table
from agor_jupyter.services.app import Agor
from agor_jupyter.services.crash import CRASH_POINTS
from agor_jupyter.services.sessions.recovery import INTERRUPTED
from agor_jupyter.storage import runs
from tests.scene import Scene
from tests.services.sessions.test_continuations import bodies, continued, lingering, prompt, text

VICTIM = """
import asyncio, json, sys, uuid
from datetime import timedelta
from pathlib import Path
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Answer, SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository, agent, steps = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
agent = AgentType.model_validate_json(agent)
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
key = lambda: uuid.uuid4().hex

async def main():
    quiet = timedelta(seconds=0.4)
    config = Config(data_dir=data, root_dir=root, allowed_roots=(root,), agents=(agent,), quiet_time=quiet, sandbox="off")
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), key())
        made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), key())
        worktree = await app.worktrees.wait_ready(made.id)
        steps_there = steps.replace("WORKTREE", worktree.path)
        session = await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id, agent=agent.name, prompt=steps_there), key())
        print(json.dumps([worktree.id, session.id]), flush=True)
        while True:
            for question in await app.permissions.list():
                option = next(one.id for one in question.options if one.kind == "allow_once")
                await app.permissions.answer(ann, question.id, Answer(option_id=option), key())
            await asyncio.sleep(0.01)

asyncio.run(main())
"""
STEPS = (
    *(("say", "before "), ("cost", 0.5), ("write", "WORKTREE/a.txt", "a\n"), ("end",), ("wait", 0.3)),
    *(("say", "later "), ("cost", 0.7), ("write", "WORKTREE/b.txt", "b\n"), ("ask", "t", "make"), ("say", "after "), ("wait", 0.5)),
)
POINTS = {
    "continued.before_commit": "the first turn alone",
    "continued.after_commit": "begun",
    "permission.asked": "begun",
    "permission.answered": "begun",
    "turn.before_finish:2": "begun",
    "turn.after_finish:2": "done",
}
"""Those that a continued turn passes, and what is there of it afterwards."""


def test_every_point_of_continued_turns_is_among_them():
    assert {point for point in CRASH_POINTS if point.startswith("continued.")} <= set(POINTS)
    assert {point.partition(":")[0] for point in POINTS} <= set(CRASH_POINTS)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_moment_of_a_continued_turn_keeps_every_promise(config, repository, owner, key, point):
    agent = lingering()
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, config.data_dir, config.root_dir, repository, agent.model_dump_json(), json.dumps(STEPS)],
        env={**os.environ, "AGOR_CRASH_AT": point},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    worktree_id, session_id = json.loads(victim.stdout)

    async with Agor(replace(config, agents=(agent,), quiet_time=timedelta(seconds=0.4))) as app:
        scene = Scene(app, owner, key, await app.worktrees.get(worktree_id))
        session = await scene.consistent(await app.sessions.get(session_id))
        turns = await app.turns.list(session_id)
        events = await scene.transcript(session)
        folder = Path(scene.worktree.path)

        # Nothing dead looks alive.
        assert (session.background, session.current_turn_id, await app.permissions.list()) == ([], None, [])
        assert await app.store.read(runs.every) == []
        assert not any(table.marked(turn.run_id) for turn in turns if turn.run_id)
        # Nothing is there twice, and each turn has one end.
        assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
        ends = collections.Counter(event["turnId"] for event in events if event["body"]["kind"] == "turn_ended")
        assert ends == {turn.id: 1 for turn in turns}
        said = "".join(event["body"]["text"] for event in events if event["body"]["kind"] == "text")
        assert all(said.count(word) <= 1 for word in ("before ", "later ", "after ")), said
        # Nothing of the turn that had ended is lost, and the ledger says what the turns say.
        first, *others = turns
        assert (first.state.value, first.cost_usd, first.files) == ("done", pytest.approx(0.5), 1)
        assert "before " in said
        rows = json.loads(await app.ledger.page(session=session_id))
        spent = sum(turn.cost_usd or 0 for turn in turns)
        assert sum(row["costUsd"] for row in rows) == pytest.approx(spent)
        assert session.usage.cost_usd == pytest.approx(spent)
        # What the agent had made is there, and is work.
        assert (folder / "a.txt").read_text() == "a\n"
        losses = await app.worktrees.losses(worktree_id)
        assert {name for one in losses for name in one.names} == {one.name for one in folder.glob("*.txt")}
        # The continued turn is what it can be.
        if POINTS[point] == "the first turn alone":
            assert others == []
        else:
            [second] = others
            assert (second.origin, second.follows, second.prompt) == ("continued", first.id, "")
            notices = [event["body"]["code"] for event in events if event["body"]["kind"] == "notice" and event["turnId"] == second.id]
            assert notices.count("continued") == 1
        if POINTS[point] == "begun":
            assert (second.state.value, second.error) == ("interrupted", INTERRUPTED)
        if POINTS[point] == "done":
            assert (second.state.value, second.cost_usd, said.endswith("later answered yes. after ")) == ("done", pytest.approx(0.2), True)
        # A person decides, and it goes on.
        if POINTS[point] == "begun":
            resumed = await scene.ended(await app.turns.resume(owner, second.id, key()))
            assert resumed.state.value == "done"
            assert (await app.turns.get(second.id)).resolution == "resumed"
        kept = {one.name for one in (config.data_dir / "checkpoints").iterdir()} if (config.data_dir / "checkpoints").exists() else set()
        assert len(kept) <= 1, kept  # of the last turn, while its process lives


async def test_a_question_after_the_end_that_nobody_answers_in_time_is_answered_with_no(config, owner, key, repository):
    limits = {"permission_timeout": timedelta(seconds=0.5), "quiet_time": timedelta(seconds=0.4)}
    async with Agor(replace(config, agents=(lingering(),), **limits)) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        scene = Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
        session = await scene.session(agent="lingering")
        first = await scene.ended(
            await prompt(scene, session, ("end",), ("wait", 0.2), ("ask", "t", "make deploy"), ("say", "I leave it."))
        )

        second = await scene.ended(await continued(scene, session))

        [settled] = [body["permission"] for body in await bodies(scene, second) if body["kind"] == "permission_settled"]
        assert (settled["state"], settled["optionId"]) == ("expired", "no")
        assert await text(scene, second) == "answered no. I leave it."
        assert (first.state.value, second.state.value, second.stop_reason) == ("done", "done", "quiet")
        assert await app.permissions.list() == []
        assert (await scene.consistent(session)).state.value == "done"
        again = await prompt(scene, session, ("say", "here"), ("end",))
        assert (await scene.ended(again)).run_id == second.run_id  # the same process goes on
