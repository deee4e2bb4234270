"""Environments of a real engine: real services on real ports, and the table of processes to compare."""

import contextlib
import dataclasses
import json
import os
import random
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agor_jupyter.domain.environments import Environment, EnvironmentCommand
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.processes import table
from agor_jupyter.services.config import Config
from tests.git.conftest import git
from tests.scene import Scene

SERVER = str(Path(__file__).with_name("service.py"))


def service(*arguments: str, **fields: Any) -> dict[str, Any]:
    """A service that listens on its first port and does what the arguments say; see `service.py`."""
    return {"command": ["python", "-I", SERVER, *arguments], "ports": ["web"], **fields}


class Stage(Scene):
    """A worktree with an environment."""

    async def start(self, *names: str) -> Environment:
        return await self.agor.environments.start(self.caller, self.worktree.id, EnvironmentCommand(services=list(names)), self.key())

    async def stop(self, *names: str) -> Environment:
        return await self.agor.environments.stop(self.caller, self.worktree.id, EnvironmentCommand(services=list(names)), self.key())

    async def get(self) -> Environment:
        return await self.agor.environments.get(self.caller, self.worktree.id)

    async def state(self) -> str:
        return (await self.get()).state.value

    async def until_state(self, *states: str) -> Environment:
        """Wait until the environment is in one of these states."""
        found = await self.get()

        async def is_there() -> bool:
            nonlocal found
            found = await self.get()
            return found.state.value in states

        await self.eventually_async(is_there, True)
        return found

    async def log(self, name: str = "web") -> str:
        return (await self.agor.environments.whole_log(self.caller, self.worktree.id, name))[1].decode()

    def processes(self) -> set[int]:
        """All that runs in the worktree's folder, by its variables: whatever it did to get away."""
        return of_worktree(self.worktree.id)


def of_worktree(worktree_id: str) -> set[int]:
    mark, found = f"AGOR_WORKTREE_ID={worktree_id}".encode(), set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                found.add(int(name))
    return {one.pid for one in table.identify(found)}


@pytest.fixture
def config(config: Config) -> Config:
    """A range of ports that another test at the same time hardly has, and little patience with services that do not end."""
    first = 20_000 + 20 * random.randrange(600)
    return dataclasses.replace(config, environment_ports=(first, first + 19), environment_stop_grace=timedelta(seconds=1))


@pytest.fixture
async def stage_of(agor, owner, key, repository: Path):
    """Makes a worktree with this `environment` section. What is left of its services at the end is a failure."""
    made: list[Stage] = []

    async def make(**section: Any) -> Stage:
        (repository / ".agor.yml").write_text(json.dumps({"environment": section}))
        git("add", "-A", cwd=repository)
        git("commit", "-qm", "an environment", cwd=repository)
        repo = next(iter(await agor.repos.list()), None) or await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
        worktree = await agor.worktrees.create(owner, WorktreeCreate(repo=repo.id, name=f"fix-{uuid.uuid4().hex[:6]}"), key())
        made.append(Stage(agor, owner, key, await agor.worktrees.wait_ready(worktree.id)))
        return made[-1]

    yield make
    for stage in made:
        await agor.environments.halt(stage.worktree.id)
        assert stage.processes() == set()
