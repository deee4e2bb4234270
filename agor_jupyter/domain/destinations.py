"""A destination: a place outside of JupyterLab where a person wants to hear of what needs them, such as a mailbox or a Slack channel.

What it is told is a message: the kind, the names of the board and the worktree, one sentence and a link. It never has a prompt, an answer
of an agent or a path in it. The address of a destination is a secret, and is part of no record.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agor_jupyter.domain.ids import DestinationId
from agor_jupyter.domain.records import Moment, Record, Request
from agor_jupyter.domain.text import plain
from agor_jupyter.domain.times import ZoneName, zone_of

MAX_DESTINATIONS = 20
"""For each person."""
MAX_ADDRESS = 4_000
MAX_LINES = 20
"""Of one message. It says how many more there are."""
_MAX_NAME = 80
_MINUTES_OF_A_DAY = 24 * 60

MessageKind = Literal["question", "failure", "slot", "budget"]
"""Somebody is asked; a turn failed or was interrupted; a slot of a schedule ended; a budget is near its limit or used up."""
KINDS: tuple[MessageKind, ...] = ("question", "failure", "slot", "budget")
_WORDS: dict[MessageKind, tuple[str, str]] = {
    "question": ("question", "questions"),
    "failure": ("failure", "failures"),
    "slot": ("finished slot", "finished slots"),
    "budget": ("budget", "budgets"),
}
_UNSAFE = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "@": "＠", "`": "'", "|": "¦"})
"""What a place would take for a mention, a link or markup."""


def _check_kinds(kinds: list[MessageKind]) -> list[MessageKind]:
    return [kind for kind in KINDS if kind in kinds]


Kinds = Annotated[list[MessageKind], AfterValidator(_check_kinds), Field(min_length=1, max_length=len(KINDS))]
Boards = Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=50)]
_Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+$")]
_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class QuietHours(Record):
    """A part of each day in which nothing is sent. What comes in it is sent together when it is over."""

    start: _Clock
    """Such as 22:00."""
    end: _Clock
    """Such as 07:00. Earlier than `start`: of the next day."""
    zone: ZoneName = "UTC"
    """The IANA time zone whose clock counts."""

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same; pause the destination to hear nothing at all")
        return self

    def holds(self, moment: datetime) -> bool:
        """As the clock of the zone shows it: an hour that it shows twice is quiet twice, or not at all."""
        shown = moment.astimezone(zone_of(self.zone)).time().replace(second=0, microsecond=0)
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= shown < end if start < end else shown >= start or shown < end

    def over(self, moment: datetime) -> datetime:
        """The first moment from then on that is not quiet, to the minute."""
        if not self.holds(moment):
            return moment
        at = moment.replace(second=0, microsecond=0)
        for _ in range(_MINUTES_OF_A_DAY + 240):  # a day on which the clock is changed is longer
            at += timedelta(minutes=1)
            if not self.holds(at):
                break
        return at


class Destination(Record):
    """*Saved.* Its address is kept encrypted, and is never part of a record."""

    id: DestinationId
    username: str
    name: str
    service: str
    """What its address leads to, such as Slack."""
    kinds: Kinds
    boards: Boards = Field(default_factory=list)
    """Paths. Empty: all."""
    quiet: QuietHours | None = None
    is_paused: bool = False
    """Nothing is sent, and what comes meanwhile is not kept."""
    reaches_inside: bool = False
    """An owner named it, so it may lie in the server's own network."""
    waiting: int = 0
    """Messages that have not been sent yet."""
    trouble: str | None = None
    """Why the last attempt failed, or what was given up, for a person. `None`: the last one arrived."""
    sent_at: Moment | None = None
    """When something arrived last."""
    created_at: Moment
    updated_at: Moment

    def takes(self, kind: MessageKind, board: str | None) -> bool:
        """What is on no board, such as a person's budget, is taken whatever the boards are."""
        return not self.is_paused and kind in self.kinds and (not self.boards or board is None or board in self.boards)


class DestinationAdd(Request):
    name: _Name
    """Unique among the person's."""
    address: str = Field(min_length=5, max_length=MAX_ADDRESS, repr=False)
    """A URL of Apprise, such as `slack://…`, `mailtos://…` or `jsons://…`."""
    kinds: Kinds = Field(default_factory=lambda: list(KINDS))
    boards: Boards = Field(default_factory=list)
    quiet: QuietHours | None = None


class DestinationChange(Request):
    """Only the fields that are set change. `quiet: null` ends quiet hours."""

    name: _Name | None = None
    address: str | None = Field(default=None, min_length=5, max_length=MAX_ADDRESS, repr=False)
    kinds: Kinds | None = None
    boards: Boards | None = None
    quiet: QuietHours | None = None
    is_paused: bool | None = None


class DestinationTested(Record):
    """Whether a test message arrived, as far as the place says so."""

    has_arrived: bool
    reason: str | None = None
    """Why it did not."""


class Message(Record):
    """*Saved,* until a while after it was sent. Unique for its destination and key."""

    key: str
    """What it is about, so that the same is told once."""
    kind: MessageKind
    board: str | None = None
    text: str
    """A sentence without its full stop."""
    session_id: str | None = None
    attempts: int = 0
    created_at: Moment


def named(text: str) -> str:
    """A name that somebody made up, as it can stand in a message: in quotes, short, and nothing in it is a mention, a link or markup."""
    safe = " ".join(plain(text).translate(_UNSAFE).replace("://", ": //").split())
    return f"“{safe[: _MAX_NAME - 1]}…”" if len(safe) > _MAX_NAME else f"“{safe}”"


def title_of(messages: Sequence[Message]) -> str:
    """“3 questions and 1 failure on team.agor”."""
    counts = []
    for kind in KINDS:
        if count := sum(one.kind == kind for one in messages):
            one, many = _WORDS[kind]
            counts.append(f"{count} {one if count == 1 else many}")
    boards = {one.board for one in messages}
    board = next(iter(boards)) if len(boards) == 1 else None
    joined = " and ".join(filter(None, (", ".join(counts[:-1]), counts[-1])))
    if board is not None:
        return f"{joined} on {named(board.rpartition('/')[2])}"
    return f"{joined} on {len(boards)} boards" if len(boards - {None}) > 1 else joined


def body_of(messages: Sequence[Message], links: Sequence[str]) -> str:
    """One paragraph for each, with its link. `links` are in the same order, and may be empty."""
    lines = [f"{one.text}.\n{link}" if link else f"{one.text}." for one, link in zip(messages[:MAX_LINES], links, strict=False)]
    if more := len(messages) - MAX_LINES:
        lines += [f"And {more} more."] if more > 0 else []
    return "\n\n".join(lines)
