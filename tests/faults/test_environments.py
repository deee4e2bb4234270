"""The server is killed while it starts, stops and restarts environments: each is what its record says afterwards, and none leaves anything."""

import contextlib
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from agor_jupyter.processes import listeners
from tests.faults import checker
from tests.faults.conftest import make_repository
from tests.faults.server import Lost, Refused, Server
from tests.faults.state import services_below
from tests.git.conftest import git
from tests.services.environments.conftest import of_worktree, service

KILLS = int(os.environ.get("AGOR_ENVIRONMENT_KILLS", "10"))
SEED = int(os.environ.get("AGOR_SEED", "20261130"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

SERVICES = {
    "api": service("deaf", "daemon", ports=["api"]),
    "web": service("sleep=0.1", depends_on=["api"]),
    "dies": service("dies", ports=["dies"], restart="on-failure", max_restarts=1),
}


@pytest.fixture
def server(tmp_path: Path):
    (tmp_path / "data").mkdir()
    repository = make_repository(tmp_path / "root" / "repo")
    (repository / ".agor.yml").write_text(json.dumps({"environment": {"setup": ["true"], "services": SERVICES}}))
    git("add", "-A", cwd=repository)
    git("commit", "-qm", "an environment", cwd=repository)
    first = 30_000 + 20 * random.randrange(100)
    arguments = [f"--AgorApp.environment_ports={first}-{first + 19}", "--AgorApp.environment_stop_grace=0.5"]
    one = Server(tmp_path / "root", tmp_path / "data", log=tmp_path / "server.log", arguments=arguments)
    one.start()
    one.wait_ready()
    yield one
    one.kill()


def at_rest(server: Server, patience_s: float = 60) -> list[dict[str, Any]]:
    """Its environments, when nothing is on its way any more."""
    end = time.monotonic() + patience_s
    while True:
        found = server.call("GET", "environments")
        states = {service["state"] for one in found for service in one["services"]} | {one["state"] for one in found}
        if not states & {"starting", "stopping", "waiting"}:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


def check(server: Server) -> None:
    """That what is said is so. A service that dies now and then may have changed between two looks."""
    end = time.monotonic() + 30
    while problems := checker.check_environments(at_rest(server), services_below(server.data), set(listeners.listeners())):
        assert time.monotonic() < end, "\n".join(problems)
        time.sleep(0.1)


def test_ten_kills_at_random_moments_leave_each_environment_as_its_record_says(server: Server) -> None:
    dice = random.Random(SEED)
    repo = server.call("POST", "repos", {"path": str(server.root / "repo")})["id"]
    trees = [server.call("POST", "worktrees", {"repo": repo, "name": name})["id"] for name in ("one", "two")]
    end = time.monotonic() + 60
    while any(server.call("GET", f"worktrees/{tree}")["state"] == "creating" for tree in trees) and time.monotonic() < end:
        time.sleep(0.05)

    for kill in range(KILLS):
        for tree in trees:
            action = "start" if kill == 0 else dice.choice(("start", "start", "stop", "restart"))
            with contextlib.suppress(Refused, Lost):
                server.call("POST", f"worktrees/{tree}/environment/{action}")
        time.sleep(dice.uniform(0, 1.0))
        server.kill()
        server.start()
        server.wait_ready()
        check(server)

    for tree in trees:
        with contextlib.suppress(Refused):
            server.call("POST", f"worktrees/{tree}/environment/stop")
    assert {one["state"] for one in at_rest(server)} == {"stopped"}
    check(server)
    assert [pid for tree in trees for pid in of_worktree(tree)] == []
