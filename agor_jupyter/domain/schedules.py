"""A schedule starts work by itself: at times, or because something happened. Each time is a slot (`domain.slots`)."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from agor_jupyter.domain import errors, times
from agor_jupyter.domain.ids import ObjectId, RepoId, ScheduleId, SessionId, WorktreeId
from agor_jupyter.domain.options import OptionValues
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.records import Context, Moment, Record, Request
from agor_jupyter.domain.templates import MAX_SOURCE_BYTES
from agor_jupyter.domain.times import ZoneName
from agor_jupyter.domain.zones import Usd

MAX_QUEUE = 20
"""Slots of one schedule that wait for an earlier one. The next is skipped."""
MAX_SECONDS = 366 * 24 * 3600
MAX_EVENT_BYTES = 256 << 10

"""An IANA time zone, such as `Europe/Vienna`."""
Expression = Annotated[str, Field(min_length=9, max_length=200), AfterValidator(times.check_cron)]
Glob = Annotated[str, Field(min_length=1, max_length=500)]


class Cron(Record):
    """At the times of a cron expression."""

    kind: Literal["cron"] = "cron"
    expression: Expression
    """Five fields: minute, hour, day of month, month, day of week."""
    zone: ZoneName = "UTC"
    """Its clock. A time that the clock shows twice counts once; one that it leaves out counts at the next that it shows."""


class Interval(Record):
    """Again and again, counted from when it was set."""

    kind: Literal["interval"] = "interval"
    seconds: int = Field(ge=60, le=MAX_SECONDS)


class Once(Record):
    """One time."""

    kind: Literal["once"] = "once"
    at: Moment


class BranchMoved(Record):
    """A branch of the repository points to another commit."""

    kind: Literal["branch_moved"] = "branch_moved"
    branch: str = Field(min_length=1, max_length=200)
    remote: bool = False
    """At the remote `origin`, which is asked, and not here."""
    every_seconds: int = Field(default=300, ge=60, le=86_400)
    """How often the remote is asked."""


class PathChanged(Record):
    """A turn changed files of the worktree, or of any of the board."""

    kind: Literal["path_changed"] = "path_changed"
    path: Glob
    """A folder, a file, or a pattern with `*`, `?` and `**`, such as `models/**` or `*.sql`."""


class SessionFinished(Record):
    """A turn of a session ended, in the worktree or on the board."""

    kind: Literal["session_finished"] = "session_finished"
    outcome: Literal["any", "done", "failed"] = "done"
    title: str = Field(default="", max_length=200)
    """Only of sessions with this title. Empty: of all."""


class ZoneFinished(Record):
    """A zone of the board was through with a card."""

    kind: Literal["zone_finished"] = "zone_finished"
    zone_id: ObjectId
    outcome: Literal["any", "passed", "failed"] = "passed"


class CheckFailed(Record):
    """A check of a pull request failed, as GitHub or GitLab says to the schedule's address."""

    kind: Literal["check_failed"] = "check_failed"
    branch: str = Field(default="", max_length=200)
    """Only on this branch. Empty: on any."""


class Webhook(Record):
    """Somebody posted to the schedule's address, with its secret."""

    kind: Literal["webhook"] = "webhook"


When = Annotated[
    Cron | Interval | Once | BranchMoved | PathChanged | SessionFinished | ZoneFinished | CheckFailed | Webhook,
    Field(discriminator="kind"),
]
TIMED = ("cron", "interval", "once")
HOOKED = ("check_failed", "webhook")
"""What comes to an address of its own."""


class InWorktree(Record):
    """A new session in a worktree."""

    kind: Literal["worktree"] = "worktree"
    worktree_id: WorktreeId


class InFresh(Record):
    """A new worktree for each slot, with a session in it."""

    kind: Literal["fresh"] = "fresh"
    repo_id: RepoId
    base: str | None = Field(default=None, max_length=200)
    """A branch, a tag or a commit. `None`: the repository's default branch."""
    branch: str = Field(default="{{ schedule.name }}-{{ slot.number }}", min_length=1, max_length=500)
    """A template. The worktree has its name too."""


class InZone(Record):
    """A worktree's card is dropped into a zone, which says what starts."""

    kind: Literal["zone"] = "zone"
    worktree_id: WorktreeId
    zone_id: ObjectId


Target = Annotated[InWorktree | InFresh | InZone, Field(discriminator="kind")]


