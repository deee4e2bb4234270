"""Filters that clean files when they are committed: nbstripout, Git LFS and others, for agents in their sandbox."""

import hashlib
import os
from pathlib import Path

import pytest

from agor_jupyter.domain.worktrees import TakeRequest
from tests.sandbox.conftest import config, git, notices, play  # noqa: F401  # config: a fixture

COMMIT = "printf 'code\\noutput: a row of data\\n' > n.ipynb; git add n.ipynb; git commit -qm run"


def _strip(repository: Path, command: str) -> None:
    (repository / ".gitattributes").write_text("*.ipynb filter=strip\n")
    git("config", "filter.strip.clean", command, cwd=repository)
    git("add", ".gitattributes", cwd=repository)
    git("commit", "-qm", "attributes", cwd=repository)


@pytest.fixture
def stripped(repository):
    """Before the worktree is made. The command is on PATH inside as outside."""
    _strip(repository, "sed -e /^output/d")


@pytest.fixture
def stripped_at_home(repository, tmp_path):
    """Before the worktree is made. Its program lies in the person's home, which no agent sees."""
    program = tmp_path / "root" / "person" / "tools" / "strip"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nsed -e /^output/d\n")
    program.chmod(0o755)
    _strip(repository, str(program))


@pytest.fixture
def large(repository, monkeypatch):
    """Before the worktree is made: a repository with a large file in Git LFS."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("lfs", "install", "--local", cwd=repository)
    (repository / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (repository / "a.bin").write_bytes(b"a" * 50_000)
    git("add", "-A", cwd=repository)
    git("commit", "-qm", "large", cwd=repository)


async def test_a_filter_whose_program_is_there_runs_inside(stripped, scene, repository):
    session = await scene.session()

    await play(scene, session, COMMIT)

    assert git("show", f"{scene.worktree.branch}:n.ipynb", cwd=repository) == "code"
    assert await notices(scene, session) == []


async def test_what_is_committed_past_a_filter_does_not_come_out_before_a_person_says_so(stripped, scene, repository):
    session = await scene.session()

    await play(scene, session, f"git config filter.strip.clean cat; {COMMIT}; git rm -q n.ipynb; git commit -qm gone; echo 1 > n.ipynb")

    branch, kept = scene.worktree.branch, f"refs/agor/sandbox/{scene.worktree.id}/heads/{scene.worktree.branch}"
    [text] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert text.startswith(f"On branch '{branch}', 1 file was committed as they are and not through the filter 'strip': n.ipynb.")
    assert f"jupyter agor worktree take {scene.worktree.id} {kept}" in text
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "attributes"
    assert git("log", "-1", "--format=%s", kept, cwd=repository) == "gone"

    await play(scene, session, "git status --porcelain")
    assert await notices(scene, session) == ["unfiltered"]

    await scene.agor.sandboxes.take(scene.caller, scene.worktree.id, TakeRequest(ref=kept), scene.key())
    assert git("log", "-1", "--format=%s", branch, cwd=repository) == "gone"


async def test_an_agent_that_commits_again_through_the_filter_is_followed(stripped, scene, repository):
    session = await scene.session()
    await play(scene, session, f"git config filter.strip.clean cat; {COMMIT}")
    assert "unfiltered" in await notices(scene, session)

    await play(
        scene, session, "git config filter.strip.clean 'sed -e /^output/d'; git reset -q HEAD~1; git add n.ipynb; git commit -qm clean"
    )

    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "clean"


async def test_a_filter_that_cannot_run_there_is_not_skipped_in_silence(stripped_at_home, scene, repository):
    session = await scene.session()

    await play(scene, session, COMMIT)

    assert await notices(scene, session) == ["unfiltered"]
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "attributes"
    [text] = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert "could not be tried in the sandbox" in text
    assert "AgorApp.sandbox_read" in text


async def test_files_of_lfs_are_read_and_committed_inside(large, scene, repository):
    path = Path(scene.worktree.path)
    git("lfs", "pull", cwd=path)
    session = await scene.session()

    _, said = await play(
        scene,
        session,
        "wc -c < a.bin; git status --porcelain; rm a.bin; git checkout -q a.bin; wc -c < a.bin",
        "head -c 60000 /dev/zero > b.bin; git add b.bin; git commit -qm b; git status --porcelain",
    )

    assert said.split() == ["50000", "50000"]
    assert await notices(scene, session) == []
    assert git("show", f"{scene.worktree.branch}:b.bin", cwd=repository).startswith("version https://git-lfs")
    oid = hashlib.sha256(b"\0" * 60_000).hexdigest()
    assert (repository / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid).stat().st_size == 60_000
    assert git("lfs", "fsck", cwd=path)
    assert git("status", "--porcelain", cwd=path) == ""


async def test_a_large_file_past_lfs_does_not_come_out(large, scene, repository):
    session = await scene.session()

    await play(
        scene,
        session,
        "head -c 60000 /dev/zero > b.bin; o=$(git hash-object -w --no-filters b.bin); git update-index --add --cacheinfo 100644,$o,b.bin; git commit -qm b",
    )

    assert "unfiltered" in await notices(scene, session)
    assert git("log", "-1", "--format=%s", scene.worktree.branch, cwd=repository) == "large"
