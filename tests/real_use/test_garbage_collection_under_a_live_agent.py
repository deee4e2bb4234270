"""People reset, repack and collect garbage in their repository while an agent works in a sandbox that borrows its objects."""

import subprocess
from pathlib import Path

import pytest

from tests.sandbox.conftest import config, git, notices, play  # noqa: F401  # config: a fixture

CLEANING = [
    ("reset", "-q", "--hard", "HEAD~1"),
    ("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"),
    ("repack", "-q", "-a", "-d"),
    ("prune", "--expire=now"),
    ("gc", "-q", "--prune=now"),
]


def _clean(path: Path, *more: tuple[str, ...]) -> None:
    for command in (*CLEANING, *more):
        git(*command, cwd=path)


async def test_a_reset_and_gc_outside_take_nothing_away_from_the_agent(scene, repository):
    session = await scene.session()
    path, branch = Path(scene.worktree.path), scene.worktree.branch
    git("commit", "-q", "--allow-empty", "-m", "on main", cwd=repository)
    git("tag", "-a", "-m", "x", "v1", cwd=repository)
    (path / "staged").write_text("staged and in no commit\n")
    git("add", "staged", cwd=path)
    await play(scene, session, "for n in 1 2; do echo $n > a; git add a; git commit -qm $n; done; git gc -q --prune=now")
    turn = await scene.prompt(
        session,
        "git branch topic main; touch done; while [ ! -e go ]; do sleep 0.05; done; rm go done",
        "git log --format=%s; git log --format=%s topic; git show :staged; echo 3 > a; git commit -qam 3; git status --porcelain",
    )
    await scene.allow(turn)
    await scene.eventually((path / "done").exists)

    git("tag", "-d", "v1", cwd=repository)
    _clean(repository)
    _clean(path)
    (path / "go").touch()
    turn = await scene.ended(turn, timeout=30)

    assert turn.state.value == "done", turn
    assert "reset" in await notices(scene, session)
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "1"
    git("fsck", "--strict", cwd=repository)
    _, said = await play(scene, session, "git log --format=%s; git fsck --no-dangling --no-progress; echo 4 > a; git commit -qam 4")
    assert said.split("\n")[:2] == ["1", "first"]
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "4"


async def test_a_sandbox_whose_objects_are_gone_is_made_anew_and_what_can_be_saved_is_saved(scene, repository):
    session = await scene.session()
    path, branch = Path(scene.worktree.path), scene.worktree.branch
    (path / "base").write_text("x\n")
    git("add", "base", cwd=path)
    git("commit", "-qm", "base", cwd=path)
    await play(scene, session, "git switch -q -c whole main; echo w > w; git add w; git commit -qm whole; git switch -q -")
    turn = await scene.prompt(
        session, "echo 1 > a; git add a base; git commit -qm inside; echo 2 > b; touch done; while [ ! -e go ]; do sleep 0.05; done"
    )
    await scene.allow(turn)
    await scene.eventually((path / "done").exists)

    held = git("for-each-ref", "--format=%(refname)", "refs/agor", cwd=repository).split()
    for ref in held:
        git("update-ref", "-d", ref, cwd=repository)
    _clean(path)
    git("gc", "-q", "--prune=now", cwd=repository)
    (path / "go").touch()
    await scene.ended(turn, timeout=30)
    _, said = await play(
        scene, session, "git log --format=%s; cat a b; git status --porcelain; echo 3 > c; git add c; git commit -qm later"
    )

    assert said.split("\n")[:3] == ["first", "1", "2"]
    assert (await notices(scene, session)).count("remade") == 1
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "later"
    kept = f"refs/agor/sandbox/{scene.worktree.id}/heads/whole"
    assert git("log", "-1", "--format=%s", kept, cwd=repository) == "whole"
    await play(scene, session, "echo 4 > d; git add d; git commit -qm latest")
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "latest"
    assert (await notices(scene, session)).count("remade") == 1


async def test_what_a_sandbox_borrowed_is_let_go_with_it(scene, repository):
    await play(scene, await scene.session(), "true")
    below = f"refs/agor/sandbox/{scene.worktree.id}/base"
    assert git("for-each-ref", below, cwd=repository)

    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())

    assert git("for-each-ref", below, cwd=repository) == ""


@pytest.mark.parametrize("command", ["log --all --oneline", "fsck --strict", "clone -q . ../copy"])
async def test_the_refs_that_protect_disturb_no_git_of_people(scene, repository, command):
    await play(scene, await scene.session(), "true")

    done = subprocess.run(["git", *command.split()], cwd=repository, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
