"""Opening and closing the engine, and what stands in its way."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.events import Removed
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeChange, WorktreeCreate
from agor_jupyter.services.app import Agor

HOLDER = """
import asyncio, sys
from pathlib import Path
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config

async def main():
    data, root = Path(sys.argv[1]), Path(sys.argv[2])
    async with Agor(Config(data_dir=data, root_dir=root, allowed_roots=(root,)), url="http://127.0.0.1:8888/lab"):
        print("open", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_second_server_on_the_same_data_is_refused_and_free_at_once_after_a_kill(config):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, config.data_dir, config.root_dir], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "open\n"

        with pytest.raises(errors.DataInUse) as caught:
            async with Agor(config):
                pass

        assert caught.value.details == {"pid": holder.pid, "url": "http://127.0.0.1:8888/lab"}
        assert str(holder.pid) in caught.value.message
        assert "AGOR_DATA_DIR" in caught.value.message
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    async with Agor(config) as app:
        assert app.events.n == 0


async def test_who_waits_is_told_when_it_opened_or_why_not(config):
    app = Agor(config)
    with pytest.raises(errors.Starting):
        await app.ready(timeout_s=0.05)
    waiting = asyncio.create_task(app.ready())
    async with app:
        await waiting

        second = Agor(config)
        waiting = asyncio.create_task(second.ready())
        with pytest.raises(errors.DataInUse):
            await second.__aenter__()
        with pytest.raises(errors.DataInUse):
            await waiting


async def _be_impatient(agor):
    """With a locked database; ten seconds are too long for a test."""
    await agor.store.write(lambda t: t.connection.exec_driver_sql("PRAGMA busy_timeout=700").scalar())


async def test_a_database_locked_by_another_program_is_said_so_and_nothing_changes(agor):
    await _be_impatient(agor)
    other = sqlite3.connect(agor.config.data_dir / "agor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    before = agor.events.n

    with pytest.raises(errors.StorageBusy) as caught:
        await agor.store.write(lambda t: t.append(agor.clock.now(), Removed(noun="repo", id="re_1")))

    assert "locked by another program" in caught.value.message
    other.execute("ROLLBACK")
    other.close()
    await agor.store.write(lambda t: t.append(agor.clock.now(), Removed(noun="repo", id="re_2")))
    assert agor.events.n == before + 1


async def test_many_who_meet_a_locked_database_are_told_so_together(agor):
    await _be_impatient(agor)
    other = sqlite3.connect(agor.config.data_dir / "agor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()

    writes = [agor.store.write(lambda t: t.append(agor.clock.now(), Removed(noun="repo", id="re_1"))) for _ in range(20)]
    failures = await asyncio.gather(*writes, return_exceptions=True)

    assert {type(failure) for failure in failures} == {errors.StorageBusy}
    assert time.monotonic() - begun < 20 * 0.7 / 2  # each for itself they would take twice as long, however busy the machine is
    other.close()


async def test_a_full_disk_is_said_so_and_what_was_stored_stays(agor):
    at = agor.clock.now()
    await agor.store.write(lambda t: t.append(at, Removed(noun="repo", id="re_kept")))
    pages = await agor.store.write(lambda t: t.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    await agor.store.write(lambda t: t.connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}"))
    before = agor.events.n

    with pytest.raises(errors.StorageFull) as caught:
        for k in range(50):
            await agor.store.write(lambda t, k=k: t.append(at, Removed(noun="repo", id="x" * 4000 + str(k))))

    assert "disk is full" in caught.value.message
    stored = await agor.store.read(lambda c: c.exec_driver_sql("SELECT max(n) FROM events").scalar_one())
    assert stored == agor.events.n >= before
    await agor.store.write(lambda t: t.connection.exec_driver_sql("PRAGMA max_page_count=1000000"))
    await agor.store.write(lambda t: t.append(at, Removed(noun="repo", id="re_after")))
    assert agor.events.n == stored + 1


async def test_a_worktree_whose_folder_is_gone_can_be_taken_off_its_board(agor: Agor, repository: Path, owner: Caller, key) -> None:
    await agor.boards.open(owner, BoardOpen(path="team.agor"), key())
    repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await agor.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="gone", board="team.agor"), key())
    made = await agor.worktrees.wait_ready(made.id)
    shutil.rmtree(made.path)
    with pytest.raises(errors.WorktreeNotReady):
        await agor.worktrees.status([made.id], 0)

    await agor.worktrees.change(owner, made.id, WorktreeChange(board=None))

    await agor.boards.snapshot(owner, "team.agor")  # repairs
    assert (await agor.boards.get(owner, "team.agor")).objects == {}
    assert (await agor.worktrees.get(made.id)).board is None
