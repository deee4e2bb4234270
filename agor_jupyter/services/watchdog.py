"""Notices an agent that says nothing, in a turn that starts or runs. It is shown, and a person decides; nothing is stopped here."""

import asyncio
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.turns import OPEN, Turn, TurnState
from agor_jupyter.services.desk import Desk
from agor_jupyter.services.transitions import derive, find_turn
from agor_jupyter.storage.store import Transaction

_SHORTEST_S = 0.01


class Watchdog:
    """Watches while it is entered. `hear` at each sign of life; while it `is_paused`, people are waited for and not the agent."""

    def __init__(self, desk: Desk, turn: Turn) -> None:
        self._desk, self._turn_id, self._session_id = desk, turn.id, turn.session_id
        self._heard = desk.clock.monotonic()
        self._is_told = False
        self._back = asyncio.Event()
        self.is_paused = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch(), name=f"watchdog {self._turn_id}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def hear(self) -> None:
        self._heard = self._desk.clock.monotonic()
        if self._is_told:
            self._back.set()

    async def _watch(self) -> None:
        limit = max(self._desk.config.stall_timeout.total_seconds(), _SHORTEST_S)
        while True:
            silence = self._desk.clock.monotonic() - self._heard
            if self.is_paused or silence < limit:
                await asyncio.sleep(limit if self.is_paused else max(limit - silence, _SHORTEST_S))
                continue
            await self._tell(silence)
            await self._back.wait()
            self._is_told = False
            self._back.clear()
            await self._desk.store.write(_mark, self._turn_id, None, self._desk.clock.now())

    async def _tell(self, silence: float) -> None:
        self._is_told = True
        now = self._desk.clock.now()
        state = await self._desk.store.write(_mark, self._turn_id, now - timedelta(seconds=silence), now)
        if state is None:
            return
        minutes = f"{silence / 60:.0f} minutes" if silence >= 90 else f"{silence:.0f} seconds"
        what = "The agent has been starting for" if state is TurnState.STARTING else "Nothing was heard of the agent for"
        notice = Notice(code="stalled", text=f"{what} {minutes}. It may think, or hang: wait, or cancel the turn.")
        await self._desk.collector.add(self._session_id, self._turn_id, notice)


def _mark(transaction: Transaction, turn_id: TurnId, since: datetime | None, at: datetime) -> TurnState | None:
    """Show since when nothing was heard. Returns the turn's state; `None`: it is over, or waits for a person."""
    turn = find_turn(transaction, turn_id)
    if turn.state not in OPEN or turn.state is TurnState.WAITING:
        return None
    derive(transaction, turn.session_id, at, stalled_at=since)
    return turn.state
