"""The hub: committed first, in order, nothing lost, nothing doubled."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from agor_jupyter.domain.events import Event, Notice, Removed, Text
from agor_jupyter.services.events import Events
from agor_jupyter.storage import events as table

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def _news(app, k):
    return app.store.write(lambda t: t.append(AT, Removed(noun="session", id=f"se_{k}")))


async def _drain(hub, after, limit=500):
    seen = []
    while (got := await hub.since(after, limit)) is not None:
        frame, to = got
        items = json.loads(frame)
        if not items:
            return seen
        assert items[-1]["n"] == to
        seen += items
        after = to
    return None


async def test_a_client_that_follows_misses_and_doubles_nothing(agor):
    start, seen = agor.events.n, []

    async def follow():
        after = start
        while len(seen) < 300:
            await agor.events.wait(after)
            frame, after = await agor.events.since(after, 7)
            seen.extend(item["body"]["id"] for item in json.loads(frame))

    follower = asyncio.create_task(follow())
    await asyncio.gather(*[_news(agor, k) for k in range(300)])
    await asyncio.wait_for(follower, 50)

    assert sorted(seen) == sorted(f"se_{k}" for k in range(300))


async def test_the_numbers_have_no_gap_even_when_a_command_fails_between(agor):
    def bad(transaction):
        transaction.append(AT, Removed(noun="session", id="never"))
        raise ValueError

    results = await asyncio.gather(_news(agor, 1), agor.store.write(bad), _news(agor, 2), return_exceptions=True)

    assert isinstance(results[1], ValueError)
    items = await _drain(agor.events, 0)
    assert [item["n"] for item in items] == list(range(1, agor.events.n + 1))
    assert [item["body"]["id"] for item in items][-2:] == ["se_1", "se_2"]


async def test_what_fell_off_the_ring_comes_from_the_table(agor, monkeypatch):
    monkeypatch.setattr("agor_jupyter.services.events._SLACK", 0)
    hub = Events(agor.store, size=10)
    await hub.start()
    for k in range(40):
        await _news(agor, k)

    items = await _drain(hub, 0, 7)

    assert [item["n"] for item in items] == list(range(1, hub.n + 1))
    assert len(hub._numbers) == 10


async def test_a_client_too_far_behind_or_of_another_database_is_told_to_reload(agor, monkeypatch):
    monkeypatch.setattr("agor_jupyter.services.events._SLACK", 0)
    monkeypatch.setattr("agor_jupyter.services.events.TABLE_LIMIT", 20)
    hub = Events(agor.store, size=10)
    await hub.start()
    for k in range(40):
        await _news(agor, k)

    assert await hub.since(0) is None
    assert await hub.since(hub.n + 1) is None
    assert await hub.since(hub.n - 15) is not None


async def test_clients_in_step_share_one_frame(agor):
    await _news(agor, 1)
    await _news(agor, 2)

    assert (await agor.events.since(0))[0] is (await agor.events.since(0))[0]


@pytest.mark.parametrize("turn", [None, "tu_1"])
def test_a_row_is_encoded_as_the_record_is(turn):
    event = Event(n=3, at=AT, session_id="se_1", turn_id=turn, seq=None if turn else 4, body=Text(text='ü "\n', message_id="m"))

    row = table.encode(3, AT.isoformat(timespec="milliseconds"), "se_1", turn, event.seq, event.body.model_dump_json())

    assert row == event.encode()


async def test_a_subscriber_is_told_of_its_kinds_before_whoever_wrote_goes_on(agor):
    told, every = [], []
    agor.events.subscribe(Removed, lambda body, event: told.append((event.n, body.id)))
    end = agor.events.subscribe((Removed, Notice), lambda body, _: every.append(body.kind))

    written = await _news(agor, 1)
    assert told == [(written.n, "se_1")]
    await agor.store.write(lambda t: t.append(AT, Notice(code="x", text='"body":{"kind":"removed"')))
    end()
    end()
    await _news(agor, 2)

    assert [one for _, one in told] == ["se_1", "se_2"]
    assert every == ["removed", "notice"]


async def test_a_subscriber_or_listener_that_raises_harms_nobody_else(agor, caplog):
    told = []

    def bad(*_):
        raise ValueError("of its own making")

    agor.events.subscribe(Removed, bad)
    agor.events.subscribe(Removed, lambda body, _: told.append(body.id))
    agor.store._listeners.insert(0, bad)

    written = await asyncio.wait_for(asyncio.gather(*[_news(agor, k) for k in range(3)]), 50)

    assert [event.n for event in written] == [agor.events.n - 2, agor.events.n - 1, agor.events.n]
    assert told == ["se_0", "se_1", "se_2"]
    assert caplog.text.count("of its own making") >= 4
