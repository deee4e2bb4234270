"""A server is killed around a message: the next one sends it, and no more than once too often."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage import messages
from tests.receiver import Receiver
from tests.scene import PATIENCE_S

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

VICTIM = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from agor_jupyter.domain.destinations import DestinationAdd
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, repository, address = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.stdin.read()
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)

async def main():
    key, window = data.parent / "key", timedelta(seconds=0.2)
    config = Config(data_dir=data, key_file=key, root_dir=root, allowed_roots=(root,), sandbox="off", notify_window=window)
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), "repo")
        await app.destinations.add(ann, DestinationAdd(name="hook", address=address), "destination")
        worktree = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name="fix"), "worktree")
        await app.worktrees.wait_ready(worktree.id)
        prompt = "```sh\\nexit 3\\n```"
        await app.sessions.create(ann, SessionCreate(worktree_id=worktree.id, prompt=prompt, allow=True), "session")
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(("point", "most"), [("turn.after_finish", 1), ("message.stored", 1), ("message.sent", 2)])
async def test_a_failure_is_told_whenever_the_server_is_killed(tmp_path, repository, point, most):
    data, root = tmp_path / "data", repository.parent
    with Receiver() as place:
        command = [sys.executable, "-c", VICTIM, str(data), str(root), str(repository)]
        env = {**os.environ, "AGOR_CRASH_AT": point}
        victim = subprocess.run(command, env=env, input=place.address, check=False, timeout=120, capture_output=True, text=True)
        assert victim.returncode == -signal.SIGKILL, victim.stderr[-3000:]
        given = {"key_file": tmp_path / "key", "root_dir": root, "allowed_roots": (root,), "notify_window": timedelta(seconds=0.2)}
        config = Config(data_dir=data, sandbox="off", **given)
        async with Agor(config) as app:
            end = time.monotonic() + PATIENCE_S
            while not place.came or await app.store.read(messages.waiting):
                assert time.monotonic() < end, place.came
                await asyncio.sleep(0.05)

        assert 1 <= len(place.came) <= most
        assert all(one["title"] == "1 failure" and one["message"].startswith("Script failed in “fix”.") for one in place.came)
