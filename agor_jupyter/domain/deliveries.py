"""A delivery: how a turn of one session ended, on its way to a session above it, which asked to be told."""

from typing import Literal

from agor_jupyter.domain.ids import DeliveryId, SessionId, TurnId
from agor_jupyter.domain.records import Moment, Record
from agor_jupyter.domain.turns import Turn, TurnState

DeliveryState = Literal["pending", "delivered", "refused"]


class Delivery(Record):
    """*Saved.* One for each turn and target, so that nobody is told twice."""

    id: DeliveryId
    child_id: SessionId
    child_turn_id: TurnId
    target_id: SessionId
    outcome: TurnState
    """How the child's turn ended."""
    state: DeliveryState = "pending"
    turn_id: TurnId | None = None
    """The turn of the target that tells it."""
    reason: str | None = None
    """Why it was refused, or needed no turn."""
    created_at: Moment
    settled_at: Moment | None = None


def of(turn: Turn, target: SessionId, at: Moment) -> Delivery:
    """Of a turn that ended at `at`. Its id follows from the turn's: a turn has one target."""
    return Delivery(
        id=DeliveryId(f"de_{turn.id.removeprefix('tu_')}"),
        child_id=turn.session_id,
        child_turn_id=turn.id,
        target_id=target,
        outcome=turn.state,
        created_at=at,
    )
