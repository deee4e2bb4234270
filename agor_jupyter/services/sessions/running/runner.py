"""Keeps a loop for each session that has something to do, and ends them all with the server."""

import asyncio
import logging
from collections.abc import Mapping

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.errors import BudgetExhausted
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.services.sessions.running.loop import SessionLoop
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)


class Runner:
    """No task of a loop outlives `close`."""

    def __init__(self) -> None:
        self._context: RunContext | None = None
        self._loops: dict[SessionId, tuple[SessionLoop, asyncio.Task[None]]] = {}
        self._is_closing = False

    def start(self, context: RunContext) -> None:
        self._context = context

    def wake(self, session_id: SessionId) -> None:
        """There may be something to do for this session."""
        if self._context is None or self._is_closing:
            return
        if session_id in self._loops:
            self._loops[session_id][0].wake()
            return
        loop = SessionLoop(self._context, session_id)
        task = asyncio.create_task(loop.run(), name=f"session {session_id}")
        self._loops[session_id] = loop, task
        task.add_done_callback(lambda done: self._left(session_id, loop, done))

    async def prefetch_checkpoint(self, session_id: SessionId) -> None:
        """A prompt for this session is about to be stored."""
        if (loop := self._loops.get(session_id)) is not None:
            await loop[0].prefetch_checkpoint()

    def cancel(self, turn: Turn) -> None:
        """`turn` was cancelled: if it is at work, its agent has to stop; if it waited, the next may come."""
        if turn.state is not TurnState.STOPPING:
            self.wake(turn.session_id)
        elif (loop := self._loops.get(turn.session_id)) is not None:
            loop[0].cancel(turn.id)

    async def set_options(self, session_id: SessionId, options: Mapping[str, str]) -> None:
        """Set them at once if this session's agent is there. Raises `BadOption`, and nothing is kept then."""
        if (loop := self._loops.get(session_id)) is not None:
            await loop[0].set_options(options)

    def exhaust(self, session_id: SessionId, turn_id: TurnId, error: BudgetExhausted) -> None:
        """The budget of a turn that runs is used up: its agent has to stop."""
        if (loop := self._loops.get(session_id)) is not None:
            loop[0].exhaust(turn_id, error)

    def is_working(self, session_id: SessionId) -> bool:
        loop = self._loops.get(session_id)
        return loop is not None and loop[0].is_working

    def invalidate_environment(self, account: str) -> None:
        """The variables of this person changed: processes that have the old ones do not take another prompt."""
        for loop, _ in self._loops.values():
            loop.invalidate_environment(account)

    def mask_of(self, session_id: SessionId) -> Mask:
        """What takes the secrets of this session's process out of what it says."""
        loop = self._loops.get(session_id)
        return loop[0].mask if loop is not None else Mask()

    async def dismiss(self, session_ids: list[SessionId]) -> None:
        """Stop the processes of sessions at rest, for instance before their worktree's folder goes."""
        await asyncio.gather(*(loop.wait_until_idle() for session_id, (loop, _) in self._loops.items() if session_id in session_ids))
        await asyncio.gather(*self._end(session_ids), return_exceptions=True)

    def stop_soon(self, session_id: SessionId) -> None:
        """The same for one, without waiting for its end."""
        self._end([session_id])

    def make_room(self) -> None:
        """Another process starts: those that have rested longest go, so that no more live than may work."""
        assert self._context is not None
        loops = [(loop, session_id) for session_id, (loop, _) in self._loops.items()]
        live = sum(loop.is_working or loop.idle_since is not None for loop, _ in loops)
        idle = [(loop, session_id) for loop, session_id in loops if not loop.is_detained]
        resting = sorted((loop.idle_since, session_id) for loop, session_id in idle if loop.idle_since is not None)
        for _, session_id in resting[: max(0, live - self._context.config.max_running)]:
            self.stop_soon(session_id)

    def _end(self, session_ids: list[SessionId]) -> list[asyncio.Task[None]]:
        tasks = []
        for session_id, (loop, task) in self._loops.items():
            if session_id in session_ids and loop.is_working:
                loop.stops_when_idle = True
            elif session_id in session_ids:
                task.cancel()
                tasks.append(task)
        return tasks

    async def close(self) -> None:
        """Stop every loop and its agent's process."""
        self._is_closing = True
        await end(*[task for _, task in self._loops.values()])

    def _left(self, session_id: SessionId, loop: SessionLoop, task: asyncio.Task[None]) -> None:
        del self._loops[session_id]
        if task.cancelled():
            self.wake(session_id)  # a prompt may have come meanwhile
        elif (error := task.exception()) is not None:
            log.error("The loop of session %s failed", session_id, exc_info=error)
        elif loop.woken.is_set():  # woken while it was leaving
            self.wake(session_id)
