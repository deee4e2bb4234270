"""The event stream: live at once, dense across reconnections, and rid of those who do not read."""

import asyncio
import json
import socket
from datetime import UTC, datetime

import pytest
import websockets
from jupyter_server.auth import AllowAllAuthorizer, IdentityProvider, User
from tornado import httpserver, testing, web

from agor_jupyter.client.stream import Resync, Stream, ThreadedStream
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Notice
from agor_jupyter.server import stream
from agor_jupyter.server.lifetime import Lifetime

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class Ann(IdentityProvider):
    def get_user(self, handler):
        if handler.request.headers.get("Authorization") != "token secret":
            return None
        handler._token_authenticated = True
        return User("ann", "Ann", "Ann", "A")


class Running:
    """The stream's handler on the engine of the test, in this event loop; it can be stopped and started on the same port."""

    def __init__(self, agor):
        self.lifetime = Lifetime(lambda: None)
        self.lifetime._agor = agor
        self.lifetime._is_ready.set()
        self.port = None

    def start(self):
        application = web.Application(
            [(r"/agor/api/stream", stream.Stream)],
            base_url="/", cookie_secret=b"x", identity_provider=Ann(), authorizer=AllowAllAuthorizer(), allow_remote_access=True, agor=self.lifetime,
        )  # fmt: skip
        self.server = httpserver.HTTPServer(application)
        if self.port is None:
            listening, self.port = testing.bind_unused_port()
        else:
            listening = socket.create_server(("127.0.0.1", self.port))
            listening.setblocking(False)
        self.server.add_sockets([listening])

    async def stop(self):
        self.server.stop()
        await self.server.close_all_connections()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
async def running(agor):
    found = Running(agor)
    found.start()
    yield found
    await found.stop()


async def tell(agor, text, count=1):
    def job(transaction):
        for _ in range(count):
            transaction.append(AT, Notice(code="test", text=text))

    await agor.store.write(job)


async def collect(events, count):
    found = []
    async for event in events:
        found.append(event)
        if len(found) == count:
            break
    return found


async def test_the_first_frame_is_empty_and_says_that_the_stream_is_live(running, agor):
    await tell(agor, "before")

    async with websockets.connect(
        f"ws://127.0.0.1:{running.port}/agor/api/stream", additional_headers={"Authorization": "token secret"}
    ) as connection:
        first = await connection.recv()
        last = connection.response.headers[stream.LAST]
        await tell(agor, "after")
        second = json.loads(await connection.recv())

    assert first == "[]"
    assert int(last) == agor.events.n - 1
    assert [event["body"]["text"] for event in second] == ["after"]


async def test_events_are_dense_across_restarts_of_the_server(running, agor):
    start = agor.events.n
    async with Stream(running.url, "secret", after=start) as events:
        reader = asyncio.create_task(collect(events, 600))
        for part in range(6):
            await tell(agor, f"part {part}", 50)
            await asyncio.sleep(0.03)
            if part in (1, 3):
                await running.stop()
                await tell(agor, "while it was away", 50)
                running.start()
            await tell(agor, f"part {part} again", 50)
        await tell(agor, "end", 100)
        found = await asyncio.wait_for(reader, 50)

    assert [event.n for event in found] == list(range(start + 1, start + 601))


async def test_without_a_number_nothing_falls_between_connecting_and_a_lost_connection(running, agor):
    await tell(agor, "old", 5)
    events = Stream(running.url, "secret")
    await events.connect()
    live_at = events.n
    await running.stop()
    await tell(agor, "missed", 3)
    running.start()

    found = await asyncio.wait_for(collect(events, 3), 50)
    await events.close()

    assert [event.n for event in found] == [live_at + 1, live_at + 2, live_at + 3]


async def test_frames_hold_at_most_500_events(running, agor):
    start = agor.events.n
    await tell(agor, "many", 1700)
    sizes = []

    async with Stream(running.url, "secret", after=start) as events:
        async for frame in events.frames():
            sizes.append(len(frame))
            if sum(sizes) == 1700:
                break

    assert max(sizes) == 500


