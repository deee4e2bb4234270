"""A server is killed while data is made or reset: it is whole afterwards, or made again; never torn, and never another worktree's."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from agor_jupyter.domain.variables import VariableSet
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from tests.git.conftest import git
from tests.services.environments.postgres import Server, serve

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

VICTIM = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

data, root, key_file, repository, key = *map(Path, sys.argv[1:4]), sys.argv[4], sys.argv[5]
ann = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)

async def main():
    config = Config(data_dir=data, key_file=key_file, root_dir=root, allowed_roots=(root,), sandbox="off")
    async with Agor(config) as app:
        repo = await app.repos.add(ann, RepoAdd(path=repository), "repo")
        trees = []
        for name in ("first", "second"):
            made = await app.worktrees.create(ann, WorktreeCreate(repo=repo.id, name=name), name)
            trees.append(await app.worktrees.wait_ready(made.id))
        for tree in trees:
            await app.data.provide(tree)
            for item in await app.data.list(ann, tree.id):
                if item.path == ".agor/data/files":
                    Path(tree.path, item.path, "own").write_text(tree.name)
        print("made", flush=True)
        for item in await app.data.list(ann, trees[0].id):
            await app.data.reset(ann, trees[0].id, item.name, f"{key}.{item.name}")
        print("reset", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
FILES, ROWS = 400, 20_000
HALF = "worktrees/*/.agor/data/.files.new"


@pytest.fixture
def victim(config: Config, repository: Path):
    """Starts a server that makes data in two worktrees, marks what is theirs, and resets that of the first."""

    def start(section: str, crash_at: str = "", key: str = "key") -> subprocess.Popen[str]:
        if not (repository / ".agor.yml").exists():
            (repository / ".agor.yml").write_text(section)
            git("add", ".agor.yml", cwd=repository)
            git("commit", "-qm", "data", cwd=repository)
        places = [str(one) for one in (config.data_dir, config.root_dir, config.key_file, repository)]
        env = {**os.environ, "AGOR_CRASH_AT": crash_at}
        return subprocess.Popen([sys.executable, "-c", VICTIM, *places, key], env=env, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def sources(repository: Path) -> str:
    """A folder of files and a database, which are not in git; and the section that says so."""
    (repository / "files").mkdir()
    for number in range(FILES):
        (repository / "files" / str(number)).write_text(str(number) * 1000)
    with sqlite3.connect(repository / "rows.sqlite") as rows:
        rows.execute("create table t (n, text)")
        rows.executemany("insert into t values (?, ?)", ((number, "x" * 100) for number in range(ROWS)))
    rows.close()
    data = {"files": {"kind": "folder", "source": "files"}, "rows": {"kind": "sqlite", "source": "rows.sqlite"}}
    return json.dumps({"environment": {"data": data}})


def check_files(path: Path, repository: Path, name: str, *, is_marked: bool | None) -> None:
    """All of the source, byte for byte, and nothing but the worktree's own mark. `None`: it may be there or not."""
    found = {one.name: one.read_text() for one in path.iterdir()}
    own = found.pop("own", None)
    assert found == {one.name: one.read_text() for one in (repository / "files").iterdir()}
    assert own in ((None, name) if is_marked is None else (name,) if is_marked else (None,))


def check_rows(path: Path) -> None:
    with sqlite3.connect(path) as rows:
        assert rows.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert rows.execute("select count(*), count(distinct n) from t").fetchone() == (ROWS, ROWS)
    rows.close()


