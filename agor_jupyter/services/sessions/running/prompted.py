"""An attempt at a turn that a prompt began: the agent is started if it is not there, the worktree is read, the prompt sent."""

import asyncio
import contextlib
import logging

from agor_jupyter.agents.protocol.results import PromptResult
from agor_jupyter.domain import errors
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import signers
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.agents import options
from agor_jupyter.services.sessions.running import endings
from agor_jupyter.services.sessions.running.attempt import MISTAKE, Attempt, Cancelled
from agor_jupyter.services.sessions.running.start import Start, left_out
from agor_jupyter.services.sessions.running.watchdog import Watchdog
from agor_jupyter.services.sessions.runs import outcomes, runs
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.sessions.runs.pending_checkpoint import PendingCheckpoint
from agor_jupyter.services.sessions.runs.process import AgentProcess, Run
from agor_jupyter.services.sessions.runs.run_context import RunContext

log = logging.getLogger(__name__)


class PromptedAttempt(Attempt):
    def __init__(self, context: RunContext, run: Run, turn: Turn, session: Session) -> None:
        super().__init__(context, run, turn, Watchdog(context, turn, lambda: asyncio.to_thread(signers.waiting, run.id)))
        self._session = session

    async def carry_out(self, slot: contextlib.AsyncExitStack, pending: PendingCheckpoint | None) -> AttemptOutcome:
        """Work on it, to its end. `slot` is given back as soon as the agent is ready; without `pending` the worktree is read now."""
        try:
            return await self._carry_out(slot, pending)
        except Cancelled:
            return AttemptOutcome(state=TurnState.CANCELLED, stop_reason="cancelled")
        except errors.AgorError as error:
            return self._failed(error.message, error.code)
        except Exception:
            log.exception("Turn %s failed inside the server", self.turn.id)
            return self._failed(MISTAKE, "internal")

    async def _carry_out(self, slot: contextlib.AsyncExitStack, pending: PendingCheckpoint | None) -> AttemptOutcome:
        worktree = await self._worktree()
        process = self.run.process or await Start(self._context, self, self._session, worktree, slot).process()
        await self.unless_cancelled(self._settle_options(process))
        await slot.aclose()
        self.is_sandboxed = self.run.is_sandboxed
        await self._read_worktree(process, pending or self.run.checkpoint(process))
        if self.cancelled.is_set():
            raise Cancelled
        return outcomes.read(await self._prompt(process))

    async def _worktree(self) -> Worktree:
        worktree = await self._context.worktrees.get(self._session.worktree_id)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        return worktree

    async def _settle_options(self, process: AgentProcess) -> None:
        """What is wanted applies to this turn. Raises `BadOption` when the agent cannot have it."""
        agent = process.agent
        for notice in left_out(await agent.apply(options.wanted(agent.agent, self._session, is_sandboxed=self.run.is_sandboxed))):
            await self.tell(notice)
        await self.run.reporter.flush()

    async def _read_worktree(self, process: AgentProcess, pending: PendingCheckpoint) -> None:
        """Write down that the turn runs, and what is there before it. Raises `Cancelled`."""
        context, turn = self._context, self.turn
        baseline = await self.unless_cancelled(pending.take())
        before = self.before = baseline.checkpoint
        if turn.tree_before is None:
            before = self.before = await context.worktrees.checkpoints.keep(baseline.checkpoint, turn.id)
        for notice in baseline.notices:
            await self.tell(notice)
        await self._note_made(process, baseline.checkpoint)
        if not await context.store.write(runs.begin, turn.id, before, process.conversation, context.clock.now()):
            raise Cancelled

    async def _note_made(self, process: AgentProcess, before: Checkpoint) -> None:
        """What it made before it was prompted for the first time is its own, unless somebody else was at work there."""
        making = process.making
        made = making.prompted(before.untracked) if making is not None else frozenset()
        if making is None or not made or await endings.had_company(self._context, self.turn, making):
            return
        worktree = await self._context.worktrees.get(self.turn.worktree_id)
        await self._context.worktrees.keep_own(worktree, {**worktree.own_files, **dict.fromkeys(made, making.agent)})

    async def _prompt(self, process: AgentProcess) -> PromptResult:
        text, pictures = await self._context.attachments.prompt(self.turn, outcomes.prompt_of(self.turn))
        agent = process.agent
        if pictures and not agent.takes_images:
            raise errors.ImagesNotTaken(agent.agent.label)
        return await self._talk(process, agent.prompt(text, process.prologue, pictures))
