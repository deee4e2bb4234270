"""Commits of agents carry the name and address that git itself finds in the worktree, and none when there is none."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.git import identity
from agor_jupyter.git.repository import Repository
from tests.sandbox.conftest import notices, play

PLAIN = "env " + " ".join(f"-u GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL"))
"""The script agent has a name of its own where there is none."""
WORK = "[user]\n\temail = me@work.com\n"


@pytest.fixture
def config(config, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "person").mkdir()
    (tmp_path / "person" / "work.inc").write_text(WORK)
    return dataclasses.replace(config, sandbox="required")


def settings(tmp_path: Path, text: str) -> None:
    (tmp_path / "person" / ".gitconfig").write_text(text)


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=False, capture_output=True, text=True).stdout.strip()


def nameless(repository: Path) -> None:
    for key in ("user.name", "user.email"):
        git("config", "--unset", key, cwd=repository)


HOME = "[user]\n\tname = Me\n\temail = me@home.org\n"
CONDITIONS = {
    "by folder": '[includeIf "gitdir:{root}/"]\n\tpath = ~/work.inc\n',
    "by remote": '[includeIf "hasconfig:remote.*.url:https://work.example/**"]\n\tpath = ~/work.inc\n',
    "by branch": '[includeIf "onbranch:fix"]\n\tpath = ~/work.inc\n',
    "only in the include": None,
}


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_the_work_address_counts_in_the_sandbox_as_in_a_terminal(scene, repository, tmp_path, condition):
    nameless(repository)
    git("remote", "add", "origin", "https://work.example/a/b", cwd=repository)
    include = (CONDITIONS[condition] or CONDITIONS["by folder"]).format(root=tmp_path / "root")
    settings(tmp_path, (HOME if CONDITIONS[condition] else "[user]\n\tname = Me\n") + include)
    path = Path(scene.worktree.path)

    await play(scene, await scene.session(), "echo 1 > new; git add new; git commit -qm inside")

    assert git("config", "user.email", cwd=path) == "me@work.com"
    assert git("log", "-1", "--format=%s %an %ae %ce", "fix", cwd=repository) == "inside Me me@work.com me@work.com"


async def test_where_there_is_none_none_is_made_up_and_a_notice_says_how_to_set_it(scene, repository, tmp_path):
    nameless(repository)
    session = await scene.session()

    _, said = await play(
        scene, session, f"echo 1 > new; git add new; {PLAIN} git -c user.useConfigOnly=true commit -qm inside 2>&1 || true"
    )

    assert "tell me who you are" in said
    assert "nobody" in await notices(scene, session)
    assert git("log", "-1", "--format=%s", "fix", cwd=repository) == "first"

    settings(tmp_path, HOME)
    other = await scene.session()
    await play(scene, other, "git commit -qm later")

    assert git("log", "-1", "--format=%ae", "fix", cwd=repository) == "me@home.org"
    assert "nobody" not in await notices(scene, other)


async def test_what_an_agent_set_itself_stays_until_it_changes_outside(scene, repository, tmp_path):
    nameless(repository)
    settings(tmp_path, HOME)
    await play(scene, await scene.session(), "git config user.email bot@example.org")

    _, second = await play(scene, await scene.session(), "git config user.email")
    settings(tmp_path, HOME.replace("me@home.org", "new@home.org"))
    _, third = await play(scene, await scene.session(), "git config user.email")

    assert (second.strip(), third.strip()) == ("bot@example.org", "new@home.org")


async def test_nothing_is_run_to_find_it(scene, repository, tmp_path):
    """Whatever the repository's settings say, and whatever they include."""
    marker = tmp_path / "MARKER"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.askPass",
        "gpg.program",
        "alias.config",
        "core.sshCommand",
        "credential.helper",
    ):
        git("config", key, f"!{trap}" if key.startswith("alias") else str(trap), cwd=repository)
    (tmp_path / "evil").write_text(f"[core]\n\tfsmonitor = {trap}\n\thooksPath = {tmp_path}\n")
    git("config", "include.path", str(tmp_path / "evil"), cwd=repository)
    there = Repository(path=repository, common_dir=repository / ".git", view=tmp_path / "view")
    await there.refresh()

    found = await identity.of(there, Path(scene.worktree.path))

    assert dict(found.settings)[b"user.email"] == b"test@example.org"
    assert not marker.exists()
