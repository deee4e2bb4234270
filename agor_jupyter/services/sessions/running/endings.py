"""How an attempt at a turn is written down: with what the worktree holds then, what changed in it, and what is the agent's own of that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.git.inspection import snapshots
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions.running.attempt import Attempt
from agor_jupyter.services.sessions.runs import outcomes, runs
from agor_jupyter.services.sessions.runs.continuations import Left
from agor_jupyter.services.sessions.runs.outcomes import AttemptOutcome
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.worktrees.keepers import Making
from agor_jupyter.services.worktrees.sandboxes import NOT_COLLECTED
from agor_jupyter.storage import turns as kept_turns

log = logging.getLogger(__name__)

_RETRY_S = 1.0
T = TypeVar("T")


async def finish(context: RunContext, attempt: Attempt, outcome: AttemptOutcome) -> None:
    """Write it down. What the worktree holds is kept for a turn that may follow by itself."""
    turn = attempt.turn
    if attempt.exhausted is not None and outcome.state is TurnState.CANCELLED:
        error = attempt.exhausted
        outcome = replace(outcome, state=TurnState.FAILED, error=error.message, error_code=error.code)
    outcome = outcomes.schedule(outcome, turn, context.clock.now(), context.clock.dice(), context.config.retries)
    if attempt.before is not None:
        await _collect(context, attempt)
        outcome = await _compare(context, attempt, attempt.before, outcome)
    if outcome.error:
        outcome = replace(outcome, error=attempt.run.mask.text(outcome.error))
    await attempt.run.reporter.flush()
    await persist(turn.session_id, context.collector.flush)
    crash_point("park.before_commit" if outcome.state is TurnState.PARKED else "turn.before_finish")
    attempt.is_ending = True
    finished = await persist(turn.session_id, lambda: _write(context, turn, outcome))
    process = attempt.run.process
    may_go_on = process is not None and not process.agent.agent.is_builtin and finished.state is not TurnState.PARKED
    kept = outcome.after if may_go_on else None
    await context.worktrees.checkpoints.settle(finished, attempt.before, attempt.at_begin, outcome.after, keep=kept)
    if process is not None:
        await process.leave(Left(turn.id, kept) if kept is not None else None)
    crash_point("park.after_commit" if finished.state is TurnState.PARKED else "turn.after_finish")
    await persist(turn.session_id, context.budgets.check)


async def persist(session_id: SessionId, write: Callable[[], Awaitable[T]]) -> T:
    """What happened has to be written down: try again while the disk is full or the database locked."""
    while True:
        try:
            return await write()
        except errors.Starting:
            raise
        except errors.Unavailable as error:
            log.warning("Session %s: %s", session_id, error)
            await asyncio.sleep(_RETRY_S)


async def had_company(context: RunContext, turn: Turn, making: Making) -> bool:
    """Another session worked in the worktree since the process began."""
    return await context.store.read(kept_turns.others_since, turn.worktree_id, turn.session_id, making.since)


def _write(context: RunContext, turn: Turn, outcome: AttemptOutcome) -> Awaitable[Turn]:
    """What it cost leaves the running costs in the same moment in which it is on its way into the ledger."""
    budgets, clock = context.budgets, context.clock
    budgets.forget(turn)
    return context.store.write(runs.finish, turn.id, outcome, clock.now(), budgets, budgets.spending())


async def _collect(context: RunContext, attempt: Attempt) -> None:
    """What the agent committed in the sandbox is on the worktree's branch."""
    if attempt.is_sandboxed:
        for notice in await context.sandboxes.collect(attempt.turn.worktree_id):
            await attempt.tell(notice)
            attempt.is_spoiled = attempt.is_spoiled or notice.code == NOT_COLLECTED


async def _compare(context: RunContext, attempt: Attempt, start: Checkpoint, outcome: AttemptOutcome) -> AttemptOutcome:
    """With what the worktree holds now, and what the turn changed."""
    worktrees, turn = context.worktrees, attempt.turn
    try:
        after = await worktrees.checkpoint(turn.worktree_id, start)
        outcome = replace(outcome, after=after)
        await _settle_own(context, attempt, after)
        outcome = replace(outcome, after=await worktrees.tell_apart(turn.worktree_id, after))
        is_first = turn.tree_before is None or turn.origin == "continued"
        before = start if is_first else worktrees.checkpoints.of(runs.first_before(turn, start), turn.id)
        before = replace(before, untracked=start.untracked)
        patch = await worktrees.patch(turn.worktree_id, before, after)
        outcome = replace(outcome, patch=attempt.run.mask.record(patch))
        if after.left_out and set(after.left_out) != set(start.left_out):
            await attempt.tell(Notice(code="left_out", text=snapshots.note(after.left_out)))
        if attempt.is_sandboxed and after.commit != start.commit:
            for notice in await context.sandboxes.unsigned(turn.session_id, turn.worktree_id, after.commit):
                await attempt.tell(notice)
    except errors.AgorError as error:
        await attempt.tell(Notice(code="no_patch", text=f"What this turn changed could not be read. {error.message}"))
    except Exception:  # whatever it is, the turn has to end
        log.exception("What turn %s changed could not be read", turn.id)
        await attempt.tell(Notice(code="no_patch", text="What this turn changed could not be read. The server's log says why."))
    return outcome


async def _settle_own(context: RunContext, attempt: Attempt, after: Checkpoint) -> None:
    """The worktree's own files, with what the agent made before its first tool ran, and without what is gone or what a tool named."""
    process, making = attempt.run.process, None
    if process is not None:
        making, process.making = process.making, None
    worktree = await context.worktrees.get(attempt.turn.worktree_id)
    there = set(after.untracked) if worktree.own_files else set()
    kept = {path: name for path, name in worktree.own_files.items() if path in there and not attempt.spoken.names(path)}
    if making is not None and not await had_company(context, attempt.turn, making):
        made = await making.made(Path(worktree.path), after.untracked, attempt.spoken)
        kept |= dict.fromkeys(made & set(after.untracked), making.agent)
    await context.worktrees.keep_own(worktree, kept)
