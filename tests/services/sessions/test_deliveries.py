"""How a child ended is told to its parent as a queued turn, once, whatever its parent does and whenever the server is killed."""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.sessions import Answer, Prompt, SessionState, Usage
from agor_jupyter.services.app import Agor
from agor_jupyter.storage import deliveries
from agor_jupyter.storage import turns as kept_turns

AUTO = {"mode": "auto"}


async def spawn(scene, parent, text="```sh\ntrue\n```", agent="script", **fields):
    fields = {"notify": True, "options": AUTO if agent == "script" else {}, **fields}
    return await scene.session(agent=agent, prompt=text, parent_id=parent.id, **fields)


async def told(scene, child):
    """The deliveries of a child whose last turn has ended, settled."""
    await ended_child(scene, child)
    await scene.eventually_async(lambda: _count_pending(scene), 0)
    return await scene.agor.store.read(deliveries.of_children, [child.id])


async def _count_pending(scene):
    return len(await scene.agor.store.read(deliveries.pending))


async def last(scene, session):
    return (await scene.agor.turns.list(session.id))[-1]


async def ended_child(scene, child):
    return await scene.ended(await last(scene, child))


async def reports(scene, parent):
    return [turn for turn in await scene.agor.turns.list(parent.id) if turn.reports_on is not None]


async def test_a_child_that_is_done_is_told_with_its_message_its_changes_and_no_request(scene):
    parent = await scene.session(agent="script")
    child = await spawn(scene, parent, "```sh\nseq 3 > numbers.txt\n```\n", title="Count")

    turn = await ended_child(scene, child)
    [delivery] = await told(scene, child)
    [report] = await reports(scene, parent)

    assert (delivery.state, delivery.outcome, delivery.child_turn_id, delivery.turn_id) == ("delivered", "done", turn.id, report.id)
    assert report.prompt.startswith(f"The session “Count” ({child.id}), which you started with script, is done.")
    assert "It changed 1 file (+3 −0): numbers.txt" in report.prompt
    assert report.created_by.username == f"agent:{child.id}"
    assert (await scene.ended(report)).state == "done"
    assert (await scene.agor.turns.get(report.id)).files == 0  # nothing in a report is a block that runs


async def test_what_a_child_says_cannot_be_run_by_its_parent(fake):
    scene = await fake()
    parent, child = await scene.session(agent="script"), None
    child = await spawn(scene, parent, "go", agent="script", options={})
    await scene.until(await last(scene, child), "running")
    [agent] = scene.agor.fakes.started
    await scene.eventually(lambda: agent._turn is not None)
    await agent.say("```sh\nrm -rf /\n```\n\x1b[2Jdone")

    agent.finish()
    await told(scene, child)

    [report] = await reports(scene, parent)
    assert "> ```sh\n> rm -rf /\n> ```\n> done" in report.prompt
    assert "\x1b" not in report.prompt


async def test_without_being_asked_nobody_is_told(scene):
    parent = await scene.session(agent="script")
    child = await spawn(scene, parent, notify=False)

    await ended_child(scene, child)

    assert await told(scene, child) == []
    assert await scene.agor.turns.list(parent.id) == []


async def test_it_waits_while_the_parent_works(fake):
    scene = await fake()
    parent = await scene.session(agent="script")
    busy, parents_agent = await scene.running(parent, "work")
    child = await spawn(scene, parent, "go below", options={})
    await scene.until(await last(scene, child), "running")
    childs_agent = next(one for one in scene.agor.fakes.started if one is not parents_agent)
    await scene.eventually(lambda: childs_agent._turn is not None)

    childs_agent.finish(usage=Usage(cost_usd=0.25))
    [delivery] = await told(scene, child)

    [report] = await reports(scene, parent)
    assert (await scene.agor.sessions.get(parent.id)).queue == [report.id]
    assert "Its cost was $0.2500." in report.prompt
    parents_agent.finish()
    await scene.ended(busy)
    await scene.until(report, "running")
    assert parents_agent.prompts[-1] == report.prompt
    assert delivery.state == "delivered"


@pytest.mark.parametrize("how", ["failed", "cancelled", "cancelled in the queue", "rejected", "not started"])
async def test_a_child_that_does_not_get_to_its_end_is_told_as_that(fake, how):
    scene = await fake(max_running=1 if how == "cancelled in the queue" else 8)
    parent, other = await scene.session(agent="script"), await scene.session(agent="script")
    if how == "cancelled in the queue":
        await scene.running(other, "elsewhere")
    if how == "not started":
        broken = errors.AgentFailed("script", "it is not there")

        async def cannot(*_args, **_fields):
            raise broken

        scene.agor.fakes.start = cannot
        scene.agor.runner._context = dataclasses.replace(scene.agor.runner._context, start_agent=cannot)
    child = await spawn(scene, parent, "go below", options={})
    turn = await last(scene, child)
    if how in {"failed", "cancelled", "rejected"}:
        await scene.until(turn, "running")
        [agent] = scene.agor.fakes.started
        await scene.eventually(lambda: agent._turn is not None)
    if how == "failed":
        agent.fail(errors.AgentFailed("script", "it fell over"))
    elif how == "rejected":
        asking = agent.ask()
        question = await scene.question(turn)
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="no"), scene.key())
        await asking
        agent.finish("cancelled")
    elif how.startswith("cancelled"):
        await scene.agor.turns.cancel(scene.caller, turn.id)

    await scene.ended(turn)
    [delivery] = await told(scene, child)

    [report] = await reports(scene, parent)
    words = {
        "failed": "has failed: Agent 'script' failed: it fell over.",
        "cancelled": "was cancelled by Ann.",
        "cancelled in the queue": "was cancelled by Ann before it started.",
        "rejected": "has ended, because Ann said no to what it asked.",
        "not started": "could not start: Agent 'script' failed: it is not there.",
    }
    assert delivery.outcome == ("failed" if how in {"failed", "not started"} else "cancelled")
    assert words[how] in report.prompt


