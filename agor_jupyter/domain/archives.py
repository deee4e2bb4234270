"""An archive: a worktree that was put away, with all that it held. A backup is the archive of one that was removed."""

from enum import StrEnum

from pydantic import Field

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.records import Moment, Record
from agor_jupyter.domain.worktrees import Worktree


class Purpose(StrEnum):
    ARCHIVE = "archive"
    """Until somebody restores it."""
    BACKUP = "backup"
    """Its worktree was removed although work would be lost. It goes after a while."""
    DISCARD = "discard"
    """Nothing in it would be missed. It goes at once."""


class Pins(Record):
    """What git must not tidy away while its worktree is put away. All lie below one prefix."""

    head: str | None = None
    """The commit that the worktree was at. `None`: its branch has none."""
    refs: list[str] = Field(default_factory=list)
    """Full names. The first is that of `head`."""


class Archive(Record):
    """*Saved*, beside the files that it tells of."""

    worktree: Worktree
    """As it was when it was put away."""
    admin: str
    """The name that git knew it by: the folder below `worktrees` of the repository."""
    pins: Pins
    purpose: Purpose
    losses: list[str] = Field(default_factory=list)
    """What would have been lost, had it been removed then."""
    own: list[str] = Field(default_factory=list)
    """Which files that agents keep for themselves it holds."""
    at: Moment
    until: Moment | None = None
    """When a backup goes. `None`: never."""
    notice: str | None = None
    """What a restore that is under way has to say."""


class Backup(Record):
    """A worktree that was removed, and is kept for a while."""

    worktree_id: WorktreeId
    repo: str
    name: str
    branch: str
    folder: str
    """Its files, as they were, lie in `files` below it, and what git knew of it in `admin`."""
    ref: str | None
    """The commit that it was at."""
    held: list[str]
    """What would have been lost, and which files of agents' own it has."""
    removed_at: Moment
    until: Moment | None
    """When it goes. `None`: never."""
