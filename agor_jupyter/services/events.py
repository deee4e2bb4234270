"""The event hub: one ring of encoded events; a client is no more than a number.

It is fed by the store after each commit, in order of `n`. A client waits until there is something after its number, takes a
frame, and asks again; clients in step share one frame, so fifty cost little more than one.

Parts of the server that act on what others did subscribe to kinds of events, or follow them where nothing may be missed.
"""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from agor_jupyter.domain.events import Event
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.services.followers import Follower, Reaction
from agor_jupyter.storage import events
from agor_jupyter.storage.store import Store

log = logging.getLogger(__name__)

RING = 10_000
_SLACK = 2_000
TABLE_LIMIT = 5_000
_KIND = b'"body":{"kind":"'
"""In an encoded event its first occurrence is the event's own: no id before it holds a quotation mark."""

B = TypeVar("B")


@dataclass(frozen=True, eq=False)
class _Subscription:
    kinds: frozenset[bytes]
    callback: Callable[[Any, Event], None]


class Events:
    def __init__(self, store: Store, size: int = RING) -> None:
        self._store, self._size = store, size
        self.n = 0
        """The number of the newest event."""
        self._first = 0  # what the ring does not hold: everything up to this number
        self._numbers: list[int] = []
        self._encoded: list[bytes] = []
        self._frame: tuple[int, int, bytes] = (-1, -1, b"")
        self._waiters: set[asyncio.Future[None]] = set()
        self._subscriptions: list[_Subscription] = []

    async def start(self) -> None:
        """Begin with what is in the table."""
        self.n = self._first = await self._store.read(events.newest)
        self._store.listen(self._publish)

    def subscribe(self, kinds: "type[B] | tuple[type[B], ...]", callback: Callable[[B, Event], None]) -> Callable[[], None]:
        """Call `callback` with the body and the event, for each committed event whose body is one of `kinds`.

        It runs on the event loop, in order of `n`, before those who waited for the write go on, and what it raises is logged and harms
        nobody else. It is not told of what was committed before, nor in an earlier run of the server.

        Returns:
            What ends the subscription.

        """
        subscription = _Subscription(frozenset(name.encode() for name in _names(kinds)), callback)
        self._subscriptions.append(subscription)

        def end() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

        return end

    async def follow(self, name: str, kinds: "type[B] | tuple[type[B], ...]", reaction: "Reaction[B]") -> Follower:
        """Await `reaction` with the body and the event, for each committed event whose body is one of `kinds`: at least once, in order
        of `n`, and also after a crash for what was committed before it. The job it returns, if any, runs once, in the transaction that
        says that this event was reacted to.

        A reaction that raises is called again after a while; the fourth failure is logged and passed over.

        Args:
            name: Stays the same for ever: under it is stored how far this subscriber got. A new name begins with what comes from now on.
            kinds: One class of events, or a tuple of them.
            reaction: What it does outside of the database must be safe to do again.

        Returns:
            The follower, which runs until it is closed.

        """
        follower = Follower(self._store, name, _names(kinds), reaction, lambda: self.n)
        follower.unsubscribe = self.subscribe(kinds, lambda _body, _event: follower.wake())
        await follower.start()
        return follower

    async def wait(self, after: int) -> None:
        """Return as soon as there is an event after `after`."""
        while self.n <= after:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    async def since(self, after: int, limit: int = 500) -> tuple[bytes, int] | None:
        """A JSON array of at most `limit` events after `after`, and the number of the last of them.

        Returns:
            `None` when the client has to load everything again: its number is of another database, or more than 5,000 events
            behind and no longer in memory.

        """
        if after > self.n:
            return None
        if after < self._first:
            return await self._from_table(after, limit)
        start = bisect_right(self._numbers, after)
        end = min(len(self._numbers), start + limit)
        if start == end:
            return b"[]", after
        to = self._numbers[end - 1]
        if self._frame[:2] != (after, to):
            self._frame = (after, to, b"[" + b",".join(self._encoded[start:end]) + b"]")
        return self._frame[2], to

    async def page(self, session_id: SessionId, after_seq: int = 0, limit: int = 1000) -> list[bytes]:
        """A session's transcript after `after_seq`, encoded."""
        return await self._store.read(events.page, session_id, after_seq, limit)

    async def _from_table(self, after: int, limit: int) -> tuple[bytes, int] | None:
        if self.n - after > TABLE_LIMIT:
            return None
        rows = await self._store.read(events.after, after, limit)
        if not rows:
            return None
        return b"[" + b",".join(encoded for _, encoded in rows) + b"]", rows[-1][0]

    def _publish(self, appended: list[tuple[int, bytes]]) -> None:
        for n, encoded in appended:
            self._numbers.append(n)
            self._encoded.append(encoded)
        self.n = self._numbers[-1]
        if (surplus := len(self._numbers) - self._size) > _SLACK:
            self._first = self._numbers[surplus - 1]
            del self._numbers[:surplus], self._encoded[:surplus]
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        if self._subscriptions:
            self._dispatch(appended)

    def _dispatch(self, appended: list[tuple[int, bytes]]) -> None:
        """Only what somebody subscribed to is decoded."""
        for n, encoded in appended:
            kind = encoded.partition(_KIND)[2].partition(b'"')[0]
            wanted = [one for one in self._subscriptions if kind in one.kinds]
            event = Event.model_validate_json(encoded) if wanted else None
            for one in wanted:
                assert event is not None
                try:
                    one.callback(event.body, event)
                except Exception:
                    log.exception("A subscriber failed at event %d (%s)", n, kind.decode())


def _names(kinds: "type[B] | tuple[type[B], ...]") -> list[str]:
    classes = kinds if isinstance(kinds, tuple) else (kinds,)
    return [one.model_fields["kind"].default for one in classes]  # type: ignore[attr-defined]  # bodies of events
