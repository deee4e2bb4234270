"""A repository, and a server on it that dies and comes back."""

import contextlib
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults import checker
from tests.faults.history import History
from tests.faults.server import Lost, Refused, Server
from tests.faults.state import collect, every_session, recorded_runs, runs_below, survivors_of
from tests.faults.workload import Watcher, Workload


def make_repository(path: Path, *, setup: str = "") -> Path:
    path.mkdir(parents=True)

    def git(*argv: str) -> None:
        subprocess.run(["git", *argv], cwd=path, check=True)

    git("init", "-q", "-b", "main")
    git("config", "user.email", "test@example.org")
    git("config", "user.name", "Test")
    for number in range(20):
        (path / f"file{number}.txt").write_text(f"{number}\n" * 50)
    if setup:
        (path / ".agor.yml").write_text(f"setup: {setup}\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    return path


class Scene:
    def __init__(self, folder: Path, seed: int, *, setup: str = "") -> None:
        (folder / "data").mkdir()
        self.repository = make_repository(folder / "root" / "repo", setup=setup)
        (folder / "kept").mkdir()
        self.ledger = folder / "kept" / "ledger"
        arguments = [f"--AgorApp.sandbox_write={folder / 'kept'}"]
        self.server = Server(folder / "root", folder / "data", log=folder / "server.log", arguments=arguments)
        self.history = History(folder / "history.jsonl")
        self.workload = Workload(self.server, self.history, self.ledger, seed)
        self.watcher = Watcher(self.server)

    def begin(self) -> None:
        self.restart()
        self.watcher.start()
        self.workload.prepare(self.repository)

    def restart(self, crash_at: str | None = None) -> None:
        """Start again, and check at once that no process of the dead server's runs is left and nothing dead looks alive."""
        dead = recorded_runs(self.server.data) | runs_below(self.server.data)
        self.server.start(crash_at)
        self.server.wait_ready()
        left = survivors_of(dead)
        current = []
        with contextlib.suppress(Lost):  # it may be at its crash point already
            ids = [session["currentTurnId"] for session in every_session(self.server) if session["currentTurnId"]]
            current = [self.server.call("GET", f"turns/{turn}") for turn in ids]
        problems = checker.check_restart(dead, left, current)
        assert not problems, "\n".join(problems)

    def settle(self, patience_s: float = 60) -> None:
        """Nobody asks any more; what is open is answered until all is at rest."""
        end = time.monotonic() + patience_s
        while True:
            with contextlib.suppress(Refused):  # a question was taken back
                self.workload.answer()
            sessions = every_session(self.server)
            stuck = [turn for session in sessions if session["state"] == "interrupted" for turn in self._interrupted(session["id"])]
            for turn in stuck:
                self.server.call("POST", f"turns/{turn}/discard")
            busy = stuck + [session["id"] for session in sessions if session["queue"] or session["currentTurnId"]]
            creating = [worktree["id"] for worktree in self.server.call("GET", "worktrees") if worktree["state"] == "creating"]
            if not busy and not creating:
                return
            assert time.monotonic() < end, f"not at rest after {patience_s:g} s: {busy} {creating}"
            time.sleep(0.05)

    def _interrupted(self, session: str) -> list[str]:
        turns = self.server.call("GET", f"sessions/{session}/turns")
        return [turn["id"] for turn in turns if turn["state"] == "interrupted" and turn["resolution"] is None]

    def problems(self) -> list[str]:
        """What is wrong now, at rest."""
        state = collect(self.server, self.repository, self.ledger, self.watcher.events, self.watcher.resyncs)
        newest = max((events[-1]["n"] for events in state.transcripts.values() if events), default=0)
        self.watcher.wait_for(newest)
        return checker.check(self.history, state)

    def close(self) -> None:
        self.workload.stop()
        self.watcher.stop()
        self.server.kill()


@pytest.fixture
def make_scene(tmp_path: Path):
    """Makes a scene that is begun, and ends its server whatever happens."""
    scenes = []

    def make(seed: int, **options: str) -> Scene:
        scene = Scene(tmp_path, seed, **options)
        scenes.append(scene)
        scene.begin()
        return scene

    yield make
    for scene in scenes:
        scene.close()
