"""Tells sessions how those ended that they asked about: each stored delivery becomes a queued turn of its target, once, or is refused.

The row is written in the transaction that ends the child's turn, and settled in the one that queues the target's. So a server that dies in
between delivers after its next start, and one that dies later does not deliver again.
"""

import asyncio
import logging
from datetime import datetime
from typing import Self

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.deliveries import Delivery
from agor_jupyter.domain.events import DeliveryChanged
from agor_jupyter.domain.ids import DeliveryId, SessionId, TurnId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.sessions import Session, SessionState
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.turns import REJECTED, Turn, TurnState
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.events import Events
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.tasks import end
from agor_jupyter.services.transitions import derive, enqueue
from agor_jupyter.storage import deliveries, events, patches, sessions, turns, worktrees
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

MAX_MESSAGE = 4_000
"""Characters of the child's last message that are told; the whole is in its transcript."""
_MAX_FILES = 20
_RETRY_S = 5.0


class Deliveries:
    def __init__(self, store: Store, clock: Clock, events_: Events, runner: Runner) -> None:
        self._store, self._clock, self._events, self._runner = store, clock, events_, runner
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """With what an earlier run of the server did not get to."""
        self._unsubscribe = self._events.subscribe(DeliveryChanged, lambda _change, _event: self._changed.set())
        self._task = asyncio.create_task(self._run(), name="deliveries")
        return self

    async def close(self) -> None:
        self._unsubscribe()
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                for delivery_id in await self._store.read(deliveries.pending):
                    await self._settle(delivery_id)
            except errors.Unavailable as error:
                log.warning("How sessions ended is told later: %s", error)
                await asyncio.sleep(_RETRY_S)
            except Exception:  # one that cannot be told must not keep the others back for ever
                log.exception("A delivery failed")
                await asyncio.sleep(_RETRY_S)
            else:
                await self._changed.wait()

    async def _settle(self, delivery_id: DeliveryId) -> None:
        turn_id, at = TurnId(self._clock.new_id("turn")), self._clock.now()
        told = await self._store.write(_settle, delivery_id, turn_id, at)
        crash_point("delivery.after_commit")
        if told is not None and told.turn_id == turn_id:
            self._runner.wake(told.target_id)


def _settle(transaction: Transaction, delivery_id: DeliveryId, turn_id: TurnId, at: datetime) -> Delivery | None:
    """Queue it, or say why not. `None`: that is done already."""
    connection = transaction.connection
    delivery = deliveries.get(connection, delivery_id)
    if delivery is None or delivery.state != "pending":
        return None
    target, reason = sessions.get(connection, delivery.target_id), None
    child, ended = sessions.get(connection, delivery.child_id), turns.get(connection, delivery.child_turn_id)
    if target is None or child is None or ended is None:
        reason = "One of both sessions does not exist any more."
    else:
        reason = _why_not(connection, target)
    if reason is None:
        assert target is not None
        assert child is not None
        assert ended is not None
        turn = Turn(
            id=turn_id,
            session_id=target.id,
            worktree_id=target.worktree_id,
            number=0,  # given when it is stored
            prompt=tell(connection, child, ended),
            state=TurnState.QUEUED,
            report_to=target.parent_id if target.notify else None,
            reports_on=ended.id,
            created_at=at,
            created_by=Person(username=f"agent:{child.id}", name=f"{child.agent} in “{child.title}”"),
        )
        enqueue(transaction, target, turn)
        derive(transaction, target.id, at)
        delivery = delivery.replace(state="delivered", turn_id=turn_id, settled_at=at)
    else:
        delivery = delivery.replace(state="refused", reason=reason, settled_at=at)
    deliveries.save(transaction, delivery)
    transaction.append(at, DeliveryChanged(delivery=delivery))
    crash_point("delivery.before_commit")
    return delivery


def withdraw(transaction: Transaction, child_id: SessionId, target_id: SessionId, at: datetime) -> list[Turn]:
    """The target has read for itself how the child ended: what waits to tell it that is not needed. Returns the turns to be cancelled."""
    unneeded = []
    for delivery in deliveries.of_children(transaction.connection, [child_id]):
        if delivery.target_id != target_id:
            continue
        turn = turns.get(transaction.connection, delivery.turn_id) if delivery.turn_id is not None else None
        if delivery.state == "pending" or (turn is not None and turn.state is TurnState.QUEUED):
            settled = delivery.replace(state="delivered", turn_id=None, reason="It waited for the end itself.", settled_at=at)
            deliveries.save(transaction, settled)
            transaction.append(at, DeliveryChanged(delivery=settled))
            unneeded += [turn] if turn is not None else []
    return unneeded


def _why_not(connection: Connection, target: Session) -> str | None:
    if target.archived_at is not None:
        return "The session is archived."
    worktree = worktrees.find(connection, target.worktree_id)
    if worktree is None or worktree.state is not WorktreeState.READY:
        return f"The session's worktree is {worktree.state.value if worktree else 'gone'}."
    if target.state is SessionState.CANCELLED and not target.was_rejected:
        who = target.ended_by.name if target.ended_by else "A person"
        return f"{who} cancelled the session's last turn, and it is not started again for this."
    return None


def tell(connection: Connection, child: Session, turn: Turn) -> str:
    """How a turn of a child ended, for its parent. What the child said is quoted, so that nothing in it is a request, or a block to run."""
    lines = [f"The session “{_line(child.title)}” ({child.id}), which you started with {child.agent}, {how(turn)}"]
    said = plain("".join(reversed(events.texts(connection, child.id, turn.id)))).strip()
    if said:
        cut = said if len(said) <= MAX_MESSAGE else f"… {said[-MAX_MESSAGE:]}"
        lines += ["", "Its last message:" if cut == said else "The end of its last message:", *(f"> {line}" for line in cut.splitlines())]
    patch = patches.get(connection, turn.id)
    if patch is not None and patch.files:
        names = [_line(file.path) for file in patch.files[:_MAX_FILES]]
        more = f" and {len(patch.files) - _MAX_FILES} more" if len(patch.files) > _MAX_FILES else ""
        count = "1 file" if len(patch.files) == 1 else f"{len(patch.files)} files"
        lines += ["", f"It changed {count} (+{turn.added} −{turn.deleted}): {', '.join(names)}{more}"]
    facts = [f"its cost was ${turn.cost_usd:.4f}{', an estimate' if turn.cost_is_estimate else ''}"] if turn.cost_usd else []
    if turn.commit_after and turn.commit_after != turn.commit_before:
        facts.append(f"its last commit is {turn.commit_after[:12]}")
    if facts:
        lines += ["", f"{', '.join(facts).capitalize()}."]
    lines += ["", "This is a report, not a request of a person. Go on with your own task."]
    return "\n".join(lines)


def how(turn: Turn) -> str:
    """As the end of a sentence."""
    why = f": {_line(turn.error)}" if turn.error else "."
    if turn.state is TurnState.FAILED:
        return f"{'has failed' if turn.tree_before is not None else 'could not start'}{why}"
    if turn.state is TurnState.CANCELLED:
        who = turn.ended_by.name if turn.ended_by else "a person"
        if turn.error_code == REJECTED:
            return f"has ended, because {who} said no to what it asked."
        return f"was cancelled by {who}{'' if turn.started_at else ' before it started'}."
    if turn.state is TurnState.INTERRUPTED:
        return "was interrupted: the server stopped in the middle of its turn. A person decides how it goes on."
    return "is done."


def _line(text: str) -> str:
    return " ".join(plain(text).split())[:300]
