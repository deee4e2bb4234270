"""Sends what needs a person to their destinations: grouped, later in quiet hours, again when it fails, and whatever is killed in between.

A message is stored once for each event and destination before anything is sent; it is finished after the place has accepted it. A server
that is killed between these two sends it again: once too often is better than never.
"""

import asyncio
import urllib.parse
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain import errors
from agor_jupyter.domain.destinations import Destination, Message, body_of, title_of
from agor_jupyter.domain.events import Event
from agor_jupyter.domain.records import Record
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.events import Events
from agor_jupyter.services.notifications import news
from agor_jupyter.services.notifications.destinations import Destinations
from agor_jupyter.services.tasks import Timer
from agor_jupyter.storage import destinations, messages
from agor_jupyter.storage.messages import Kept
from agor_jupyter.storage.store import Store, Transaction

PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
"""Before each further attempt. What fails after the last of them is given up, and the destination says so."""
KEPT = timedelta(days=30)
"""How long it is remembered that something was sent."""
_BATCH = 200
_AT_ONCE = 3
_LOOK_S = 30.0
"""The longest sleep: so late it is noticed that the clock was set."""


class Outbox:
    def __init__(  # noqa: PLR0917
        self,
        store: Store,
        clock: Clock,
        config: Config,
        events: Events,
        agents: Agents,
        variables: Variables,
        places: Destinations,
    ) -> None:
        self._store, self._clock, self._events, self._agents = store, clock, events, agents
        self._variables, self._places = variables, places
        self._window, self._address = config.notify_window, config.server_url
        self._timer = Timer(self.look, "messages")
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def start(self) -> None:
        await self._store.write(messages.forget, self._clock.now() - KEPT)
        self._follower = await self._events.follow("notifications", news.FOLLOWED, self._react)
        self._timer.start()

    async def close(self) -> None:
        await self._follower.close()
        await self._timer.close()

    def wake(self) -> None:
        """Something else may be due."""
        self._timer.wake()

    async def look(self) -> float:
        """Send what is due. Returns the seconds until there may be more."""
        now = self._clock.now()
        due = await self._store.read(messages.due, now)
        await asyncio.gather(*(self._deliver(one, now) for one in due))
        soonest = await self._store.read(messages.soonest)
        if soonest is None:
            return _LOOK_S
        return min(max(soonest / 1000 - self._clock.now().timestamp(), 0.05), _LOOK_S)

    # What comes in

    async def _react(self, body: Record, event: Event) -> None:
        """Stores it in a transaction of its own, so that the sender can be woken after it. The key keeps it from being stored twice."""
        if not await self._store.read(destinations.every):
            return
        found = await self._store.read(news.of, body, event.at, news.Words(label=self._label))
        if found is None:
            return
        if found.worktree_id is not None:
            mask = Mask()
            await self._variables.hide(mask, found.worktree_id)
            masked = await self._store.read(news.of, body, event.at, news.Words(label=self._label, mask=mask.text))
            found = masked or found
        if await self._store.write(self._keep, found, self._clock.now() + self._window):
            crash_point("message.stored")
            self.wake()

    def _keep(self, transaction: Transaction, found: news.News, due_at: datetime) -> int:
        """For how many destinations it is new."""
        count = 0
        for one in destinations.every(transaction.connection):
            is_theirs = found.only_for in {None, one.username}
            is_told_again = found.unless is not None and one.takes(found.unless, found.message.board)
            if is_theirs and not is_told_again and one.takes(found.message.kind, found.message.board):
                count += messages.insert(transaction, one.id, found.message, due_at)
        return count

    def _label(self, agent: str) -> str:
        try:
            return self._agents.get(agent).label
        except errors.AgentNotFound:
            return "An agent"

    # What goes out

    async def _deliver(self, destination_id: str, now: datetime) -> None:
        async with self._free:
            destination, kept, moot = await self._store.read(_due, destination_id, now + self._window)
            if destination is None or destination.is_paused:
                await self._store.write(messages.drop, destination_id)
                return
            later = destination.quiet.over(now) if destination.quiet is not None else now
            due_at = later if later > now else None
            if moot or due_at is not None:
                await self._store.write(_put_aside, moot, kept, due_at, now)
            if due_at is not None or not kept:
                return
            reason = await self._send(destination, [one.message for one in kept])
            crash_point("message.sent")
            await self._store.write(_settle, destination_id, kept, reason, self._clock.now())

    async def _send(self, destination: Destination, due: Sequence[Message]) -> str | None:
        try:
            return await self._places.send(destination, title_of(due), body_of(due, [self._link(one) for one in due]))
        except errors.SecretsLocked as error:
            return f"its address cannot be read: {error}"

    def _link(self, message: Message) -> str:
        if self._address is None:
            return ""
        place = f"lab/tree/{urllib.parse.quote(message.board)}" if message.board is not None else "lab"
        return f"{self._address.rstrip('/')}/{place}"


def _due(connection: Connection, destination_id: str, until: datetime) -> tuple[Destination | None, list[Kept], list[Kept]]:
    """What is sent together, and what is needed no more."""
    found = messages.due_of(connection, destination_id, until, _BATCH)
    moot = [one for one in found if news.is_moot(connection, one.message)]
    return destinations.get(connection, destination_id), [one for one in found if one not in moot], moot


def _put_aside(transaction: Transaction, moot: list[Kept], kept: list[Kept], due_at: datetime | None, now: datetime) -> None:
    for one in moot:
        messages.finish(transaction, one, now)
    if due_at is not None:
        for one in kept:
            messages.put_off(transaction, one, due_at)


def _settle(transaction: Transaction, destination_id: str, kept: list[Kept], reason: str | None, now: datetime) -> None:
    """They arrived, are tried again, or are given up."""
    destination = destinations.get(transaction.connection, destination_id)
    if destination is None or destination.is_paused:
        return
    if reason is None:
        for one in kept:
            messages.finish(transaction, one, now)
        if destination.trouble is not None:
            messages.hasten(transaction, destination_id, now)  # the place is there again
        destinations.save(transaction, destination.replace(sent_at=now, trouble=None))
        return
    given_up = 0
    for n, message in kept:
        tried = Kept(n, message.replace(attempts=message.attempts + 1))
        if tried.message.attempts > len(PAUSES):
            messages.finish(transaction, tried, now)
            given_up += 1
        else:
            messages.put_off(transaction, tried, now + PAUSES[message.attempts])
    lost = f"{given_up} message{'' if given_up == 1 else 's'} given up after {len(PAUSES) + 1} attempts: " if given_up else ""
    destinations.save(transaction, destination.replace(trouble=f"{lost}{reason}"))
