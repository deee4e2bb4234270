"""The collector: joined, in order, one write a tick, nothing lost and nothing doubled."""

import asyncio
import json

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Plan, Text, Thought, ToolCall, ToolOutput
from agor_jupyter.services.sessions.runs.collector import Collector, plain
from agor_jupyter.storage import sessions


@pytest.fixture
async def collector(agor):
    collector = Collector(agor.store, agor.clock, 0.05)
    collector.start()
    yield collector
    await collector.close()


async def _bodies(scene, session):
    return [event["body"] for event in await scene.transcript(session)]


async def test_pieces_of_one_message_become_one_entry_and_order_holds(scene, collector):
    session = await scene.session()
    for body in (
        *[Text(text=f"{k} ", message_id="a") for k in range(100)],
        Thought(text="hm", message_id="a"),
        Text(text="b", message_id="b"),
        Text(text="c", message_id="c"),
        ToolCall(tool_call_id="t", title="run", status="pending"),
        ToolOutput(tool_call_id="t", text="x"),
        ToolOutput(tool_call_id="t", text="y"),
        ToolOutput(tool_call_id="u", text="z"),
        Plan(entries=[]),
        Text(text="end", message_id="c"),
    ):
        await collector.add(session.id, None, body, {"raw": 1})
    await collector.flush()

    bodies = await _bodies(scene, session)
    assert [body["kind"] for body in bodies] == [
        "text", "thought", "text", "text", "tool_call", "tool_output", "tool_output", "plan", "text",
    ]  # fmt: skip
    assert bodies[0]["text"] == "".join(f"{k} " for k in range(100))
    assert [body["text"] for body in bodies if body["kind"] == "tool_output"] == ["xy", "z"]


async def test_all_sessions_share_one_write_a_tick(scene, agor):
    collector = Collector(agor.store, agor.clock, 3600)
    collector.start()
    made = [await scene.session() for _ in range(20)]
    for _ in range(10):
        for session in made:
            await collector.add(session.id, None, Text(text="x", message_id="m"))
        await asyncio.sleep(0)  # it may write
    await scene.eventually(lambda: collector.write_count == 1)  # the first words after a silence
    await collector.close()

    assert collector.write_count == 2
    for session in made:
        assert "".join(body["text"] for body in await _bodies(scene, session)) == "x" * 10


async def test_text_is_there_soon_without_anyone_asking(scene, collector):
    session = await scene.session()
    await collector.add(session.id, None, Text(text="x", message_id="m"))

    await scene.eventually_async(lambda: _bodies(scene, session), [{"kind": "text", "text": "x", "messageId": "m"}])


async def test_the_first_words_of_an_answer_do_not_wait_for_the_tick(scene, agor):
    collector = Collector(agor.store, agor.clock, 3600)
    collector.start()
    session = await scene.session()
    await collector.add(session.id, "tu_1", Thought(text="hm"))
    await scene.eventually_async(lambda: _kinds(scene, session), ["thought"])

    await collector.add(session.id, "tu_1", Text(text="so", message_id="so"))
    await scene.eventually_async(lambda: _kinds(scene, session), ["thought", "text"])
    await collector.add(session.id, "tu_1", Text(text="far", message_id="far"))
    for _ in range(10):
        await asyncio.sleep(0)  # it may write
    await agor.store.write(lambda _: None)

    assert await _kinds(scene, session) == ["thought", "text"]
    await collector.close()
    assert await _kinds(scene, session) == ["thought", "text", "text"]


async def _kinds(scene, session):
    return [body["kind"] for body in await _bodies(scene, session)]


@pytest.mark.parametrize(
    ("pieces", "line"),
    [
        (["one\n", "two", " three"], "two three"),
        (["one\ntwo\n", "\n \n"], "two"),
        (["\x1b]0;title\x07\x1b[31mred\x1b[0m\u202e x"], "red x"),
        (["\x1b[3", "1mred"], "red"),
        (["a" * 500], "a" * 200),
    ],
)
async def test_the_last_line_is_the_last_that_says_something_without_control_sequences(scene, collector, pieces, line):
    session = await scene.session()
    for piece in pieces:
        await collector.add(session.id, None, Text(text=piece, message_id="m"))
        await collector.flush()

    assert (await scene.agor.sessions.get(session.id)).last_line == line


async def test_the_title_of_a_tool_call_is_a_last_line_and_its_updates_are_not(scene, collector):
    session = await scene.session()
    await collector.add(session.id, None, ToolCall(tool_call_id="t", title="pytest -q", status="pending"))
    await collector.add(session.id, None, ToolCall(tool_call_id="t", status="completed"))
    await collector.flush()

    assert (await scene.agor.sessions.get(session.id)).last_line == "pytest -q"


async def test_what_cannot_be_stored_now_waits_in_order_and_whoever_adds_waits_too(scene, collector, monkeypatch):
    monkeypatch.setattr("agor_jupyter.services.sessions.runs.collector._RETRY_S", 0.02)
    monkeypatch.setattr("agor_jupyter.services.sessions.runs.collector.MAX_PENDING", 2_000)
    session = await scene.session()
    write, is_full, tries = scene.agor.store.write, True, 0

    def full(job, *args, **kwargs):
        nonlocal tries
        if not is_full:
            return write(job, *args, **kwargs)
        tries += 1
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(errors.StorageFull("here"))
        return failed

    monkeypatch.setattr(scene.agor.store, "write", full)

    async def speak():
        for k in range(100):
            await collector.add(session.id, None, Text(text=f"{k:03} " * 10, message_id=str(k)))

    speaking = asyncio.create_task(speak())
    await scene.eventually(lambda: tries > 3 and not collector._room.is_set())
    assert not speaking.done()
    assert collector._size < 4_000
    is_full = False
    await asyncio.wait_for(speaking, 50)
    await collector.flush()

    assert [body["messageId"] for body in await _bodies(scene, session)] == [str(k) for k in range(100)]


async def test_a_flush_that_is_cancelled_stores_once(scene, collector):
    session = await scene.session()
    for k in range(50):
        await collector.add(session.id, None, Text(text=str(k), message_id=str(k)))
        flushing = asyncio.create_task(collector.flush())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        flushing.cancel()
    await collector.close()

    assert [body["messageId"] for body in await _bodies(scene, session)] == [str(k) for k in range(50)]


async def test_what_waits_is_stored_on_closing(scene, agor):
    collector = Collector(agor.store, agor.clock, 0.05)
    collector.start()
    session = await scene.session()
    await collector.add(session.id, None, Text(text="last", message_id="m"))

    await collector.close()

    assert (await agor.store.read(sessions.get, session.id)).last_line == "last"


def test_plain_text_stays_as_it_is():
    text = json.loads('"Grüße, 你好 \\t naïve – “x”"')

    assert plain(text) == text
