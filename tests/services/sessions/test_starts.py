"""Agents whose processes are in each other's way when they start."""

import dataclasses

import pytest

from agor_jupyter.domain.agents import FailureSigns
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.services.sessions.running import start
from tests.services.agents.test_options import choosy

FAILS_FIRST = """
left=$(cat "$1")
if [ "$left" -gt 0 ]; then echo $((left - 1)) > "$1"; echo "own.db: database is locked" >&2; exit 1; fi
shift; exec "$@"
"""


def _failing(folder, name, times):
    """Its first `times` starts fail."""
    agent = choosy(folder, "--config", name=name, failures=FailureSigns(starts_again="database is locked"))
    count = folder.with_suffix(".count")
    count.write_text(str(times))
    return agent.replace(command=["sh", "-c", FAILS_FIRST, "sh", str(count), *agent.command])


@pytest.fixture
def config(config, tmp_path, monkeypatch):
    monkeypatch.setattr(start, "_AGAIN_S", (0.01, 0.02, 0.03))
    mute = _failing(tmp_path / "mute", "mute", 1).replace(failures=FailureSigns())
    return dataclasses.replace(config, agents=(_failing(tmp_path / "slow", "slow", 2), _failing(tmp_path / "stuck", "stuck", 9), mute))


async def _played(scene, agent):
    session = await scene.session(agent=agent)
    turn = await scene.ended(await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="hello"), scene.key()))
    notices = [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    return turn, [notice["text"] for notice in notices if notice["code"] == "obstructed"]


async def test_an_agent_that_another_of_its_processes_was_in_the_way_of_is_started_again(scene):
    turn, told = await _played(scene, "slow")

    assert (turn.state, turn.error) == ("done", None)
    assert len(told) == 2
    assert "database is locked" in told[0]
    assert [text[-10:] for text in told] == ["in 0.01 s.", "in 0.02 s."]


async def test_one_that_never_gets_its_turn_fails_as_it_says(scene, tmp_path):
    turn, told = await _played(scene, "stuck")

    assert (turn.state, turn.error_code, len(told)) == ("failed", "agent_failed", 3)
    assert "ended with code 1 before it was ready. Its last output: own.db: database is locked" in turn.error
    assert (tmp_path / "stuck.count").read_text().strip() == "5"


async def test_an_agent_that_fails_otherwise_is_not_started_again(scene):
    turn, told = await _played(scene, "mute")

    assert (turn.state, told) == ("failed", [])
