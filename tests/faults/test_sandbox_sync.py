"""The server is killed while it brings out what an agent committed: branch and index are as they should be after the next start."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import CRASH_POINTS
from tests.git.conftest import git

POINTS = [point for point in CRASH_POINTS if point.startswith("sandbox.")]
CODE = """
import asyncio, subprocess, sys, uuid
from pathlib import Path
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Prompt, SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository, turns = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)
key = lambda: uuid.uuid4().hex

async def main():
    async with Agor(Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="required")) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), key())
        made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), key())
        worktree = await app.worktrees.wait_ready(made.id)
        print(worktree.path, flush=True)
        (Path(worktree.path) / "b.txt").write_text("staged\\n")
        subprocess.run(["git", "add", "b.txt"], cwd=worktree.path, check=True)
        session = await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id, allow=True), key())
        for text in turns:
            turn = await app.sessions.prompt(ann, session.id, Prompt(text=f"```sh\\n{text}\\n```"), key())
            while (await app.turns.get(turn.id)).ended_at is None:
                await asyncio.sleep(0.05)

asyncio.run(main())
"""
COMMIT = "echo 1 > one.txt; echo more >> a.txt; git add one.txt a.txt; git commit -qm one -- one.txt a.txt"
AMEND = "echo 2 > one.txt; git commit -q --amend -m two -- one.txt"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "root" / "repo"
    path.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    git("init", "-q", "-b", "main", cwd=path)
    git("config", "user.name", "Ann", cwd=path)
    git("config", "user.email", "ann@example.org", cwd=path)
    for name in ("a.txt", "b.txt"):
        (path / name).write_text("first\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "first", cwd=path)
    return path


@pytest.mark.timeout(90)
@pytest.mark.parametrize("turns", [(COMMIT,), (COMMIT, AMEND)], ids=["commit", "amend"])
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_while_commits_come_out_leaves_branch_and_index_as_they_should_be(
    repository: Path, tmp_path: Path, point: str, turns: tuple[str, ...]
) -> None:
    data, root = tmp_path / "data", tmp_path / "root"
    victim = subprocess.run(
        [sys.executable, "-c", CODE, data, root, repository, *turns],
        env=os.environ | {"AGOR_CRASH_AT": f"{point}:{len(turns)}"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert victim.returncode == -signal.SIGKILL, f"the point was never passed\n{victim.stderr}"
    path = Path(victim.stdout.strip())
    wanted = "two" if len(turns) == 2 else "one"

    async with Agor(Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="required")) as app:
        [worktree] = await app.worktrees.list()
        async with asyncio.timeout(30):
            while (data / "sandboxes" / worktree.id / "open").exists():
                await asyncio.sleep(0.05)
        [status] = await app.worktrees.status([worktree.id], 0)

    assert git("log", "--format=%s", "fix", cwd=repository).split() == [wanted, "first"]
    assert git("status", "--porcelain", cwd=path).splitlines() == ["M  b.txt"]
    assert git("show", ":b.txt", cwd=path) == "staged"
    assert (status.staged, status.unstaged, status.untracked) == (1, 0, 0)
    assert git("for-each-ref", f"refs/agor/sandbox/{worktree.id}/incoming", cwd=repository) == ""
    git("fsck", "--strict", cwd=repository)
