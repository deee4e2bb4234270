"""A server is killed around a slot: when it is there again, the slot has started once, or was skipped, and says why."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from agor_jupyter.domain.slots import Slot
from agor_jupyter.services.app import Agor
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.storage import tables
from tests.scene import PATIENCE_S

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

SEED = int(os.environ.get("AGOR_SEED", "20261130"))
VICTIM = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.schedules import Once, ScheduleCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config

data, root, repository, late = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)

async def main():
    config = Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="off")
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), "repo")
        await app.boards.open(ann, BoardOpen(path="flow.agor"))
        target = {"kind": "fresh", "repo_id": repo.id, "branch": "slot-{{ slot.number }}"}
        when = Once(at=Clock().now() + timedelta(seconds=0.3))
        work = {"script": "echo x >> trail", "allow": True, "retries": 3, "retry_seconds": 1, "late": late}
        request = ScheduleCreate(name="once", board="flow.agor", when=when, target=target, **work)
        await app.schedules.create(ann, request, "schedule")
        print("scheduled", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""

POINTS = ("slot.due", "slot.planned", "slot.before_commit:1", "slot.before_commit:2", "slot.after_commit", "slot.made", "slot.ended")


class LateClock(Clock):
    """The server was away for five minutes."""

    def now(self):
        return super().now() + timedelta(minutes=5)


@pytest.fixture
def killed(tmp_path, repository):
    """Kills a server with a schedule that is due at once, at a named point or after a while, and says how the next one is configured."""

    def kill(point: str = "", late: str = "latest", *, after_s: float | None = None) -> Config:
        data, root = tmp_path / "data", repository.parent
        command = [sys.executable, "-c", VICTIM, str(data), str(root), str(repository), late]
        env = {**os.environ, "AGOR_CRASH_AT": point}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as victim:
            assert victim.stdout is not None
            if after_s is not None and victim.stdout.readline():
                time.sleep(after_s)
                victim.kill()
            said = victim.communicate(timeout=120)[1]
        assert victim.returncode == -signal.SIGKILL, said[-3000:]
        return Config(data_dir=data, root_dir=root, allowed_roots=(root,), sandbox="off")

    return kill


def every(connection, column):
    return connection.execute(sa.select(column)).scalars().all()


async def ended(app: Agor) -> Slot:
    """The only slot, when it is over."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = [Slot.model_validate_json(one) for one in await app.store.read(every, tables.slots.c.record)]
        if found and all(slot.ended_at is not None for slot in found):
            [slot] = found
            return slot
        assert time.monotonic() < end, found
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("point", POINTS)
async def test_a_slot_starts_once_whenever_the_server_is_killed(killed, point):
    await check_once(killed(point))


@pytest.mark.parametrize("number", range(3))
async def test_a_slot_starts_once_though_the_server_is_killed_at_a_random_moment_around_it(killed, number):
    await check_once(killed(after_s=random.Random(SEED + number).uniform(0.2, 1.0)))


async def check_once(config: Config) -> None:
    async with Agor(config) as app:
        slot = await ended(app)
        [worktree] = await app.worktrees.list()
        turns = await app.store.read(every, tables.turns.c.id)

    assert slot.state.value == "passed", slot
    assert [run.outcome for run in slot.runs].count("passed") == 1
    assert all(run.reason for run in slot.runs if run.outcome != "passed")
    assert sorted(turns) == sorted(run.turn_id for run in slot.runs if run.turn_id is not None)
    assert 1 <= len((Path(worktree.path) / "trail").read_text().splitlines()) <= len(turns)


async def test_a_slot_that_is_too_late_when_the_server_is_there_again_is_skipped_and_says_why(killed):
    async with Agor(killed("slot.due", "skip"), LateClock()) as app:
        slot = await ended(app)
        assert await app.worktrees.list() == []

    assert (slot.state.value, slot.runs) == ("skipped", [])
    assert slot.reason
