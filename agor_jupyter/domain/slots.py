"""A slot: one moment of a schedule, and what came of it.

It is unique for its schedule and its key, which is the planned moment, or what happened. It is stored before anything starts, so it starts
once, whichever server sees it and whatever is killed; and its outcome is that of the work, not of its start.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.ids import FiringId, ScheduleId, SessionId, SlotId, TurnId, WorktreeId
from agor_jupyter.domain.records import Moment, Record

MAX_HOPS = 5
"""Slots that follow from one another by themselves, until one is skipped: a circle of schedules ends here."""


class SlotState(StrEnum):
    PLANNED = "planned"
    """It waits: for an earlier slot, or until it is tried again."""
    FIRED = "fired"
    """What it needs is being made, such as a worktree of its own."""
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Nothing was started; the reason says why."""
    CANCELLED = "cancelled"
    """By a person, or by a later slot."""


LIVE_SLOTS = frozenset({SlotState.PLANNED, SlotState.FIRED, SlotState.RUNNING})
AT_WORK = frozenset({SlotState.FIRED, SlotState.RUNNING})


class SlotRun(Record):
    """One attempt."""

    session_id: SessionId | None = None
    turn_id: TurnId | None = None
    firing_id: FiringId | None = None
    """What the zone started."""
    outcome: Literal["passed", "failed", "cancelled"] | None = None
    reason: str = ""
    started_at: Moment
    ended_at: Moment | None = None


class Slot(Record):
    """*Saved.* Unique for its schedule and key."""

    id: SlotId
    schedule_id: ScheduleId
    schedule: str
    """Its name, as it was."""
    board: str
    number: int
    """Counts the slots of the schedule, from 1."""
    key: str
    """The planned moment, or what happened."""
    planned_at: Moment
    """The planned moment, or when it happened."""
    cause: Literal["time", "event", "person"]
    caused_by: str = ""
    """For a person: “branch main moved to 1a2b3c4”, “run by Ann”."""
    hops: int = 0
    """Slots that it follows from."""
    missed: int = 0
    """Moments before this one that it stands for, all skipped for the same reason."""
    state: SlotState
    waits_for: str | None = None
    """For a person."""
    reason: str | None = None
    """Why it was skipped, failed or was cancelled, for a person."""
    worktree_id: WorktreeId | None = None
    again: FiringId | None = None
    """The firing that is run again, as the card lies in the zone already."""
    is_out: bool = False
    """The card lies in the zone and started nothing there, so it is taken out first."""
    runs: list[SlotRun] = Field(default_factory=list)
    cost_usd: float = 0.0
    cost_is_estimate: bool = False
    retry_at: Moment | None = None
    limit_at: Moment | None = None
    """When the attempt is cancelled."""
    is_kept: bool = True
    """Its sessions are still in view."""
    created_at: Moment
    ended_at: Moment | None = None
    updated_at: Moment

    @property
    def attempt(self) -> int:
        """From 1."""
        return max(1, len(self.runs))

    @property
    def run(self) -> SlotRun | None:
        """The last attempt."""
        return self.runs[-1] if self.runs else None


class Upcoming(Record):
    """A moment that will come."""

    schedule_id: ScheduleId
    schedule: str
    at: Moment


class Calendar(Record):
    """What was, and what will be, in a span of time."""

    slots: list[Slot]
    """By time. At most 2,000."""
    upcoming: list[Upcoming]
    """By time. At most 200 of each schedule."""
