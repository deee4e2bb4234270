"""Goes on with firings: each step is one transaction that does it and says that it is done, so that no kill can double or lose one.

It is told of what happens by events, and looks over all that is live when the server starts. So it needs no cursor in the log: the table
of firings says what is under way, and a firing's record says what comes next (`steps.following`).
"""

import asyncio
import logging
from collections.abc import Callable

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.events import BudgetChanged, FiringChanged, Removed, TurnChanged, WorktreeChanged
from agor_jupyter.domain.ids import FiringId, ObjectId, WorktreeId
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.domain.zones import IN_WORK, LIVE, Firing, FiringState, ZonePolicy
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.events import Events
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.tasks import end
from agor_jupyter.services.zones import looks, moves, steps
from agor_jupyter.services.zones.beginnings import Beginnings
from agor_jupyter.services.zones.endings import Endings
from agor_jupyter.services.zones.looks import Look
from agor_jupyter.services.zones.moves import Job
from agor_jupyter.services.zones.pokes import Pokes
from agor_jupyter.services.zones.prompts import Draft, Prompts
from agor_jupyter.storage import firings, worktrees
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_LOOK_S = 30.0
"""How often what waits is looked at though no event tells of it: a board could not be read, or a policy was edited by hand."""
_ADMIT_S = 0.5

Place = tuple[str, ObjectId]
"""A board and a zone of it."""