class SchedulePlan(Record):
    """What somebody decides about a schedule."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    """Unique on its board."""
    when: When
    """At which times it starts, or after what: one of the kinds above, with what that kind needs."""
    target: Target
    """A worktree, a new worktree for each slot, or a zone into which a card is dropped."""
    prompt: str = Field(default="", max_length=MAX_SOURCE_BYTES)
    """A template, with the names that all templates have. One of `prompt`, `script` and `notebook` is set, or none for a zone."""
    script: str = Field(default="", max_length=20_000)
    """Lines of shell, which run in the worktree as a turn of the built-in `script` agent."""
    notebook: str = Field(default="", max_length=500)
    """Path of a notebook in the worktree, which papermill runs, with `slot` and `schedule` among its parameters."""
    parameters: Context = Field(default_factory=dict)
    """Of the notebook."""
    agent: str = Field(default="", max_length=100)
    """Who gets the prompt: a name in the catalogue. Empty: the default."""
    options: OptionValues = Field(default_factory=dict)
    """Such as `model` and `mode`."""
    allow: bool = False
    """Its sessions ask nobody before they act. Only an owner may say so."""
    late: Literal["skip", "latest", "all"] = "latest"
    """What happens to moments that passed while no server ran: nothing, the latest runs, or the latest ones up to `late_limit`."""
    late_limit: int = Field(default=5, ge=1, le=MAX_QUEUE)
    """How many late moments run at most where `late` is `all`."""
    overlap: Literal["queue", "skip", "cancel", "allow"] = "skip"
    """What happens while an earlier slot is at work: this one waits, is skipped, cancels the earlier one, or runs beside it."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a slot that failed is tried again."""
    retry_seconds: int = Field(default=60, ge=1, le=86_400)
    """Before the second attempt. It doubles with each further one, up to a day."""
    limit_seconds: int | None = Field(default=14_400, ge=1, le=7 * 86_400)
    """An attempt that takes longer is cancelled, and failed. `None`: no limit."""
    budget_usd: Usd | None = None
    """For one slot. What costs more is stopped."""
    day_usd: Usd | None = None
    """For all slots of a day. When it is used up, the next ones are skipped."""
    keep: int | None = Field(default=50, ge=1, le=10_000)
    """How many ended slots keep their sessions, and worktrees of their own, in view. Those of older ones are archived. `None`: all."""

    @model_validator(mode="after")
    def _check_work(self) -> Self:
        given = [name for name in ("prompt", "script", "notebook") if getattr(self, name).strip()]
        if self.target.kind == "zone":
            if given:
                raise ValueError(f"{given[0]}: the zone says what starts. Leave it out, or choose a worktree as the target")
        elif len(given) != 1:
            raise ValueError("set one of prompt, script and notebook" + (f"; {' and '.join(given)} are set" if given else ""))
        if self.notebook and not _is_inside(self.notebook):
            raise ValueError("notebook: the path of a notebook in the worktree, which ends with .ipynb")
        return self


def _is_inside(path: str) -> bool:
    return path.endswith(".ipynb") and not path.startswith("/") and ".." not in path.split("/") and "\x00" not in path


class Schedule(SchedulePlan):
    """*Saved.*"""

    id: ScheduleId
    board: str
    """Path of the board that it belongs to."""
    is_paused: bool = False
    """Nothing starts, and moments that pass are not made up for."""
    needs_yes: bool = False
    """An agent made it, and a person has to say yes before it starts anything."""
    is_over: bool = False
    """It was for one time, which has come."""
    is_removed: bool = False
    """It is not listed any more. Its slots stay."""
    next_at: Moment | None = None
    """When it is due. `None`: it is paused, over, or waits for something to happen."""
    since: Moment
    """From when its intervals count."""
    counted: int = 0
    """Slots that were made of it."""
    seen: str | None = None
    """The commit that the watched branch pointed to when it was last looked at."""
    looked_at: Moment | None = None
    """When the remote was last asked."""
    trouble: str | None = None
    """Why it cannot see what it waits for, for a person."""
    origin_session_id: SessionId | None = None
    """The session whose agent made it."""
    created_by: Person
    created_at: Moment
    by: Person
    """In whose name it acts: the one who last changed what it does."""
    role: Role
    """Of that person, then. What it starts may do no more."""
    updated_at: Moment

    @property
    def is_waiting(self) -> bool:
        """Whether it may start something."""
        return not (self.is_paused or self.needs_yes or self.is_over or self.is_removed)


class ScheduleCreate(SchedulePlan, Request):
    board: str
    """Path of the board, relative to the server's root."""


