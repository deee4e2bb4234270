"""A server is killed while an environment starts, runs or stops: services go on and are adopted, or are reported as stopped."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agor_jupyter.domain.environments import ServiceState
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.crash import CRASH_POINTS
from tests.git.conftest import git
from tests.services.environments.conftest import SERVER, Stage, of_worktree, service

VICTIM = str(Path(__file__).with_name("victim.py"))


def commands(worktree_id: str) -> list[str]:
    """What runs of the worktree's services, shims left out: one line for each."""
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in of_worktree(worktree_id)]
    return sorted(line for line in lines if SERVER in line and "shim.py" not in line)


@pytest.fixture
async def worktree_id(config, owner, key, repository: Path) -> str:
    section = {"setup": ["true"], "services": {"api": service("say=api", ports=["api"]), "web": service("say=web", depends_on=["api"])}}
    (repository / ".agor.yml").write_text(json.dumps({"environment": section}))
    git("add", "-A", cwd=repository)
    git("commit", "-qm", "an environment", cwd=repository)
    async with Agor(config) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        return (await app.worktrees.wait_ready(made.id)).id


def victim(config, worktree_id: str, then: str, crash_at: str = "") -> subprocess.Popen[str]:
    arguments = [str(config.data_dir), str(config.root_dir), str(config.environment_ports[0]), worktree_id, then]
    return subprocess.Popen(
        [sys.executable, VICTIM, *arguments], env={**os.environ, "AGOR_CRASH_AT": crash_at}, stdout=subprocess.PIPE, text=True
    )


async def settled(app, owner, key, worktree_id: str) -> Stage:
    """The next server has found out how everything is, and what it says is what runs."""
    stage = Stage(app, owner, key, await app.worktrees.get(worktree_id))
    found = await stage.until_state("healthy", "stopped", "failed", "degraded")
    up = {one.name for one in found.services if one.state is ServiceState.HEALTHY}
    assert len(commands(worktree_id)) == len(up), (found, commands(worktree_id))
    for one in found.services:
        assert one.state in {ServiceState.HEALTHY, ServiceState.STOPPED, ServiceState.FAILED}, one
    return stage


async def gone(stage: Stage) -> None:
    await stage.agor.environments.halt(stage.worktree.id)
    assert stage.processes() == set()


@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if point.startswith("environment.")])
async def test_a_kill_at_each_named_point_leaves_nothing_unknown_and_nothing_twice(point, config, owner, key, worktree_id):
    dead = victim(config, worktree_id, "stop", f"{point}:{random.choice((1, 2)) if point != 'environment.setup' else 1}")
    assert dead.wait(60) == -signal.SIGKILL, "the point was never passed"

    async with Agor(config) as app:
        await gone(await settled(app, owner, key, worktree_id))


async def test_what_was_healthy_goes_on_and_is_adopted(config, owner, key, worktree_id):
    dead = victim(config, worktree_id, "wait")
    assert dead.stdout is not None
    assert [dead.stdout.readline().strip() for _ in range(2)] == ["begun", "healthy"]
    dead.kill()
    dead.wait()
    before = of_worktree(worktree_id)
    assert len(commands(worktree_id)) == 2

    async with Agor(config) as app:
        stage = await settled(app, owner, key, worktree_id)
        assert (await stage.state(), of_worktree(worktree_id)) == ("healthy", before)
    assert of_worktree(worktree_id) == before, "an orderly end lets them go on too"
    async with Agor(config) as app:
        stage = await settled(app, owner, key, worktree_id)
        await stage.stop()
        await stage.until_state("stopped")
        assert stage.processes() == set()


async def test_what_ended_while_no_server_ran_is_reported_as_stopped(config, owner, key, worktree_id):
    dead = victim(config, worktree_id, "wait")
    assert dead.stdout is not None
    assert [dead.stdout.readline().strip() for _ in range(2)] == ["begun", "healthy"]
    dead.kill()
    dead.wait()
    for pid in of_worktree(worktree_id):
        os.kill(pid, signal.SIGKILL)

    async with Agor(config) as app:
        stage = await settled(app, owner, key, worktree_id)
        found = await stage.get()

        assert {one.state.value for one in found.services} == {"stopped"}
        assert all(one.reason == "It ended while the server was not running." for one in found.services)
        await gone(stage)
