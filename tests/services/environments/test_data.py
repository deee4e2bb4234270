"""Data of worktrees: made whole or not at all, each worktree its own, gone with it."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import psycopg
import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.variables import VariableSet
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.executors import copies
from tests.git.conftest import git
from tests.scene import Scene
from tests.services.environments.postgres import Server, serve


@pytest.fixture
def settle(agor, repository: Path, owner, key):
    """Commits this `data` section, and makes worktrees of it."""

    async def make(section: str, *names: str):
        (repository / ".agor.yml").write_text("environment:\n  data:\n" + textwrap.indent(textwrap.dedent(section), "    "))
        git("add", ".agor.yml", cwd=repository)
        git("commit", "-qm", "data", cwd=repository)
        repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
        found = [await agor.worktrees.create(owner, WorktreeCreate(repo=repo.id, name=name), key()) for name in names or ("fix",)]
        return [await agor.worktrees.wait_ready(one.id) for one in found]

    return make


TEST = """
import sys, os, time, duckdb
own = sys.argv[1]
with duckdb.connect(os.environ["WAREHOUSE"]) as warehouse:
    for number in range(20):
        warehouse.execute("insert into orders values (?)", [own])
        seen = {name for (name,) in warehouse.execute("select distinct name from orders").fetchall()}
        assert seen == {"seed", own}, seen
