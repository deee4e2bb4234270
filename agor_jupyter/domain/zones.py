"""A zone that acts: its policy, and a firing, which is one run of it for one card that arrived.

The policy lies in the board's document with the zone. It is read there at the moment of the command that brings a card, and the firing
keeps it as it was then. A card that arrives in a zone gets the next arrival number of its worktree, and fires at most once for it.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from agor_jupyter.domain.ids import FiringId, ObjectId, SessionId, TurnId, WorktreeId
from agor_jupyter.domain.options import OptionValues
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.records import Coordinate, Moment, Record, Request
from agor_jupyter.domain.templates import MAX_SOURCE_BYTES

MAX_GATES = 4
MAX_HOPS = 20
"""Zones that a card passes by itself, one after the other, before a person has to let it go on: a circle of zones ends here."""

Usd = Annotated[FiniteFloat, Field(gt=0, le=1_000_000)]


class Gate(Record):
    """Something that has to pass. It runs in the worktree, as a turn of the built-in `script` agent, but for a function."""

    kind: Literal["command", "notebook", "function"] = "command"
    run: str = Field(min_length=1, max_length=4000)
    """A line of shell that has to exit with 0; or the path of a notebook in the worktree, which papermill runs with the worktree's names as
    parameters; or the name of a Python function, which the kernel that set it calls with the worktree.
    """
    when: Literal["before", "after"] = "after"
    """Before the prompt is sent, or after its turn is done."""


How = Literal["prompt", "fork", "spawn"]


class ZonePolicy(Record):
    """What happens to a card that arrives. Without a prompt and without gates a zone only holds cards."""

    is_on: bool = True
    """Whether arriving starts anything. What the zone means stays."""
    is_paused: bool = False
    """Arrivals wait, in order, until it goes on."""
    prompt: str = Field(default="", max_length=MAX_SOURCE_BYTES)
    """A template, with the names that all templates have."""
    agent: str = Field(default="", max_length=100)
    """Name in the catalogue. Empty: the person's default."""
    options: OptionValues = Field(default_factory=dict)
    """Such as `model` and `mode`."""
    target: Literal["new", "latest", "ask", "each"] = "new"
    """To whom the prompt goes: a new session; the worktree's latest; the one that the person chooses; or each root of its session trees."""
    how: How = "prompt"
    """What happens to a session that is there: it gets the prompt itself, or in a fork of it, or in a session below it."""
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Cards in work at once. The others wait, in the order of their arrival."""
    gates: list[Gate] = Field(default_factory=list, max_length=MAX_GATES)
    next: ObjectId | None = None
    """The zone that the card moves on to when everything passed."""
    on_failure: ObjectId | None = None
    """The zone that the card moves to when something failed. `None`: it stays."""
    asks_first: bool = False
    """A person says yes before each run, and may edit the prompt."""
    needs_approval: bool = False
    """A person lets the card move on."""
    budget_usd: Usd | None = None
    """For one card: all turns of one firing, estimates included."""
    agents_may_enter: bool = False
    """Whether agents may bring cards here. Into a zone that starts nothing they always may."""

    @property
    def starts(self) -> bool:
        """Whether a card that arrives starts anything."""
        return self.is_on and bool(self.prompt.strip() or self.gates)


class FiringState(StrEnum):
    WAITING = "waiting"
    """For a place in the zone, until the zone is no longer paused, or for the budget."""
    ASKING = "asking"
    """A person decides whether and to whom the prompt goes."""
    CHECKING = "checking"
    """A gate before the prompt runs."""
    RUNNING = "running"
    """Its turns run or wait."""
    VERIFYING = "verifying"
    """A gate after the prompt runs."""
    APPROVAL = "approval"
    """All passed; a person lets the card move on."""
    PASSED = "passed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """Taken back, or the card left before it was through."""


LIVE = frozenset(
    {
        FiringState.WAITING,
        FiringState.ASKING,
        FiringState.CHECKING,
        FiringState.RUNNING,
        FiringState.VERIFYING,
        FiringState.APPROVAL,
    }
)
IN_WORK = LIVE - {FiringState.WAITING, FiringState.ASKING}
"""What counts against the limit of a zone."""

Via = Literal["canvas", "cell", "shell", "agent", "zone", "api"]
"""How a card came. `zone`: another zone's next."""


class FiringRun(Record):
    """One turn of a firing: of its prompt, or of a gate."""

    gate: int | None = None
    """Index of the policy's gate. `None`: the prompt itself."""
    session_id: SessionId | None = None
    turn_id: TurnId | None = None
    """Both `None`: a function, which a kernel answers."""
    outcome: Literal["passed", "failed"] | None = None
    reason: str = ""
    """Why it failed, for a person."""