class Engine:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self,
        store: Store,
        clock: Clock,
        events: Events,
        boards: Boards,
        agents: Agents,
        sessions: Sessions,
        runner: Runner,
        prompts: Prompts,
    ) -> None:
        self._store, self._clock, self._events, self._boards = store, clock, events, boards
        self._runner = runner
        self._beginnings = Beginnings(store, clock, agents, sessions, prompts)
        self.endings = Endings(clock, boards, prompts)
        self._firings: Pokes[FiringId] = Pokes(self._advance)
        self._zones: Pokes[Place] = Pokes(self._admit)
        self._cards: Pokes[WorktreeId] = Pokes(self._place)
        self._live: dict[FiringId, Firing] = {}  # in the order of arrival
        self._drafts: dict[FiringId, Draft] = {}
        self._spent: dict[FiringId, dict[str, float]] = {}
        self._unsubscribe: Callable[[], None] = lambda: None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        kinds = (TurnChanged, FiringChanged, WorktreeChanged, BudgetChanged, Removed)
        self._unsubscribe = self._events.subscribe(kinds, lambda body, _: self._hear(body))
        for firing in await self._store.read(firings.live):
            self._live.setdefault(firing.id, firing)
        for one in await self._store.read(firings.unplaced):
            self._cards.poke(one.worktree_id)
        self._look_over()
        self._looking = asyncio.create_task(self._look_often(), name="zones")

    async def close(self) -> None:
        self._unsubscribe()
        if self._looking is not None:
            await end(self._looking)
        for pokes in (self._firings, self._zones, self._cards):
            await pokes.close()

    def poke(self, firing: Firing, draft: Draft | None = None) -> None:
        """Something about it changed. `draft` is its prompt as it would be sent at this moment."""
        if draft is not None:
            self._drafts[firing.id] = draft
        if firing.state is FiringState.WAITING:
            self._zones.poke((firing.board, firing.zone_id))
        else:
            self._firings.poke(firing.id)

    async def admitted(self, firing: Firing) -> None:
        """Wait, not for long, until it was looked at, so that what else the command does is in nobody's way."""
        await self._zones.settled((firing.board, firing.zone_id), _ADMIT_S)

    def poke_zone(self, board: str, zone_id: ObjectId) -> None:
        """Its policy changed."""
        self._zones.poke((board, zone_id))

    def tell(self, cancelled: moves.Cancelled) -> None:
        """These turns were cancelled in a transaction that is committed."""
        for turn in cancelled:
            self._runner.cancel(turn)

    def spent(self, turn: Turn, cost_usd: float) -> None:
        """What a turn that runs has cost until now: over the budget of its firing, all its turns are cancelled."""
        firing = self._live.get(turn.firing_id) if turn.firing_id else None
        if firing is None or firing.policy.budget_usd is None:
            return
        costs = self._spent.setdefault(firing.id, {})
        costs[turn.id] = cost_usd
        if sum(costs.values()) > firing.policy.budget_usd:
            self._firings.poke(firing.id)

    # What happens elsewhere

    def _hear(self, body: object) -> None:
        match body:
            case FiringChanged(firing=firing):
                self._note(firing)
            case TurnChanged(turn=turn) if turn.firing_id in self._live and (turn.state in ENDED or turn.resolution):
                self._firings.poke(turn.firing_id)
            case WorktreeChanged(worktree=worktree):
                self._poke_all(lambda one: one.worktree_id == worktree.id and (bool(one.waits_for) or _is_off(one, worktree)))
            case Removed(noun="worktree", id=gone):
                self._poke_all(lambda one: one.worktree_id == gone)
            case BudgetChanged() | Removed(noun="budget"):
                self._poke_all(lambda one: bool(one.waits_for))
            case _:
                pass

    def _poke_all(self, concerns: Callable[[Firing], bool]) -> None:
        for firing in [one for one in self._live.values() if concerns(one)]:
            self.poke(firing)

    def _note(self, firing: Firing) -> None:
        """Keep up with what is live; one that leaves its place lets the next one in."""
        before = self._live.get(firing.id)
        if firing.state in LIVE:
            self._live[firing.id] = firing
        else:
            self._live.pop(firing.id, None)
            self._spent.pop(firing.id, None)
            self._drafts.pop(firing.id, None)
        if before is not None and before.state in IN_WORK and firing.state not in IN_WORK:
            self._zones.poke((firing.board, firing.zone_id))

    def _look_over(self) -> None:
        self._poke_all(lambda _: True)

    async def _look_often(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._poke_all(lambda one: bool(one.waits_for))

    # Into work

    async def _admit(self, place: Place) -> None:
        """Let those in that wait for a place in a zone, in order, as far as the zone is as it is now."""
        board, zone_id = place
        waiting = [one for one in self._live.values() if one.state is FiringState.WAITING and (one.board, one.zone_id) == place]
        if not waiting:
            return
        zone, trouble = await self.endings.sight(board, zone_id)
        is_full: str | None = None
        for firing in waiting:
            if is_full is not None and firing.waits_for == is_full:
                continue
            look = await self._store.read(looks.look, firing.id)
            if look.firing.state is not FiringState.WAITING:
                continue
            gone = looks.gone(look)
            if look.worktree is None or gone is not None:
                await self._withdraw(look.firing, gone or "")
            elif trouble is None and zone is None:
                await self._withdraw(look.firing, "The zone was removed.")
            elif why := trouble or _holds(zone, look.worktree) or is_full:
                self._drafts.pop(firing.id, None)
                await self._wait(look.firing, why)
            else:
                is_full = await self._step(look, limit=(zone.policy or ZonePolicy()).limit if zone else None)

    # Step by step

    async def _advance(self, firing_id: FiringId) -> None:
        while True:
            look = await self._store.read(looks.look, firing_id)
            if look.firing.state not in LIVE:
                return
            if look.firing.state is FiringState.WAITING:
                self._zones.poke((look.firing.board, look.firing.zone_id))
                return
            if (gone := looks.gone(look)) is not None:
                await self._withdraw(look.firing, gone)
                return
            if look.firing.state in {FiringState.ASKING, FiringState.APPROVAL}:
                return
            before = look.firing.updated_at, look.firing.state, len(look.firing.runs)
            await self._step(look)
            now = await self._store.read(moves.find, firing_id)
            if (now.updated_at, now.state, len(now.runs)) == before or any(run.outcome is None for run in now.runs):
                return

    async def _step(self, look: Look, limit: int | None = None) -> str | None:
        """Do what comes next. Returns why there is no place, if there is none."""
        firing, worktree = look.settled, look.worktree
        assert worktree is not None
        step = steps.following(firing)
        try:
            if isinstance(step, steps.Wait):
                await self._await(look)
                return None
            job = await self._prepared(step, firing, worktree)
        except (errors.BudgetExhausted, errors.WorktreeNotReady, errors.WorktreeInUse, errors.BadDocument) as error:
            await self._wait(look.firing, error.message)
            return None
        except errors.Unavailable as error:
            if not isinstance(error, errors.NotebookGate | errors.IssueRefused | errors.IssueUnavailable):
                raise
            await self._fail(look, error.message)
            return None
        except errors.AgorError as error:
            await self._fail(look, _said(error))
            return None
        return await self._do(look, job, limit)

    async def _do(self, look: Look, job: Job, limit: int | None) -> str | None:
        def guarded(transaction: Transaction) -> Firing | str | None:
            connection = transaction.connection
            now = looks.look(connection, look.firing.id)
            if now.firing != look.firing or now.settled != look.settled or now.worktree is None:
                return None  # something came in between
            if limit is not None and (count := firings.in_work(connection, now.firing.board, now.firing.zone_id)) >= limit:
                return f"a place: {count} of {limit} in work"
            done = job(transaction, now.settled, now.worktree)
            crash_point("zone.before_commit")
            return done

        try:
            done = await self._store.write(guarded)
        except (errors.BudgetExhausted, errors.WorktreeNotReady, errors.WorktreeInUse) as error:
            await self._wait(look.firing, error.message)
            return None
        except errors.Unavailable:
            raise
        except errors.AgorError as error:
            await self._fail(look, _said(error))
            return None
        crash_point("zone.after_commit")
        if isinstance(done, str):
            await self._wait(look.firing, done)
            return done
        if done is None:
            self.poke(look.firing)
            return None
        await self.go_on(done)
        return None

    async def go_on(self, firing: Firing) -> None:
        """A step of it is committed."""
        for run in firing.runs:
            if run.session_id is not None and run.outcome is None:
                self._runner.wake(run.session_id)
        if firing.moved_to is not None:
            self._cards.poke(firing.worktree_id)
            if (following := await self._store.read(firings.of_arrival, firing.worktree_id, firing.arrival + 1)) is not None:
                self.poke(following)
        if steps.awaited(firing) is None and not any(run.outcome is None for run in firing.runs):
            self.poke(firing)

    async def _prepared(self, step: steps.Check | steps.Send | steps.Fail | steps.Finish, firing: Firing, worktree: Worktree) -> Job:
        match step:
            case steps.Check():
                return await self._beginnings.check(step, firing, worktree)
            case steps.Send():
                return await self._beginnings.send(firing, worktree, self._drafts.pop(firing.id, None))
            case steps.Fail(reason=reason):
                return await self.endings.end(firing, FiringState.FAILED, reason)
            case steps.Finish():
                return await self.endings.finish(firing)

    async def _fail(self, look: Look, reason: str) -> None:
        try:
            job = await self.endings.end(look.settled, FiringState.FAILED, reason)
        except errors.BadDocument as error:
            await self._wait(look.firing, error.message)
            return
        await self._do(look, job, None)

    async def _withdraw(self, firing: Firing, reason: str) -> None:
        at = self._clock.now()

        def job(transaction: Transaction) -> moves.Cancelled:
            now = moves.find(transaction.connection, firing.id)
            if now.state not in LIVE:
                return []
            return moves.withdraw(transaction, now, looks.SERVER, at, reason)[1]

        self.tell(await self._store.write(job))

    async def _wait(self, firing: Firing, waits_for: str) -> None:
        """Say what it waits for."""
        at = self._clock.now()

        def job(transaction: Transaction) -> None:
            now = moves.find(transaction.connection, firing.id)
            if now.state is firing.state and now.waits_for != waits_for:
                moves.save(transaction, now, at, waits_for=waits_for[:500])

        if firing.waits_for != waits_for:
            await self._store.write(job)

    async def _await(self, look: Look) -> None:
        """While turns of it run: say what some of them came to, and cancel them all as soon as they have cost too much."""
        firing, at = look.settled, self._clock.now()
        costs = self._spent.get(firing.id, {})
        live = sum(cost for turn_id, cost in costs.items() if any(run.turn_id == turn_id and run.outcome is None for run in firing.runs))
        budget = firing.policy.budget_usd
        is_over = budget is not None and firing.cost_usd + live > budget and firing.cost_usd <= budget

        def job(transaction: Transaction) -> moves.Cancelled:
            if moves.find(transaction.connection, firing.id) != look.firing:
                return []
            moves.save(transaction, firing, at, **({"cost_usd": firing.cost_usd + live} if is_over else {}))
            return moves.stop_turns(transaction, firing, looks.SERVER, at) if is_over else []

        if is_over or firing != look.firing:
            self.tell(await self._store.write(job))

    # The document

    async def _place(self, worktree_id: WorktreeId) -> None:
        """Bring a card on its board to where its last arrival was."""
        worktree = await self._store.read(worktrees.find, worktree_id)
        if worktree is not None and worktree.state is not WorktreeState.ARCHIVED and worktree.zone_id is not None:
            await self._boards.bring(worktree, worktree.zone_id)
        crash_point("zone.placed")
        await self._store.write(firings.placed, worktree_id, worktree.arrival if worktree else 1 << 30)


def _is_off(firing: Firing, worktree: Worktree) -> bool:
    return worktree.state is not WorktreeState.READY or moves.has_left(firing, worktree)


def _holds(zone: Zone | None, worktree: Worktree) -> str | None:
    """Why nothing begins there now."""
    if zone is not None and zone.policy is not None and zone.policy.is_paused:
        return "the zone, which is paused"
    if zone is not None and (zone.policy is None or not zone.policy.is_on):
        return "the zone, which is turned off"
    if worktree.state is not WorktreeState.READY:
        return f"the worktree, which is {worktree.state.value}"
    return None


def _said(error: errors.AgorError) -> str:
    return error.message[:2000]
