"""A turn whose model cannot be reached, or takes no more for now: parked, tried again, given up, and across a restart."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType, Capabilities
from agor_jupyter.domain.parking import Schedule
from agor_jupyter.domain.sessions import Prompt, Usage
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.services.app import Agor
from agor_jupyter.storage import runs
from tests.fakes import FakeAgor
from tests.scene import Scene

SOON = Schedule(first=timedelta(milliseconds=40), longest=timedelta(milliseconds=80), attempts=3)
LATER = Schedule(first=timedelta(hours=1), longest=timedelta(hours=1))
REFUSED = {"stop_reason": "error", "error": "The model's provider takes no more requests for now.", "error_code": "rate_limited"}


async def refused(scene, session, text="go", **fields):
    turn, agent = await scene.running(session, text)
    agent.finish(**{**REFUSED, **fields})
    return turn, agent


async def notices(scene, session):
    """Their codes, but for what tells of other sessions in the worktree."""
    codes = [event["body"]["code"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    return [code for code in codes if code != "beside_others"]


async def test_a_refused_turn_is_parked_with_a_countdown_and_holds_no_place(fake):
    scene = await fake(retries=LATER, max_running=1, idle_timeout=timedelta(milliseconds=100))
    session, other = await scene.session(), await scene.session()
    turn, agent = await refused(scene, session)
    turn = await scene.until(turn, "parked")
    later = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="later"), scene.key())

    assert (turn.error_code, turn.parks, turn.ended_at) == ("rate_limited", 1, None)
    assert timedelta(minutes=40) < turn.retry_at - scene.agor.clock.now() < timedelta(minutes=80)
    found = await scene.consistent(session)
    assert (found.state.value, found.current_turn_id, found.queue) == ("parked", turn.id, [later.id])
    _, second = await scene.running(other, "other")  # the place is free
    second.finish()
    await scene.eventually(lambda: agent.is_stopped)
    await scene.eventually_async(lambda: scene.agor.store.read(runs.every), [])
    assert (await scene.agor.turns.get(later.id)).state is TurnState.QUEUED
    assert await notices(scene, session) == ["parked"]
    with pytest.raises(errors.SessionBusy):
        await scene.agor.sessions.archive(scene.caller, session.id)


async def test_the_same_turn_goes_on_when_the_countdown_ends(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await refused(scene, session, usage=Usage(input_tokens=10, cost_usd=0.5))
    await scene.eventually(lambda: len(agent.prompts) == 2 and agent._turn)
    agent.finish(usage=Usage(input_tokens=1, output_tokens=2, cached_read_tokens=3, cost_usd=0.25))
    turn = await scene.ended(turn)

    assert agent.prompts == ["go", "go"]
    assert (turn.state, turn.parks, turn.error, turn.error_code, turn.retry_at) == (TurnState.DONE, 1, None, None, None)
    assert (turn.input_tokens, turn.output_tokens, turn.cached_read_tokens, turn.cost_usd) == (11, 2, 3, 0.75)
    assert (await scene.agor.sessions.get(session.id)).usage == Usage(input_tokens=11, output_tokens=2, cached_read_tokens=3, cost_usd=0.75)
    kinds = [event["body"]["kind"] for event in await scene.transcript(session)]
    assert (kinds.count("prompt"), kinds.count("turn_ended")) == (1, 1)
    assert await notices(scene, session) == ["parked", "retried"]


async def test_what_was_begun_is_asked_to_go_on_and_not_begun_again(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await refused(scene, session, has_acted=True)
    for _ in range(2):
        await scene.until(turn, "running")
        await scene.eventually(lambda: agent._turn)
        agent.finish(**REFUSED)
        await scene.until(turn, "parked", "starting", "running")
        await scene.eventually(lambda: agent._turn)
    agent.finish()
    await scene.ended(turn)

    assert agent.prompts[0] == "go"
    assert all("Continue where you stopped" in text for text in agent.prompts[1:])


async def test_it_is_given_up_after_so_many_attempts(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await scene.running(session)
    later = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="later"), scene.key())
    for count in range(1, 5):
        await scene.eventually(lambda count=count: len(agent.prompts) == count and agent._turn)
        agent.finish(**REFUSED)
    turn = await scene.ended(turn)

    assert (turn.state, turn.error_code, turn.parks, turn.retry_at) == (TurnState.FAILED, "rate_limited", 3, None)
    assert "tried 4 times" in turn.error
    await scene.until(later, "running")


async def test_a_quota_waits_for_a_person_who_retries_the_same_turn(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await refused(scene, session, error_code="quota")
    turn = await scene.until(turn, "parked")
    other, limited = await refused(scene, await scene.session(), "limited")
    await scene.eventually(lambda: len(limited.prompts) == 2 and limited._turn)  # what is tried again is tried by now
    limited.finish()
    await scene.ended(other)
    assert (turn.retry_at, len(agent.prompts)) == (None, 1)
    key = scene.key()

    again = await scene.agor.turns.retry(scene.caller, turn.id, key)

    assert again.id == turn.id
    await scene.eventually(lambda: len(agent.prompts) == 2 and agent._turn)
    assert (await scene.agor.turns.retry(scene.caller, turn.id, key)).id == turn.id  # said twice, done once
    agent.finish()
    assert (await scene.ended(turn)).state is TurnState.DONE


async def test_a_parked_turn_can_be_cancelled_and_the_queue_goes_on(fake):
    scene = await fake(retries=LATER, idle_timeout=timedelta(0))
    session = await scene.session()
    turn, agent = await refused(scene, session)
    turn = await scene.until(turn, "parked")
    later = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="later"), scene.key())
    await scene.eventually(lambda: agent.is_stopped and not scene.agor.runner._loops)

    await scene.agor.sessions.cancel(scene.caller, session.id)

    turn = await scene.agor.turns.get(turn.id)
    assert (turn.state, turn.ended_by, turn.retry_at) == (TurnState.CANCELLED, scene.caller.person, None)
    await scene.until(later, "running")
    kinds = [event["body"]["kind"] for event in await scene.transcript(session)]
    assert kinds.count("turn_ended") == 1


async def test_a_refusal_after_a_cancel_does_not_park(fake):
    scene = await fake(retries=SOON)
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.cancel = lambda: agent.finish(**REFUSED)

    await scene.agor.turns.cancel(scene.caller, turn.id)

    assert (await scene.ended(turn)).state is TurnState.CANCELLED


async def test_a_countdown_survives_a_restart(fake, config, owner, key):
    scene = await fake(retries=Schedule(first=timedelta(seconds=1)))
    session = await scene.session()
    turn, _ = await refused(scene, session, has_acted=True)
    parked = await scene.until(turn, "parked")

    await scene.agor.__aexit__(None, None, None)

    async with FakeAgor(config) as app:
        scene = Scene(app, owner, key, None)
        assert (await app.turns.get(turn.id)).retry_at == parked.retry_at
        await scene.until(turn, "running")
        [agent] = app.fakes.started
        await scene.eventually(lambda: agent._turn)
        assert agent.opened_with is not None
        assert "Continue where you stopped" in agent.prompts[0]
        agent.finish()
        assert (await scene.ended(turn)).state is TurnState.DONE


def refusing(ledger: Path, count: int, status: int, *more: str) -> AgentType:
    command = [
        sys.executable,
        "-I",
        "-S",
        str(Path(__file__).parents[2] / "refusing_agent.py"),
        str(ledger),
        str(count),
        str(status),
        *more,
    ]
    return AgentType(name="refusing", label="Refusing", icon="x", command=command, capabilities=Capabilities(can_load=True))


async def test_with_a_real_process_what_all_attempts_changed_is_one_patch(config, repository, owner, key, tmp_path, fake):
    ledger = tmp_path / "ledger"
    scene = await fake()  # for its worktree
    worktree = scene.worktree
    await scene.agor.__aexit__(None, None, None)
    config = replace(config, agents=(refusing(ledger, 2, 529, "tool"),), retries=SOON, idle_timeout=timedelta(0))
    async with Agor(config) as app:
        scene = Scene(app, owner, key, worktree)
        session = await scene.session(agent="refusing")
        turn = await app.sessions.prompt(owner, session.id, Prompt(text="please"), key())
        turn = await scene.ended(turn)

        assert (turn.state, turn.parks, turn.files, turn.added) == (TurnState.DONE, 2, 1, 3)
        assert (turn.input_tokens, turn.cached_read_tokens, turn.cached_write_tokens) == (100, 5, 1)
        sent = [json.loads(line) for line in ledger.read_text().splitlines()]
        assert sent[0] == "please"
        assert all("Continue where you stopped" in text for text in sent[1:])
        assert "+x\n+x\n+x\n" in (await app.turns.patch(turn.id)).text


VICTIM = """
import asyncio, json, sys, uuid
from datetime import timedelta
from pathlib import Path
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.parking import Schedule
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository, agent, turn = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], AgentType.model_validate_json(sys.argv[4]), None
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
key = lambda: uuid.uuid4().hex

