"""A repository with a submodule, which is filled in the worktree, and an agent that works in both."""

from pathlib import Path

import pytest

from agor_jupyter.domain.worktrees import WorktreeAdopt
from tests.sandbox.conftest import config, git, notices, play  # noqa: F401  # config: a fixture

FILL = ("-c", "protocol.file.allow=always", "submodule", "update", "--init", "-q")


@pytest.fixture
def library(repository, tmp_path) -> Path:
    """Before the worktree is made."""
    library = tmp_path / "root" / "library"
    library.mkdir()
    git("init", "-q", "-b", "main", cwd=library)
    (library / "lib.py").write_text("1\n")
    git("add", "-A", cwd=library)
    git("commit", "-qm", "library", cwd=library)
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "vendor/lib", cwd=repository)
    git("commit", "-qm", "with a library", cwd=repository)
    return library


@pytest.fixture
def filled(library, scene) -> Path:
    path = Path(scene.worktree.path)
    git(*FILL, cwd=path)
    return path / "vendor" / "lib"


async def test_status_works_and_commits_come_out(filled, scene, repository):
    session, path = await scene.session(), Path(scene.worktree.path)

    _, said = await play(
        scene,
        session,
        "git status --porcelain; git submodule status; cd vendor/lib; git status --porcelain; git log --format=%s; cat lib.py",
        "echo 2 > lib.py; git commit -qam inner; cd ../..; git commit -qam outer; git status --porcelain; git submodule status",
    )

    lines = [line.split() for line in said.strip().split("\n")]
    assert lines[0][1] == "vendor/lib"
    assert [line[0] for line in lines[1:3]] == ["library", "1"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "outer"
    assert git("log", "-1", "--format=%s", cwd=filled) == "inner"
    assert git("rev-parse", "HEAD", cwd=filled) == git("rev-parse", "HEAD:vendor/lib", cwd=path)
    assert git("status", "--porcelain", cwd=filled) == ""
    assert git("status", "--porcelain", cwd=path) == ""
    assert await notices(scene, session) == []


async def test_it_is_found_where_git_has_another_name_for_the_worktree_than_its_folder(library, scene, repository, tmp_path):
    for number in range(2):
        path = tmp_path / "root" / f"other-{number}" / "same"
        git("worktree", "add", "-q", "-b", f"b{number}", str(path), cwd=repository)
    git(*FILL, cwd=path)
    adopt = WorktreeAdopt(repo=scene.worktree.repo_id, path=str(path))
    scene.worktree = await scene.agor.worktrees.adoption.adopt(scene.caller, adopt, scene.key())
    session = await scene.session()

    _, said = await play(scene, session, "cd vendor/lib; cat lib.py; echo 2 > lib.py; git commit -qam inner; git status --porcelain")

    assert Path(git("rev-parse", "--absolute-git-dir", cwd=path).strip()).name != "same"
    assert said.strip() == "1"
    assert git("log", "-1", "--format=%s", cwd=path / "vendor" / "lib") == "inner"
    assert await notices(scene, session) == []


async def test_a_person_who_moves_it_between_turns_is_followed(filled, scene, library):
    session = await scene.session()
    await play(scene, session, "cd vendor/lib; git log -1")
    (filled / "lib.py").write_text("by a person\n")
    git("commit", "-qam", "by a person", cwd=filled)
    await scene.agor.runner.dismiss([session.id])

    _, said = await play(scene, session, "cd vendor/lib; git log -1 --format=%s; git status --porcelain")

    assert said.strip() == "by a person"


async def test_both_sides_are_kept_when_a_person_moves_it_meanwhile(filled, scene):
    session = await scene.session()
    turn = await scene.prompt(
        session, "cd vendor/lib; touch done; while [ ! -e go ]; do sleep 0.05; done; rm go done; echo 2 > lib.py; git commit -qam inner"
    )
    await scene.allow(turn)
    await scene.eventually((filled / "done").exists)
    git("commit", "-q", "--allow-empty", "-m", "by a person", cwd=filled)
    (filled / "go").touch()
    await scene.ended(turn)

    assert git("log", "-1", "--format=%s", cwd=filled) == "by a person"
    assert await notices(scene, session) == ["submodule"]
    [text] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    ref = text.rpartition(" ")[2].rstrip(".")
    assert git("log", "-1", "--format=%s", ref, cwd=filled) == "inner"


async def test_settings_that_an_agent_writes_for_it_are_obeyed_by_nobody_outside(filled, scene, tmp_path):
    session, marker = await scene.session(), tmp_path / "root" / "MARKER"

    await play(
        scene,
        session,
        f"printf '#!/bin/sh\\ntouch {marker}\\n' > trap; chmod 755 trap; T=$PWD/trap; cd vendor/lib; git config core.fsmonitor $T",
        'cp ../../trap "$(git rev-parse --git-dir)/hooks/post-commit" 2>/dev/null || true',
        "echo 2 > lib.py; git -c core.fsmonitor= commit -qam inner",
    )
    git("status", cwd=Path(scene.worktree.path))
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=filled)

    assert not marker.exists()
    assert git("log", "-2", "--format=%s", cwd=filled).split() == ["x", "inner"]


