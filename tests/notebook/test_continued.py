"""An agent that goes on after its turn, from a cell and a shell: a private server that knows it by configuration."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

import agor_jupyter as agor
from agor_jupyter.notebook import following

LINGERING = Path(__file__).parents[1] / "lingering_agent.py"
pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def own(here):
    """Agents of the person's own settings, as a server has them."""
    folder = here / "settings"
    folder.mkdir()
    command = [sys.executable, "-I", "-S", str(LINGERING)]
    entry = {"name": "lingering", "label": "Lingering", "icon": "x", "command": command, "quirks": {"subagent_input": "subagent_type"}}
    settings = {"AgorApp": {"agents": [entry], "quiet_s": 0.4}}
    (folder / "jupyter_server_config.json").write_text(json.dumps(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(folder))
        hub = agor.connect(data_dir=here / "continued")
        yield hub
        hub.stop()


@pytest.fixture(scope="module")
def worktree(own, here):
    return own.repo(agor.sample(here / "lingering-warehouse")).worktree("fix")


async def test_awaiting_gives_the_turn_of_the_prompt_and_the_session_has_the_other(worktree):
    steps = [["say", "before"], ["end"], ["wait", 0.3], ["say", "later"]]
    session = worktree.session("lingering", json.dumps(steps))

    turn = await session
    said = turn.text
    while len(session.turns) < 2 or session.turns[-1].state == "running":
        await asyncio.sleep(0.05)

    first, second = session.turns
    assert (said, turn.record.id, second.record.follows) == ("before", first.record.id, first.record.id)
    assert (second.text, second.state, second.prompt) == ("later", "done", "")
    assert "continued by the agent" in second._repr_html_()
    again = await agor_session(session)
    assert again.record.id == first.record.id  # of the latest prompt, not of what came by itself


async def agor_session(session):
    return await type(session)(session._link, session.record)


async def test_a_question_after_the_turn_is_heard_in_the_cell(worktree):
    steps = [["spawn", "t", "explore", "Find it"], ["tool", "t", "completed"], ["end"], ["wait", 0.3], ["ask", "rm", "rm -r build", "t"]]
    session = worktree.session("lingering", json.dumps(steps))
    await session
    while session.state != "needs_you":
        await asyncio.sleep(0.05)

    question = await session.question()
    shown = following.line_of(next(event for event in session.events if event.body.kind == "permission_asked"))
    question.allow()
    while session.state != "done":
        await asyncio.sleep(0.05)

    assert question.record.asked_by == "explore"
    assert "rm -r build" in shown
    assert session.turns[-1].text == "answered yes. "