class ScheduleChange(Request):
    """Only the fields that are set change."""

    name: str | None = Field(default=None, max_length=100)
    when: When | None = None
    target: Target | None = None
    prompt: str | None = Field(default=None, max_length=MAX_SOURCE_BYTES)
    script: str | None = Field(default=None, max_length=20_000)
    notebook: str | None = Field(default=None, max_length=500)
    parameters: Context | None = None
    agent: str | None = Field(default=None, max_length=100)
    options: OptionValues | None = None
    allow: bool | None = None
    late: Literal["skip", "latest", "all"] | None = None
    late_limit: int | None = None
    overlap: Literal["queue", "skip", "cancel", "allow"] | None = None
    retries: int | None = None
    retry_seconds: int | None = None
    limit_seconds: int | None = None
    """`null`: no limit."""
    budget_usd: Usd | None = None
    """`null`: no limit."""
    day_usd: Usd | None = None
    """`null`: no limit."""
    keep: int | None = None
    """`null`: all."""

    def changed(self) -> dict[str, object]:
        """The fields that are set. Those that have no empty value stay where they are null."""
        can_clear = {"limit_seconds", "budget_usd", "day_usd", "keep"}
        return {name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None or name in can_clear}

    def applied_to(self, plan: SchedulePlan) -> SchedulePlan:
        """The plan with these changes. Raises `BadRequest`: they do not fit together; a line says why for each field."""
        changed = self.changed()
        try:
            return SchedulePlan(**{name: changed.get(name, getattr(plan, name)) for name in SchedulePlan.model_fields})
        except ValidationError as error:
            raise errors.BadRequest.of(error) from None


class ScheduleMade(Record):
    """A schedule that was made or changed, with what is shown once."""

    schedule: Schedule
    hook: str | None = None
    """Where to post, below the server's address. `None`: nobody posts to it."""
    secret: str | None = None
    """Of its address. It is not shown again."""


class NextTimes(Record):
    """The next moments of a plan, in words that a person reads, or why there are none."""

    moments: list[Moment] = Field(default_factory=list)
    texts: list[str] = Field(default_factory=list)
    """In the asked zone: “Mon 30 Nov 2026, 03:00 CET”."""
    words: str = ""
    """When it is, in words: “each day at 03:00, Europe/Vienna”."""


class TimesAsked(Request):
    when: When
    zone: ZoneName | None = None
    """Of the person. Default: that of the plan."""
    count: int = Field(default=5, ge=1, le=50)


_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def in_words(when: When) -> str:  # noqa: PLR0911  # it reads as a list
    """For a person."""
    match when:
        case Cron():
            return f"{_cron_in_words(when.expression)}, {when.zone}"
        case Interval():
            return f"every {span(when.seconds)}"
        case Once():
            return f"once, {times.in_zone(when.at, 'UTC')}"
        case BranchMoved():
            return f"when {when.branch} moves{' at the remote' if when.remote else ''}"
        case PathChanged():
            return f"when a turn changes {when.path}"
        case SessionFinished():
            how = {"any": "ends", "done": "is done", "failed": "fails"}[when.outcome]
            return f"when a turn of {'“' + when.title + '”' if when.title else 'a session'} {how}"
        case ZoneFinished():
            how = {"any": "is through", "passed": "passes", "failed": "fails"}[when.outcome]
            return f"when a card {how} in a zone"
        case CheckFailed():
            return f"when a check of a pull request fails{' on ' + when.branch if when.branch else ''}"
        case Webhook():
            return "when somebody posts to its address"


def _cron_in_words(expression: str) -> str:  # noqa: PLR0911  # as above
    minute, hour, day, month, weekday = expression.split()
    is_daily = (day, month) == ("*", "*")
    if is_daily and hour == "*" and weekday == "*":
        if minute == "*":
            return "every minute"
        if minute.startswith("*/") and minute[2:].isdigit():
            return f"every {minute[2:]} minutes"
        return f"each hour at {int(minute)} past" if minute.isdigit() else f"cron {expression}"
    if minute.isdigit() and hour.isdigit() and is_daily:
        at = f"at {int(hour):02}:{int(minute):02}"
        if weekday == "*":
            return f"each day {at}"
        if weekday == "1-5":
            return f"Monday to Friday {at}"
        if weekday.isdigit():
            return f"each {_DAYS[int(weekday)]} {at}"
    return f"cron {expression}"


def span(seconds: int) -> str:
    """“2 hours”, “90 minutes”."""
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return name[:-1] if count == 1 else f"{count} {name}"
    return f"{seconds} seconds"
