"""What a worktree held before a turn, when reading it began before the turn was there."""

import asyncio
from pathlib import Path

import pytest

from agor_jupyter.domain.turns import TurnState
from tests.scene import sh


@pytest.fixture
async def again(scene):
    """A session whose process rests after a failed turn; that turn; and its prompt once more under the same key: a pending checkpoint, and no turn."""
    session, key = await scene.session(), scene.key()
    prompted = [scene.caller, session.id, sh("exit 1"), key]
    turn = await scene.agor.sessions.prompt(*prompted)
    await scene.allow(turn)
    turn = await scene.ended(turn)
    loop, _ = scene.agor.runner._loops[session.id]
    await scene.eventually(lambda: loop.idle_since is not None)

    async def prompt():
        assert (await scene.agor.sessions.prompt(*prompted)).id == turn.id

    return session, turn, prompt


async def test_what_came_since_an_early_checkpoint_was_there_before_the_turn(scene, again):
    _, failed, prompt = again
    await prompt()
    await asyncio.sleep(0.3)  # the time is what counts: the look is old
    (Path(scene.worktree.path) / "by_a_person.txt").write_text("mine\n")

    retried = await scene.agor.turns.retry(scene.caller, failed.id, scene.key())
    await scene.allow(retried)
    retried = await scene.ended(retried)

    assert (retried.state, retried.run_id) == (TurnState.FAILED, failed.run_id)
    assert (retried.dirty_before, retried.files) == (True, 0)


async def test_pending_checkpoints_end_with_the_process_that_they_were_for(scene, again, monkeypatch):
    session, _, prompt = again
    monkeypatch.setattr(scene.agor.worktrees, "checkpoint", lambda _name: asyncio.Event().wait())  # git is too fast to be met at work
    await prompt()
    await prompt()
    assert len(_pending()) == 1

    await scene.agor.sessions.archive(scene.caller, session.id)
    await scene.eventually(lambda: session.id not in scene.agor.runner._loops)

    assert _pending() == []


def _pending():
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("checkpoint ")]
