"""How one attempt at a turn ended: done, failed, cancelled, or parked to be tried again. Pure; `runs` writes it down."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from agor_jupyter.agents.protocol.results import UNPROMPTED, PromptResult
from agor_jupyter.domain import parking
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.parking import Schedule
from agor_jupyter.domain.sessions import Usage
from agor_jupyter.domain.turns import Patch, Turn, TurnState
from agor_jupyter.git.inspection.snapshots import Checkpoint

_STOP_REASONS = {
    "refusal": "The agent refused to continue.",
    "max_tokens": "The agent reached its token limit. Resume the turn to let it continue.",
    "max_turn_requests": "The agent reached its limit of requests in one turn, or repeated itself. Resume the turn to let it continue.",
}
_CONTINUATION = (
    "Continue where you stopped: the model could not be reached in the middle of your last turn. "
    "What you did before is done; do not do it again."
)


@dataclass(frozen=True, kw_only=True)
class AttemptOutcome:
    """What the agent said, before git was asked what changed."""

    state: TurnState
    stop_reason: str | None = None
    usage: Usage | None = None
    error: str | None = None
    error_code: str | None = None
    retry_at: datetime | None = None
    """Of a parked turn: the next attempt. `None`: when a person says so."""
    has_acted: bool = False
    models: list[ModelUsage] = field(default_factory=list)
    patch: Patch | None = None
    after: Checkpoint | None = None


def read(result: PromptResult) -> AttemptOutcome:
    outcome = AttemptOutcome(
        state=TurnState.DONE, stop_reason=result.stop_reason, usage=result.usage, has_acted=result.has_acted, models=result.models
    )
    if result.error is not None:
        code = result.error_code or "agent_failed"
        state = TurnState.PARKED if code in parking.PARKING else TurnState.FAILED
        return replace(outcome, state=state, error=result.error, error_code=code, retry_at=result.retry_at)
    if result.stop_reason == "cancelled":
        return replace(outcome, state=TurnState.CANCELLED)
    if result.stop_reason != "end_turn" and result.stop_reason not in UNPROMPTED:
        error = _STOP_REASONS.get(result.stop_reason, f"The agent stopped for a reason of its own: {result.stop_reason}.")
        return replace(outcome, state=TurnState.FAILED, error=error, error_code=result.stop_reason)
    return outcome


def schedule(outcome: AttemptOutcome, turn: Turn, now: datetime, dice: float, plan: Schedule) -> AttemptOutcome:
    """With the moment of the next attempt, if it is parked; failed, if it was tried often enough, or if there is nothing to send again."""
    if outcome.state is not TurnState.PARKED:
        return outcome
    if turn.origin == "continued":
        return replace(outcome, state=TurnState.FAILED, error=f"{outcome.error} Resume the turn to let it continue.", retry_at=None)
    code, parks = outcome.error_code or "", turn.parks + 1
    retry_at = plan.next_attempt(code, parks=parks, now=now, dice=dice, told=outcome.retry_at)
    if retry_at is not None and parks > plan.attempts:
        error = f"{outcome.error} It was tried {parks} times. Retry the turn when the provider is available again."
        return replace(outcome, state=TurnState.FAILED, error=error, retry_at=None)
    return replace(outcome, retry_at=retry_at)


def prompt_of(turn: Turn) -> str:
    """What is sent in this attempt: what the agent has begun is not begun again."""
    return _CONTINUATION if turn.has_acted else turn.prompt
