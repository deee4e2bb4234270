"""One session at work: claims its turns one by one, owns its agent's process, and writes down how each turn ended.

A turn is claimed once. From then on its end is certain: by what the agent says, by its death, by a person, or by the server's stop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from agor_jupyter.agents.history.readers import reader
from agor_jupyter.agents.mask import Mask, secrets
from agor_jupyter.agents.options import in_order
from agor_jupyter.agents.questions import Question, about
from agor_jupyter.agents.session import GIVEN_UP, AgentSession, ConversationLost, Obstructed, Process, PromptResult
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice, ToolCall, TranscriptBody, UsageReported
from agor_jupyter.domain.ids import RunId, SessionId, TurnId
from agor_jupyter.domain.options import MODE
from agor_jupyter.domain.own_files import Spoken
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.sessions import Session, Usage
from agor_jupyter.domain.trust import Sight, lies_in
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import environment, signers
from agor_jupyter.executors.signers import Signer
from agor_jupyter.git.inspection import snapshots
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.processes import table
from agor_jupyter.services.agents import options
from agor_jupyter.services.consent.trusts import WITHOUT, question
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions import continuations, forks, outcomes, runs
from agor_jupyter.services.sessions.continuations import Left
from agor_jupyter.services.sessions.desk import Desk
from agor_jupyter.services.sessions.looks import Look
from agor_jupyter.services.sessions.outcomes import Outcome
from agor_jupyter.services.sessions.slots import FIRST
from agor_jupyter.services.sessions.watchdog import Watchdog
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.keepers import Making, said
from agor_jupyter.services.worktrees.sandboxes import NOT_COLLECTED, Launch, gpu_notice, mode_notice
from agor_jupyter.storage import runs as kept_runs
from agor_jupyter.storage import turns as kept_turns

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_BROUGHT_BACK = ("resumed", "loaded")
_SET_S = 10.0
"""An agent that does not take an option meanwhile gets it before its next turn."""
_END_S = 5.0
_AGAIN_S = (0.5, 2.0, 5.0)
"""How long to wait before each further start of an agent that another of its processes was in the way of."""
_COLLECT_S = 10.0
"""A process that goes is not kept by commits that can come out before the next turn as well."""

T = TypeVar("T")


@dataclass
class _Current:
    """The turn at work."""

    turn: Turn
    cancelled: asyncio.Event
    watchdog: Watchdog
    exhausted: errors.BudgetExhausted | None = None
    """The budget that stops it."""
    asked: AgentSession | None = None
    """The agent that has its prompt."""
    before: Checkpoint | None = None
    at_begin: Checkpoint | None = None
    """Of a continued turn, whose `before` is what the turn that it follows had left: what was there when it began."""
    has_place: bool = True
    """It is one of those that may work at the same time."""
    is_sandboxed: bool = False
    spoken: Spoken = field(default_factory=Spoken)
    """What its tools named."""
    is_spoiled: bool = False
    """Its process sees a repository that cannot be used any more."""
    is_ending: bool = False
    """How it ended is being written down."""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class _Cancelled(Exception):
    pass


class Worker:
    def __init__(self, desk: Desk, session_id: SessionId) -> None:
        self._desk, self.session_id = desk, session_id
        self.woken = asyncio.Event()
        self._agent: AgentSession | None = None
        self._run_id: RunId | None = None
        self._launch: Launch | None = None
        self._place: Worktree | None = None
        self._sight = Sight(())
        self._is_restricted = False
        """It does not obey the worktree's files."""
        self._conversation: dict[str, object] = {}
        self._context: str | None = None
        self._reporter = options.Reporter(desk.options, session_id)
        self.mask = Mask()
        self._account: str | None = None
        self._is_outdated = False
        self._current: _Current | None = None
        self._is_claiming = False
        self.rests_since: float | None = None
        """Since when its process has had nothing to do."""
        self._ahead: Look | None = None
        """Begun before its turn is there."""
        self._asking = asyncio.Lock()
        self.is_unwanted = False
        """Its process ends when it would come to rest."""
        self._left: Left | None = None
        self._making: Making | None = None
        """Until the end of its process's first turn."""
        self._told: list[str] = []

    @property
    def is_working(self) -> bool:
        return self._current is not None or self._is_claiming

    @property
    def is_detained(self) -> bool:
        """Something goes on in the background, for which its process is kept."""
        return self._agent is not None and bool(self._agent.background)

    def wake(self) -> None:
        self.woken.set()

    async def expect(self) -> None:
        """A prompt is being stored: look at the worktree meanwhile, if this process would take it at once."""
        if self.rests_since is not None:
            ahead, self._ahead = self._ahead, self._look()
            if ahead is not None:
                await ahead.end()

    def renew(self, account: str) -> None:
        """The variables of `account` changed."""
        self._is_outdated = self._is_outdated or account == self._account

    async def come_to_rest(self) -> None:
        """Wait, not for long, while it does what is left to do of a turn that everybody else knows to have ended."""
        if self._current is not None and self._current.is_ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await self._current.is_over.wait()

    def cancel(self, turn_id: TurnId) -> None:
        """The turn was marked as stopping: make the agent stop."""
        if self._current is not None and self._current.turn.id == turn_id:
            self._current.cancelled.set()
            if self._agent is not None:
                self._agent.cancel()

    def exhaust(self, turn_id: TurnId, error: errors.BudgetExhausted) -> None:
        """A budget is used up: make the agent stop, if it is at this turn."""
        if self._current is not None and self._current.turn.id == turn_id and self._current.exhausted is None:
            self._current.exhausted = error
            self.cancel(turn_id)

    async def set_options(self, chosen: Mapping[str, str]) -> None:
        """Set them now, if the agent is there. Raises `BadOption`."""
        agent = self._agent
        if agent is not None and agent.agent.sets_between_turns and self._current is not None:
            return
        try:
            async with asyncio.timeout(_SET_S):
                for option_id in in_order(chosen):
                    if agent is not None and agent.is_alive and agent.agent_session_id and chosen[option_id]:
                        await agent.set_option(option_id, chosen[option_id])
        except (TimeoutError, errors.AgentFailed) as error:
            log.info("Session %s: options are set before the next turn: %s", self.session_id, error)
        await self._reporter.flush()

    async def run(self) -> None:
        """Work until there is nothing to do and the process has rested for too long. Cancelling stops the process."""
        try:
            while True:
                self.woken.clear()
                if not await self._work() and not await self._go_on() and not await self._rest():
                    return
        finally:
            await self._dismiss()

    async def _rest(self) -> bool:
        """Wait for work. `False`: none came, or there is no process that is worth waiting for."""
        if self._agent is None or self.is_unwanted:
            return self.woken.is_set()
        agent, config = self._agent, self._desk.config
        patience_s = config.idle_timeout.total_seconds()
        if self.is_detained:
            patience_s = max(patience_s, config.background_timeout.total_seconds() - agent.heard_ago_s)
        self.rests_since = self._desk.clock.monotonic()
        signs = [asyncio.create_task(event.wait()) for event in (self.woken, agent.late, agent.process.exited)]
        try:
            await asyncio.wait(signs, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if self.is_detained and not any(one.done() for one in signs):
                await self._give_up(agent)
            return signs[0].done() or signs[1].done() or self._died_at_work
        finally:
            self.rests_since = None
            await end(*signs)

    @property
    def _died_at_work(self) -> bool:
        """Its process is gone, and with it what it did in the background."""
        return self.is_detained and self._agent is not None and not self._agent.is_alive

    async def _give_up(self, agent: AgentSession) -> None:
        what, minutes = ", ".join(agent.background), self._desk.config.background_timeout.total_seconds() / 60
        text = f"Nothing was heard for {minutes:.0f} minutes of what the agent does in the background ({what}). Its process is ended."
        await self._desk.collector.add(self.session_id, self._left.turn_id if self._left else None, Notice(code="given_up", text=text))

    # One turn

    async def _work(self) -> bool:
        """Carry out the next turn. `False`: there is none."""
        desk = self._desk
        async with contextlib.AsyncExitStack() as starting, contextlib.AsyncExitStack() as running:
            ahead, self._ahead = self._ahead, None
            if ahead is not None:
                running.push_async_callback(ahead.end)
            since = await desk.store.read(runs.next_since, self.session_id, desk.clock.now())
            if since is None:
                return False
            await running.enter_async_context(desk.running.held(self.session_id, since=since))
            look = ahead if ahead is not None and ahead.is_fresh else None
            if self._agent is not None:
                if look is None:
                    look = self._look()  # while the turn is claimed
                    running.push_async_callback(look.end)
                if await self._is_stale(self._agent):
                    await look.end()
                    await self._dismiss()
            if self._agent is None:
                look = None
                await starting.enter_async_context(desk.starting.held(self.session_id))
            self._is_claiming = True  # whoever ended this worker now would leave the turn to nobody
            try:
                claimed = await self._claim()
            finally:
                self._is_claiming = False
            if claimed is None:
                return False
            turn, session = claimed
            self._current = _Current(turn, asyncio.Event(), Watchdog(desk, turn, self._signer))
            try:
                async with self._current.watchdog:
                    outcome = await self._attempt(self._current, session, starting, look)
                await self._close(self._current, outcome)
            finally:
                self._current.is_over.set()
                self._current = None
        return True

    async def _close(self, current: _Current, outcome: Outcome) -> None:
        if self._agent is None or not self._agent.is_alive:
            await self._dismiss()  # it may run on, though nobody can talk with it; git is asked after its end
        await self._finish(current, outcome)
        if current.is_spoiled:
            await self._dismiss()
        await self._tell_background()

    # A turn that no prompt began

    async def _go_on(self) -> bool:
        """Make a turn of what the agent says by itself. `False`: it says nothing."""
        desk, agent = self._desk, self._agent
        if agent is None or self._run_id is None or not (agent.late.is_set() or self._died_at_work):
            return False
        begun = await self._begin_by_itself(self._run_id)
        if begun is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S):
                    await self.woken.wait()
            return True
        current = self._current = _Current(begun.turn, asyncio.Event(), Watchdog(desk, begun.turn))
        current.before, current.at_begin = begun.before, begun.now
        current.asked, current.is_sandboxed = agent, self._is_sandboxed
        desk.running.take()
        try:
            async with current.watchdog:
                if begun.exhausted is not None:
                    self.exhaust(begun.turn.id, begun.exhausted)
                outcome = await self._listen(current, agent)
            if current.exhausted is not None:  # what it spends by itself nothing else would stop
                await self._dismiss()
            await self._close(current, outcome)
        finally:
            self._give_place(current)
            current.is_over.set()
            self._current = None
        return True

    async def _begin_by_itself(self, run_id: RunId) -> continuations.Begun | None:
        desk, now = self._desk, None
        assert self._place is not None
        self._is_claiming = True
        try:
            try:
                now = await desk.worktrees.checkpoint(self._place.id)
            except errors.AgorError as error:
                log.warning("Session %s: what the worktree holds could not be read: %s", self.session_id, error)
            crash_point("continued.before_commit")
            turn_id, budgets = TurnId(desk.clock.new_id("turn")), desk.budgets
            begun = await self._persist(
                lambda: desk.store.write(
                    continuations.begin, self.session_id, turn_id, run_id, self._left, now, desk.clock.now(), budgets, budgets.spending()
                )
            )
            crash_point("continued.after_commit")
            return begun
        finally:
            self._is_claiming = False

    async def _listen(self, current: _Current, agent: AgentSession) -> Outcome:
        config = self._desk.config
        talk = agent.go_on(
            quiet_s=config.quiet_time.total_seconds(),
            patience_s=config.background_timeout.total_seconds(),
            on_wait=lambda: self._give_place(current),
        )
        prompted = asyncio.create_task(self._await_prompt(current, agent))
        try:
            result = await self._talk(current, agent, talk)
            if result.stop_reason == GIVEN_UP:
                text = "Tools of the agent had not ended, and nothing was heard of them for too long. Nobody waits for them any more."
                await self._tell(current, Notice(code="given_up", text=text))
            return outcomes.read(result)
        except errors.AgorError as error:
            return self._failed(current, error.message, error.code)
        except Exception:
            log.exception("Turn %s failed inside the server", current.turn.id)
            return self._failed(current, "The server made a mistake; its log says more.", "internal")
        finally:
            await end(prompted)

    async def _await_prompt(self, current: _Current, agent: AgentSession) -> None:
        """A prompt does not wait until the agent is quiet; what it says then belongs to the prompt's turn."""
        desk = self._desk
        while True:
            self.woken.clear()
            if await desk.store.read(runs.has_next, self.session_id, desk.clock.now(), current.turn.id):
                agent.settle()
                return
            await self.woken.wait()

    def _give_place(self, current: _Current) -> None:
        """While it only waits for what it began, another may work."""
        if current.has_place:
            current.has_place = False
            self._desk.running.release()

    def _take_place(self, current: _Current) -> None:
        if not current.has_place:
            current.has_place = True
            self._desk.running.take()

    async def _tell_background(self) -> None:
        """Show on the session what goes on between two turns."""
        background = [self.mask.text(one) for one in self._agent.background] if self._agent is not None else []
        if background != self._told:
            self._told = background
            with contextlib.suppress(errors.Unavailable):  # the next turn tells it again, and the next start that nothing runs
                await asyncio.shield(self._desk.store.write(continuations.tell, self.session_id, background, self._desk.clock.now()))

    async def _is_stale(self, agent: AgentSession) -> bool:
        """Its process cannot take the next turn: it is dead, has old variables, or obeys other files than it may."""
        assert self._place is not None
        if self._is_outdated or not agent.is_alive:
            return True
        sight = await self._desk.trusts.look(self._place, agent.agent.name)
        return bool(sight.open) or bool(sight.untrusted) is not self._is_restricted

    async def _claim(self) -> tuple[Turn, Session] | None:
        desk = self._desk
        new_run = RunId(desk.clock.new_id("run")) if self._agent is None else None
        run_id = new_run or self._run_id
        assert run_id is not None
        boot_id = table.boot_id()
        claimed = await desk.store.write(
            runs.claim, self.session_id, run_id, boot_id if new_run else None, desk.clock.now(), desk.budgets, desk.budgets.spending()
        )
        crash_point("claim.after_commit")
        if claimed is not None and new_run:
            self._run_id = new_run
        return claimed

    async def _attempt(self, current: _Current, session: Session, starting: contextlib.AsyncExitStack, look: Look | None) -> Outcome:
        try:
            worktree = await self._worktree(session)
            if self._agent is None:
                await self._await_minute(current, session, starting)
                agent = await self._unless_cancelled(current, self._consent(current, session, worktree, starting))
                self._desk.make_room()
                for notice in await self._unless_cancelled(current, self._start_in_turn(session, worktree, agent)):
                    await self._tell(current, notice)
            await self._unless_cancelled(current, self._settle_options(current, session))
            await starting.aclose()
            current.is_sandboxed = self._is_sandboxed
            before = await self._unless_cancelled(current, (look or self._look()).seen())
            current.before = before.checkpoint
            if current.turn.tree_before is None:
                current.before = await self._desk.worktrees.checkpoints.keep(before.checkpoint, current.turn.id)
            for notice in before.notices:
                await self._tell(current, notice)
            await self._note_made(current, before.checkpoint)
            if not await self._desk.store.write(runs.begin, current.turn.id, current.before, self._conversation, self._desk.clock.now()):
                raise _Cancelled
            assert self._agent is not None
            if current.cancelled.is_set():
                raise _Cancelled
            return outcomes.read(await self._prompt(current, self._agent))
        except _Cancelled:
            return Outcome(state=TurnState.CANCELLED, stop_reason="cancelled")
        except errors.AgorError as error:
            return self._failed(current, error.message, error.code)
        except Exception:
            log.exception("Turn %s failed inside the server", current.turn.id)
            return self._failed(current, "The server made a mistake; its log says more.", "internal")

    async def _prompt(self, current: _Current, agent: AgentSession) -> PromptResult:
        text, pictures = await self._desk.attachments.prompt(current.turn, outcomes.prompt_of(current.turn))
        if pictures and not agent.takes_images:
            raise errors.ImagesNotTaken(agent.agent.label)
        return await self._talk(current, agent, agent.prompt(text, self._context, pictures))

    async def _talk(self, current: _Current, agent: AgentSession, talk: Coroutine[None, None, PromptResult]) -> PromptResult:
        """Let the agent work on the turn, to its end."""
        current.asked = agent
        talking = asyncio.create_task(talk, name=f"turn {current.turn.id}")
        try:
            await asyncio.sleep(0)
            if current.cancelled.is_set():  # a cancel just before it began was not for this turn yet
                agent.cancel()
            if current.turn.origin == "prompt":
                crash_point("prompt.sent")
                current.watchdog.prompted(agent.agent)
            result = await talking
            if result.has_acted or outcomes.read(result).state is not TurnState.PARKED:  # else the model may not know it yet
                self._context = None
            return result
        finally:
            await end(talking)

    async def _finish(self, current: _Current, outcome: Outcome) -> None:
        desk, turn = self._desk, current.turn
        if current.exhausted is not None and outcome.state is TurnState.CANCELLED:
            error = current.exhausted
            outcome = replace(outcome, state=TurnState.FAILED, error=error.message, error_code=error.code)
        outcome = outcomes.schedule(outcome, turn, desk.clock.now(), desk.clock.dice(), desk.config.retries)
        if current.before is not None:
            await self._collect(current)
            outcome = await self._compare(current, current.before, outcome)
        if outcome.error:
            outcome = replace(outcome, error=self.mask.text(outcome.error))
        await self._reporter.flush()
        await self._persist(desk.collector.flush)
        crash_point("park.before_commit" if outcome.state is TurnState.PARKED else "turn.before_finish")
        current.is_ending = True
        finished = await self._persist(lambda: self._write_down(turn, outcome))
        may_go_on = self._agent is not None and not self._agent.agent.is_builtin and finished.state is not TurnState.PARKED
        kept = outcome.after if may_go_on else None
        await desk.worktrees.checkpoints.settle(finished, current.before, current.at_begin, outcome.after, keep=kept)
        await self._leave(Left(turn.id, kept) if kept is not None else None)
        crash_point("park.after_commit" if finished.state is TurnState.PARKED else "turn.after_finish")
        await self._persist(desk.budgets.check)

    async def _leave(self, left: Left | None) -> None:
        """Keep what the worktree held at the end of a turn, for one that follows by itself, instead of what was kept before."""
        before, self._left = self._left, left
        if before is not None and (left is None or before.checkpoint.store != left.checkpoint.store):
            await self._desk.worktrees.checkpoints.drop(before.checkpoint)

    async def _compare(self, current: _Current, looked: Checkpoint, outcome: Outcome) -> Outcome:
        """With what the worktree holds now, and what the turn changed."""
        worktrees, turn = self._desk.worktrees, current.turn
        try:
            after = await worktrees.checkpoint(turn.worktree_id, looked)
            outcome = replace(outcome, after=after)
            await self._settle_own(current, after)
            outcome = replace(outcome, after=await worktrees.tell_apart(turn.worktree_id, after))
            is_first = turn.tree_before is None or turn.origin == "continued"
            before = looked if is_first else worktrees.checkpoints.of(runs.first_before(turn, looked), turn.id)
            before = replace(before, untracked=looked.untracked)
            patch = await worktrees.patch(turn.worktree_id, before, after)
            outcome = replace(outcome, patch=self.mask.record(patch))
            if after.left_out and set(after.left_out) != set(looked.left_out):
                await self._tell(current, Notice(code="left_out", text=snapshots.note(after.left_out)))
            if current.is_sandboxed and after.commit != looked.commit:
                for notice in await self._desk.sandboxes.unsigned(self.session_id, turn.worktree_id, after.commit):
                    await self._tell(current, notice)
        except errors.AgorError as error:
            await self._tell(current, Notice(code="no_patch", text=f"What this turn changed could not be read. {error.message}"))
        except Exception:  # whatever it is, the turn has to end
            log.exception("What turn %s changed could not be read", turn.id)
            await self._tell(current, Notice(code="no_patch", text="What this turn changed could not be read. The server's log says why."))
        return outcome

    # What the agent keeps for itself

    async def _note_made(self, current: _Current, before: Checkpoint) -> None:
        """What it made before it was prompted for the first time is its own, unless somebody else was at work there."""
        turn = current.turn
        made = self._making.prompted(before.untracked) if self._making is not None else frozenset()
        if self._making is None or not made or await self._had_company(turn, self._making):
            return
        worktree = await self._desk.worktrees.get(turn.worktree_id)
        await self._desk.worktrees.keep_own(worktree, {**worktree.own_files, **dict.fromkeys(made, self._making.agent)})

    async def _settle_own(self, current: _Current, after: Checkpoint) -> None:
        """At a turn's end: with what it made before its first tool ran, and without what is gone or what a tool named."""
        making, self._making = self._making, None
        worktree = await self._desk.worktrees.get(current.turn.worktree_id)
        there = set(after.untracked) if worktree.own_files else set()
        kept = {path: name for path, name in worktree.own_files.items() if path in there and not current.spoken.names(path)}
        if making is not None and not await self._had_company(current.turn, making):
            made = await making.made(Path(worktree.path), after.untracked, current.spoken)
            kept |= dict.fromkeys(made & set(after.untracked), making.agent)
        await self._desk.worktrees.keep_own(worktree, kept)

    async def _had_company(self, turn: Turn, making: Making) -> bool:
        """Another session worked in the worktree since the process began."""
        return await self._desk.store.read(kept_turns.others_since, turn.worktree_id, self.session_id, making.since)

    def _write_down(self, turn: Turn, outcome: Outcome) -> Awaitable[Turn]:
        """What it cost leaves the running costs in the same moment in which it is on its way into the ledger."""
        budgets, clock = self._desk.budgets, self._desk.clock
        budgets.forget(turn)
        return self._desk.store.write(runs.finish, turn.id, outcome, clock.now(), budgets, budgets.spending())

    def _failed(self, current: _Current, error: str, code: str) -> Outcome:
        """With what it cost until then, as far as the agent said."""
        outcome, asked = Outcome(state=TurnState.FAILED, error=error, error_code=code), current.asked
        if asked is None:
            return outcome
        spent, unpaid = self._cost(asked), asked.unpaid
        usage = Usage(cost_usd=spent, is_estimate=bool(unpaid)) if asked.spent_usd else None
        return replace(outcome, usage=usage, models=unpaid)

    def _cost(self, agent: AgentSession) -> float | None:
        """Of the turn that runs until now: the dollars that the agent reported, and an estimate of what it used since, at least."""
        prices = self._desk.budgets.books.prices
        estimates = [cost for usage in agent.unpaid if (cost := prices.estimate(usage)) is not None]
        return None if agent.spent_usd is None and not estimates else (agent.spent_usd or 0.0) + sum(estimates)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T:
        """What happened has to be written down: try again while the disk is full or the database locked."""
        while True:
            try:
                return await write()
            except errors.Starting:
                raise
            except errors.Unavailable as error:
                log.warning("Session %s: %s", self.session_id, error)
                await asyncio.sleep(_RETRY_S)

    # The process

    async def _consent(self, current: _Current, session: Session, worktree: Worktree, starting: contextlib.AsyncExitStack) -> AgentType:
        """The agent as it may start there: it obeys the worktree's files only if an owner trusts them all.

        Whoever may is asked about those that nobody has decided about. Raises `Untrusted`: it cannot be kept from one of them.
        """
        agent = self._desk.agents.require_installed(session.agent)
        is_answered = False
        while (sight := await self._desk.trusts.look(worktree, agent.name)).open and not is_answered:
            await starting.aclose()  # people think for long; others may start meanwhile
            answer = await self._ask(question(agent, sight))
            if answer is None:
                raise _Cancelled
            is_answered = answer == WITHOUT
            await starting.enter_async_context(self._desk.starting.held(self.session_id))
        self._place, self._sight, self._is_restricted = worktree, sight, bool(sight.untrusted)
        if not sight.untrusted:
            return agent
        how, paths = agent.without_project, [file.path for file in sight.untrusted]
        if obeyed := [path for path in paths if how is None or lies_in(path, how.except_files)]:
            raise errors.Untrusted(agent.label, worktree.name, obeyed)
        text = f"{agent.label} was started so that it does not obey {', '.join(paths)[:1000]}, which nobody trusts."
        await self._tell(current, Notice(code="untrusted", text=text))
        return agent.restricted()

    async def _start_in_turn(self, session: Session, worktree: Worktree, agent: AgentType) -> list[Notice]:
        if agent.is_builtin:
            return await self._start(session, worktree, agent)
        async with self._desk.firsts.alone(agent.name):
            now = await self._desk.trusts.look(worktree, agent.name)
            if changed := self._sight.differences(now):  # while it waited
                raise errors.ProjectFileChanged(worktree.name, changed)
            return await self._start(session, worktree, agent)

    async def _start(self, session: Session, worktree: Worktree, agent: AgentType) -> list[Notice]:
        """Start the agent and open the conversation. Returns what a reader should know about it."""
        desk, run_id = self._desk, self._run_id
        assert run_id is not None
        variables = await self._variables(session)
        kept = reader(agent.history) if agent.history else None
        env = environment.build(agent, run_id, pass_env=desk.config.pass_env, variables=variables)
        self.mask = mask = Mask(variables)
        mask.add(secrets(env))
        await desk.variables.hide(mask, worktree.id)
        looking = asyncio.create_task(self._begin_making(worktree, agent))
        try:
            launch = await self._prepare(session, worktree, agent, env)
            self._making = await looking
        except BaseException:
            await self._forget(set())
            raise
        finally:
            await end(looking)
        crash_point("run.recorded")
        plan = await desk.store.read(forks.plan, session, agent)
        start = partial(
            desk.start_agent,
            agent,
            cwd=Path(worktree.path),
            env=launch.env,
            executor=launch.executor,
            run_id=run_id,
            on_event=self._hear,
            on_permission=self._ask,
            on_options=self._reporter.note,
            on_spawned=self._spawned,
            mask=mask,
            now=desk.clock.now,
            last_error=partial(kept.last_error, env) if kept else None,
        )
        lost: list[Notice] = []
        skip: list[str] = []
        while True:
            self._agent = started = await self._start_process(start)
            try:
                opened = await started.open(
                    plan.previous,
                    fork_of=plan.fork_of,
                    wanted=options.wanted(agent, session, is_sandboxed=launch.is_on),
                    spent_usd=session.usage.cost_usd if plan.previous else None,
                    spent=session.usage if plan.previous else None,
                    tools=lambda: desk.grants.offer(session.id, run_id, mask),
                    skip=skip,
                )
                break
            except ConversationLost as error:
                self._agent = None
                if left := await started.stop():
                    await self._forget(set(left))
                    raise error.failure from error
                skip.append(error.method)
                lost.append(Notice(code="lost", text=f"{error.failure.message} It is started once more, without {error.method}."))
            except BaseException:
                await self._dismiss()
                raise
        if opened.how == "loaded" and kept:
            await asyncio.to_thread(kept.tidy, env, opened.agent_session_id)
        beginning = forks.begin(plan, opened.how, agent)
        self._context = beginning.context
        self._conversation = {"agent_session_id": opened.agent_session_id}
        if opened.how not in _BROUGHT_BACK:
            self._conversation["agent_session_since"] = desk.clock.now()
        if beginning.fork is not None:
            self._conversation["fork"] = beginning.fork
        return [*(notice.replace(run_id=run_id) for notice in (*lost, *beginning.notices)), *_left_out(opened.left)]

    async def _begin_making(self, worktree: Worktree, agent: AgentType) -> Making | None:
        if agent.is_builtin:
            return None
        since = self._desk.clock.now()
        return Making(agent.name, await self._desk.worktrees.untracked(worktree.id), since)

    async def _start_process(self, start: Callable[[], Awaitable[AgentSession]]) -> AgentSession:
        """Start it, after a while once more if another process of the agent was in its way."""
        waits = iter(_AGAIN_S)
        try:
            while True:
                try:
                    return await start()
                except Obstructed as error:
                    if (wait_s := next(waits, None)) is None:
                        raise error.failure from error
                    assert self._current is not None
                    text = f"{error.failure.message} It is started again in {wait_s:g} s."
                    await self._tell(self._current, Notice(code="obstructed", text=text))
                    await asyncio.sleep(wait_s)
        except BaseException:
            await self._forget(set())
            raise

    async def _await_minute(self, current: _Current, session: Session, starting: contextlib.AsyncExitStack) -> None:
        """For an agent that would lose a conversation which it loads in the minute in which it began. Others may start meanwhile."""
        since, now = session.agent_session_since, self._desk.clock.now()
        is_safe = (
            since is None
            or session.agent_session_id is None
            or since.replace(second=0, microsecond=0) != now.replace(second=0, microsecond=0)
        )
        if is_safe or not self._desk.agents.get(session.agent).loads_next_minute:
            return
        wait_s = 60.5 - now.second - now.microsecond / 1e6
        text = f"This agent can bring back its conversation from the next minute on. It starts in {wait_s:.0f} s."
        await self._tell(current, Notice(code="waits_to_load", text=text))
        await starting.aclose()
        await self._unless_cancelled(current, asyncio.sleep(wait_s))
        await starting.enter_async_context(self._desk.starting.held())

    async def _settle_options(self, current: _Current, session: Session) -> None:
        """What is wanted applies to this turn. Raises `BadOption` when the agent cannot have it."""
        agent = self._agent
        assert agent is not None
        for notice in _left_out(await agent.apply(options.wanted(agent.agent, session, is_sandboxed=self._is_sandboxed))):
            await self._tell(current, notice)
        await self._reporter.flush()

    async def _variables(self, session: Session) -> dict[str, str]:
        """Of the person whose session it is. If they change later, the process does not outlive its turn."""
        self._is_outdated = False
        self._account = await self._desk.variables.account_of(session)
        return await self._desk.variables.values(self._account)

    async def _spawned(self, process: Process) -> None:
        crash_point("run.spawned")
        assert self._run_id is not None
        await self._desk.store.write(kept_runs.started, self._run_id, process.pid, process.start_ticks)

    async def _dismiss(self) -> None:
        """Stop the process and all that it started. Its run is recorded from the claim on, before there is a process."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await ahead.end()
        agent, self._agent = self._agent, None
        self._making = None
        await self._forget(set(await agent.stop()) if agent is not None else set())
        await self._tell_background()
        await self._leave(None)
        await self._reporter.close()

    async def _forget(self, left: set[tuple[int, int]]) -> None:
        """Drop the record of the run, if nothing of it is left."""
        run_id, self._run_id = self._run_id, None
        launch, self._launch = self._launch, None
        if launch is not None:
            await self._desk.sandboxes.release(launch)
            if launch.is_on and self._current is None:  # else it is done when the turn ends
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_COLLECT_S):
                        await self._desk.sandboxes.collect(launch.worktree_id)
        if run_id is not None:
            with contextlib.suppress(errors.Unavailable):  # the next start revokes them all
                await asyncio.shield(self._desk.grants.revoke(run_id))
        if left:
            log.error("Processes of run %s could not be ended: %s", run_id, sorted(pid for pid, _ in left))
        elif run_id is not None:
            with contextlib.suppress(errors.Unavailable):  # the next start finds it gone
                await asyncio.shield(self._desk.store.write(kept_runs.delete, run_id))

    # Its sandbox

    @property
    def _is_sandboxed(self) -> bool:
        return self._launch is not None and self._launch.is_on

    async def _prepare(self, session: Session, worktree: Worktree, agent: AgentType, env: Mapping[str, str]) -> Launch:
        desk = self._desk
        assert self._run_id is not None
        try:
            self._launch = launch = await desk.sandboxes.prepare(worktree, agent, env, self._run_id, desk.executor)
            await desk.store.write(desk.sandboxes.tell, session.id, launch)
        except BaseException:
            await self._forget(set())
            raise
        is_unasked = launch.is_on and agent.sandbox_mode is not None and MODE not in session.chosen
        hides_gpu = await asyncio.to_thread(gpu_notice, launch) if session.sandbox is None else None
        if self._current is not None:
            for notice in [*launch.notices, *([hides_gpu] if hides_gpu else []), *([mode_notice(agent)] if is_unasked else [])]:
                await self._tell(self._current, notice)
        return launch

    def _look(self) -> Look:
        assert self._place is not None
        return Look(self._desk, self._place.id, is_sandboxed=self._is_sandboxed)

    async def _collect(self, current: _Current) -> None:
        """What the agent committed in the sandbox is on the worktree's branch."""
        if current.is_sandboxed:
            for notice in await self._desk.sandboxes.collect(current.turn.worktree_id):
                await self._tell(current, notice)
                current.is_spoiled = current.is_spoiled or notice.code == NOT_COLLECTED

    # What the agent says

    async def _hear(self, body: TranscriptBody, raw: JsonObject | None) -> None:
        current = self._current
        if current is not None:
            self._take_place(current)
            current.watchdog.hear(body)
            if isinstance(body, ToolCall):
                current.spoken.hear(said(body))
                if self._making is not None:
                    self._making.hear(body)
            if isinstance(body, UsageReported) and self._agent is not None:
                await self._desk.budgets.report(current.turn, self._cost(self._agent))
            await self._desk.collector.add(self.session_id, current.turn.id, body, raw)
            if isinstance(body, ToolCall) and self._desk.permissions.is_bare(current.turn.id, body.tool_call_id):
                await self._desk.permissions.learn(current.turn.id, about(body))

    async def _tell(self, current: _Current, notice: Notice) -> None:
        await self._desk.collector.add(self.session_id, current.turn.id, notice)

    async def _ask(self, question: Question) -> str | None:
        """While people think, others may work."""
        async with self._asking:
            current = self._current
            if current is None or current.cancelled.is_set():
                return None
            await self._desk.collector.flush()
            self._take_place(current)
            current.watchdog.is_paused = True
            running = self._desk.running
            running.release()
            try:
                answer = await self._desk.permissions.ask(current.turn, question)
                if running.is_full:
                    text = f"{running.taken} of {running.count} agents work. This one goes on before all others in line."
                    await self._tell(current, Notice(code="waits_for_place", text=text))
                await running.acquire(since=FIRST)
            except BaseException:
                running.take()
                raise
            finally:
                current.watchdog.is_paused = False
                current.watchdog.hear()
            return answer

    # Helpers

    async def _worktree(self, session: Session) -> Worktree:
        worktree = await self._desk.worktrees.get(session.worktree_id)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        return worktree

    async def _signer(self) -> Signer | None:
        return await asyncio.to_thread(signers.waiting, self._run_id) if self._run_id is not None else None

    async def _unless_cancelled(self, current: _Current, work: Awaitable[T]) -> T:
        """Do it, unless a person cancels the turn meanwhile: then it is broken off and cleans up after itself."""
        doing = asyncio.ensure_future(work)
        stopping = asyncio.create_task(current.cancelled.wait())
        try:
            await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise _Cancelled
            return doing.result()
        finally:
            await end(stopping, doing)


def _left_out(option_ids: list[str]) -> list[Notice]:
    text = "The agent has no option {!r} now, perhaps because of its model. It was left out."
    return [Notice(code="option_left_out", text=text.format(option_id[:80])) for option_id in option_ids]
