"""Fixtures for all: a real engine on a temporary folder, a real repository, people."""

import dataclasses
import os
import shutil
import subprocess
import uuid
from collections.abc import Generator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_timeout

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage.migrate import migrate
from tests.fakes import FakeAgor
from tests.scene import Scene

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # no test puts a key into the keyring of this machine


LONG = ("tests/faults/", "tests/notebook/", "tests/mcp/", "tests/model/", "tests/real_use/", "tests/test_docs.py")
"""Files that take longest come first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((place for place, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """A second attempt has as much time as the first: pytest-timeout sets its alarm once for all of them."""
    if getattr(item, "execution_count", 1) > 1:
        settings = pytest_timeout._get_item_settings(item)
        if settings.timeout:
            item.ihook.pytest_timeout_set_timer(item=item, settings=settings)
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a first attempt failed is said too: the second may fail by what the first left behind."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first attempt of {report.nodeid}")
        report.toterminal(terminalreporter._tw)


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


@pytest.fixture(scope="session")
def first_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with one commit of three files, to be copied."""
    path = tmp_path_factory.mktemp("first") / "repo"
    path.mkdir()

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
def repository(tmp_path: Path, first_commit: Path) -> Path:
    """A git repository with one commit of three files, of this test alone."""
    path = tmp_path / "root" / "repo"
    shutil.copytree(first_commit, path, symlinks=True)
    subprocess.run(["git", "update-index", "-q", "--refresh"], cwd=path, check=True)
    return path


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all its tables: to make them anew costs each test 75 ms of CPU, and `tests/storage` does."""
    path = tmp_path_factory.mktemp("migrated") / "agor.db"
    migrate(f"sqlite:///{path}")
    return path


def begin(config: Config, migrated: Path) -> None:
    """A data folder with that database, if it has none."""
    config.data_dir.mkdir(mode=0o700, exist_ok=True)
    if not (config.data_dir / "agor.db").exists():
        shutil.copyfile(migrated, config.data_dir / "agor.db")


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
async def agor(config: Config, migrated: Path):
    """A real engine, opened and closed."""
    begin(config, migrated)
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
async def fake(config: Config, migrated: Path, owner: Caller, key, repository: Path):
    """Makes a scene whose agents do what the test says, with a clock of its own or ours; keyword arguments change the configuration."""
    begin(config, migrated)
    async with AsyncExitStack() as stack:

        async def make(clock=None, **changes):
            app = await stack.enter_async_context(FakeAgor(dataclasses.replace(config, **changes), clock))
            repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
            made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
            return Scene(app, owner, key, await app.worktrees.wait_ready(made.id))

        yield make