async def test_a_parent_that_is_archived_or_was_cancelled_refuses_and_says_why(fake):
    scene = await fake()
    archived, cancelled = await scene.session(agent="script"), await scene.session(agent="script")
    turn, _ = await scene.running(cancelled, "work")
    children = [await spawn(scene, one, f"below {one.id}", options={}) for one in (archived, cancelled)]
    for child in children:
        await scene.until(await last(scene, child), "running")
    await scene.eventually(lambda: all(agent._turn is not None for agent in scene.agor.fakes.started))
    await scene.agor.sessions.archive(scene.caller, archived.id)
    await scene.agor.sessions.cancel(scene.caller, cancelled.id)
    await scene.ended(turn)

    for agent in scene.agor.fakes.started:
        agent.finish()
    found = [(await told(scene, child))[0] for child in children]

    assert [one.state for one in found] == ["refused", "refused"]
    assert found[0].reason == "The session is archived."
    assert found[1].reason == "Ann cancelled the session's last turn, and it is not started again for this."
    assert (await scene.agor.sessions.get(cancelled.id)).state is SessionState.CANCELLED
    assert await reports(scene, archived) == []


async def test_a_report_is_reported_on_by_a_child_that_was_asked(scene):
    """So a root hears of the end of a grandchild's work, through the child."""
    root = await scene.session(agent="script")
    child = await spawn(scene, root)
    await ended_child(scene, child)
    await told(scene, child)
    grandchild = await spawn(scene, child)
    await ended_child(scene, grandchild)
    await told(scene, grandchild)
    [report] = await reports(scene, child)

    await scene.ended(report)

    [_, further] = await told(scene, child)
    assert (further.child_turn_id, further.target_id, further.state) == (report.id, root.id, "delivered")


async def test_a_prompt_may_ask_for_a_report_to_a_session_above_and_to_no_other(scene):
    root, other = await scene.session(agent="script"), await scene.session(agent="script")
    child = await spawn(scene, root, notify=False)
    await ended_child(scene, child)

    with pytest.raises(errors.BadRequest, match="not above"):
        await scene.agor.sessions.prompt(scene.caller, child.id, Prompt(text="x", report_to=other.id), scene.key())
    turn = await scene.agor.sessions.prompt(scene.caller, child.id, Prompt(text="x", report_to=root.id), scene.key())
    await scene.ended(turn)
    [delivery] = await told(scene, child)

    assert delivery.child_turn_id == turn.id


async def test_without_a_parent_nobody_can_be_told(scene):
    with pytest.raises(errors.BadRequest, match="nobody to be told"):
        await scene.session(agent="script", notify=True)


VICTIM = """
import asyncio, json, sys, uuid
from pathlib import Path
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
key = lambda: uuid.uuid4().hex

async def main():
    config = Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="off")
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), key())
        made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), key())
        worktree = await app.worktrees.wait_ready(made.id)
        parent = await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id), key())
        prompt = "```sh\\necho once >> count.txt\\n```"
        child = SessionCreate(worktree_id=worktree.id, parent_id=parent.id, notify=True, prompt=prompt, options={"mode": "auto"})
        child = await app.sessions.create(ann, child, key())
        print(json.dumps([parent.id, child.id]), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("point", ["turn.before_finish", "turn.after_finish", "delivery.before_commit", "delivery.after_commit"])
async def test_a_server_that_is_killed_in_between_delivers_once(config, repository, owner, key, point):
    command = [sys.executable, "-c", VICTIM, str(config.data_dir), str(config.root_dir), str(repository)]
    victim = subprocess.run(command, env={**os.environ, "AGOR_CRASH_AT": point}, check=False, timeout=60, capture_output=True, text=True)
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    parent_id, child_id = json.loads(victim.stdout)

    for _ in range(2):  # nor does another start
        async with Agor(config) as app:
            for _ in range(500):
                [delivery] = await app.store.read(deliveries.of_children, [child_id])
                found = [turn for turn in await app.store.read(kept_turns.of_session, parent_id) if turn.reports_on]
                if delivery.state == "delivered" and found and found[0].ended_at:
                    break
                await asyncio.sleep(0.02)

    assert delivery.state == "delivered"
    assert [turn.id for turn in found] == [delivery.turn_id]
    words = "was interrupted" if point == "turn.before_finish" else "is done."
    assert words in found[0].prompt
    assert delivery.outcome == ("interrupted" if point == "turn.before_finish" else "done")
