"""Says of each session in a line why it waits, and no more often than a person can read."""

import asyncio
import logging

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.sessions import SessionState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.sessions.runs.slots import Slots
from agor_jupyter.services.tasks import end
from agor_jupyter.services.transitions import derive
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

INTERVAL_S = 0.25
SHOWN = 20
"""Whoever stands further behind is told only that, and so hears nothing of each step of a long line."""
_WAITS = frozenset({SessionState.QUEUED, SessionState.PARKED})


class Waiting:
    """The lines before the slots. `starting` and `running` call it when they move."""

    def __init__(self, store: Store, clock: Clock, *, max_starting: int, max_running: int) -> None:
        self._store, self._clock = store, clock
        self._dirty = asyncio.Event()
        self.starting = Slots(max_starting, self._dirty.set)
        self.running = Slots(max_running, self._dirty.set)
        self._told: dict[SessionId, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="waiting")

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    def sentences(self) -> dict[SessionId, str]:
        return {**_line(self.running, "work"), **_line(self.starting, "start")}

    async def _run(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(INTERVAL_S)
            self._dirty.clear()
            now = self.sentences()
            changed = {who: sentence for who, sentence in now.items() if self._told.get(who) != sentence}
            if changed:
                try:
                    await self._store.write(_tell, changed, self._clock)
                except errors.Unavailable as error:
                    log.warning("Why sessions wait could not be stored: %s", error)
                    continue
            self._told = now


def _tell(transaction: Transaction, changed: dict[SessionId, str], clock: Clock) -> None:
    """A session that got its place meanwhile waits no more."""
    for session_id, sentence in changed.items():
        session = sessions.get(transaction.connection, session_id)
        if session is not None and session.state in _WAITS and session.waits_for != sentence:
            derive(transaction, session_id, clock.now(), waits_for=sentence)


def _line(slots: Slots, verb: str) -> dict[SessionId, str]:
    full = f"{slots.taken} of {slots.count} agents {verb}"
    return {who: f"{full}, {_place(number)}" for number, who in enumerate(slots.line, 1)}


def _place(number: int) -> str:
    if number == 1:
        return "next in line"
    if number > SHOWN:
        return f"more than {SHOWN} are before it"
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending} in line"
