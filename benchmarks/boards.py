"""A cursor at 30 a second, from one client of a board's room to ten others, on a real server.

Beside it the same frames through a bare WebSocket relay in a process of its own: what this machine's loopback and Python cost anyway.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websockets
from pycrdt import Encoder, create_awareness_message

from harness.rooms import RoomServer, free_port

CLIENTS = 10
RATE = 30
SECONDS = 12
WARM_UP = 30

_RELAY = """
import asyncio, sys, websockets
async def main():
    clients = set()
    async def serve(socket):
        clients.add(socket)
        async for frame in socket:
            websockets.broadcast(clients, frame)
    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]), compression=None):
        await asyncio.Future()
asyncio.run(main())
"""


def _frame(number: int) -> bytes:
    state = f'{{"user":{{"username":"alice","name":"Alice"}},"cursor":{{"x":{number},"y":{number}}},"at":"#{number:09d}#"}}'
    encoder = Encoder()
    encoder.write_var_uint(1)
    encoder.write_var_uint(4711)
    encoder.write_var_uint(number + 1)
    encoder.write_var_string(state)
    return create_awareness_message(encoder.to_bytes())


async def _latencies(url: str, names: list[str]) -> list[float]:
    """Milliseconds from sending to each arrival, after a warm-up."""
    sent: dict[int, float] = {}
    taken: list[float] = []

    async def listen(socket):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for frame in socket:
                at = time.perf_counter()
                start = frame.rfind(b"#0")
                if start > 0 and (number := int(frame[start + 1 : start + 10])) >= WARM_UP:
                    taken.append((at - sent[number]) * 1000)

    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                websockets.connect(url, additional_headers={"Authorization": f"token {name}"}, compression=None, ping_interval=None)
            )
            for name in names
        ]
        await asyncio.sleep(1)
        tasks = [asyncio.create_task(listen(socket)) for socket in sockets[1:]]
        begin = time.perf_counter()
        for number in range(WARM_UP + RATE * SECONDS):
            await asyncio.sleep(max(0, begin + number / RATE - time.perf_counter()))
            sent[number] = time.perf_counter()
            await sockets[0].send(_frame(number))
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(taken) == RATE * SECONDS * CLIENTS, f"{len(taken)} arrived"
    return taken


async def _through_room(folder: Path) -> list[float]:
    server = RoomServer(folder)
    try:
        _, _, room = server.board()
        query = "&".join(f"{name}={value}" for name, value in room["params"].items())
        url = f"{server.base.replace('http', 'ws', 1)}api/collaboration/room/{room['room']}?{query}"
        return await _latencies(url, ["alice", *(["bob"] * CLIENTS)])
    finally:
        server.stop()


async def _through_relay() -> list[float]:
    port = free_port()
    relay = subprocess.Popen([sys.executable, "-c", _RELAY, str(port)])
    try:
        await asyncio.sleep(1)
        return await _latencies(f"ws://127.0.0.1:{port}/", ["alice", *(["bob"] * CLIENTS)])
    finally:
        relay.terminate()
        relay.wait()


async def rows() -> list[dict]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        room = await _through_room(Path(folder))
    relay = await _through_relay()
    found = []
    for name, at, bar in (("cursor_ms p50", 50, 4), ("cursor_ms p95", 95, 10)):
        value, bare = (statistics.quantiles(taken, n=100)[at - 1] for taken in (room, relay))
        reference = f"{bare:.1f} ms through a bare relay"
        found.append({"name": name, "value": value, "unit": "ms", "bar": f"≤ {bar}", "reference": reference, "met": value <= bar})
    return found