def copiers(folder: Path) -> list[str]:
    """Processes that still copy below this folder."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{name}/cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if "copier.py" in line and str(folder) in line:
            found.append(line)
    return found


def _count(folder: Path) -> int:
    try:
        return len(os.listdir(folder))
    except FileNotFoundError:  # it got its name
        return 0


async def gone(folder: Path) -> None:
    end = time.monotonic() + 20
    while left := copiers(folder):
        assert time.monotonic() < end, left
        await asyncio.sleep(0.02)


async def checked(config: Config, owner, repository: Path, *, was_made: bool, key: str = "key") -> None:
    """What the next server finds, then makes, then resets."""
    await gone(config.data_dir)
    async with Agor(config) as app:
        trees = {tree.name: await app.worktrees.wait_ready(tree.id) for tree in await app.worktrees.list()}
        for name, tree in trees.items():
            for item in await app.data.list(owner, tree.id):
                assert item.state in {"ready", "missing"}, item  # what is there is whole, before anything is made
                if item.state == "ready":
                    path = Path(tree.path, item.path)
                    check_rows(path) if item.kind == "sqlite" else check_files(path, repository, name, is_marked=None)
            provided = await app.data.provide(tree)
            assert {item.state for item in await app.data.list(owner, tree.id)} == {"ready"}
            is_marked = True if name == "second" and was_made else None  # a reset of the first is nothing to the second
            check_files(Path(provided.values["DATA_DIR"]), repository, name, is_marked=is_marked)
            check_rows(Path(provided.values["SQLITE_PATH"]))
        if "first" in trees:
            for item in ("files", "rows"):
                await app.data.reset(owner, trees["first"].id, item, f"{key}.{item}")
            folder = Path(trees["first"].path, ".agor", "data")
            check_files(folder / "files", repository, "first", is_marked=False)
            check_rows(folder / "rows.sqlite")
            assert sorted(one.name for one in folder.iterdir()) == ["files", "rows.sqlite"], "what a killed copy left"


@pytest.mark.parametrize(("point", "passage"), [
    ("data.before_copy", 1),  # the first folder
    ("data.after_copy", 2),  # the first database
    ("data.after_copy", 5),  # the folder, reset
    ("data.before_copy", 6),  # the database, reset
])  # fmt: skip
async def test_a_kill_at_each_named_point_leaves_data_whole_or_missing(point, passage, victim, sources, config, owner, repository):
    dead = victim(sources, f"{point}:{passage}")
    told = dead.communicate(timeout=120)[0].split()
    assert dead.returncode == -signal.SIGKILL, "the point was never passed"
    assert told == (["made"] if passage > 4 else [])

    await checked(config, owner, repository, was_made=passage > 4)


async def test_kills_at_random_moments_of_a_copy_leave_data_whole_or_missing(victim, sources, config, owner, repository):
    dice, halves = random.Random(20261130), 0

    for attempt in range(3):
        running, wanted = victim(sources, key=f"key{attempt}"), dice.randrange(1, FILES // 2)
        assert running.stdout is not None
        if attempt:
            assert running.stdout.readline().strip() == "made"
        while running.poll() is None:
            if any(_count(half) >= wanted for half in config.data_dir.glob(HALF)):
                break
        running.kill()
        running.wait()
        running.stdout.close()
        await gone(config.data_dir)
        halves += any(config.data_dir.glob(HALF))
        await checked(config, owner, repository, was_made=bool(attempt), key=f"key{attempt}")

    assert halves, "no copy was ever killed in the middle"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from serve()


@pytest.mark.parametrize("passage", [1, 3], ids=["made", "reset"])
async def test_a_database_that_was_noted_when_the_server_was_killed_is_made_again_and_dropped_with_its_worktree(
    passage, victim, config, owner, key, server: Server
):
    async with Agor(config) as app:
        await app.variables.set(owner, "PG_URL", VariableSet(value=server.address))
    section = json.dumps({"environment": {"data": {"db": {"kind": "postgresql", "connection": "PG_URL"}}}})
    dead = victim(section, f"data.noted:{passage}")
    dead.communicate(timeout=120)
    assert dead.returncode == -signal.SIGKILL, "the point was never passed"

    async with Agor(config) as app:
        for tree in await app.worktrees.list():
            provided = await app.data.provide(await app.worktrees.wait_ready(tree.id))
            with psycopg.connect(provided.values["DATABASE_URL"]) as connection:
                assert connection.execute("select current_schema()").fetchone() != (None,)
            await app.worktrees.remove(owner, tree.id, key(), force=True)
        with psycopg.connect(server.address) as connection:
            assert connection.execute("select count(*) from pg_namespace where nspname like 'agor%%'").fetchone() == (0,)
        assert not list((config.data_dir / "databases").glob("*.json"))
