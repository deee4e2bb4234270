"""The real engine with a real sandbox: these tests need bubblewrap, and fail without it."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.executors import sandbox
from agor_jupyter.services.config import Config


@pytest.fixture(scope="session", autouse=True)
def _has_a_sandbox():
    assert sandbox.reason() is None


@pytest.fixture
def config(config: Config, monkeypatch, tmp_path) -> Config:
    home = tmp_path / "root" / "person"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text("a secret\n")
    monkeypatch.setenv("HOME", str(home))
    return dataclasses.replace(config, sandbox="required")


def git(*arguments: str, cwd: Path) -> str:
    options = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    return subprocess.run(["git", *options, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


async def play(scene, session, *lines, state="done"):
    """One turn of `lines`, allowed. Returns it with what its blocks wrote."""
    turn = await scene.prompt(session, *lines)
    await scene.allow(turn)
    turn = await scene.ended(turn, timeout=60)
    written = output(await scene.transcript(session), turn)
    assert turn.state.value == state, (turn.error, written)
    return turn, written


def output(transcript, turn) -> str:
    return "".join(
        event["body"]["text"] for event in transcript if event["turnId"] == turn.id and event["body"]["kind"] == "tool_output"
    ) or "".join(
        event["body"].get("output") or "" for event in transcript if event["turnId"] == turn.id and event["body"]["kind"] == "tool_call"
    )


async def notices(scene, session) -> list[str]:
    return [event["body"]["code"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
