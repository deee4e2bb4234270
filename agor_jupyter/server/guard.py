"""What a client may send into a board's room.

Jupyter's collaboration servers take any frame of any reader. Here, for boards only: no frame over 1 MiB, no flood, nothing that
cannot be decoded, no write of somebody who may only read, no cursor under another person's name, no document without end.

It replaces methods of `YDocWebSocketHandler` (jupyter-collaboration) and `YRoomWebsocket` (jupyter-server-documents), which have no
hook for this. The tests against real servers notice when those change.
"""

import contextlib
import json
import logging
import math
import time
from functools import wraps
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from pycrdt import Decoder, Encoder, create_awareness_message, get_state, read_message
from tornado import web
from tornado.websocket import WebSocketClosedError

from agor_jupyter.documents.boards import MAX_BYTES
from agor_jupyter.server.rooms import TYPE

log = logging.getLogger(__name__)

MAX_FRAME = 1 << 20
RATE = 200.0
"""Frames a second, in the long run."""
BURST = 400.0
_MAX_STATE = 64 * 1024
_MAX_STATES = 64
_SMALL = 4096
_MEASURE_EVERY = 1 << 20
_MAX_HISTORY = 8 * MAX_BYTES
_PERMISSION_S = 5.0

_SYNC, _AWARENESS, _RAW = 0, 1, 2
_ASKS, _ANSWERS, _UPDATES = 0, 1, 2
_EMPTY_ANSWER = b"\x00\x01\x02\x00\x00"

_POLICY, _TOO_BIG, _UNSUPPORTED = 1008, 1009, 1003


def install() -> None:
    """Guard whichever collaboration server is installed. Doing it twice does it once."""
    _guard_collaboration()
    _guard_documents()


def is_board(room_id: str) -> bool:
    return room_id.split(":", 2)[1:2] == [TYPE]


class Refused(Exception):
    """Close the connection: it floods, or what it sends is too big."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Room:
    """What is known of a room besides its document."""

    def __init__(self) -> None:
        self.owners: dict[int, Gate] = {}
        self._unmeasured = _MEASURE_EVERY  # measure with the first update
        self._size = 0

    def take(self, document: Any, size: int) -> None:
        """Account for an update. Raises `Refused` when the document is full; small ones, such as deletions, go on longer."""
        self._unmeasured += size
        if self._unmeasured >= _MEASURE_EVERY:
            self._unmeasured = 0
            self._size = len(document.ydoc.get_update())
            if MAX_BYTES < self._size < _MAX_HISTORY:
                self._size = len(document.get())  # it is the history that is long
        if self._size > 2 * MAX_BYTES or (self._size > MAX_BYTES and size > _SMALL):
            raise Refused(_TOO_BIG, f"The board is full: the limit is {MAX_BYTES >> 20} MiB.")


class Gate:
    """One client's connection."""

    def __init__(self, room: Room, usernames: frozenset[str]) -> None:
        self._room = room
        self.usernames = usernames
        self._credit, self._at = BURST, time.monotonic()
        self._clocks: dict[int, int] = {}

    def admit(self, frame: object, document: Any, *, may_write: bool) -> bytes | None:
        """What of `frame` may go in; `None`: nothing. Raises `Refused`."""
        now = time.monotonic()
        self._credit = min(BURST, self._credit + (now - self._at) * RATE) - 1
        self._at = now
        if self._credit < 0:
            raise Refused(_POLICY, f"Too many messages: {RATE:.0f} a second are allowed.")
        if not isinstance(frame, bytes):
            raise Refused(_UNSUPPORTED, "A room takes binary messages.")
        if len(frame) > MAX_FRAME:
            raise Refused(_TOO_BIG, f"A message may have {MAX_FRAME >> 20} MiB.")
        if len(frame) < 2:
            return None
        if frame[0] == _SYNC:
            return self._sync(frame, document, may_write=may_write)
        if frame[0] == _AWARENESS:
            return self._awareness(frame)
        return frame if frame[0] == _RAW and may_write and _is_save(frame) else None

    def _sync(self, frame: bytes, document: Any, *, may_write: bool) -> bytes | None:
        kind = frame[1]
        if kind == _ASKS:
            return frame if _decodes(frame, is_update=False) else None
        if kind not in {_ANSWERS, _UPDATES} or not _decodes(frame, is_update=True):
            return None
        if frame == _EMPTY_ANSWER:
            return frame
        if not may_write:
            log.debug("A write of a read-only user was dropped.")
            return None
        if document is not None:
            self._room.take(document, len(frame))
        return frame

    def _awareness(self, frame: bytes) -> bytes | None:
        """Only the client's own states. A client also repeats those of others, which they have sent themselves."""
        try:
            kept = [entry for entry in _states(frame) if self._is_own(*entry)]
        except Exception:  # noqa: BLE001 the decoder raises many kinds, asserts among them
            return None
        return _state_frame(kept) if kept else None

    def _is_own(self, client: int, clock: int, state: str) -> bool:
        owner = self._room.owners.get(client)
        if owner is not None and owner is not self and self.usernames.isdisjoint(owner.usernames):
            return False
        content = json.loads(state, parse_constant=_refuse, parse_float=_finite)
        if content is None:
            return owner is self  # of those who are gone, `close` tells
        if not isinstance(content, dict):
            return False
        user = content.get("user")
        if user is not None and not (isinstance(user, dict) and user.get("username") in self.usernames):
            return False
        self._room.owners[client] = self
        self._clocks[client] = clock
        return True

    def close(self) -> bytes | None:
        """The frame that tells the others that this client's cursors are gone."""
        own = [client for client, owner in self._room.owners.items() if owner is self]
        for client in own:
            del self._room.owners[client]
        return _state_frame([(client, self._clocks[client] + 1, "null") for client in own]) if own else None


