"""The steps of firings and cards, each within the transaction of what caused it. The only place that changes where a card is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Zone
from agor_jupyter.domain.events import FiringChanged, WorktreeChanged
from agor_jupyter.domain.ids import FiringId, ObjectId, SessionId
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.turns import ENDED, Turn, TurnState
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import LIVE, Firing, FiringState, Via, ZonePolicy
from agor_jupyter.services.transitions import stop
from agor_jupyter.storage import firings, turns, worktrees
from agor_jupyter.storage.store import Transaction

Job = Callable[[Transaction, Firing, Worktree], Firing]
"""Does a step. Gets the firing with what its turns came to, and its worktree, as they are in the transaction."""
Cancelled = list[Turn]
"""Turns that were cancelled; whoever commits it tells the runner."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A card comes to a zone, as the zone is at that moment."""

    zone_id: ObjectId
    zone: Zone
    firing_id: FiringId
    by: Person
    role: Role
    via: Via
    run: bool = True
    is_answered: bool = False
    """A person has said whether, and to whom."""
    prompt: str | None = None
    session_id: SessionId | None = None
    agent: str = ""
    options: dict[str, str] = field(default_factory=dict)
    caused_by: FiringId | None = None
    retry_of: FiringId | None = None
    hops: int = 0
    place: tuple[float, float] | None = None
    """Where the card was."""

    @property
    def policy(self) -> ZonePolicy:
        return self.zone.policy or ZonePolicy()


def find(connection: Connection, firing_id: str) -> Firing:
    firing = firings.get(connection, firing_id)
    if firing is None:
        raise errors.FiringNotFound(firing_id)
    return firing


def save(transaction: Transaction, firing: Firing, at: datetime, **changes: object) -> Firing:
    """Store a firing with these changes, and tell everyone."""
    state = changes.get("state", firing.state)
    if state is not firing.state:
        changes = {"waits_for": None, "state_since": at, **changes}
    if state not in LIVE:
        changes = {"ended_at": at, **changes}
    firing = firing.replace(**changes, updated_at=at)
    firings.save(transaction, firing)
    transaction.append(at, FiringChanged(firing=firing))
    return firing


def has_left(firing: Firing, worktree: Worktree) -> bool:
    """Whether its card lies elsewhere by now."""
    return worktree.zone_id != firing.zone_id or worktree.arrival != firing.arrival or worktree.board != firing.board


def asks(policy: ZonePolicy) -> bool:
    return policy.asks_first or (policy.target == "ask" and bool(policy.prompt.strip()))


def arrive(transaction: Transaction, worktree: Worktree, arrival: Arrival, at: datetime) -> tuple[Worktree, Firing | None]:
    """The card is in the zone, and if the zone starts anything there is a firing. Whatever it did elsewhere was ended before."""
    assert worktree.board is not None
    before = worktree.zone_id
    worktree = put(transaction, worktree, arrival.zone_id, at)
    policy = arrival.policy
    if not (arrival.run and policy.starts):
        firings.leave(transaction, worktree.id)
        return worktree, None
    x, y = arrival.place or (None, None)
    firing = Firing(
        id=arrival.firing_id,
        board=worktree.board or "",
        zone_id=arrival.zone_id,
        zone=arrival.zone.name,
        worktree_id=worktree.id,
        arrival=worktree.arrival,
        by=arrival.by,
        role=arrival.role,
        via=arrival.via,
        caused_by=arrival.caused_by,
        hops=arrival.hops,
        from_zone_id=before if before != arrival.zone_id else None,
        from_x=x,
        from_y=y,
        policy=policy,
        prompt=arrival.prompt,
        session_id=arrival.session_id,
        agent=arrival.agent,
        options=arrival.options,
        state=FiringState.ASKING if asks(policy) and not arrival.is_answered else FiringState.WAITING,
        state_since=at,
        retry_of=arrival.retry_of,
        created_at=at,
        updated_at=at,
    )
    firings.insert(transaction, firing)
    transaction.append(at, FiringChanged(firing=firing))
    return worktree, firing


def put(transaction: Transaction, worktree: Worktree, zone_id: ObjectId | None, at: datetime) -> Worktree:
    """The card is in this zone, with the next number of its arrivals, or in none."""
    arrival = worktree.arrival if zone_id is None else worktree.arrival + 1
    worktree = worktree.replace(zone_id=zone_id, arrival=arrival, updated_at=at)
    worktrees.update(transaction.connection, worktree)
    transaction.append(at, WorktreeChanged(worktree=worktree))
    return worktree


def depart(transaction: Transaction, worktree: Worktree, by: Person, at: datetime) -> Cancelled:
    """The card leaves its zone: what only waits is withdrawn. A turn that runs goes on; its firing moves the card no more."""
    cancelled: Cancelled = []
    for firing in firings.live_of(transaction.connection, worktree.id):
        if firing.arrival == worktree.arrival and not _runs(transaction.connection, firing):
            cancelled += withdraw(transaction, firing, by, at, "The card was moved on.")[1]
    firings.leave(transaction, worktree.id)
    return cancelled


def withdraw(transaction: Transaction, firing: Firing, by: Person, at: datetime, reason: str) -> tuple[Firing, Cancelled]:
    """Cancel its turns, and end it."""
    cancelled = stop_turns(transaction, firing, by, at)
    return save(transaction, firing, at, state=FiringState.WITHDRAWN, reason=reason, decided_by=by), cancelled


def stop_turns(transaction: Transaction, firing: Firing, by: Person, at: datetime) -> Cancelled:
    live = [turn for turn in _turns(transaction.connection, firing) if turn.state not in ENDED]
    return [stop(transaction, turn.id, by, at) for turn in live]


def _runs(connection: Connection, firing: Firing) -> bool:
    """Whether a turn of it has begun and has not ended."""
    return any(turn.state not in ENDED | {TurnState.QUEUED} for turn in _turns(connection, firing))


def _turns(connection: Connection, firing: Firing) -> list[Turn]:
    found = [turns.get(connection, run.turn_id) for run in firing.runs if run.turn_id is not None]
    return [turn for turn in found if turn is not None]
