"""The loop of one session: it claims turn after turn, and stops its agent's process when there has been nothing to do for too long.

A turn is claimed once. From then on its end is certain: by what the agent says, by its death, by a person, or by the server's stop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import TranscriptBody
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn
from agor_jupyter.processes import table
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions.running import continued, endings
from agor_jupyter.services.sessions.running.attempt import Attempt
from agor_jupyter.services.sessions.running.continued import ContinuedAttempt
from agor_jupyter.services.sessions.running.prompted import PromptedAttempt
from agor_jupyter.services.sessions.runs import runs
from agor_jupyter.services.sessions.runs.continuations import Begun
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.sessions.runs.pending_checkpoint import PendingCheckpoint
from agor_jupyter.services.sessions.runs.process import AgentProcess, Run
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_SET_S = 10.0
"""An agent that does not take an option meanwhile gets it before its next turn."""
_END_S = 5.0


class SessionLoop:
    def __init__(self, context: RunContext, session_id: SessionId) -> None:
        self._context, self.session_id = context, session_id
        self.woken = asyncio.Event()
        self._run: Run | None = None
        """`None`: it has no process, and none begins."""
        self._attempt: Attempt | None = None
        """`None` between two turns."""
        self._is_claiming = False
        self.idle_since: float | None = None
        """Since when its process has had nothing to do."""
        self._prefetched: PendingCheckpoint | None = None
        """Begun before its turn is there."""
        self._asking = asyncio.Lock()
        self.stops_when_idle = False
        """Its process ends as soon as there is nothing to do."""

    @property
    def _process(self) -> AgentProcess | None:
        return self._run.process if self._run is not None else None

    @property
    def is_working(self) -> bool:
        return self._attempt is not None or self._is_claiming

    @property
    def is_detained(self) -> bool:
        """Something goes on in the background, for which its process is kept."""
        return self._process is not None and self._process.is_detained

    @property
    def mask(self) -> Mask:
        """What takes the secrets of its process out of what the process says."""
        return self._run.mask if self._run is not None else Mask()

    def wake(self) -> None:
        self.woken.set()

    async def prefetch_checkpoint(self) -> None:
        """A prompt is being stored: read the worktree meanwhile, if this process would take it at once."""
        if self.idle_since is not None and self._run is not None and self._run.process is not None:
            prefetched, self._prefetched = self._prefetched, self._run.checkpoint(self._run.process)
            if prefetched is not None:
                await prefetched.discard()

    def invalidate_environment(self, account: str) -> None:
        """The variables of `account` changed."""
        if self._run is not None:
            self._run.invalidate_environment(account)

    async def wait_until_idle(self) -> None:
        """Wait, not for long, while it does what is left to do of a turn that everybody else knows to have ended."""
        if self._attempt is not None and self._attempt.is_ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await self._attempt.is_over.wait()

    def cancel(self, turn_id: TurnId) -> None:
        """The turn was marked as stopping: make the agent stop."""
        if self._attempt is not None and self._attempt.turn.id == turn_id:
            self._attempt.cancel()

    def exhaust(self, turn_id: TurnId, error: errors.BudgetExhausted) -> None:
        """A budget is used up: make the agent stop, if it is at this turn."""
        if self._attempt is not None and self._attempt.turn.id == turn_id:
            self._attempt.exhaust(error)

    async def set_options(self, chosen: Mapping[str, str]) -> None:
        """Set them now, if the agent is there. Raises `BadOption`."""
        run, attempt = self._run, self._attempt
        if run is None:
            return
        agent = attempt.agent if attempt is not None else run.process.agent if run.process is not None else None
        if agent is not None and not (agent.agent.quirks.sets_between_turns and attempt is not None):
            try:
                async with asyncio.timeout(_SET_S):
                    await run.set_options(agent, chosen)
            except (TimeoutError, errors.AgentFailed) as error:
                log.info("Session %s: options are set before the next turn: %s", self.session_id, error)
            await run.reporter.flush()

    async def run(self) -> None:
        """Work until there is nothing to do and the process has rested for too long. Cancelling stops the process."""
        try:
            while True:
                self.woken.clear()
                if not await self._work() and not await self._go_on() and not await self._rest():
                    return
        finally:
            await self._stop_process()

    async def _rest(self) -> bool:
        """Wait for work. `False`: none came, or there is no process that is worth waiting for."""
        process = self._process
        if process is None or self.stops_when_idle:
            return self.woken.is_set()
        agent, limit_s = process.agent, process.idle_limit_s
        self.idle_since = self._context.clock.monotonic()
        signs = [asyncio.create_task(event.wait()) for event in (self.woken, agent.late, agent.process.exited)]
        try:
            await asyncio.wait(signs, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if process.is_detained and not any(one.done() for one in signs):
                await process.give_up()
            return signs[0].done() or signs[1].done() or process.died_at_work
        finally:
            self.idle_since = None
            await end(*signs)

    # A turn that a prompt began

    async def _work(self) -> bool:
        """Carry out the next turn. `False`: there is none."""
        context = self._context
        async with contextlib.AsyncExitStack() as starting, contextlib.AsyncExitStack() as running:
            prefetched, self._prefetched = self._prefetched, None
            if prefetched is not None:
                running.push_async_callback(prefetched.discard)
            since = await context.store.read(runs.next_since, self.session_id, context.clock.now())
            if since is None:
                return False
            await running.enter_async_context(context.running.held(self.session_id, since=since))
            pending = prefetched if prefetched is not None and prefetched.is_fresh else None
            if self._run is not None and self._run.process is not None:
                if pending is None:
                    pending = self._run.checkpoint(self._run.process)  # while the turn is claimed
                    running.push_async_callback(pending.discard)
                if await self._run.is_stale(self._run.process):
                    await pending.discard()
                    await self._stop_process()
            if self._run is None:
                pending = None
                await starting.enter_async_context(context.starting.held(self.session_id))
            claimed = await self._claim()
            if claimed is None:
                return False
            run, turn, session = claimed
            attempt = self._attempt = PromptedAttempt(context, run, turn, session)
            try:
                async with attempt.watchdog:
                    outcome = await attempt.carry_out(starting, pending)
                await self._close(attempt, outcome)
            finally:
                self._leave(attempt)
        return True

    async def _claim(self) -> tuple[Run, Turn, Session] | None:
        context = self._context
        run, boot_id = self._run, None
        self._is_claiming = True  # whoever ended this loop now would leave the turn to nobody
        try:
            if run is None:
                run_id, boot_id = RunId(context.clock.new_id("run")), table.boot_id()
                run = Run(context, self.session_id, run_id, on_event=self._hear, on_permission=self._ask)
            warns = context.config.concurrent_edits != "allow"
            claimed = await context.store.write(
                runs.claim, self.session_id, run.id, boot_id, context.clock.now(), context.budgets, context.budgets.spending(), warns
            )
            crash_point("claim.after_commit")
        finally:
            self._is_claiming = False
        if claimed is None:
            return None
        self._run = run
        return run, *claimed

    async def _close(self, attempt: Attempt, outcome: AttemptOutcome) -> None:
        if self._process is None or not self._process.is_alive:
            await self._stop_process()  # it may run on, though nobody can talk with it; git is asked after its end
        await endings.finish(self._context, attempt, outcome)
        if attempt.is_spoiled:
            await self._stop_process()
        if self._process is not None:
            await self._process.tell_background()

    def _leave(self, attempt: Attempt) -> None:
        attempt.is_over.set()
        self._attempt = None

    # A turn that no prompt began

    async def _go_on(self) -> bool:
        """Make a turn of what the agent says by itself. `False`: it says nothing."""
        run, process = self._run, self._process
        if run is None or process is None or not (process.agent.late.is_set() or process.died_at_work):
            return False
        begun = await self._begin_by_itself(run, process)
        if begun is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S):
                    await self.woken.wait()
            return True
        attempt = self._attempt = ContinuedAttempt(self._context, run, process, begun)
        self._context.running.take()
        try:
            async with attempt.watchdog:
                if begun.exhausted is not None:
                    attempt.exhaust(begun.exhausted)
                outcome = await attempt.carry_out(self.woken)
            if attempt.exhausted is not None:  # what it spends by itself nothing else would stop
                await self._stop_process()
            await self._close(attempt, outcome)
        finally:
            attempt.give_place()
            self._leave(attempt)
        return True

    async def _begin_by_itself(self, run: Run, process: AgentProcess) -> Begun | None:
        self._is_claiming = True
        try:
            return await continued.begin(self._context, self.session_id, run, process)
        finally:
            self._is_claiming = False

    # The process

    async def _stop_process(self) -> None:
        prefetched, self._prefetched = self._prefetched, None
        if prefetched is not None:
            await prefetched.discard()
        run, self._run = self._run, None
        if run is not None:
            await run.end(in_turn=self._attempt is not None)

    async def _hear(self, body: TranscriptBody, raw: JsonObject | None) -> None:
        if self._attempt is not None:
            await self._attempt.hear(body, raw)

    async def _ask(self, question: Question) -> str | None:
        async with self._asking:
            return await self._attempt.ask(question) if self._attempt is not None else None