def _state_frame(states: list[tuple[int, int, str]]) -> bytes:
    encoder = Encoder()
    encoder.write_var_uint(len(states))
    for client, clock, state in states:
        encoder.write_var_uint(client)
        encoder.write_var_uint(clock)
        encoder.write_var_string(state)
    frame: bytes = create_awareness_message(encoder.to_bytes())
    return frame


def _refuse(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


def _states(frame: bytes) -> list[tuple[int, int, str]]:
    decoder = Decoder(read_message(frame[1:]))
    count = decoder.read_var_uint()
    if count > _MAX_STATES:
        raise ValueError("more states than a client has")
    found = [(decoder.read_var_uint(), decoder.read_var_uint(), decoder.read_var_string()) for _ in range(count)]
    if any(client >= 2**53 or clock >= 2**32 or len(state) > _MAX_STATE for client, clock, state in found):
        raise ValueError("no client has such a state")
    return found


def _is_save(frame: bytes) -> bool:
    try:
        decoder = Decoder(frame)
        return decoder.read_var_uint() == _RAW and decoder.read_var_string() == "save" and decoder.read_var_uint() >= 0
    except Exception:  # noqa: BLE001 as above
        return False


def _decodes(frame: bytes, *, is_update: bool) -> bool:
    try:
        payload = read_message(frame[2:])
        if is_update:
            get_state(payload)
    except Exception:  # noqa: BLE001 whatever the decoder makes of garbage
        return False
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the decoder is Rust: its panics are not Exceptions
            return False
        raise
    return True


def _room_of(holder: Any) -> Room:
    room = getattr(holder, "_agor_room", None)
    if not isinstance(room, Room):
        room = holder._agor_room = Room()  # noqa: SLF001 it lives as long as the room
    return room


def _usernames(handler: Any) -> frozenset[str]:
    """Jupyter gives who has the server's token and no cookie a new random name each time; our API calls them the owner."""
    names = {handler.current_user.username}
    provider, lifetime = handler.identity_provider, handler.settings.get("agor")
    if lifetime is not None and type(provider) in {IdentityProvider, PasswordIdentityProvider} and handler.token_authenticated:
        names.add(lifetime.owner)
    return frozenset(names)


async def _may_read(handler: Any) -> bool:
    return bool(await ensure_async(handler.authorizer.is_authorized(handler, handler.current_user, "read", "contents")))


async def _may_write(handler: Any) -> bool:
    """What the authorizer says about writing files, kept for some seconds."""
    until, answer = getattr(handler, "_agor_may_write", (0.0, False))
    if until < time.monotonic():
        answer = bool(await ensure_async(handler.authorizer.is_authorized(handler, handler.current_user, "write", "contents")))
        handler._agor_may_write = (time.monotonic() + _PERMISSION_S, answer)  # noqa: SLF001 a name of ours on their object
    return bool(answer)


async def _admit(handler: Any, room_holder: Any, document: Any, message: object) -> bytes | None:
    """What of `message` may go in. Closes the connection of who sends what may not be sent."""
    if getattr(handler, "_agor_is_shut", False):
        return None
    gate = getattr(handler, "_agor_gate", None)
    if gate is None:
        gate = handler._agor_gate = Gate(_room_of(room_holder), _usernames(handler))  # noqa: SLF001 a name of ours
    try:
        admitted: bytes | None = gate.admit(message, document, may_write=await _may_write(handler))
    except Refused as refused:
        handler._agor_is_shut = True  # noqa: SLF001
        handler.close(refused.code, refused.reason)
        return None
    return admitted


def _spread(room: Any, frame: bytes, *, but: object = None) -> None:
    """Send a frame of cursors to all clients at once; jupyter-collaboration would start a task for each."""
    for client in list(room.clients):
        if client is not but:
            with contextlib.suppress(WebSocketClosedError):
                client.write_message(frame, binary=True)
    room.awareness.apply_awareness_update(read_message(frame[1:]), room)


def _welcome(handler: Any, room: Any) -> None:
    """Tell a client who comes later of the cursors that are there."""
    present = [client for client in _room_of(room).owners if client in room.awareness.states]
    if present:
        handler.write_message(create_awareness_message(room.awareness.encode_awareness_update(present)), binary=True)


def _guard_collaboration() -> None:  # noqa: C901 small functions, one beside the other
    try:
        from jupyter_server_ydoc.handlers import YDocWebSocketHandler as Handler
    except ImportError:
        return
    if getattr(Handler, "_agor_guarded", False):
        return
    on_message, on_close, size = Handler.on_message, Handler.on_close, Handler.max_message_size

    @wraps(on_message)
    async def guarded(self: Any, message: object) -> None:
        if not is_board(self._room_id):
            await on_message(self, message)
            return
        is_new = not hasattr(self, "_agor_gate")
        admitted = await _admit(self, self.room, getattr(self.room, "_document", None), message)
        if is_new:
            _welcome(self, self.room)
        if admitted is not None and admitted[0] == _AWARENESS:
            _spread(self.room, admitted)
        elif admitted is not None:
            await on_message(self, admitted)

    @wraps(on_close)
    def closed(self: Any) -> None:
        gate, room = getattr(self, "_agor_gate", None), self.room
        on_close(self)
        if gate is not None and (frame := gate.close()) is not None and room is not None:
            _spread(room, frame, but=self)

    def max_message_size(self: Any) -> int:
        largest: int = MAX_FRAME if is_board(self._room_id) else size.fget(self)
        return largest

    Handler.on_message, Handler.on_close, Handler.max_message_size = guarded, closed, property(max_message_size)
    Handler._agor_guarded = True  # noqa: SLF001


def _guard_documents() -> None:  # noqa: C901 as above
    try:
        from jupyter_server_documents.websockets import YRoomWebsocket as Handler
    except ImportError:
        return
    if getattr(Handler, "_agor_guarded", False):
        return
    get, on_message, on_close, size = Handler.get, Handler.on_message, Handler.on_close, Handler.max_message_size

    @wraps(get)
    async def guarded_get(self: Any, *args: object, **kwargs: object) -> None:
        if is_board(self.room_id) and self.current_user and not await _may_read(self):  # this server asks no authorizer
            raise web.HTTPError(403)
        await get(self, *args, **kwargs)

    @wraps(on_message)
    async def guarded(self: Any, message: object) -> None:
        if is_board(self.room_id) and self.client_id:
            message = await _admit(self, self.yroom, await self.yroom.get_jupyter_ydoc(), message)
        if message is not None:
            on_message(self, message)

    @wraps(on_close)
    def closed(self: Any) -> None:
        on_close(self)
        if (gate := getattr(self, "_agor_gate", None)) is not None and (frame := gate.close()) is not None:
            self.yroom.handle_awareness_update("agor", frame)

    def max_message_size(self: Any) -> int:
        largest: int = MAX_FRAME if is_board(self.room_id) else size.fget(self)
        return largest

    Handler.get, Handler.on_message, Handler.on_close = guarded_get, guarded, closed
    Handler.max_message_size = property(max_message_size)
    Handler._agor_guarded = True  # noqa: SLF001
