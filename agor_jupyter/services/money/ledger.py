"""The ledger: what each turn used, by model, in the transaction that ends the turn or parks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain.costs import LedgerRow, ModelUsage
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.options import MODEL
from agor_jupyter.domain.prices import PriceTable
from agor_jupyter.domain.sessions import Session, Usage
from agor_jupyter.domain.turns import Turn
from agor_jupyter.storage import ledger, sessions
from agor_jupyter.storage.store import Store, Transaction

_TOKENS = ("input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens")
_AGENT = "agent:"


@dataclass(frozen=True)
class Charge:
    """What one model cost. `is_estimate`: from tokens and the price table."""

    usage: ModelUsage
    cost_usd: float | None
    is_estimate: bool
    is_from_table: bool


class Ledger:
    def __init__(self, store: Store, prices: PriceTable, only_account: str | None) -> None:
        self._store, self.prices, self._only_account = store, prices, only_account

    async def page(
        self,
        *,
        session: str | None = None,
        worktree: str | None = None,
        board: str | None = None,
        user: str | None = None,
        since: datetime | None = None,
        limit: int = 10_000,
    ) -> bytes:
        """The newest first: a JSON array of rows."""
        given = {"session": session, "worktree": worktree, "board": board, "user": user and self.account(user)}
        filters = {name: value for name, value in given.items() if value is not None}
        moment = since.isoformat(timespec="milliseconds") if since else None
        return f"[{','.join(await self._store.read(ledger.page, filters, since=moment, limit=limit))}]".encode()

    def account(self, username: str) -> str:
        """Where the server knows no people, everybody is the person who runs it."""
        return self._only_account or username

    def payer(self, connection: Connection, username: str) -> str:
        """The person whose budget counts: an agent that prompts does so for the one whose session it has."""
        seen: set[str] = set()
        while username.startswith(_AGENT) and username not in seen:
            seen.add(username)
            session = sessions.get(connection, username.removeprefix(_AGENT))
            if session is None:
                break
            username = session.created_by.username
        return self.account(username)

    def charges(self, session: Session, usage: Usage | None, models: Sequence[ModelUsage]) -> list[Charge]:
        """What an attempt used. What the agent says it cost is dealt out to its models by their prices, else by their tokens."""
        if usage is None and not models:
            return []
        usage = usage or Usage()
        rows = list(models) or [ModelUsage(model=_chosen(session), **{name: getattr(usage, name) for name in _TOKENS})]
        if not usage.cost_usd:
            rows = [row for row in rows if any(getattr(row, name) for name in _TOKENS)]  # nothing costs nothing
        estimates = [self.prices.estimate(row) for row in rows]
        if usage.cost_usd is None:
            return [Charge(row, cost, cost is not None, cost is not None) for row, cost in zip(rows, estimates, strict=True)]
        weights = [cost or 0.0 for cost in estimates]
        if None in estimates or not sum(weights):
            weights = [float(sum(getattr(row, name) or 0 for name in _TOKENS)) for row in rows]
        whole = sum(weights)
        shares = [weight / whole if whole else 1 / len(rows) for weight in weights]
        return [Charge(row, usage.cost_usd * share, usage.is_estimate, False) for row, share in zip(rows, shares, strict=True)]

    def record(self, transaction: Transaction, turn: Turn, session: Session, charges: Sequence[Charge], at: datetime) -> None:
        username = self.payer(transaction.connection, turn.created_by.username)
        for charge in charges:
            row = LedgerRow(
                turn_id=turn.id,
                session_id=session.id,
                worktree_id=session.worktree_id,
                board=session.board,
                username=username,
                agent=session.agent,
                at=at,
                cost_usd=charge.cost_usd,
                is_estimate=charge.is_estimate,
                prices_as_of=self.prices.as_of if charge.is_from_table else None,
                **dict(charge.usage),
            )
            ledger.insert(transaction, row)


def summed(usage: Usage | None, charges: Sequence[Charge]) -> Usage | None:
    """The usage of a turn as its ledger rows have it."""
    if not charges:
        return usage
    known: dict[str, object] = {}
    for name in _TOKENS:
        counts = [count for charge in charges if (count := getattr(charge.usage, name)) is not None]
        known[name] = sum(counts) if counts else None
    costs = [charge.cost_usd for charge in charges if charge.cost_usd is not None]
    return (usage or Usage()).replace(
        **known, cost_usd=sum(costs) if costs else None, is_estimate=any(charge.is_estimate for charge in charges)
    )


def main_model(session: Session, charges: Sequence[Charge]) -> str | None:
    """The one that wrote most."""
    named = [charge.usage for charge in charges if charge.usage.model]
    return max(named, key=lambda usage: usage.output_tokens or 0).model if named else _chosen(session)


def _chosen(session: Session) -> str | None:
    return next((option.value for option in session.options if option.id == MODEL), None)


def root_of(session: Session) -> SessionId:
    """Of its tree."""
    return session.root_id or session.id


def subjects(session: Session, username: str) -> list[tuple[str, str]]:
    """Scopes and subjects whose budgets count for a turn of `session` that `username` pays."""
    board = [("board", session.board)] if session.board else []
    return [("session", SessionId(session.id)), ("tree", root_of(session)), ("worktree", session.worktree_id), *board, ("user", username)]