async def main():
    plan = Schedule(first=timedelta(milliseconds=200))
    config = Config(data_dir=data, root_dir=root, allowed_roots=(root,), agents=(agent,), retries=plan, sandbox="off")
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), key())
        made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), key())
        worktree = await app.worktrees.wait_ready(made.id)
        session = await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id, agent=agent.name, prompt="please"), key())
        print(json.dumps([session.id, session.queue]), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("point", "begun"),
    [
        ("park.before_commit:1", 1),
        ("park.after_commit:1", 1),
        ("claim.after_commit:2", 1),
        ("prompt.sent:2", 2),
        ("park.before_commit:2", 2),
        ("park.after_commit:2", 2),
        ("turn.before_finish:1", 3),
    ],
)
async def test_a_kill_at_each_moment_of_parking_keeps_every_promise(config, repository, owner, key, tmp_path, point, begun):
    ledger = tmp_path / "ledger"
    agent = refusing(ledger, 2, 429)
    victim = subprocess.run(
        [sys.executable, "-c", VICTIM, config.data_dir, config.root_dir, repository, agent.model_dump_json()],
        env={**os.environ, "AGOR_CRASH_AT": point},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    session_id, [turn_id] = json.loads(victim.stdout)

    async with Agor(replace(config, agents=(agent,), retries=SOON)) as app:
        scene = Scene(app, owner, key, None)
        at_start = await app.turns.get(turn_id)
        found = await scene.ended(at_start, timeout=30)
        session = await scene.consistent(await app.sessions.get(session_id))
        sent = [json.loads(line) for line in ledger.read_text().splitlines()]
        events = await scene.transcript(session)

        is_parked = point.startswith("park.after_commit")
        assert at_start.state.value in ({"parked", "starting", "running", "done"} if is_parked else {"interrupted"})
        assert found.state.value == ("done" if is_parked else "interrupted")
        assert len(sent) in ((3,) if is_parked else (begun - 1, begun))
        kinds = [event["body"]["kind"] for event in events]
        assert (kinds.count("prompt"), kinds.count("turn_ended")) == (1, 1)
        assert [event["body"].get("code") for event in events].count("parked") == found.parks
        assert {row.id for row in await app.store.read(runs.every)} <= {found.run_id}


async def test_what_an_agent_has_to_know_first_is_told_again_until_its_model_heard_it(fake):
    plain = AgentType(name="plain", label="Plain", icon="x", command=[sys.executable])
    scene = await fake(retries=SOON, agents=(plain,))
    session = await scene.session(agent="plain")
    turn, first = await scene.running(session, "remember 42")
    await first.say("I do")
    first.finish()
    await scene.ended(turn)
    await scene.eventually(lambda: not scene.agor.runner.is_working(session.id))
    await scene.agor.runner.dismiss([session.id])
    scene.agor.fakes.can_bring_back = False
    turn, agent = await refused(scene, session, "what was it?")
    await scene.eventually(lambda: len(agent.prompts) == 2 and agent._turn)
    agent.finish()
    await scene.ended(turn)
    turn, agent = await scene.running(session, "and now?")
    agent.finish()
    await scene.ended(turn)

    assert "remember 42" in agent.contexts[0]
    assert agent.contexts == [agent.contexts[0], agent.contexts[0], None]
