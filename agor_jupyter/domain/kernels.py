"""The kernel of a worktree: an environment with the packages that its repository asks for, and a kernel spec that starts there."""

from enum import StrEnum

from pydantic import Field

from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request

SERVER = "server"
"""The source of a kernel that has the server's own packages."""


class KernelState(StrEnum):
    NONE = "none"
    """Nobody made one."""
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class Kernel(Record):
    """*Saved.* Of one worktree."""

    worktree_id: WorktreeId
    worktree: str
    """Its name."""
    state: KernelState = KernelState.NONE
    spec_name: str
    """What notebooks call it, such as `agor-fix-null-keys`."""
    display_name: str
    source: str = SERVER
    """The file that says its packages, such as `uv.lock`; `.agor.yml` if that lists them; `server`: those of the server itself."""
    step: str | None = None
    """What is done just now: “uv venv”, “uv pip install”."""
    reason: str | None = None
    """Why it failed, for a person."""
    notices: list[str] = Field(default_factory=list)
    """What of the repository is not used, each with its reason."""
    digest: str | None = Field(default=None, repr=False)
    """Of all that it is made from."""
    is_stale: bool = False
    """What it was made from is not what the worktree says now. Make it again to follow."""
    by: Person | None = None
    """Who asked for it last."""
    updated_at: Moment = Field(repr=False)


class KernelMake(Request):
    again: bool = False
    """Also if there is one already that is as the worktree says."""
