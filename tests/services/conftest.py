"""The repos and worktrees of one engine, on real git and real SQLite."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import Repo, RepoAdd
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Store, sqlite_url
from tests.git.conftest import git

OWNER = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)


def key() -> str:
    return uuid.uuid4().hex


@dataclass
class Bench:
    store: Store
    config: Config
    repos: Repos
    worktrees: Worktrees
    trusts: Trusts

    async def repo(self, path: Path) -> Repo:
        return await self.repos.add(OWNER, RepoAdd(path=str(path)), key())

    async def make(self, repo: Repo, name: str = "fix", **fields) -> Worktree:
        made = await self.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name=name, **fields), key())
        return await self.worktrees.wait_ready(made.id)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    path = tmp_path / "root" / "repo"
    path.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=path)
    (path / "a.txt").write_text("one\ntwo\n")
    (path / "models").mkdir()
    (path / "models" / "orders.sql").write_text("select 1\n")
    (path / ".gitignore").write_text("*.env\ncache/\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "first", cwd=path)
    return path


@pytest.fixture
def clone_protocols() -> tuple[str, ...]:
    """As they are by default. A file that clones from a folder has a fixture of its own."""
    return Config.clone_protocols


@pytest.fixture
def bench_config(tmp_path: Path, clone_protocols: tuple[str, ...]) -> Config:
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    return Config(data_dir=tmp_path / "data", root_dir=root, allowed_roots=(root,), clone_protocols=clone_protocols)


@pytest.fixture
async def bench(bench_config: Config):
    config = bench_config
    config.data_dir.mkdir(exist_ok=True)
    store = Store(sqlite_url(config.data_dir / "agor.db"))
    tables.metadata.create_all(store._writer_engine)
    store.start()
    repos = Repos(store, config, Clock())
    worktrees = Worktrees(store, config, Clock(), repos)
    await repos.start()
    await worktrees.start()
    yield Bench(store, config, repos, worktrees, Trusts(store, Clock(), {}, trusts_all=False))
    await worktrees.close()
    await repos.close()
    store.close()