async def test_one_that_the_agent_fills_works_outside_too(library, scene, repository):
    session, path = await scene.session(), Path(scene.worktree.path)

    await play(
        scene,
        session,
        "g=$(git rev-parse --absolute-git-dir)/modules/vendor/lib; rm -rf $g vendor/lib; mkdir -p ${g%/lib}; git init -q --separate-git-dir=$g vendor/lib",
        "cd vendor/lib; echo 2 > lib.py; git add lib.py; git -c user.name=a -c user.email=a@a commit -qm made; echo 3 > lib.py",
    )

    inner = path / "vendor" / "lib"
    assert git("log", "-1", "--format=%s", cwd=inner) == "made"
    assert git("status", "--porcelain", cwd=inner) == "M lib.py"
    assert git("status", "--porcelain", cwd=path) == "M vendor/lib"


async def test_an_update_inside_goes_back_to_what_is_recorded_and_the_real_one_follows(filled, scene):
    session, path = await scene.session(), Path(scene.worktree.path)
    await play(
        scene, session, "cd vendor/lib; git switch -q -c work; echo 2 > lib.py; git commit -qam inner; cd ../..; git commit -qam outer"
    )

    _, said = await play(
        scene,
        session,
        "git switch -q -c older HEAD~1; git submodule update; cd vendor/lib; git log -1 --format=%s; cat lib.py; cd ../..; git status --porcelain",
        "git switch -q -; git submodule update; cd vendor/lib; git log -1 --format=%s; git checkout -q HEAD~1; cd ../..; git submodule update",
    )

    lines = said.split("\n")
    assert [line for line in lines if line in {"library", "inner", "1", "2"}][:2] == ["library", "1"]
    assert git("rev-parse", "HEAD", cwd=filled) == git("rev-parse", "HEAD:vendor/lib", cwd=path)
    assert git("status", "--porcelain", cwd=path) == ""
    assert (filled / "lib.py").read_text() == "2\n"
    assert await notices(scene, session) == []


async def test_an_update_inside_that_fills_one_makes_a_real_repository_outside(library, scene):
    session, path = await scene.session(), Path(scene.worktree.path)
    git("clone", "-q", "--bare", str(library), str(path / "source.git"), cwd=path)

    await play(
        scene,
        session,
        "git config submodule.vendor/lib.url $PWD/source.git; git -c protocol.file.allow=always submodule update --init; cat vendor/lib/lib.py",
        "cd vendor/lib; git switch -q -c work; echo 2 > lib.py; git -c user.name=a -c user.email=a@a commit -qam inner",
    )

    inner = path / "vendor" / "lib"
    assert git("log", "--format=%s", cwd=inner).split() == ["inner", "library"]
    assert git("status", "--porcelain", cwd=inner) == ""
    git("fsck", "--strict", cwd=inner)


async def test_an_update_that_cannot_reach_its_source_says_gits_own_reason_and_breaks_nothing(library, scene):
    session = await scene.session()

    _, said = await play(scene, session, "git submodule update --init 2>&1 || echo refused; git status --porcelain; git log -1 --format=%s")

    assert "refused" in said
    assert said.strip().split("\n")[-1] == "with a library"
    assert (await scene.agor.worktrees.status([scene.worktree.id], 0))[0].branch == scene.worktree.branch
