"""Each agent in the server's sandbox: it commits, keeps its conversation and its sign-in, and sees nothing else of the home folder."""

import asyncio
import dataclasses
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.domain.turns import Turn
from agor_jupyter.services.config import Config
from tests.real_agents.stage import PATIENCE_S, Stage
from tests.real_agents.test_cancel import escapes


@pytest.fixture
def config(config: Config, home) -> Config:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id").write_text("a secret\n")
    return dataclasses.replace(config, sandbox="required")


def _size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def git(stage: Stage, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=stage.folder, check=True, capture_output=True, text=True).stdout.strip()


async def test_it_commits_and_remembers_and_leaves_nothing(stage, home):
    session = await stage.begin()
    look = f"ls {home}/.ssh > seen.txt 2>&1 || true; ls -d /proc/[0-9]* | wc -l >> seen.txt; git worktree list >> seen.txt"
    commit = "git add made.txt && git commit -qm inside && git stash list"

    turn = await stage.play(
        session, stage.write("made.txt", "x\n"), {"do": "shell", "cmd": look}, {"do": "shell", "cmd": commit}, {"text": "Ok."}
    )
    first = await stage.agor.sessions.get(session.id)

    assert (turn.state, turn.error) == ("done", None), await stage.events(turn)
    assert git(stage, "log", "-1", "--format=%s") == "inside"
    assert git(stage, "status", "--porcelain") == "?? seen.txt"
    seen = (stage.folder / "seen.txt").read_text().split("\n")
    assert "No such file" in seen[0]
    assert int(seen[1]) < 20
    assert first.sandbox == "on"
    assert _size_mb(stage.agor.config.data_dir / "sandboxes") < 10, "it installed something for this worktree alone"

    await stage.age()
    await stage.agor.runner.dismiss([session.id])
    left = stage.table.survivors(within_s=10)
    asked = len(stage.model.requests)
    again = await stage.play(session, {"do": "shell", "cmd": "git commit -q --allow-empty -m again"}, {"text": "I remember."})

    assert left == []
    assert (again.state, again.error) == ("done", None)
    assert git(stage, "log", "-1", "--format=%s") == "again"
    if stage.kit.remembers:
        assert any("made.txt" in request for request in stage.model.requests[asked:])
    assert (await stage.agor.sessions.get(session.id)).agent_session_id == first.agent_session_id


async def test_a_cancel_leaves_nothing_that_its_tools_started(stage):
    session = await stage.begin()
    turn = await stage.say(session, {"do": "shell", "cmd": escapes(stage.table.mark)}, {"text": "Never said."})
    answering = asyncio.create_task(stage.see_through(turn))
    await stage.eventually(lambda: len(stage.table.marked()) >= 5, timeout=PATIENCE_S)

    turn = await stage.cancelled(session)
    await answering

    assert turn.state == "cancelled"
    await stage.eventually(lambda: not stage.table.marked(), timeout=10)
    assert (await stage.play(session, {"text": "Still here."})).state == "done"


async def test_what_decides_what_runs_is_as_it_was(stage, home):
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and "tmp" not in path.parts}
    session = await stage.begin()
    names = " ".join(str(home / name) for name in [*stage.kit.agent.sandbox.settings, *stage.kit.files("")])

    await stage.play(session, {"do": "shell", "cmd": f"for f in {names}; do echo evil >> $f; done; true"}, {"text": "Ok."})

    assert {path: path.read_bytes() for path in before} == before


async def acts(stage: Stage, session, name: str) -> list[Turn]:
    """A turn that edits a file and one that runs a command, which together are `name`."""
    edit = stage.write(f"{name}.txt", "1\n")
    command = {"do": "shell", "cmd": f"cp {name}.txt {name}.copy && echo ran", "asks": True}
    turns = []
    for step in (edit, command):
        turns.append(await stage.say(session, step, {"text": "Ok."}))
        await stage.see_through(turns[-1])
    return turns


async def asked(stage: Stage, turn: Turn) -> list[str]:
    """The titles of the turn's questions, but for those about what it only says."""
    questions = [body["permission"] for body in await stage.events(turn, "permission_asked")]
    return [one["title"] for one in questions if "Ok." not in one["title"]]


async def is_told(stage: Stage, turn: Turn) -> bool:
    return "sandbox_mode" in [body["code"] for body in await stage.events(turn, "notice")]


async def test_it_asks_exactly_when_the_catalogue_says_so_and_its_transcript_tells_when_not(stage):
    agent = stage.agor.agents.get(stage.kit.name)
    session = await stage.begin()

    turns = await acts(stage, session, "first")

    session = await stage.agor.sessions.get(session.id)
    assert session.sandbox == "on"
    assert (stage.folder / "first.copy").read_text() == "1\n"
    assert [len(await asked(stage, turn)) for turn in turns] == ([1, 1] if agent.permissions.asks_where(is_sandboxed=True) else [0, 0])
    assert [await is_told(stage, turn) for turn in turns] == [agent.permissions.sandbox_mode is not None, False]
    assert [option.value for option in session.options if option.id == "mode"] == [agent.permissions.sandbox_mode or agent.permissions.mode]


async def test_the_mode_that_asks_can_be_chosen_in_it(stage):
    agent = stage.agor.agents.get(stage.kit.name)
    session = await stage.begin(options={"mode": agent.permissions.mode})

    turns = await acts(stage, session, "first")
    unasked = await stage.say(session, {"do": "shell", "cmd": "touch unasked; cat first.txt > read.txt"}, {"text": "Ok."})
    await stage.see_through(unasked)

    assert (await stage.agor.sessions.get(session.id)).sandbox == "on"
    assert (stage.folder / "first.copy").read_text() == "1\n"
    assert [len(await asked(stage, turn)) for turn in turns] == [1, 1]
    assert not any([await is_told(stage, turn) for turn in [*turns, unasked]])
    # Without a question nothing is done: who has an own sandbox is kept by that from writing.
    assert (stage.folder / "unasked").exists() is bool(await asked(stage, unasked))
    assert bool(await asked(stage, unasked)) is (agent.permissions.sandbox_mode is None)
