"""The server is killed at random moments, and at each named point once. Whatever was acknowledged must hold."""

import contextlib
import os
import random
import time

import pytest

from agor_jupyter.services.crash import CRASH_POINTS
from tests.faults.conftest import Scene
from tests.faults.server import Lost, Refused

KILLS = int(os.environ.get("AGOR_KILLS", "20"))
SEED = int(os.environ.get("AGOR_SEED", "20261122"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


def test_random_kills_keep_every_promise(make_scene) -> None:
    dice = random.Random(SEED)
    scene = make_scene(SEED)
    scene.workload.start()

    for kill in range(KILLS):
        time.sleep(dice.uniform(0.05, 1.2))
        answered_by = time.monotonic() + 20
        while 2 * len(scene.history.acknowledged("answer")) <= kill and time.monotonic() < answered_by:
            time.sleep(0.05)  # a slow machine gets the time to ask and to answer
        scene.history.note("kill", pid=scene.server.pid)
        scene.server.kill()
        if dice.random() < 0.2:
            scene.server.start()
            time.sleep(dice.uniform(0, 0.4))
            scene.history.note("kill at the start", pid=scene.server.pid)
            scene.server.kill()
        scene.restart()
    scene.workload.stop()
    scene.settle()

    problems = scene.problems()
    assert not problems, f"seed {SEED}, history {scene.history.path}:\n" + "\n".join(problems)
    assert len(scene.history.acknowledged("prompt")) > KILLS
    assert 2 * len(scene.history.acknowledged("answer")) >= KILLS


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """One scene for all points: a point more in its life."""
    scene = Scene(tmp_path_factory.mktemp("crash"), SEED, setup="echo made > made.txt")
    scene.begin()
    yield scene
    scene.close()


_ELSEWHERE = (
    "data.",
    "zone.",
    "slot.",
    "message.",
    "environment.",
    "delivery.",
    "sandbox.",
    "park.",
    "follow.",
    "continued.",
    "relocate.",
    "archive.",
    "restore.",
    "remove.",
    "purge.",
)
"""Points that other tests have."""


@pytest.mark.parametrize("point", [point for point in CRASH_POINTS if not point.startswith(_ELSEWHERE)])
def test_a_crash_at_a_named_point_keeps_every_promise(point: str, crashed: Scene) -> None:
    crashed.server.kill()
    crashed.restart(crash_at=point)

    crashed.workload.start()
    if point.startswith("worktree."):
        with contextlib.suppress(Lost, Refused):
            crashed.workload.make_worktree(point)
    crashed.server.wait_dead(30)
    assert not crashed.server.is_alive(), f"{point} was never reached"
    crashed.history.note("crash", point=point)
    crashed.server.kill()
    crashed.restart()
    time.sleep(0.3)
    crashed.workload.stop()
    crashed.settle()

    problems = crashed.problems()
    assert not problems, f"{point}, history {crashed.history.path}:\n" + "\n".join(problems)