class Firing(Record):
    """*Saved.* Unique for its worktree and arrival."""

    id: FiringId
    board: str
    zone_id: ObjectId
    zone: str
    """Its name, as it was."""
    worktree_id: WorktreeId
    arrival: int
    """Counts the worktree's arrivals in zones, from 1."""
    by: Person
    role: Role = Role.STEERER
    """Of who brought the card. What the firing starts may do no more."""
    via: Via
    caused_by: FiringId | None = None
    """The firing that moved the card here."""
    hops: int = 0
    """Zones passed since a person or an agent moved the card."""
    from_zone_id: ObjectId | None = None
    from_x: Coordinate | None = None
    from_y: Coordinate | None = None
    """Where the card was, to bring it back."""
    policy: ZonePolicy
    """As it was."""
    prompt: str | None = None
    """Rendered, and perhaps edited. `None`: not yet, or the zone has none."""
    session_id: SessionId | None = None
    """Whom a person chose."""
    agent: str = ""
    """Which agent a person chose in place of the policy's."""
    how: How | None = None
    """What a person chose in place of the policy's."""
    options: OptionValues = Field(default_factory=dict)
    """What a person chose beside the policy's."""
    state: FiringState
    state_since: Moment
    waits_for: str | None = None
    """For a person: “a place: 2 of 2 in work”."""
    reason: str | None = None
    """Why it failed or was withdrawn, for a person."""
    runs: list[FiringRun] = Field(default_factory=list)
    cost_usd: float = 0.0
    cost_is_estimate: bool = False
    moved_to: ObjectId | None = None
    """The zone that it sent the card to."""
    retry_of: FiringId | None = None
    decided_by: Person | None = None
    """Who let it start, let the card move on, or took it back."""
    created_at: Moment
    started_at: Moment | None = None
    ended_at: Moment | None = None
    updated_at: Moment


class ZoneChange(Request):
    """Only the fields that are set change. `policy: null` makes it a place that only holds cards."""

    name: str | None = Field(default=None, max_length=200)
    color: str | None = Field(default=None, pattern=r"^(#[0-9a-fA-F]{6}|[a-z]{1,16})?$")
    policy: ZonePolicy | None = None
    allow: bool = False
    """With rules of this zone, in the name of who asks, that allow its commands (gates, and the blocks of a `script` prompt) without
    asking. For owners.
    """


class ZoneDrop(Request):
    """A worktree's card goes to a zone, or with `zone_id: null` out of any."""

    zone_id: ObjectId | None
    x: Coordinate | None = None
    y: Coordinate | None = None
    """Where on the board its card lies then, in board units. Default: where it is if that is in the zone, else a free place there."""
    run: bool = True
    """False moves without starting anything; that arrival never fires."""
    via: Via = "api"
    prompt: str | None = Field(default=None, max_length=200_000)
    """In place of the zone's template, as it is: a person edited it."""
    session_id: SessionId | None = None
    """Whom a person chose where the zone asks."""
    agent: str | None = None
    options: OptionValues = Field(default_factory=dict)


class ZoneTrial(ZoneDrop):
    """A drop that is only looked at."""

    policy: ZonePolicy | None = None
    """What the zone would say, in place of what it says; also where the card lies there already. For those who may change it."""


class ZoneDropped(Record):
    """What came of it. `firing` is `None` where nothing starts; the same one again where the card was there already."""

    zone_id: ObjectId | None
    arrival: int
    firing: Firing | None = None


class ZonePreview(Record):
    """What dropping this card there would do now."""

    zone_id: ObjectId
    starts: bool
    text: str
    """For a person: “Starts Claude in a new session, then runs pytest -q, then moves to Review.” """
    waits: str | None = None
    """Why it would wait: “2 of 2 in work”."""
    prompt: str | None = None
    problem: str | None = None
    """What is wrong with the template, with line and nearest name."""
    problem_line: int | None = None


class FiringStart(Request):
    """A person's yes to a firing that asks, perhaps with another prompt or receiver."""

    prompt: str | None = Field(default=None, max_length=200_000)
    session_id: SessionId | None = None
    how: How | None = None
    """Of `session_id`: prompt it, fork it, or spawn a session below it. Default: as the zone says."""
    agent: str | None = None
    options: OptionValues = Field(default_factory=dict)


class FiringVerdict(Request):
    """What a kernel says of a gate that is a function."""

    gate: int = Field(ge=0, lt=MAX_GATES)
    passed: bool
    reason: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _has_reason(self) -> Self:
        if not self.passed and not self.reason.strip():
            raise ValueError("say in `reason` why it did not pass")
        return self
