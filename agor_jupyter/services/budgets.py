"""Budgets: what sessions, worktrees, boards and people may use. Only people set them.

A hard limit is looked at in the transaction that accepts a prompt and in the one that claims a turn, so no turn starts above it; and at
each report of a turn that runs, which is cancelled then. What turns used that run just now counts too, as far as their agents say.
"""

from collections.abc import Mapping
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
from agor_jupyter.domain.turns import Turn
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.ledger import Ledger, subjects
from agor_jupyter.services.transitions import derive, find_session, save
from agor_jupyter.storage import budgets, ledger, sessions, turns, worktrees
from agor_jupyter.storage.store import Store, Transaction

_Subject = tuple[str, str]
_Budgets = list[Budget]
_Turns = list[Turn]
_Subjects = list[_Subject]
Spending = Mapping[_Subject, float]
"""What turns that run have used and the ledger does not have yet."""

STOPPED = "The turn was stopped. Raise it, then resume the turn."
WAITS = "The turn waits until it is raised or removed."


class Workers(Protocol):
    """`services.runner.Runner` is one."""

    def wake(self, session_id: SessionId) -> None: ...
    def exhaust(self, session_id: SessionId, turn_id: TurnId, error: errors.BudgetExhausted) -> None: ...


class Budgets:
    def __init__(self, store: Store, clock: Clock, books: Ledger, workers: Workers) -> None:
        self._store, self._clock, self.books, self._workers = store, clock, books, workers
        self._live: dict[TurnId, tuple[SessionId, _Subjects, float]] = {}

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
        subject = self.books.account(request.subject) if request.scope == "user" else request.subject
        due: list[Turn] = []

        def job(transaction: Transaction) -> Budget:
            due.clear()
            connection = transaction.connection
            _require_subject(connection, request.scope, subject)
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
        await self._check_live()
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

    def spending(self) -> Spending:
        """As it is now, for a transaction."""
        found: dict[_Subject, float] = {}
        for _, of, cost in self._live.values():
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

    def charge(self, transaction: Transaction, turn: Turn, session: Session, cost_usd: float | None, at: datetime) -> None:
        """The ledger got rows: count them, and say where a limit was reached, or that nobody knows what it cost."""
        connection = transaction.connection
        counted = budgets.of(connection, subjects(session, self.books.payer(connection, turn.created_by.username)))
        if cost_usd is None:
            if counted:
                text = "Neither the agent nor the table of prices says what this turn cost. No budget counts it."
                transaction.append(at, Notice(code="cost_unknown", text=text), session_id=session.id, turn_id=turn.id)
            return
        for before in counted:
            budget = before.replace(spent_usd=before.spent_usd + cost_usd, updated_at=at)
            self._store_state(transaction, before.state, budget, 0.0, session.id, turn.id, at)

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
            limit = budget.soft_usd if budget.state == "warned" else budget.hard_usd
            what = "near its limit" if budget.state == "warned" else "used up"
            name = _name(transaction.connection, budget)
            spent = budget.spent_usd + live
            text = f"The budget of {budget.scope} {name!r} is {what}: ${spent:.2f} of ${limit:.2f}."
            transaction.append(at, Notice(code=f"budget_{budget.state}", text=text), session_id=session_id, turn_id=turn_id)

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
        """What a turn that runs has cost until now."""
        if cost_usd is None:
            return
        if turn.id not in self._live:
            of = await self._store.read(self._subjects_of, turn)
            self._live.setdefault(turn.id, (turn.session_id, of, 0.0))
        session_id, of, _ = self._live[turn.id]
        self._live[turn.id] = session_id, of, cost_usd
        await self._check_live()

    def forget(self, turn: Turn) -> None:
        """It ended; the ledger has it."""
        self._live.pop(turn.id, None)

    def _subjects_of(self, connection: Connection, turn: Turn) -> _Subjects:
        session = sessions.get(connection, turn.session_id)
        return subjects(session, self.books.payer(connection, turn.created_by.username)) if session else []

    async def _check_live(self) -> None:
        """Warn where a soft limit is passed, and stop the turns of each budget that is used up."""
        live = dict(self._live)
        if not live:
            return
        over = await self._store.write(self._note_live, live, self.spending(), self._clock.now())
        for turn_id, error in over.items():
            self._workers.exhaust(live[turn_id][0], turn_id, error)

    def _note_live(
        self,
        transaction: Transaction,
        live: Mapping[TurnId, tuple[SessionId, _Subjects, float]],
        spending: Spending,
        at: datetime,
    ) -> dict[TurnId, errors.BudgetExhausted]:
        over: dict[TurnId, errors.BudgetExhausted] = {}
        for turn_id, (session_id, of, _) in live.items():
            for budget in budgets.of(transaction.connection, of):
                used = spending.get((budget.scope, budget.subject), 0.0)
                if _state(budget, used) != budget.state:
                    self._store_state(transaction, budget.state, budget, used, session_id, turn_id, at)
                if error := _over(transaction.connection, budget, used, STOPPED):
                    over.setdefault(turn_id, error)
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


def _name(connection: Connection, budget: Budget) -> str:
    """As people call the subject."""
    if budget.scope == "session" and (session := sessions.get(connection, budget.subject)):
        return session.title
    if budget.scope == "worktree" and (worktree := worktrees.find(connection, WorktreeId(budget.subject))):
        return worktree.name
    return budget.subject


def _require_subject(connection: Connection, scope: BudgetScope, subject: str) -> None:
    if scope == "session" and sessions.get(connection, subject) is None:
        raise errors.SessionNotFound(subject)
    if scope == "worktree" and worktrees.find(connection, WorktreeId(subject)) is None:
        raise errors.WorktreeNotFound(subject)
