"""Signatures: told where they are missing, and never waited for in silence."""

import dataclasses
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.processes import table
from agor_jupyter.services.app import Agor
from agor_jupyter.services.sessions.running import watchdog
from tests.sandbox.conftest import notices, play
from tests.scene import Scene


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def person(tmp_path, monkeypatch) -> Path:
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


async def place(app: Agor, repository: Path, owner, key) -> Scene:
    repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
    return Scene(app, owner, key, await app.worktrees.wait_ready(made.id))


async def test_what_comes_out_of_the_sandbox_unsigned_is_told_once_and_signed_with_one_line(config, repository, person, owner, key):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(person / "id")], check=True)
    settings = f"[commit]\n\tgpgSign = true\n[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = {person}/id\n"
    (person / ".gitconfig").write_text(settings)
    async with Agor(dataclasses.replace(config, sandbox="required")) as app:
        scene = await place(app, repository, owner, key)
        session, path = await scene.session(), Path(scene.worktree.path)

        await play(scene, session, "echo 1 > a; git add a; git commit -qm one; echo 2 > b; git add b; git commit -qm two; echo 3 > c")
        await play(scene, session, "git add c; git commit -qm three; echo 4 > left")

        assert (await notices(scene, session)).count("unsigned") == 1
        (told,) = [event["body"]["text"] for event in await scene.transcript(session) if event["body"].get("code") == "unsigned"]
        assert "gpgsig" not in git("cat-file", "commit", "fix", cwd=repository)
        line = shlex.split(told.partition("terminal: ")[2])
        subprocess.run(line, check=True, capture_output=True, cwd="/")
        for commit in ("fix", "fix~1", "fix~2"):
            assert "gpgsig" in git("cat-file", "commit", commit, cwd=repository)
        assert git("log", "--format=%s", "fix", cwd=repository).split("\n") == ["three", "two", "one", "first"]
        assert (path / "left").read_text() == "4\n"
        _, said = await play(scene, session, "git log -1 --format=%s; git status --porcelain")
        assert said.split("\n") == ["three", "?? left", ""]


async def test_nobody_is_told_where_no_signatures_are_asked_for(config, repository, person, owner, key):
    async with Agor(dataclasses.replace(config, sandbox="required")) as app:
        scene = await place(app, repository, owner, key)
        session = await scene.session()

        await play(scene, session, "echo 1 > a; git add a; git commit -qm one")

        assert await notices(scene, session) == []


@pytest.mark.parametrize("form", ["openpgp", "ssh"])
async def test_a_commit_that_waits_for_a_signature_is_shown_and_ends_with_the_turn(
    config, repository, person, owner, key, monkeypatch, form
):
    slow = person / "slow"
    slow.write_text(f"#!/bin/sh\necho $$ > {person}/pid\nexec 2>&-\nsleep 3600\n")
    slow.chmod(0o755)
    program = "gpg.program" if form == "openpgp" else "gpg.ssh.program"
    for name, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", form),
        (program, str(slow)),
        ("user.signingKey", "key::ssh-ed25519 AAAA"),
    ):
        git("config", "--global", name, value, cwd=repository)
    monkeypatch.setattr(watchdog, "SIGNATURE_S", 0.5)
    monkeypatch.setattr(watchdog, "_LOOK_AGAIN_S", 0.1)
    async with Agor(config) as app:
        scene = await place(app, repository, owner, key)
        session = await scene.session()
        turn = await scene.prompt(session, "git commit -q --allow-empty -m signed")
        await scene.allow(turn)

        async def shown() -> bool:
            return (await scene.agor.sessions.get(session.id)).stalled_at is not None

        await scene.eventually_async(shown, True)
        await scene.eventually_async(lambda: notices(scene, session), ["waits_for_signature"])
        (told,) = [event["body"]["text"] for event in await scene.transcript(session) if event["body"].get("code") == "waits_for_signature"]
        assert "Git is waiting for a signature: slow has run" in told
        pid = int((person / "pid").read_text())
        assert table.identify({pid})

        await scene.agor.turns.cancel(scene.caller, turn.id)

        assert (await scene.ended(turn)).state.value == "cancelled"
        await scene.eventually(lambda: not table.identify({pid}))
        assert not os.path.exists(Path(scene.worktree.path) / ".git" / "index.lock")


async def test_a_quick_signature_and_other_programs_are_no_reason(config, repository, person, owner, key, monkeypatch):
    monkeypatch.setattr(watchdog, "SIGNATURE_S", 0.2)
    monkeypatch.setattr(watchdog, "_LOOK_AGAIN_S", 0.1)
    async with Agor(config) as app:
        scene = await place(app, repository, owner, key)
        session = await scene.session()
        turn = await scene.prompt(session, "sh -c 'sleep 1' x --status-fd=2 -bsau me")
        await scene.allow(turn)

        await scene.ended(turn)

        assert await notices(scene, session) == []
