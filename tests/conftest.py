"""Fixtures for all: a real engine on a temporary folder, a real repository, people."""

import dataclasses
import os
import subprocess
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from tests.fakes import FakeAgor
from tests.scene import Scene

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # no test puts a key into the keyring of this machine


@pytest.fixture
def owner() -> Caller:
    return Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)


@pytest.fixture
def steerer() -> Caller:
    return Caller(person=Person(username="ben", name="Ben"), role=Role.STEERER)


@pytest.fixture
def viewer() -> Caller:
    return Caller(person=Person(username="eve", name="Eve"), role=Role.VIEWER)


@pytest.fixture
def key():
    """Makes fresh command ids."""
    return lambda: uuid.uuid4().hex


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit of three files."""
    path = tmp_path / "root" / "repo"
    path.mkdir(parents=True)

    def git(*argv: str) -> None:
        subprocess.run(["git", *argv], cwd=path, check=True)

    git("init", "-q", "-b", "main")
    git("config", "user.email", "test@example.org")
    git("config", "user.name", "Test")
    (path / "README.md").write_text("# Repo\n")
    (path / "model.sql").write_text("select 1\n")
    (path / "load.py").write_text("print(1)\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    return Config(
        data_dir=tmp_path / "data",
        key_file=tmp_path / "keys" / "key",
        root_dir=root,
        allowed_roots=(root,),
        sandbox="off",  # `tests/sandbox` has it on
    )


@pytest.fixture
async def agor(config: Config):
    """A real engine, opened and closed."""
    async with Agor(config) as app:
        yield app


@pytest.fixture
async def worktree(agor: Agor, repository: Path, owner: Caller, key):
    """A worktree of `repository` that is ready."""
    repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await agor.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
    return await agor.worktrees.wait_ready(made.id)


@pytest.fixture
def scene(agor: Agor, owner: Caller, key, worktree) -> Scene:
    """Sessions of the real `script` agent in a real worktree."""
    return Scene(agor, owner, key, worktree)


@pytest.fixture
async def fake(config: Config, owner: Caller, key, repository: Path):
    """Makes a scene whose agents do what the test says, with a clock of its own or ours; keyword arguments change the configuration."""
    async with AsyncExitStack() as stack:

        async def make(clock=None, **changes):
            app = await stack.enter_async_context(FakeAgor(dataclasses.replace(config, **changes), clock))
            repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
            made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
            return Scene(app, owner, key, await app.worktrees.wait_ready(made.id))

        yield make
