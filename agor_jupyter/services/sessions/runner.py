"""Keeps a worker for each session that has something to do, and ends them all with the server."""

import asyncio
import logging
from collections.abc import Mapping

from agor_jupyter.agents.mask import Mask
from agor_jupyter.domain.errors import BudgetExhausted
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.services.sessions.desk import Desk
from agor_jupyter.services.sessions.worker import Worker
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)


class Runner:
    """No task of a worker outlives `close`."""

    def __init__(self) -> None:
        self._desk: Desk | None = None
        self._workers: dict[SessionId, tuple[Worker, asyncio.Task[None]]] = {}
        self._is_closing = False

    def start(self, desk: Desk) -> None:
        self._desk = desk

    def wake(self, session_id: SessionId) -> None:
        """There may be something to do for this session."""
        if self._desk is None or self._is_closing:
            return
        if session_id in self._workers:
            self._workers[session_id][0].wake()
            return
        worker = Worker(self._desk, session_id)
        task = asyncio.create_task(worker.run(), name=f"session {session_id}")
        self._workers[session_id] = worker, task
        task.add_done_callback(lambda done: self._left(session_id, worker, done))

    async def expect(self, session_id: SessionId) -> None:
        """A prompt for this session is about to be stored."""
        if (worker := self._workers.get(session_id)) is not None:
            await worker[0].expect()

    def cancel(self, turn: Turn) -> None:
        """`turn` was cancelled: if it is at work, its agent has to stop; if it waited, the next may come."""
        if turn.state is not TurnState.STOPPING:
            self.wake(turn.session_id)
        elif (worker := self._workers.get(turn.session_id)) is not None:
            worker[0].cancel(turn.id)

    async def set_options(self, session_id: SessionId, options: Mapping[str, str]) -> None:
        """Set them at once if this session's agent is there. Raises `BadOption`, and nothing is kept then."""
        if (worker := self._workers.get(session_id)) is not None:
            await worker[0].set_options(options)

    def exhaust(self, session_id: SessionId, turn_id: TurnId, error: BudgetExhausted) -> None:
        """The budget of a turn that runs is used up: its agent has to stop."""
        if (worker := self._workers.get(session_id)) is not None:
            worker[0].exhaust(turn_id, error)

    def is_working(self, session_id: SessionId) -> bool:
        worker = self._workers.get(session_id)
        return worker is not None and worker[0].is_working

    def renew(self, account: str) -> None:
        """The variables of this person changed: processes that have the old ones do not take another prompt."""
        for worker, _ in self._workers.values():
            worker.renew(account)

    def mask_of(self, session_id: SessionId) -> Mask:
        """What takes the secrets of this session's process out of what it says."""
        worker = self._workers.get(session_id)
        return worker[0].mask if worker is not None else Mask()

    async def dismiss(self, session_ids: list[SessionId]) -> None:
        """Stop the processes of sessions at rest, for instance before their worktree's folder goes."""
        await asyncio.gather(*(worker.come_to_rest() for session_id, (worker, _) in self._workers.items() if session_id in session_ids))
        await asyncio.gather(*self._end(session_ids), return_exceptions=True)

    def let_go(self, session_id: SessionId) -> None:
        """The same for one, without waiting for its end."""
        self._end([session_id])

    def make_room(self) -> None:
        """Another process starts: those that have rested longest go, so that no more live than may work."""
        assert self._desk is not None
        workers = [(worker, session_id) for session_id, (worker, _) in self._workers.items()]
        live = sum(worker.is_working or worker.rests_since is not None for worker, _ in workers)
        idle = [(worker, session_id) for worker, session_id in workers if not worker.is_detained]
        resting = sorted((worker.rests_since, session_id) for worker, session_id in idle if worker.rests_since is not None)
        for _, session_id in resting[: max(0, live - self._desk.config.max_running)]:
            self.let_go(session_id)

    def _end(self, session_ids: list[SessionId]) -> list[asyncio.Task[None]]:
        tasks = []
        for session_id, (worker, task) in self._workers.items():
            if session_id in session_ids and worker.is_working:
                worker.is_unwanted = True
            elif session_id in session_ids:
                task.cancel()
                tasks.append(task)
        return tasks

    async def close(self) -> None:
        """Stop every worker and its agent's process."""
        self._is_closing = True
        await end(*[task for _, task in self._workers.values()])

    def _left(self, session_id: SessionId, worker: Worker, task: asyncio.Task[None]) -> None:
        del self._workers[session_id]
        if task.cancelled():
            self.wake(session_id)  # a prompt may have come meanwhile
        elif (error := task.exception()) is not None:
            log.error("The worker of session %s failed", session_id, exc_info=error)
        elif worker.woken.is_set():  # woken while it was leaving
            self.wake(session_id)
