"""After a kill: no process lives, nothing dead looks alive, nothing acknowledged is lost, and what waited goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.domain.permissions import PermissionState
from agor_jupyter.domain.turns import OPEN, TurnState
from agor_jupyter.processes import table
from agor_jupyter.services.app import Agor
from agor_jupyter.services.crash import CRASH_POINTS, crash_point
from agor_jupyter.services.sessions.recovery import INTERRUPTED
from agor_jupyter.storage import runs
from tests.scene import Scene

VICTIM = """
import asyncio, json, sys, uuid
from pathlib import Path
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Answer, Prompt, SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository, answers = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "answer"
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
key = lambda: uuid.uuid4().hex

def tell(**news):
    print(json.dumps(news), flush=True)

async def main():
    async with Agor(Config(data_dir=data, root_dir=root, allowed_roots=(root,))) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), key())
        made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), key())
        worktree = await app.worktrees.wait_ready(made.id)
        tell(worktree=worktree.id)
        session = await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id), key())
        tell(session=session.id)
        for k in range(2):
            text = f"```sh\\necho {k} >> ran\\nnohup setsid sleep 66 >/dev/null 2>&1 &\\n" + ("sleep 0.2" if answers else "") + "\\n```"
            turn = await app.sessions.prompt(ann, session.id, Prompt(text=text), key())
            tell(turn=turn.id)
        while True:
            for question in await app.permissions.list():
                tell(question=question.id, run=question.run_id)
                if answers:
                    option = next(one.id for one in question.options if one.kind == "allow_once")
                    await app.permissions.answer(ann, question.id, Answer(option_id=option), key())
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


class Victim:
    def __init__(self, config, repository, *, answers, crash_at=None):
        env = {**os.environ, "AGOR_CRASH_AT": crash_at or ""}
        argv = [sys.executable, "-c", VICTIM, config.data_dir, config.root_dir, repository, "answer" if answers else "wait"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env)
        self.news = []

    def read(self, until=None):
        """Read news until one has the name `until`, or to the end."""
        for line in self.process.stdout:
            self.news.append(json.loads(line))
            if until in self.news[-1]:
                return self.news[-1][until]
        return None

    def told(self, name):
        return list(dict.fromkeys(news[name] for news in self.news if name in news))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self):
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


