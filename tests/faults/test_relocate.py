"""A server that is killed at each step of following a moved folder: nothing is lost, and the way on is there after the restart."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.services.crash import CRASH_POINTS
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, Clock, bench, bench_config, checkout, clone_protocols, key  # noqa: F401 fixtures

POINTS = [point for point in CRASH_POINTS if point.startswith("relocate.")]
CODE = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage.store import Store, sqlite_url
from tests.services.conftest import OWNER

async def main(data, root, worktree):
    config = Config(data_dir=Path(data), root_dir=Path(root), allowed_roots=(Path(root),))
    store = Store(sqlite_url(config.data_dir / "agor.db"))
    store.start()
    repos = Repos(store, config, Clock())
    worktrees = Worktrees(store, config, Clock(), repos)
    await worktrees.start()
    await worktrees.relocation.relocate(OWNER, worktree, None, "one-key-of-a-relocation")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_while_a_folder_is_followed_loses_nothing(bench: Bench, checkout: Path, point: str) -> None:  # noqa: F811
    worktree = await bench.make(await bench.repo(checkout))
    old, new = Path(worktree.path), Path(worktree.path).with_name("renamed")
    (old / "a.txt").write_text("mine\n")
    old.rename(new)
    await bench.worktrees.close()
    command = [sys.executable, "-c", CODE, str(bench.config.data_dir), str(bench.config.root_dir), worktree.id]

    killed = subprocess.run(command, env=os.environ | {"AGOR_CRASH_AT": point}, check=False)
    repos = Repos(bench.store, bench.config, Clock())
    after = Worktrees(bench.store, bench.config, Clock(), repos)
    await after.start()
    told = await after.get(worktree.id)
    if told.state is WorktreeState.MISSING:
        assert [(way.kind, way.of) for way in told.ways] == [(WayKind.RELOCATE, str(new))]
        await after.ways.take(OWNER, worktree.id, WayKind.RELOCATE, key())
    [status] = await after.status([worktree.id], 0)
    found = await after.get(worktree.id)
    await after.close()

    assert killed.returncode == -signal.SIGKILL
    assert (found.state, found.path) == (WorktreeState.READY, str(new))
    assert (status.branch, status.unstaged) == ("fix", 1)
    assert git("status", "--porcelain", cwd=new) == "M a.txt"
