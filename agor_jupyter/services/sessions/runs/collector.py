"""Collects what agents say, from all sessions, and stores it by one write a tick.

Pieces of one message or of one tool's output that come within a tick become one entry. A session's entries keep their order,
whatever their kind. Secrets were masked before they come here.
"""

import asyncio
import contextlib
import json
import logging
import math
import time
from dataclasses import dataclass, field
from datetime import datetime

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Text, Thought, ToolCall, ToolOutput, TranscriptBody
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.text import plain
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import events
from agor_jupyter.storage.events import Entry
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

LINE = 200
MAX_PENDING = 4 << 20
"""Characters that may wait for the disk. Then whoever adds waits too, and with it the agent that writes."""
_RETRY_S = 1.0
_LINE_START = 2_000
_OVERHEAD = 100

_SPOKEN = (Text, Thought, ToolOutput)


@dataclass
class _Pieces:
    """One entry to be: pieces of one message or output, or one body of another kind."""

    body: TranscriptBody
    at: datetime
    turn_id: TurnId | None
    texts: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


@dataclass
class _Line:
    """The line that a session writes just now."""

    message: str | None = None
    start: str = ""


class Collector:
    def __init__(self, store: Store, clock: Clock, interval_s: float) -> None:
        self._store, self._clock, self._interval_s = store, clock, interval_s
        self._waiting: dict[SessionId, list[_Pieces]] = {}
        self._lines: dict[SessionId, _Line] = {}
        self._unsaved: list[Entry] = []  # of a write that failed
        self._size = 0
        self._dirty, self._room, self._at_once = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._answered: dict[SessionId, TurnId | None] = {}
        self._room.set()
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._flushing: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.write_count = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._tick(), name="collector")

    async def close(self) -> None:
        """Store what waits, then stop."""
        self._is_closing = True
        self._dirty.set()
        self._at_once.set()
        if self._task is not None:
            await self._task
        try:
            await self.flush()
        except errors.Unavailable as error:
            log.error("The end of some transcripts could not be stored: %s", error)  # noqa: TRY400 the sentence says it all

    async def add(self, session_id: SessionId, turn_id: TurnId | None, body: TranscriptBody, raw: JsonObject | None = None) -> None:
        """Take an entry. Returns at once, unless too much waits for the disk."""
        waiting = self._waiting.setdefault(session_id, [])
        if not (waiting and turn_id == waiting[-1].turn_id and _belong_together(waiting[-1].body, body)):
            waiting.append(_Pieces(body, self._clock.now(), turn_id))
        pieces = waiting[-1]
        if isinstance(body, _SPOKEN):
            pieces.texts.append(body.text)
            self._size += len(body.text)
        if raw is not None:
            pieces.raw.append(json.dumps(raw, ensure_ascii=False))
            self._size += len(pieces.raw[-1])
        self._size += _OVERHEAD
        self._dirty.set()
        if isinstance(body, Text) and self._answered.get(session_id) != turn_id:
            self._answered[session_id] = turn_id
            self._at_once.set()
        if self._size > MAX_PENDING:
            self._room.clear()
        await self._room.wait()

    async def flush(self) -> None:
        """Store what waits, of all sessions.

        Errors:
            StorageBusy, StorageFull, StorageBroken: it waits still.
        """
        # As a task of its own: whoever waits may be cancelled, and what was handed to the store must not be handed over twice.
        task = asyncio.create_task(self._write())
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)
        await asyncio.shield(task)

    async def _write(self) -> None:
        async with self._lock:
            self._unsaved += self._take()
            size = self._size
            if self._unsaved:
                try:
                    await self._store.write(events.append, self._unsaved)
                except errors.Unavailable:
                    self._dirty.set()
                    raise
                except Exception:
                    self._unsaved = []
                    raise
                self.write_count += 1
                self._unsaved = []
            self._size -= size
            if self._size <= MAX_PENDING:
                self._room.set()

    def _take(self) -> list[Entry]:
        taken, self._waiting = self._waiting, {}
        self._dirty.clear()
        return [self._entry(session_id, pieces) for session_id, waiting in taken.items() for pieces in waiting]

    def _entry(self, session_id: SessionId, pieces: _Pieces) -> Entry:
        body = pieces.body
        if isinstance(body, _SPOKEN):
            body = body.model_copy(update={"text": "".join(pieces.texts)})
        return Entry(session_id, pieces.turn_id, pieces.at, body, "\n".join(pieces.raw) or None, self._newest_line(session_id, body))

    def _newest_line(self, session_id: SessionId, body: TranscriptBody) -> str | None:
        if isinstance(body, ToolCall):
            self._lines.pop(session_id, None)
            return plain(body.title)[:LINE] if body.title else None
        if not isinstance(body, Text):
            return None
        line = self._lines.get(session_id)
        if line is None or line.message != body.message_id:
            line = self._lines[session_id] = _Line(body.message_id)
        lines = (line.start + body.text).split("\n")
        line.start = lines[-1][-_LINE_START:]
        shown = next((shown for text in reversed(lines) if (shown := plain(text).strip())), None)
        return shown[:LINE] if shown else None

    async def _tick(self) -> None:
        """Store the first piece after a silence and the first words of an answer at once, and what follows them together."""
        written = -math.inf
        while not self._is_closing:
            await self._dirty.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, written + self._interval_s - time.monotonic())):
                    await self._at_once.wait()
            self._at_once.clear()
            written = time.monotonic()
            try:
                await self.flush()
            except errors.Unavailable as error:
                log.warning("Transcripts wait: %s", error)
                await asyncio.sleep(_RETRY_S)
            except Exception:
                log.exception("Transcript entries could not be stored and are lost")


def _belong_together(known: TranscriptBody, new: TranscriptBody) -> bool:
    if isinstance(known, ToolOutput) and isinstance(new, ToolOutput):
        return known.tool_call_id == new.tool_call_id
    if isinstance(known, Text | Thought) and type(known) is type(new):
        return known.message_id == new.message_id
    return False
