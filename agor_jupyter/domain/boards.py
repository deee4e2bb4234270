"""A board: the shape of a `*.agor` document, what it may hold, and where things go.

The file is `{"agor": 1, "meta": {...}, "objects": {id: object}}`, sorted and indented by one space.
"""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from agor_jupyter.domain.agents import AgentStatus
from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.people import Person, Role
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.records import Coordinate, Record, Request
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Firing, ZonePolicy

CARD_WIDTH, CARD_HEIGHT, GAP = 272, 168, 12
"""In board units, which are CSS pixels at 100 % zoom. A card is as high as its content; this is what placement reserves."""

Extent = Annotated[FiniteFloat, Field(ge=1, le=100_000)]
Color = Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6}|[a-z]{1,16})?$")]


class Card(Record):
    """A worktree's place. `repo` and `branch` let another machine offer to make it."""

    kind: Literal["card"] = "card"
    x: Coordinate
    y: Coordinate
    worktree: WorktreeId
    repo: str = Field(max_length=200)
    branch: str = Field(max_length=200)
    title: str = Field(default="", max_length=400)
    base: str = Field(default="", max_length=200)


class Zone(Record):
    kind: Literal["zone"] = "zone"
    x: Coordinate
    y: Coordinate
    width: Extent
    height: Extent
    name: str = Field(default="", max_length=200)
    color: Color = ""
    policy: ZonePolicy | None = None
    """What happens to a card that arrives. `None`: it only holds cards."""


class Note(Record):
    kind: Literal["note"] = "note"
    x: Coordinate
    y: Coordinate
    width: Extent = 264
    height: Extent = 120
    text: str = Field(default="", max_length=20_000)
    color: Color = ""


BoardObject = Annotated[Card | Zone | Note, Field(discriminator="kind")]


class BoardEntry(Record):
    """One object with its id."""

    id: ObjectId
    object: BoardObject


class ObjectMove(Request):
    """A new place; `width` and `height` are for what has a size."""

    x: Coordinate
    y: Coordinate
    width: Extent | None = None
    height: Extent | None = None


class BoardMeta(Record):
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2000)


class BoardTemplate(Record):
    """A ready board to begin with."""

    name: str
    title: str
    description: str
    zones: list[str]
    """Their names, from left to right."""


class BoardExtend(Request):
    """Add the zones and notes of a template to a board, right of what is there. Either `template` or `text` is needed."""

    template: str = Field(default="", max_length=100)
    """Name of a ready one."""
    text: str = Field(default="", max_length=1_000_000)
    """Or the file of one, as `export` gives it."""
    allow: bool = False
    """With rules of its zones, in the name of who asks, that allow their commands without asking. For owners."""


class BoardFile(Record):
    """A board's zones and notes as the file of a template."""

    text: str


class ZoneAdd(Request):
    name: str = Field(max_length=200)
    x: Coordinate | None = None
    y: Coordinate | None = None
    width: Extent = 296
    height: Extent = 560
    color: Color = ""
    policy: ZonePolicy | None = None


class NoteAdd(Request):
    text: str = Field(max_length=20_000)
    x: Coordinate | None = None
    y: Coordinate | None = None
    color: Color = ""


class BoardOpen(Request):
    """Make the file if it is not there."""

    path: str
    title: str = Field(default="", max_length=200)


class Problem(Record):
    """Something wrong in a document, and what was done about it."""

    object_id: str | None = None
    text: str


class BoardInfo(Record):
    path: str
    title: str
    object_count: int
    problems: list[Problem] = Field(default_factory=list)


class Board(Record):
    """The document as it is now, with what is wrong in it."""

    path: str
    meta: BoardMeta
    objects: dict[ObjectId, BoardObject]
    problems: list[Problem] = Field(default_factory=list)


class RoomInfo(Record):
    """How a browser joins the board's room. `kind` names the collaboration server that is active."""

    kind: Literal["jupyter-collaboration", "jupyter-server-documents", "none"]
    room: str | None = None
    """`{format}:{type}:{file id}`, appended to `{base_url}api/collaboration/room/`."""
    params: dict[str, str] = Field(default_factory=dict)
    writable: bool
    reason: str | None = None
    """Why there is no room, for a person."""


class Me(Record):
    person: Person
    role: Role
    version: str
    bundle: str
    """Hash of the front end's bundle."""
    root_dir: str
    data_dir: str
    limits: dict[str, int] = Field(default_factory=dict)


class Snapshot(Record):
    """Everything a board needs besides its document. Events after `n` bring it up to date."""

    n: int
    me: Me
    agents: list[AgentStatus]
    repos: list[Repo]
    worktrees: list[Worktree]
    sessions: list[Session]
    turns: list[Turn]
    """The open, queued, parked, and unresolved interrupted turns, and the last one of each session that failed."""
    permissions: list[Permission]
    """The open ones."""
    firings: list[Firing] = Field(default_factory=list)
    """The live ones of its zones, and the last one of each worktree that lies in the zone it was for."""
