"""A client of a board's room, as y-websocket is one, in Python."""

import asyncio
import contextlib
import json
import urllib.request
import uuid

import websockets
from jupyter_ydoc import ydocs
from pycrdt import (
    Awareness,
    Doc,
    Encoder,
    Map,
    create_awareness_message,
    create_sync_message,
    create_update_message,
    handle_sync_message,
    read_message,
)


def ask(base, path, token, body=None, method=None):
    request = urllib.request.Request(base + path, data=None if body is None else json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"token {token}")
    request.add_header("Content-Type", "application/json")
    request.add_header("Idempotency-Key", uuid.uuid4().hex)
    with urllib.request.urlopen(request, timeout=50) as answer:
        return json.loads(answer.read() or b"null")


class Client:
    """`async with Client(base, room, user)`; `room` is a `RoomInfo` as JSON."""

    def __init__(self, base, room, user, token=None):
        query = "&".join(f"{name}={value}" for name, value in room["params"].items())
        self.url = f"{base.replace('http', 'ws', 1)}api/collaboration/room/{room['room']}?{query}"
        self.headers = {"Authorization": f"token {token or user}"}
        self.user = user
        self.doc = Doc()
        self.objects = self.doc.get("objects", type=Map)
        self.state = self.doc.get("state", type=Map)
        self.awareness = Awareness(self.doc)
        self.raw = []
        self.closed = None
        self.synced = asyncio.Event()

    async def __aenter__(self):
        self.socket = await websockets.connect(self.url, additional_headers=self.headers, max_size=None, ping_interval=None)
        self._observer = self.doc.observe(self._on_update)
        self._applying = False
        self.task = asyncio.create_task(self._read())
        await self.socket.send(create_sync_message(self.doc))
        await asyncio.wait_for(self.synced.wait(), 50)
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self.task
        await self.socket.close()

    def _on_update(self, event):
        if not self._applying:
            self._send(create_update_message(event.update))

    def _send(self, frame):
        task = asyncio.ensure_future(self._try_send(frame))
        self._last = task

    async def _try_send(self, frame):
        with contextlib.suppress(websockets.ConnectionClosed):
            await self.socket.send(frame)

    async def _read(self):
        try:
            async for frame in self.socket:
                if frame[0] == 0:
                    self._applying = True
                    reply = handle_sync_message(frame[1:], self.doc)
                    self._applying = False
                    if reply is not None:
                        await self.socket.send(reply)
                    if frame[1] == 1:
                        self.synced.set()
                elif frame[0] == 1:
                    self.awareness.apply_awareness_update(read_message(frame[1:]), "remote")
                else:
                    self.raw.append(bytes(frame))
        except websockets.ConnectionClosed:
            pass
        finally:
            self.closed = (self.socket.close_code, self.socket.close_reason)

    def set_state(self, state):
        self.awareness.set_local_state(state)
        self._send(create_awareness_message(self.awareness.encode_awareness_update([self.awareness.client_id])))

    def users(self):
        return sorted(
            state["user"]["username"]
            for client, state in self.awareness.states.items()
            if client != self.awareness.client_id and state and "user" in state
        )

    def save(self, number):
        encoder = Encoder()
        encoder.write_var_uint(2)
        encoder.write_var_string("save")
        encoder.write_var_uint(number)
        self._send(encoder.to_bytes())

    def put(self, key, fields):
        self.objects[key] = Map(fields) if isinstance(fields, dict) else fields

    def plain(self):
        board = ydocs["agor-board"](Doc())
        board.ydoc.apply_update(self.doc.get_update())
        return json.loads(board.get())["objects"]


async def until(what, seconds=50):
    """Wait until `what()` is true; say what it was."""
    end = asyncio.get_running_loop().time() + seconds
    while not (value := what()):
        assert asyncio.get_running_loop().time() < end, f"{what} never came true"
        await asyncio.sleep(0.02)
    return value
