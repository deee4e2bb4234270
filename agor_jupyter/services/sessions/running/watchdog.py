"""Notices an agent that says nothing, in a turn that starts or runs. It is shown, and a person decides; nothing is stopped here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice, ToolCall, TranscriptBody
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import OPEN, Turn, TurnState
from agor_jupyter.executors.signers import Signer
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end
from agor_jupyter.services.transitions import derive, find_turn
from agor_jupyter.storage.store import Transaction

SIGNATURE_S = 60.0
"""After so long in silence it is looked whether git waits for a signature, and again from time to time."""
_LOOK_AGAIN_S = 30.0
_SHORTEST_S = 0.01
_MAX_TOOLS = 1_000
_NO_REQUESTS = "The model's provider may be refusing requests while the agent keeps retrying"


class Watchdog:
    """Watches while it is entered. `hear` at each sign of life; while it `is_paused`, people are waited for and not the agent."""

    def __init__(self, context: RunContext, turn: Turn, find_signer: Callable[[], Awaitable[Signer | None]] | None = None) -> None:
        self._find_signer = find_signer
        self._context, self._turn_id, self._session_id = context, turn.id, turn.session_id
        self._heard = context.clock.monotonic()
        self._is_told = False
        self._back = asyncio.Event()
        self.is_paused = False
        self._retry_s: float | None = None
        self._tools: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch(), name=f"watchdog {self._turn_id}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._task is not None
        await end(self._task)

    def prompted(self, agent: AgentType) -> None:
        """From now on it is the model that may be silent, and not a program that starts."""
        self._retry_s = agent.failures.silent_retry_s
        self._changed.set()
        self.hear()

    def hear(self, body: TranscriptBody | None = None) -> None:
        self._heard = self._context.clock.monotonic()
        if isinstance(body, ToolCall):
            self._note(body)
        if self._is_told:
            self._back.set()

    def _note(self, call: ToolCall) -> None:
        before = len(self._tools)
        if call.status in ("completed", "failed"):
            self._tools.discard(call.tool_call_id)
        elif call.status is not None and before < _MAX_TOOLS:
            self._tools.add(call.tool_call_id)
        if before != len(self._tools):
            self._changed.set()

    @property
    def _silent_retry_s(self) -> float | None:
        """`None`: it waits for a tool, or is an agent that would say that it cannot reach the model."""
        return None if self._tools else self._retry_s

    @property
    def _limit_s(self) -> float:
        known = [self._context.config.stall_timeout.total_seconds(), self._silent_retry_s]
        return max(min(limit for limit in known if limit is not None), _SHORTEST_S)

    async def _watch(self) -> None:
        while True:
            silence = self._context.clock.monotonic() - self._heard
            signer = None if self.is_paused else await self._signer(silence)
            limit = self._limit_s
            if signer is None and (self.is_paused or silence < limit):
                self._changed.clear()
                pause = limit if self.is_paused else min(limit - silence, max(SIGNATURE_S - silence, _LOOK_AGAIN_S))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(pause, _SHORTEST_S)):
                        await self._changed.wait()
                continue
            await self._tell(silence, signer)
            await self._back.wait()
            self._is_told = False
            self._back.clear()
            await self._context.store.write(_mark, self._turn_id, None, self._context.clock.now())

    async def _signer(self, silence: float) -> Signer | None:
        """The program that git has waited for as long, if there is one."""
        if silence < SIGNATURE_S or self._find_signer is None:
            return None
        found = await self._find_signer()
        return found if found is not None and found.seconds > SIGNATURE_S / 2 else None

    async def _tell(self, silence: float, signer: Signer | None) -> None:
        self._is_told = True
        now = self._context.clock.now()
        state = await self._context.store.write(_mark, self._turn_id, now - timedelta(seconds=silence), now)
        if state is None:
            return
        minutes = f"{silence / 60:.0f} minutes" if silence >= 90 else f"{silence:.0f} seconds"
        what = "The agent has been starting for" if state is TurnState.STARTING else "Nothing has been heard from the agent for"
        why = _NO_REQUESTS if state is not TurnState.STARTING and self._silent_retry_s is not None else "It may be thinking, or may hang"
        notice = Notice(code="stalled", text=f"{what} {minutes}. {why}: wait, or cancel the turn.")
        if signer is not None:
            text = (
                f"Git is waiting for a signature: {plain(signer.program)[:80]} has run for {signer.seconds:.0f} s, perhaps with a question "
                "for a passphrase that nobody sees. Answer it or unlock the key on the server's machine, or cancel the turn."
            )
            notice = Notice(code="waits_for_signature", text=text)
        await self._context.collector.add(self._session_id, self._turn_id, notice)


def _mark(transaction: Transaction, turn_id: TurnId, since: datetime | None, at: datetime) -> TurnState | None:
    """Show since when nothing was heard. Returns the turn's state; `None`: it is over, or waits for a person."""
    turn = find_turn(transaction, turn_id)
    if turn.state not in OPEN or turn.state is TurnState.WAITING:
        return None
    derive(transaction, turn.session_id, at, stalled_at=since)
    return turn.state
