"""An attempt at a turn that no prompt began: the agent said something by itself after one had ended. `continuations` stores it."""

import asyncio
import logging

from agor_jupyter.agents.protocol.results import GIVEN_UP
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import SessionId, TurnId
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions.running.attempt import MISTAKE, Attempt
from agor_jupyter.services.sessions.running.endings import persist
from agor_jupyter.services.sessions.running.watchdog import Watchdog
from agor_jupyter.services.sessions.runs import continuations, outcomes, runs
from agor_jupyter.services.sessions.runs.continuations import Begun
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.sessions.runs.process import AgentProcess, Run
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)


async def begin(context: RunContext, session_id: SessionId, run: Run, process: AgentProcess) -> Begun | None:
    """Open the turn. `None`: something else comes next."""
    now = None
    try:
        now = await context.worktrees.checkpoint(process.worktree.id)
    except errors.AgorError as error:
        log.warning("Session %s: what the worktree holds could not be read: %s", session_id, error)
    crash_point("continued.before_commit")
    turn_id, budgets = TurnId(context.clock.new_id("turn")), context.budgets
    begun = await persist(
        session_id,
        lambda: context.store.write(
            continuations.begin, session_id, turn_id, run.id, process.left, now, context.clock.now(), budgets, budgets.spending()
        ),
    )
    crash_point("continued.after_commit")
    return begun


class ContinuedAttempt(Attempt):
    def __init__(self, context: RunContext, run: Run, process: AgentProcess, begun: Begun) -> None:
        super().__init__(context, run, begun.turn, Watchdog(context, begun.turn))
        self._process, self._is_asked = process, True
        self.before, self.at_begin = begun.before, begun.now
        self.is_sandboxed = run.is_sandboxed

    async def carry_out(self, woken: asyncio.Event) -> AttemptOutcome:
        """Listen until the agent is quiet. `woken` is set when there may be a prompt, which does not wait for that."""
        config, agent = self._context.config, self._process.agent
        talk = agent.go_on(
            quiet_s=config.quiet_time.total_seconds(),
            patience_s=config.background_timeout.total_seconds(),
            on_wait=self.give_place,
        )
        prompted = asyncio.create_task(self._await_prompt(woken))
        try:
            result = await self._talk(self._process, talk)
            if result.stop_reason == GIVEN_UP:
                text = "Tools of the agent had not ended, and nothing was heard of them for too long. Nobody waits for them any more."
                await self.tell(Notice(code="given_up", text=text))
            return outcomes.read(result)
        except errors.AgorError as error:
            return self._failed(error.message, error.code)
        except Exception:
            log.exception("Turn %s failed inside the server", self.turn.id)
            return self._failed(MISTAKE, "internal")
        finally:
            await end(prompted)

    async def _await_prompt(self, woken: asyncio.Event) -> None:
        """What the agent says after it belongs to the prompt's turn."""
        context = self._context
        while True:
            woken.clear()
            if await context.store.read(runs.has_next, self.turn.session_id, context.clock.now(), self.turn.id):
                self._process.agent.settle()
                return
            await woken.wait()
