"""The writer and its readers on a real file: what commits together, what fails alone, and what becomes of it when the file is busy, full or broken."""

import asyncio
import contextlib
import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Removed, Text
from agor_jupyter.storage import tables
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import MAX_GROUP, Store, Transaction, sqlite_url

AT = datetime(2026, 1, 1, tzinfo=UTC)
LONG_S = 50
"""Nothing that passes waits so long."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    migrate(sqlite_url(tmp_path / "agor.db"))
    return tmp_path / "agor.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = Store(sqlite_url(path))
    store.start()
    yield store
    store.close()


def log_one(transaction: Transaction, name: str) -> int:
    return transaction.append(AT, Removed(noun="session", id=name)).n


def names_in(connection: sa.Connection) -> list[str]:
    bodies = connection.execute(sa.select(tables.events.c.body).order_by(tables.events.c.n)).scalars()
    return [json.loads(body)["id"] for body in bodies]


@contextlib.asynccontextmanager
async def held(store: Store) -> AsyncIterator[asyncio.Future[bool]]:
    """The writer is at work for as long: what is written meanwhile is its next group. Gives what it works at."""
    began, may_end = threading.Event(), threading.Event()

    def work(_transaction: Transaction) -> bool:
        began.set()
        return may_end.wait(LONG_S)

    future = store.write(work)
    assert await asyncio.to_thread(began.wait, LONG_S)
    try:
        yield future
    finally:
        may_end.set()


def pragma(transaction: Transaction, words: str) -> object:
    result = transaction.connection.exec_driver_sql(f"PRAGMA {words}")
    return result.scalar() if result.returns_rows else None


async def test_what_is_written_meanwhile_is_one_group_and_a_group_has_an_end(store: Store) -> None:
    told: list[list[int]] = []
    store.listen(lambda events: told.append([n for n, _ in events]))
    async with held(store):
        writes = [store.write(log_one, f"se_{k}") for k in range(MAX_GROUP + 7)]

    numbers = await asyncio.wait_for(asyncio.gather(*writes), LONG_S)

    assert [len(group) for group in told] == [MAX_GROUP, 7]
    assert [n for group in told for n in group] == numbers == list(range(1, MAX_GROUP + 8))
    assert await store.read(names_in) == [f"se_{k}" for k in range(MAX_GROUP + 7)]


async def test_listeners_are_told_after_the_commit_and_before_whoever_wrote_goes_on(store: Store, path: Path) -> None:
    on_disk: list[int] = []

    def look(events: list[tuple[int, bytes]]) -> None:
        with contextlib.closing(sqlite3.connect(path)) as other:
            on_disk.extend(n for n, _ in events if other.execute("SELECT count(*) FROM events WHERE n = ?", (n,)).fetchone() == (1,))

    end = store.listen(look)
    n = await store.write(log_one, "se_1")
    told = list(on_disk)
    end()
    await store.write(log_one, "se_2")

    assert told == on_disk == [n]


async def test_a_job_that_appends_nothing_tells_nobody(store: Store) -> None:
    told: list[object] = []
    store.listen(told.append)

    assert await store.write(lambda _: "done") == "done"

    assert told == []


async def test_a_listener_that_raises_is_logged_and_harms_nobody(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    told: list[int] = []

    def bad(_events: object) -> None:
        raise ValueError("of its own making")

    store.listen(bad)
    store.listen(lambda events: told.extend(n for n, _ in events))
    async with held(store):
        writes = [store.write(log_one, f"se_{k}") for k in range(3)]

    with caplog.at_level(logging.ERROR):
        numbers = await asyncio.wait_for(asyncio.gather(*writes), LONG_S)
    after = await store.write(log_one, "se_3")

    assert told == [*numbers, after] == [1, 2, 3, 4]
    assert "ValueError: of its own making" in caplog.text
    assert "at the events 1 to 3" in caplog.text


async def test_a_listener_may_end_itself_while_it_is_told(store: Store) -> None:
    told: list[str] = []

    def once(_events: object) -> None:
        told.append("once")
        end()

    end = store.listen(once)
    store.listen(lambda _: told.append("always"))
    await store.write(log_one, "se_1")
    await store.write(log_one, "se_2")

    assert told == ["once", "always", "always"]


async def test_a_job_that_raises_in_a_group_spoils_only_itself(store: Store) -> None:
    told: list[int] = []
    runs: Counter[str] = Counter()
    store.listen(lambda events: told.extend(n for n, _ in events))

    def counted(transaction: Transaction, name: str) -> int:
        runs[name] += 1
        return log_one(transaction, name)

    def bad(transaction: Transaction) -> None:
        counted(transaction, "never")
        raise LookupError("of its own making")

    async with held(store) as holding:
        writes = [store.write(counted, "se_1"), store.write(bad), store.write(counted, "se_2")]

    first, error, second = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), LONG_S)

    assert await holding is True
    assert (first, second) == (1, 2)
    assert isinstance(error, LookupError)
    assert told == [1, 2]
    assert await store.read(names_in) == ["se_1", "se_2"]
    assert runs["se_1"] == runs["never"] == 2  # in the group, then alone
    assert max(runs.values()) == 2


async def test_an_event_of_a_session_that_is_not_there_is_refused_by_its_name(store: Store) -> None:
    with pytest.raises(errors.SessionNotFound, match="se_nobody"):
        await store.write(lambda t: t.append(AT, Text(text="x", message_id="m"), session_id="se_nobody"))

    assert await store.read(names_in) == []


async def test_whoever_gave_up_waiting_has_written_all_the_same(store: Store) -> None:
    async with held(store):
        given_up = store.write(log_one, "se_1")
        kept = store.write(log_one, "se_2")
        given_up.cancel()

    assert await kept == 2
    assert given_up.cancelled()
    assert await store.read(names_in) == ["se_1", "se_2"]


async def test_a_read_sees_one_state_and_never_half_a_job(store: Store) -> None:
    wrote, seen = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        log_one(transaction, "se_1")
        wrote.set()
        seen.wait(LONG_S)
        log_one(transaction, "se_2")

    def twice(connection: sa.Connection) -> tuple[list[str], list[str]]:
        before = names_in(connection)
        seen.set()
        return before, names_in(connection)

    writing = store.write(slow)
    assert await asyncio.to_thread(wrote.wait, LONG_S)

    assert await store.read(twice) == ([], [])
    await writing
    assert await store.read(names_in) == ["se_1", "se_2"]


async def test_a_file_that_another_holds_is_busy_and_nothing_of_it_was_done(store: Store, path: Path) -> None:
    await store.write(pragma, "busy_timeout=1")
    runs: list[Transaction] = []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        results = await asyncio.wait_for(asyncio.gather(*[store.write(runs.append) for _ in range(9)], return_exceptions=True), LONG_S)

        assert [type(one) for one in results] == [errors.StorageBusy] * 9
        assert await store.read(names_in) == []  # it can be read meanwhile
        other.execute("ROLLBACK")

    assert runs == []
    assert await store.write(log_one, "se_1") == 1


async def test_a_full_disk_is_said_and_what_was_written_stays(store: Store, path: Path) -> None:
    await store.write(log_one, "se_1")
    pages = await store.write(pragma, "page_count")
    await store.write(pragma, f"max_page_count={pages}")

    async with held(store):
        large = store.write(log_one, "x" * 100_000)
        small = store.write(log_one, "se_2")

    with pytest.raises(errors.StorageFull, match=str(path)):
        await large
    assert await small == 2
    await store.write(pragma, "max_page_count=1000000")
    await store.write(log_one, "se_3")
    assert await store.read(names_in) == ["se_1", "se_2", "se_3"]


async def test_a_broken_file_is_said_to_each_who_asks_and_is_opened_again_when_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "agor.db"
    path.write_bytes(b"no database at all " * 100)
    store = Store(sqlite_url(path))
    store.start()
    try:
        writes = [store.write(log_one, f"se_{k}") for k in range(3)]
        failures = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), LONG_S)
        assert [type(one) for one in failures] == [errors.StorageBroken] * 3
        assert str(path) in str(failures[0])
        with pytest.raises(errors.StorageBroken):
            await store.read(names_in)

        path.unlink()
        migrate(sqlite_url(path))

        assert await store.write(log_one, "se_4") == 1
        assert await store.read(names_in) == ["se_4"]
    finally:
        store.close()


async def test_a_file_that_may_not_be_written_is_broken_for_writers_only(store: Store) -> None:
    await store.write(log_one, "se_1")
    await store.write(pragma, "query_only=ON")

    with pytest.raises(errors.StorageBroken):
        await store.write(log_one, "se_2")

    assert await store.read(names_in) == ["se_1"]


async def test_what_was_accepted_before_the_close_is_on_the_disk_after_it(path: Path) -> None:
    store = Store(sqlite_url(path))
    store.start()
    async with held(store):
        writes = [store.write(log_one, f"se_{k}") for k in range(MAX_GROUP * 2)]
        closing = asyncio.create_task(asyncio.to_thread(store.close))
        while await is_open(store):  # noqa: ASYNC110 it closes in a thread, which tells nobody
            await asyncio.sleep(0.01)
        assert not closing.done()

    await asyncio.wait_for(closing, LONG_S)

    assert await asyncio.gather(*writes) == list(range(1, MAX_GROUP * 2 + 1))
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM events").fetchone() == (MAX_GROUP * 2,)
    assert not path.with_name("agor.db-wal").exists()


async def is_open(store: Store) -> bool:
    try:
        await store.read(lambda _: None)
    except errors.Starting:
        return False
    return True


async def test_nothing_is_accepted_before_the_start_or_after_the_close(path: Path) -> None:
    store = Store(sqlite_url(path))
    with pytest.raises(errors.Starting):
        store.write(log_one, "se_1")
    with pytest.raises(errors.Starting):
        await store.read(names_in)
    store.start()

    store.close()
    store.close()

    with pytest.raises(errors.Starting):
        store.write(log_one, "se_2")
    with pytest.raises(errors.Starting):
        await store.read(names_in)