@pytest.fixture
def victim(config, repository):
    started = []

    def start(**options):
        started.append(Victim(config, repository, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


async def test_after_a_kill_in_the_middle_of_a_question(victim, config, owner, key):
    dead = victim(answers=False)
    question, run = dead.read("question"), None
    run = dead.news[-1]["run"]
    assert table.marked(run)

    dead.kill()
    async with Agor(config) as app:
        [session_id] = dead.told("session")
        interrupted, waiting = await app.turns.list(session_id)
        session = await app.sessions.get(session_id)

        assert table.marked(run) == set()
        assert await app.store.read(runs.every) == []
        assert (interrupted.state, interrupted.error, interrupted.permission_id) == (TurnState.INTERRUPTED, INTERRUPTED, None)
        assert waiting.state is TurnState.QUEUED
        assert (await app.permissions.get(question)).state is PermissionState.WITHDRAWN
        assert session.state.value == "interrupted"
        scene = Scene(app, owner, key, await app.worktrees.get(session.worktree_id))
        other = await scene.prompt(await scene.session(), "true")
        await scene.question(other)
        assert (await app.turns.get(waiting.id)).state is TurnState.QUEUED  # nothing goes on before a person decides
        await app.turns.cancel(owner, other.id)

        discarded = await app.turns.discard(owner, interrupted.id, key())
        assert discarded.resolution == "discarded"
        await scene.allow(waiting)
        assert (await scene.ended(waiting)).state is TurnState.DONE
        session = await scene.consistent(session)
        codes = [event["body"].get("code") for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
        assert [code for code in codes if code != "beside_others"] == ["loaded"]


@pytest.mark.parametrize("decision", ["resume", "retry"])
async def test_an_interrupted_turn_is_taken_up_again_before_what_waits(victim, config, owner, key, decision):
    dead = victim(answers=False)
    dead.read("question")
    dead.kill()
    async with Agor(config) as app:
        [session_id] = dead.told("session")
        interrupted, waiting = await app.turns.list(session_id)
        scene, once = Scene(app, owner, key, None), key()

        again = await getattr(app.turns, decision)(owner, interrupted.id, once)

        assert await getattr(app.turns, decision)(owner, interrupted.id, once) == again
        if decision == "retry":
            assert (again.prompt, again.retry_of) == (interrupted.prompt, interrupted.id)
            await scene.allow(again)
        else:
            assert "Continue where you stopped" in again.prompt
        await scene.ended(again)
        await scene.allow(waiting)
        await scene.ended(waiting)
        assert (await app.turns.get(interrupted.id)).resolution == {"resume": "resumed", "retry": "retried"}[decision]
        assert [turn.number for turn in await app.turns.list(session_id)] == [1, 2, 3]


_ELSEWHERE = (
    "worktree.",
    "data.",
    "zone.",
    "environment.",
    "slot.",
    "message.",
    "delivery.",
    "sandbox.",
    "park.",
    "follow.",
    "continued.",
    "relocate.",
    "archive.",
    "restore.",
    "remove.",
    "purge.",
)
"""Points that a session's life does not pass: tests/faults has those of worktrees."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if not point.startswith(_ELSEWHERE)])
async def test_a_crash_at_each_named_point_keeps_every_promise(victim, config, point):
    dead = victim(answers=True, crash_at=point)
    dead.read()
    assert dead.wait() == -signal.SIGKILL, "the point was never passed"
    start = time.monotonic()

    async with Agor(config) as app:
        assert time.monotonic() - start < 50
        for session_id in dead.told("session"):
            turns = await app.turns.list(session_id)
            recorded = {row.id for row in await app.store.read(runs.every)}  # after the turns: what waited may begin at any moment
            assert {turn.id for turn in turns} >= set(dead.told("turn"))
            assert not [turn for turn in turns if turn.state in OPEN and turn.run_id not in recorded]
            for turn in turns:
                if turn.run_id and turn.run_id not in recorded:
                    assert table.marked(turn.run_id) == set()
            items, last_seq = await app.sessions.events(session_id)
            events = json.loads(items)
            assert [event["seq"] for event in events] == list(range(1, last_seq + 1))
            ended = [event["turnId"] for event in events if event["body"]["kind"] == "turn_ended"]
            assert len(ended) == len(set(ended))
            [worktree] = await app.worktrees.list()
            ran = Path(worktree.path, "ran")
            lines = ran.read_text().split() if ran.exists() else []
            assert len(lines) == len(set(lines)), "a prompt ran twice"
            done = [turn for turn in turns if turn.state is TurnState.DONE]
            assert len(done) <= len(lines)
        newest = app.events.n  # what waited may go on, and append more, while the table is read
        numbers = [event["n"] for event in json.loads((await app.events.since(0, 5000))[0])]
        assert numbers[:newest] == list(range(1, newest + 1))


async def test_a_turn_that_a_person_had_cancelled_is_cancelled_not_interrupted(fake, config):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.cancel = lambda: None
    await scene.agor.turns.cancel(scene.caller, turn.id)

    await scene.agor.__aexit__(None, None, None)

    async with Agor(config) as app:
        found = await app.turns.get(turn.id)
        assert (found.state, found.ended_by) == (TurnState.CANCELLED, scene.caller.person)


def test_a_point_that_is_not_armed_is_passed():
    for point in CRASH_POINTS:
        crash_point(point)


def test_a_point_kills_at_the_given_passage():
    code = "from agor_jupyter.services.crash import crash_point as c\nfor k in range(5): print(k, flush=True); c('prompt.sent')"

    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "AGOR_CRASH_AT": "prompt.sent:3"}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1", "2"])
