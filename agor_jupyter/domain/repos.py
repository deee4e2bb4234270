"""A repo: a git repository the server knows, either a local checkout or a clone it made."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from agor_jupyter.domain.ids import RepoId
from agor_jupyter.domain.people import Person
from agor_jupyter.domain.records import Moment, Record, Request


class RepoState(StrEnum):
    CLONING = "cloning"
    READY = "ready"
    FAILED = "failed"


class CloneProgress(Record):
    """What git says of a clone in progress."""

    phase: str
    percent: int = Field(ge=0, le=100)


class Repo(Record):
    """*Saved.*"""

    id: RepoId
    slug: str
    """Short, unique, made by the server; names the repo in boards and in a shell."""
    kind: Literal["checkout", "clone"]
    path: str
    url: str | None = None
    """Where it was cloned from, without credentials."""
    git_dir: str | None = None
    """The repository itself (git's common directory), as it was when the repo was registered."""
    promisor_url: str | None = None
    """Where the missing objects of a partial clone come from, as it was when the repo was registered: from nowhere else."""
    default_branch: str | None = None
    state: RepoState
    reason: str | None = None
    progress: CloneProgress | None = None
    created_at: Moment
    created_by: Person


class RepoAdd(Request):
    """Register a local checkout (`path`) or clone a `url`. Exactly one of the two."""

    path: str | None = None
    url: str | None = None
    slug: str | None = None


class Branch(Record):
    """A local or remote branch with the commit it points to."""

    name: str
    sha: str
    is_remote: bool
    checked_out_at: str | None = None


class Check(Record):
    """One thing that is to be known of a repo or of the server's machine: fine, or something to do."""

    verdict: Literal["ok", "warn", "fail"]
    what: str
    text: str


class GitPlace(Record):
    """Where git finds a checkout or a worktree on the server's machine, and with which variables it obeys nothing that an agent wrote."""

    path: str
    git_dir: str
    common_dir: str
    view: str
    """A folder of the server's own, which has the repository's objects and refs, and settings that the server wrote."""
    environment: dict[str, str]