async def test_a_client_with_a_number_of_another_database_has_to_reload_and_goes_on_from_now(running, agor):
    events = Stream(running.url, "secret", after=agor.events.n + 1000)

    with pytest.raises(Resync):
        await asyncio.wait_for(collect(events, 1), 50)
    await events.connect()
    await tell(agor, "now")
    found = await asyncio.wait_for(collect(events, 1), 50)
    await events.close()

    assert found[0].body.text == "now"


async def test_a_client_that_does_not_read_is_closed_and_the_others_notice_nothing(running, agor, monkeypatch):
    monkeypatch.setattr(stream, "MAX_STALL_S", 0.5)
    start = agor.events.n
    codes = []

    class Watched(stream.Stream):
        def close(self, code=None, reason=None):
            codes.append(code)
            super().close(code, reason)

    running.server.request_callback.add_handlers(".*", [(r"/agor/api/slow", Watched)])
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(
        b"GET /agor/api/slow HTTP/1.1\r\nHost: x\r\nAuthorization: token secret\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    lags = []

    async def follow():
        loop = asyncio.get_running_loop()
        async with Stream(running.url, "secret", after=start) as events:
            async for event in events:
                lags.append(loop.time() - sent[event.n])
                if event.n == start + 400:
                    break
            return events.n

    sent: dict[int, float] = {}
    others = [asyncio.create_task(follow()) for _ in range(3)]
    for n in range(400):
        sent[start + n + 1] = asyncio.get_running_loop().time()
        await tell(agor, "x" * 20_000)
        if n % 40 == 0:
            await asyncio.sleep(0.05)
    last = await asyncio.wait_for(asyncio.gather(*others), 50)
    for _ in range(100):
        if codes:
            break
        await asyncio.sleep(0.05)
    writer.close()

    assert codes == [stream.SLOW]
    assert last == [start + 400] * 3
    assert len(lags) == 1200
    assert sorted(lags)[int(len(lags) * 0.95)] < 1.0


async def test_a_client_that_talks_too_much_is_cut_off_alone(running, agor):
    url = f"ws://127.0.0.1:{running.port}/agor/api/stream"
    async with Stream(running.url, "secret") as other:
        connection = await websockets.connect(url, additional_headers={"Authorization": "token secret"})
        await connection.recv()
        with pytest.raises(websockets.ConnectionClosed):
            await connection.send("x" * 100_000)
            await connection.recv()
        await tell(agor, "still here")

        found = await asyncio.wait_for(collect(other, 1), 50)

    assert found[0].body.text == "still here"


async def test_a_wrong_token_is_refused_and_not_tried_again(running):
    with pytest.raises(errors.Refused, match="403"):
        await asyncio.wait_for(Stream(running.url, "wrong").connect(), 50)


async def test_a_number_that_is_none_is_refused(running):
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(
            f"ws://127.0.0.1:{running.port}/agor/api/stream?after=x", additional_headers={"Authorization": "token secret"}
        )

    assert caught.value.response.status_code == 400


async def test_no_server_is_an_error_after_the_patience():
    with pytest.raises(errors.ServerGone):
        await Stream("http://127.0.0.1:9/", "secret", patience_s=0).connect()


async def test_a_thread_reads_the_stream_for_code_without_a_loop(running, agor):
    got: list[str] = []
    resyncs: list[int] = []
    follower = ThreadedStream(
        Stream(running.url, "secret", after=agor.events.n + 999),
        lambda events: got.extend(event.body.text for event in events),
        resync=lambda: resyncs.append(1),
        failed=lambda error: got.append(repr(error)),
    )

    await asyncio.to_thread(follower.start)
    while not resyncs:
        await asyncio.sleep(0.01)
    await tell(agor, "hello")
    while not got:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(follower.stop)

    assert (resyncs, got) == ([1], ["hello"])


async def test_who_looks_at_a_board_hears_that_its_file_came(running, agor):
    address = f"ws://127.0.0.1:{running.port}/agor/api/stream"
    login = {"Authorization": "token secret"}
    async with websockets.connect(f"{address}?board=new/team.agor", additional_headers=login) as connection:
        assert await connection.recv() == "[]"
        place = agor.config.root_dir / "new"
        place.mkdir(parents=True)
        (place / "team.agor").write_text("")

        [event] = json.loads(await connection.recv())

    assert event["body"] == {"kind": "board", "path": "new/team.agor", "isThere": True}
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"{address}?board=../team.agor", additional_headers=login)
    assert refused.value.response.status_code == 400