"""


async def test_two_worktrees_whose_tests_run_at_once_never_see_each_others_rows(agor, settle, repository, owner, key):
    with duckdb.connect(str(repository / "warehouse.duckdb")) as source:
        source.execute("create table orders (name text)")
        source.execute("insert into orders values ('seed')")
    first, second = await settle("warehouse: {kind: duckdb, source: warehouse.duckdb, variable: WAREHOUSE}", "first", "second")

    values = [(await agor.data.provide(one)).values for one in (first, second)]
    running = [
        subprocess.Popen([sys.executable, "-c", TEST, name], env=os.environ | value) for name, value in zip("ab", values, strict=True)
    ]

    assert [await asyncio.to_thread(one.wait) for one in running] == [0, 0]
    with duckdb.connect(str(repository / "warehouse.duckdb"), read_only=True) as source:
        assert source.execute("select * from orders").fetchall() == [("seed",)]
    (item,) = await agor.data.list(owner, first.id)
    assert (item.state, item.path, item.size_bytes) == ("ready", ".agor/data/warehouse.duckdb", Path(values[0]["WAREHOUSE"]).stat().st_size)
    assert git("status", "--porcelain", cwd=Path(first.path)).strip() == ""
    reset_key = key()
    await agor.data.reset(owner, first.id, "warehouse", reset_key)
    with duckdb.connect(values[0]["WAREHOUSE"]) as own:
        assert own.execute("select * from orders").fetchall() == [("seed",)]
        own.execute("insert into orders values ('later')")
    await agor.data.reset(owner, first.id, "warehouse", reset_key)  # the same command: nothing more happens
    with duckdb.connect(values[0]["WAREHOUSE"]) as own:
        assert len(own.execute("select * from orders").fetchall()) == 2
    archived = await agor.worktrees.archive(owner, first.id, key())
    assert not Path(values[0]["WAREHOUSE"]).exists()
    assert archived.state == "archived"


WRITER = """
import duckdb, sys, os
connection = duckdb.connect(sys.argv[1])
connection.execute("create or replace table t as select 1")
print("open", flush=True)
sys.stdin.read()
if sys.argv[2] == "die": os._exit(0)
"""


async def test_a_duckdb_file_that_somebody_writes_to_is_refused_and_one_with_a_log_comes_whole(tmp_path):
    source, root = tmp_path / "s.duckdb", tmp_path / "root"
    root.mkdir()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(source), "die"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    await asyncio.to_thread(writer.stdout.readline)

    problem = await copies.make("duckdb", source, root, "a/s.duckdb", "test.data")
    await asyncio.to_thread(writer.communicate, b"")  # it dies without a checkpoint
    assert source.with_suffix(".duckdb.wal").exists()
    whole = await copies.make("duckdb", source, root, "a/s.duckdb", "test.data")

    assert "open in a process" in (problem or "")
    assert whole is None
    with duckdb.connect(str(root / "a/s.duckdb")) as own:
        assert own.execute("select * from t").fetchall() == [(1,)]
    reader = subprocess.Popen([sys.executable, "-c", WRITER, str(root / "a/s.duckdb"), "x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    await asyncio.to_thread(reader.stdout.readline)
    assert "has it open" in (await copies.make("duckdb", source, root, "a/s.duckdb", "test.data") or "")
    await asyncio.to_thread(reader.communicate, b"")


SQLITE_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
print("open", flush=True)
while True:
    connection.execute("begin immediate")
    connection.execute("insert into a select count(*) from a")
    connection.execute("insert into b select count(*) from b")
    connection.execute("commit")
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_sqlite_file_is_copied_whole_while_somebody_writes_to_it(tmp_path, mode):
    source, root = tmp_path / "s.sqlite", tmp_path / "root"
    root.mkdir()
    with sqlite3.connect(source) as connection:
        connection.execute(f"pragma journal_mode = {mode}")
        connection.execute("create table a (x)")
        connection.execute("create table b (x)")
    connection.close()
    writer = subprocess.Popen([sys.executable, "-c", SQLITE_WRITER, str(source)], stdout=subprocess.PIPE)
    await asyncio.to_thread(writer.stdout.readline)
    try:
        for _ in range(5):
            assert await copies.make("sqlite", source, root, "s.sqlite", "test.data") is None
            with sqlite3.connect(root / "s.sqlite") as own:
                assert own.execute("pragma integrity_check").fetchall() == [("ok",)]
                ((a, b),) = own.execute("select (select count(*) from a), (select count(*) from b)").fetchall()
                assert a == b
            own.close()
    finally:
        writer.kill()
        writer.communicate()


async def test_links_that_somebody_put_in_the_way_are_not_followed(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("x")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("y")
    (root / ".agor").symlink_to(outside)

    problem = await copies.make("folder", tmp_path / "source", root, ".agor/data/d", "test.data")
    (root / ".agor").unlink()
    (root / "d").symlink_to(outside)
    made = await copies.make("folder", tmp_path / "source", root, "d", "test.data")

    assert problem is not None
    assert made is None
    assert (root / "d" / "a").read_text() == "y"
    assert [path.name for path in outside.iterdir()] == ["kept"]


async def test_what_a_killed_copy_left_is_not_taken_for_data(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / ".d.new").mkdir()
    (root / ".d.new" / "half").write_text("half")
    (tmp_path / "source").mkdir()

    before = copies.state(root, "d")
    made = await copies.make("folder", tmp_path / "source", root, "d", "test.data")

    assert before == (False, 4)
    assert made is None
    assert [path.name for path in root.iterdir()] == ["d"]
    assert list((root / "d").iterdir()) == []


async def test_folders_variables_and_schemas_reach_agents_and_secrets_are_masked(agor, settle, repository, owner, scene_of):
    (repository / ".env").write_text("LEVEL=info\nexport TOKEN='${secret:API_TOKEN}'\n# no\nSAME=main\n")
    await agor.variables.set(owner, "API_TOKEN", VariableSet(value="very-secret-token"))
    (worktree,) = await settle(
        """
        home: {kind: airflow}
        models: {kind: dbt, source: dev}
        settings: {kind: variables, source: .env, path: .env.local}
        spark: {kind: spark}
        """
    )
    Path(worktree.path, ".env.local").write_text("SAME=own\n")

    scene = scene_of(worktree)
    session = await scene.session()
    line = 'echo "$AIRFLOW_HOME|$DBT_SCHEMA|$LEVEL|$TOKEN|$SAME|$SPARK_WAREHOUSE_DIR" > seen; echo "$TOKEN"; test -d "$AIRFLOW_HOME"'
    turn = await scene.prompt(session, line)
    await scene.allow(turn)
    ended = await scene.ended(turn)

    assert ended.state == "done", ended.reason
    home = f"{worktree.path}/.agor/data"
    assert Path(worktree.path, "seen").read_text().strip() == f"{home}/home|dev_fix|info|very-secret-token|own|{home}/spark"
    assert "very-secret-token" not in str(await scene.transcript(session))


@pytest.fixture
def scene_of(agor, owner, key):
    return lambda worktree: Scene(agor, owner, key, worktree)


async def test_what_cannot_be_made_says_why_and_is_not_told(agor, settle, owner, key):
    (worktree,) = await settle("gone: {kind: duckdb, source: nowhere.duckdb, variable: WAREHOUSE}\nempty: {kind: sqlite}\n")

    provided = await agor.data.provide(worktree)
    gone, empty = await agor.data.list(owner, worktree.id)

    assert provided.withheld == {"WAREHOUSE"}
    assert provided.values == {"SQLITE_PATH": f"{worktree.path}/.agor/data/empty.sqlite"}
    assert (gone.state, empty.state) == ("failed", "missing")
    assert "nowhere.duckdb is not there" in (gone.reason or "")
    with pytest.raises(errors.DataFailed, match="is not there"):
        await agor.data.reset(owner, worktree.id, "gone", key())
    with pytest.raises(errors.DataNotFound, match="Available: gone, empty"):
        await agor.data.reset(owner, worktree.id, "other", key())


async def test_nothing_is_made_before_an_owner_trusts_it(agor, settle, owner, viewer, key):
    (worktree,) = await settle("a: {kind: folder}\n")
    Path(worktree.path, ".agor.yml").write_text("environment: {data: {a: {kind: folder, source: /etc}}}\n")

    assert (await agor.data.provide(worktree)).values == {}
    with pytest.raises(errors.DataFailed, match="trust"):
        await agor.data.reset(owner, worktree.id, "a", key())
    assert not Path(worktree.path, ".agor").exists()
    with pytest.raises(errors.NotAllowed):
        await agor.data.reset(viewer, worktree.id, "a", key())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from serve()


@pytest.mark.parametrize("template", ["shop", None])
async def test_two_worktrees_have_a_postgresql_of_their_own_and_it_goes_with_them(agor, settle, owner, key, server: Server, template):
    await agor.variables.set(owner, "PG_URL", VariableSet(value=server.address))
    with psycopg.connect(server.address, autocommit=True) as connection:
        if template and not connection.execute("select 1 from pg_database where datname = 'shop'").fetchone():
            connection.execute("create database shop")
            with psycopg.connect(server.address.replace("/postgres?", "/shop?"), autocommit=True) as shop:
                shop.execute("create table orders (name text)")
    extra = f", template: {template}" if template else ""
    first, second = await settle(f"db: {{kind: postgresql, connection: PG_URL{extra}}}\n", "first", "second")

    addresses = []
    for one in (first, second):
        provided = await agor.data.provide(one)
        assert provided.secrets == {"DATABASE_URL"}
        addresses.append(provided.values["DATABASE_URL"])
    for address, name in zip(addresses, "ab", strict=True):
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("create table if not exists orders (name text)")
            connection.execute("insert into orders values (%s)", [name])
    for address, name in zip(addresses, "ab", strict=True):
        with psycopg.connect(address) as connection:
            assert connection.execute("select name from orders").fetchall() == [(name,)]
    (item,) = await agor.data.list(owner, first.id)
    assert item.state == "ready"
    assert (item.size_bytes or 0) > 0
    await agor.data.reset(owner, first.id, "db", key())
    with psycopg.connect(addresses[0]) as connection:
        found = connection.execute("select count(*) from pg_tables where schemaname = current_schema()").fetchone()
        assert found == ((1,) if template else (0,))
    await agor.worktrees.remove(owner, first.id, key(), force=True)
    await agor.worktrees.archive(owner, second.id, key())
    with psycopg.connect(server.address) as connection:
        names = {
            name for (name,) in connection.execute("select datname from pg_database union select nspname from pg_namespace").fetchall()
        }
    assert item.where not in names
    assert not [name for name in names if name.startswith(("shop_", "agor_"))]
    assert not list((agor.config.data_dir / "databases").glob("*.json"))


async def test_a_server_that_is_not_there_is_told_without_its_address(agor, settle, owner):
    await agor.variables.set(owner, "PG_URL", VariableSet(value="postgresql://me:hidden-password@127.0.0.1:1/x"))
    (worktree,) = await settle("db: {kind: postgresql, connection: PG_URL}\nother: {kind: postgresql, connection: NO_URL}\n")

    assert (await agor.data.provide(worktree)).withheld == {"DATABASE_URL"}
    found = await agor.data.list(owner, worktree.id)

    assert [one.state for one in found] == ["failed", "failed"]
    assert "cannot be reached" in (found[0].reason or "")
    assert "has no variable NO_URL" in (found[1].reason or "")
    assert "hidden" not in str(found)
    shutil.rmtree(agor.config.data_dir / "databases")  # nothing was made there
