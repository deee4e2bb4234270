"""Budgets: what sessions, trees of them, worktrees, boards and people may use. Only people set them.

A hard limit is looked at in the transaction that accepts a prompt and in the one that claims a turn, so no turn starts above it; and when a
turn says what it used, when one ends and when a limit is set: every turn that runs above it is cancelled then. What turns used that run
just now counts too, as far as their agents say.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.budgets import Budget, BudgetScope, BudgetSet, BudgetState
from agor_jupyter.domain.events import BudgetChanged, Notice, Removed
from agor_jupyter.domain.ids import BudgetId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.parking import BUDGET
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn, TurnState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.money.ledger import Charge, Ledger, root_of, subjects
from agor_jupyter.services.transitions import derive, find_session, save
from agor_jupyter.storage import budgets, ledger, sessions, turns, worktrees
from agor_jupyter.storage.store import Store, Transaction

_Subject = tuple[str, str]
_Budgets = list[Budget]
_Turns = list[Turn]
_Subjects = list[_Subject]
_Over = list[tuple[Turn, errors.BudgetExhausted]]
Spending = Mapping[_Subject, float]
"""What turns that run have used and the ledger does not have yet."""

_AT_WORK = (TurnState.STARTING, TurnState.RUNNING, TurnState.WAITING)

STOPPED = "The turn was stopped. Raise it, then resume the turn."
WAITS = "The turn waits until it is raised or removed."


class Workers(Protocol):
    """`services.sessions.runner.Runner` is one."""

    def wake(self, session_id: SessionId) -> None: ...
    def exhaust(self, session_id: SessionId, turn_id: TurnId, error: errors.BudgetExhausted) -> None: ...


class Budgets:
    on_spent: Callable[[Turn, float], None] = staticmethod(lambda _turn, _cost: None)
    """Told what a turn that runs has cost until now."""

    def __init__(self, store: Store, clock: Clock, books: Ledger, workers: Workers) -> None:
        self._store, self._clock, self.books, self._workers = store, clock, books, workers
        self._live: dict[TurnId, tuple[_Subjects, float]] = {}
        self._stopped: set[TurnId] = set()

    async def list(self, scope: BudgetScope | None = None, subject: str | None = None) -> _Budgets:
        found = await self._store.read(budgets.every)
        if scope == "user" and subject is not None:
            subject = self.books.account(subject)
        return [one for one in found if scope in (None, one.scope) and subject in (None, one.subject)]

    async def set(self, caller: Caller, request: BudgetSet, key: str) -> Budget:
        """Make the budget of a scope and subject, or change its limits. Turns that waited for it go on.

        Errors:
            SessionNotFound, WorktreeNotFound: the subject.
        """
        caller.require(Role.OWNER, "set a budget")
        at, new_id = self._clock.now(), BudgetId(self._clock.new_id("budget"))
        given = self.books.account(request.subject) if request.scope == "user" else request.subject
        due: list[Turn] = []

        def job(transaction: Transaction) -> Budget:
            due.clear()
            connection = transaction.connection
            subject = _require_subject(connection, request.scope, given)
            known = next(iter(budgets.of(connection, [(request.scope, subject)])), None)
            limits = {"soft_usd": request.soft_usd, "hard_usd": request.hard_usd}
            spent = ledger.total(connection, request.scope, subject)
            budget = (
                known.replace(**limits, spent_usd=spent, updated_at=at)
                if known
                else Budget(
                    id=new_id,
                    scope=request.scope,
                    subject=subject,
                    spent_usd=spent,
                    created_at=at,
                    created_by=caller.person,
                    updated_at=at,
                    **limits,
                )
            )
            budget = budget.replace(state=_state(budget, 0.0))
            (budgets.save if known else budgets.insert)(transaction, budget)
            transaction.append(at, BudgetChanged(budget=budget))
            due.extend(self._unpark(transaction, at))
            return budget

        outcome = await self._store.write(lambda t: once(t, key, caller, "budget.set", request, at, job, Budget))
        self._go_on(due)
        await self.check()
        return outcome.record

    async def remove(self, caller: Caller, budget_id: str, key: str) -> Budget:
        """Errors:
        BudgetNotFound.
        """
        caller.require(Role.OWNER, "remove a budget")
        at = self._clock.now()
        due: list[Turn] = []

        def job(transaction: Transaction) -> Budget:
            due.clear()
            budget = budgets.get(transaction.connection, budget_id)
            if budget is None:
                raise errors.BudgetNotFound(budget_id)
            budgets.delete(transaction, budget)
            transaction.append(at, Removed(noun="budget", id=budget.id))
            due.extend(self._unpark(transaction, at))
            return budget

        outcome = await self._store.write(lambda t: once(t, key, caller, "budget.remove", [budget_id], at, job, Budget))
        self._go_on(due)
        return outcome.record

    # Within other transactions

    def limit(self, transaction: Transaction, session: Session, hard_usd: float, by: Caller, at: datetime) -> None:
        """A budget of a session that begins. Whoever starts it may give it one; to raise or remove it takes an owner."""
        budget = Budget(
            id=BudgetId(f"bu_{session.id.removeprefix('se_')}"),
            scope="session",
            subject=session.id,
            hard_usd=hard_usd,
            created_at=at,
            created_by=by.person,
            updated_at=at,
        )
        budgets.insert(transaction, budget)
        transaction.append(at, BudgetChanged(budget=budget))

    def spending(self) -> Spending:
        """As it is now, for a transaction."""
        found: dict[_Subject, float] = {}
        for of, cost in self._live.values():
            for subject in of:
                found[subject] = found.get(subject, 0.0) + cost
        return found

    def exhausted(
        self, connection: Connection, session: Session, username: str, spending: Spending, then: str
    ) -> errors.BudgetExhausted | None:
        """The first budget that lets nothing start for this session and this sender of a prompt."""
        for budget in budgets.of(connection, subjects(session, self.books.payer(connection, username))):
            if error := _over(connection, budget, spending.get((budget.scope, budget.subject), 0.0), then):
                return error
        return None

    def require(self, transaction: Transaction, session: Session, username: str, spending: Spending) -> None:
        """Raises `BudgetExhausted`."""
        if error := self.exhausted(transaction.connection, session, username, spending, "Nothing was started. Raise it, then send again."):
            raise error

    def charge(  # noqa: PLR0917
        self, transaction: Transaction, turn: Turn, session: Session, charges: Sequence[Charge], spending: Spending, at: datetime
    ) -> None:
        """The ledger got rows: count them, and say where a limit was reached, or that nobody knows what a model cost."""
        connection = transaction.connection
        counted = budgets.of(connection, subjects(session, self.books.payer(connection, turn.created_by.username)))
        costs = [charge.cost_usd for charge in charges if charge.cost_usd is not None]
        if counted and len(costs) < len(charges):
            models = {charge.usage.model for charge in charges if charge.cost_usd is None and charge.usage.model}
            what = f" of {', '.join(sorted(models))}" if models else ""
            text = f"Neither the agent nor the price table says what this turn's usage{what} cost, so no budget counts it."
            transaction.append(at, Notice(code="cost_unknown", text=text), session_id=session.id, turn_id=turn.id)
        if not costs:
            return
        for before in counted:
            budget = before.replace(spent_usd=before.spent_usd + sum(costs), updated_at=at)
            live = spending.get((budget.scope, budget.subject), 0.0)
            self._store_state(transaction, before.state, budget, live, session.id, turn.id, at)

    def _store_state(  # noqa: PLR0917
        self,
        transaction: Transaction,
        before: BudgetState,
        budget: Budget,
        live: float,
        session_id: SessionId,
        turn_id: TurnId,
        at: datetime,
    ) -> None:
        budget = budget.replace(state=_state(budget, live))
        budgets.save(transaction, budget)
        transaction.append(at, BudgetChanged(budget=budget))
        if budget.state not in {before, "ok"}:
            transaction.append(at, _notice(transaction.connection, budget, live), session_id=session_id, turn_id=turn_id)

    def _unpark(self, transaction: Transaction, at: datetime) -> _Turns:
        """Turns that waited for a budget are due now, if none stops them any more."""
        found = []
        for turn in turns.all_parked(transaction.connection):
            if turn.error_code != BUDGET:
                continue
            session = find_session(transaction, turn.session_id)
            if self.exhausted(transaction.connection, session, turn.created_by.username, {}, WAITS) is None:
                found.append(save(transaction, turn.replace(retry_at=at), at))
                derive(transaction, session.id, at)
        return found

    def _go_on(self, due: _Turns) -> None:
        for turn in due:
            self._workers.wake(turn.session_id)

    # While turns run

    async def report(self, turn: Turn, cost_usd: float | None) -> None:
        """What a turn that runs has cost until now, at least."""
        if cost_usd is None:
            return
        if turn.id not in self._live:
            of = await self._store.read(self._subjects_of, turn)
            self._live.setdefault(turn.id, (of, 0.0))
        of, _ = self._live[turn.id]
        self._live[turn.id] = of, cost_usd
        self.on_spent(turn, cost_usd)
        await self.check(turn.id)

    def forget(self, turn: Turn) -> None:
        """It ended; the ledger has it."""
        self._live.pop(turn.id, None)
        self._stopped.discard(turn.id)

    def _subjects_of(self, connection: Connection, turn: Turn) -> _Subjects:
        session = sessions.get(connection, turn.session_id)
        return subjects(session, self.books.payer(connection, turn.created_by.username)) if session else []

    async def check(self, reporting: TurnId | None = None) -> None:
        """Warn where a soft limit is passed, and stop every turn of each budget that is used up. `reporting` is told first."""
        if not await self._store.read(budgets.every):
            return
        over = await self._store.write(self._note, self.spending(), frozenset(self._stopped), reporting, self._clock.now())
        for turn, error in over:
            self._stopped.add(turn.id)
            self._workers.exhaust(turn.session_id, turn.id, error)

    def _note(
        self, transaction: Transaction, spending: Spending, stopped: Collection[TurnId], reporting: TurnId | None, at: datetime
    ) -> _Over:
        connection, over = transaction.connection, []
        at_work = [turn for turn in turns.all_open(connection) if turn.state in _AT_WORK]
        for turn in sorted(at_work, key=lambda turn: turn.id != reporting):
            told = set(stopped)
            for budget in budgets.of(connection, self._subjects_of(connection, turn)):
                used = spending.get((budget.scope, budget.subject), 0.0)
                if (state := _state(budget, used)) != budget.state:
                    self._store_state(transaction, budget.state, budget, used, turn.session_id, turn.id, at)
                    told |= {turn.id} if state == "exhausted" else set()
                error = _over(connection, budget, used, STOPPED)
                if error and turn.id not in told:
                    notice = _notice(connection, budget.replace(state=state), used)
                    transaction.append(at, notice, session_id=turn.session_id, turn_id=turn.id)
                if error:
                    over.append((turn, error))
                    break
        return over


def _state(budget: Budget, live: float) -> BudgetState:
    spent = budget.spent_usd + live
    if budget.hard_usd is not None and spent >= budget.hard_usd:
        return "exhausted"
    return "warned" if budget.soft_usd is not None and spent >= budget.soft_usd else "ok"


def _over(connection: Connection, budget: Budget, live: float, then: str) -> errors.BudgetExhausted | None:
    if _state(budget, live) != "exhausted" or budget.hard_usd is None:
        return None
    return errors.BudgetExhausted(
        budget.scope,
        budget.subject,
        spent_usd=budget.spent_usd + live,
        hard_usd=budget.hard_usd,
        name=_name(connection, budget),
        then=then,
    )


def _notice(connection: Connection, budget: Budget, live: float) -> Notice:
    limit = budget.soft_usd if budget.state == "warned" else budget.hard_usd
    what = "near its limit" if budget.state == "warned" else "used up"
    text = f"The budget of {budget.scope} {_name(connection, budget)!r} is {what}: ${budget.spent_usd + live:.2f} of ${limit:.2f}."
    return Notice(code=f"budget_{budget.state}", text=text)


def _name(connection: Connection, budget: Budget) -> str:
    """As people call the subject."""
    if budget.scope in {"session", "tree"} and (session := sessions.get(connection, budget.subject)):
        return session.title
    if budget.scope == "worktree" and (worktree := worktrees.find(connection, WorktreeId(budget.subject))):
        return worktree.name
    return budget.subject


def _require_subject(connection: Connection, scope: BudgetScope, subject: str) -> str:
    """It, or for any session of a tree the root."""
    session = sessions.get(connection, subject) if scope in {"session", "tree"} else None
    if scope in {"session", "tree"} and session is None:
        raise errors.SessionNotFound(subject)
    if scope == "worktree" and worktrees.find(connection, WorktreeId(subject)) is None:
        raise errors.WorktreeNotFound(subject)
    return root_of(session) if scope == "tree" and session is not None else subject
