"""Durable subscribers: every event is reacted to, in order, whatever is killed; and what they write is written once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.domain.attachments import AttachmentCreate
from agor_jupyter.domain.events import Notice, Removed
from agor_jupyter.services import followers
from agor_jupyter.services.app import Agor
from agor_jupyter.storage import tables
from agor_jupyter.storage.store import Store, sqlite_url

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def news(store, which):
    return store.write(lambda t: t.append(AT, Removed(noun="session", id=f"se_{which}")))


def other(store):
    return store.write(lambda t: t.append(AT, Notice(code="x", text="of no interest")))


async def eventually(is_so):
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(followers, "PAUSES_S", (0.0, 0.0, 0.01))


async def test_each_event_of_its_kinds_is_reacted_to_in_order(agor):
    told = []

    async def note(body, event):
        told.append((event.n, body.id))

    await news(agor.store, "before")
    follower = await agor.events.follow("test", Removed, note)
    written = [await news(agor.store, 1), (await other(agor.store)) and await news(agor.store, 2)]
    await eventually(lambda: len(told) == 2)
    await follower.close()
    await news(agor.store, 3)

    assert told == [(written[0].n, "se_1"), (written[1].n, "se_2")]


async def test_one_that_was_away_goes_on_where_it_was(config):
    told = []

    async def note(body, _event):
        told.append(body.id)

    async with Agor(config) as app:
        follower = await app.events.follow("test", Removed, note)
        await news(app.store, 1)
        await eventually(lambda: told == ["se_1"])
        await follower.close()
        for which in range(2, 250):
            await news(app.store, which)
    async with Agor(config) as app:
        follower = await app.events.follow("test", Removed, note)
        await eventually(lambda: len(told) == 249)
        await follower.close()

    assert told == [f"se_{which}" for which in range(1, 250)]


async def test_its_writes_and_its_cursor_are_one_transaction(agor):
    """A job that fails moves no cursor; the reaction is called again."""
    attempts = []

    async def copy(body, event):
        attempts.append(event.n)

        def job(transaction):
            if len(attempts) == 1:
                raise errors.StorageBusy
            transaction.append(AT, Notice(code="copied", text=body.id))

        return job

    follower = await agor.events.follow("test", Removed, copy)
    await news(agor.store, 1)
    await eventually(lambda: _notices(agor.store) == ["se_1"])
    await follower.close()

    assert len(attempts) == 2


def _notices(store):
    with sa.create_engine(store.url).connect() as connection:
        bodies = connection.execute(sa.select(tables.events.c.body).where(tables.events.c.body.like('%"copied"%'))).scalars()
        return [json.loads(body)["text"] for body in bodies]


async def test_a_reaction_that_always_raises_is_passed_over_and_harms_nobody(agor, caplog):
    told, tried = [], []

    async def bad(body, _event):
        tried.append(body.id)
        if body.id == "se_1":
            raise ValueError("of its own making")
        told.append(body.id)

    follower = await agor.events.follow("test", Removed, bad)
    await asyncio.wait_for(news(agor.store, 1), 10)
    await news(agor.store, 2)
    await eventually(lambda: told == ["se_2"])
    await follower.close()

    assert tried == ["se_1"] * 4 + ["se_2"]
    assert "test passed over event" in caplog.text
    assert "of its own making" in caplog.text


async def test_while_the_disk_is_full_it_waits_and_passes_over_nothing(agor):
    tried = []

    async def full(_body, _event):
        tried.append(1)
        if len(tried) < 8:
            raise errors.StorageFull("here")

    follower = await agor.events.follow("test", Removed, full)
    await news(agor.store, 1)
    await eventually(lambda: len(tried) == 8)
    await follower.close()


async def test_a_cursor_follows_events_of_other_kinds_too(agor, monkeypatch):
    """Or a start would read the log from the last event that was of interest."""
    monkeypatch.setattr(followers, "_SLACK", 10)
    follower = await agor.events.follow("test", Removed, lambda *_: None)
    for _ in range(30):
        await other(agor.store)
    follower.wake()

    def cursor():
        with sa.create_engine(agor.store.url).connect() as connection:
            return connection.execute(sa.select(tables.followers.c.n).where(tables.followers.c.name == "test")).scalar_one()

    await eventually(lambda: cursor() == agor.events.n)
    await follower.close()


VICTIM = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from agor_jupyter.domain.events import Notice, Removed
from agor_jupyter.services.events import Events
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import Store

url, effects, writes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
at = datetime(2026, 1, 2, tzinfo=UTC)

async def react(body, event):
    with effects.open("a") as file:
        file.write(f"{event.n} {body.id}\\n")
    return lambda transaction: transaction.append(at, Notice(code="copied", text=body.id))

async def main():
    migrate(url)
    store = Store(url)
    store.start()
    events = Events(store)
    await events.start()
    follower = await events.follow("test", Removed, react)
    for which in range(writes):
        await store.write(lambda t: t.append(at, Removed(noun="session", id=f"se_{which}")))
    async with asyncio.timeout(30):
        while follower._n < events.n:
            follower.wake()
            await asyncio.sleep(0.01)
    await follower.close()
    store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", ["follow.before_reaction", "follow.before_commit", "follow.after_commit"])
def test_a_kill_between_the_commit_and_the_reaction_loses_and_doubles_nothing(tmp_path, point, nth):
    url, effects = sqlite_url(tmp_path / "agor.db"), tmp_path / "effects"

    def run(writes, crash_at):
        command = [sys.executable, "-c", VICTIM, url, str(effects), str(writes)]
        return subprocess.run(command, env={**os.environ, "AGOR_CRASH_AT": crash_at}, check=False, timeout=60).returncode

    assert run(5, f"{point}:{nth}") == -signal.SIGKILL
    assert run(0, "") == 0

    store = Store(url)
    with store._reader_engine.connect() as connection:
        committed = connection.execute(sa.select(tables.events.c.body).where(tables.events.c.body.like('%"removed"%'))).scalars().all()
    expected = [json.loads(body)["id"] for body in committed]
    done = [line.split()[1] for line in effects.read_text().splitlines()]
    assert len(expected) >= nth
    assert list(dict.fromkeys(done)) == expected
    assert len(done) - len(expected) == (point == "follow.before_commit")
    assert _notices(store) == expected


async def test_what_was_attached_goes_with_its_worktree(agor, owner, key, worktree):
    folder = agor.config.data_dir / "attachments" / worktree.id
    await agor.attachments.create(owner, worktree.id, AttachmentCreate(name="log.txt", data=b"bG9n"))
    assert folder.is_dir()

    await agor.worktrees.remove(owner, worktree.id, key())

    await eventually(lambda: not folder.exists())
