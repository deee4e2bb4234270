"""The server is killed at random moments, and at each named point once. Whatever was acknowledged must hold."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from agor_jupyter.services.crash import CRASH_POINTS
from tests.faults import checker
from tests.faults.history import History
from tests.faults.server import Server
from tests.faults.workload import Workload

KILLS = int(os.environ.get("AGOR_KILLS", "30"))
SEED = int(os.environ.get("AGOR_SEED", "20261122"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "root" / "repo"
    path.mkdir(parents=True)
    for argv in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "test@example.org"],
        ["config", "user.name", "Test"],
    ):
        subprocess.run(["git", *argv], cwd=path, check=True)
    for number in range(20):
        (path / f"file{number}.txt").write_text(f"{number}\n" * 50)
    subprocess.run(["git", "add", "-A"], cwd=path, check=True)
    subprocess.run(["git", "commit", "-qm", "first"], cwd=path, check=True)
    return path


class Scene:
    def __init__(self, tmp_path: Path, repository: Path, seed: int) -> None:
        (tmp_path / "data").mkdir()
        self.repository, self.ledger = repository, tmp_path / "ledger"
        self.server = Server(tmp_path / "root", tmp_path / "data", log=tmp_path / "server.log")
        self.history = History(tmp_path / "history.jsonl")
        self.workload = Workload(self.server, self.history, self.ledger, seed)

    def restart(self, crash_at: str | None = None) -> None:
        """Start again, and check at once that no process of the dead server's runs is left and nothing dead looks alive."""
        dead = checker.runs_below(self.server.data)
        self.server.start(crash_at)
        self.server.wait_ready()
        left = checker.survivors_of(dead)
        assert not left, f"P3: survivors of a dead run: {left}"

    def settle(self) -> None:
        """Nobody asks any more; what is open is answered until all is at rest."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            self.workload._answer()
            page = self.server.call("GET", "sessions?limit=50")["items"]
            turns = [turn for session in page for turn in self.server.call("GET", f"sessions/{session['id']}/turns")]
            for turn in turns:
                if turn["state"] == "interrupted" and turn["resolution"] is None:
                    self.server.call("POST", f"turns/{turn['id']}/discard")
            busy = [turn for turn in turns if turn["state"] in {"queued", "starting", "running", "waiting", "stopping"}]
            creating = [worktree for worktree in self.server.call("GET", "worktrees") if worktree["state"] == "creating"]
            if not busy and not creating:
                return
            time.sleep(0.2)
        pytest.fail(f"not at rest after 90 s: {[(turn['id'], turn['state']) for turn in busy]} {creating}")


def test_random_kills_keep_every_promise(tmp_path: Path, repository: Path) -> None:
    dice = random.Random(SEED)
    scene = Scene(tmp_path, repository, SEED)
    scene.restart()
    scene.workload.prepare(repository)
    scene.workload.start()

    for _ in range(KILLS):
        time.sleep(dice.uniform(0.05, 1.5))
        scene.history.note("kill", pid=scene.server.pid)
        scene.server.kill()
        scene.restart()
    scene.workload.stop()
    scene.settle()

    problems = checker.check(scene.server, scene.history, scene.ledger, repository)
    scene.server.stop()
    assert not problems, f"seed {SEED}, history {scene.history.path}:\n" + "\n".join(problems)
    assert len(scene.history.acknowledged("prompt")) > KILLS


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_crash_at_a_named_point_keeps_every_promise(point: str, tmp_path: Path, repository: Path) -> None:
    if point == "worktree.setup":
        (repository / ".agor.yml").write_text("setup: echo made > made.txt\n")
        subprocess.run(["git", "add", "-A"], cwd=repository, check=True)
        subprocess.run(["git", "commit", "-qm", "setup"], cwd=repository, check=True)
    scene = Scene(tmp_path, repository, seed=SEED)
    scene.restart()
    scene.workload.prepare(repository)
    scene.server.stop()
    scene.restart(crash_at=point)

    scene.workload.start()
    if point.startswith("worktree."):
        _try_worktree(scene)
    end = time.monotonic() + 30
    while scene.server.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    assert not scene.server.is_alive(), f"{point} was never reached"
    scene.server.kill()
    scene.restart()
    time.sleep(0.5)
    scene.workload.stop()
    scene.settle()

    problems = checker.check(scene.server, scene.history, scene.ledger, repository)
    scene.server.stop()
    assert not problems, f"{point}:\n" + "\n".join(problems)


def _try_worktree(scene: Scene) -> None:
    try:
        scene.workload._make_worktree("crash-here")
    except Exception as error:  # the server dies under it
        scene.history.note("died", error=str(error))
