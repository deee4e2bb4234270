"""Worktrees: create, look at, change, put away."""

from pydantic import Field

from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.domain.repos import GitPlace
from agor_jupyter.domain.turns import Patch
from agor_jupyter.domain.work import Work
from agor_jupyter.domain.worktrees import (
    Kept,
    Relocate,
    Removal,
    StatusAnswer,
    Taken,
    TakeRequest,
    Taking,
    Worktree,
    WorktreeAdopt,
    WorktreeChange,
    WorktreeCreate,
    WorktreeStatus,
)
from agor_jupyter.server.handlers.boards import BoardQuery
from agor_jupyter.server.operations import Call, operation


class WorktreeQuery(Request):
    repo: str | None = None
    """Id or slug."""
    board: str | None = None
    archived: bool = False
    """Archived ones as well."""


class RemoveQuery(Request):
    force: bool = False
    """Remove it even if work would be lost; everything is kept for a while."""


class StatusQuery(Request):
    max_age_s: float = Field(default=2, ge=0, le=3600)
    """An answer may be this old. 0 asks git now."""


class StatusRequest(Request):
    ids: list[WorktreeId] = Field(max_length=5000)
    max_age_s: float = Field(default=2, ge=0, le=3600)


@operation()
async def index(call: Call, query: WorktreeQuery) -> list[Worktree]:
    """List the worktrees."""
    return await call.agor.worktrees.list(repo=query.repo, board=query.board, include_archived=query.archived)


@operation(Role.STEERER)
async def create(call: Call, body: WorktreeCreate) -> Worktree:
    """Create a worktree; the answer comes at once, and it is created in the background."""
    return await call.agor.worktrees.create(call.caller, body, call.key)


@operation(Role.STEERER)
async def create_of_card(call: Call, object_id: ObjectId, query: BoardQuery) -> Worktree:
    """Create the worktree of a card that came with the board from another machine."""
    return await call.agor.card_worktrees.create(call.caller, query.path, object_id, call.key)


@operation()
async def statuses(call: Call, body: StatusRequest) -> list[StatusAnswer]:
    """Get the git status of several worktrees."""
    return await call.agor.worktrees.statuses(body.ids, body.max_age_s)


@operation()
async def get(call: Call, worktree: str) -> Worktree:
    """Get a worktree."""
    return await call.agor.worktrees.get(worktree)


@operation(Role.STEERER)
async def change(call: Call, worktree: str, body: WorktreeChange) -> Worktree:
    """Change a worktree's name, board, links, notes or context."""
    return await call.agor.worktrees.change(call.caller, worktree, body)


@operation(Role.OWNER)
async def remove(call: Call, worktree: str, query: RemoveQuery) -> Removal:
    """Remove a worktree, unless work would be lost."""
    return await call.agor.worktrees.remove(call.caller, worktree, call.key, force=query.force)


@operation(Role.STEERER)
async def archive(call: Call, worktree: str) -> Worktree:
    """Archive a worktree with everything in it."""
    return await call.agor.worktrees.archive(call.caller, worktree, call.key)


@operation(Role.STEERER)
async def restore(call: Call, worktree: str) -> Worktree:
    """Restore an archived worktree, or a removed one whose backup is kept."""
    return await call.agor.worktrees.restore(call.caller, worktree, call.key)


@operation(Role.STEERER)
async def retry(call: Call, worktree: str) -> Worktree:
    """Try again to create a worktree that failed."""
    return await call.agor.worktrees.retry(call.caller, worktree, call.key)


@operation()
async def kept(call: Call, worktree: str) -> list[Kept]:
    """List what refs keep for a worktree's agents beside its branch, newest first."""
    return await call.agor.sandboxes.kept_commits.list(worktree)


@operation()
async def would_take(call: Call, worktree: str, query: TakeRequest) -> Taking:
    """Get what taking a kept ref would do right now. Nothing is changed."""
    return await call.agor.sandboxes.kept_commits.would_take(worktree, query.ref)


@operation(Role.STEERER)
async def take(call: Call, worktree: str, body: TakeRequest) -> Taken:
    """Merge commits that were kept beside a worktree's branch into it."""
    return await call.agor.sandboxes.kept_commits.take(call.caller, worktree, body, call.key)


@operation()
async def status(call: Call, worktree: str, query: StatusQuery) -> WorktreeStatus:
    """Get a worktree's git status."""
    return (await call.agor.worktrees.status([worktree], query.max_age_s))[0]


@operation()
async def losses(call: Call, worktree: str) -> list[Work]:
    """Get the work in a worktree's folder, checked anew, and which of it stays when the folder is deleted."""
    return await call.agor.worktrees.losses(worktree)


@operation()
async def diff(call: Call, worktree: str) -> Patch:
    """Get all changes of a worktree since its base, uncommitted ones included."""
    return await call.agor.worktrees.diff(worktree)


@operation()
async def place(call: Call, worktree: str) -> GitPlace:
    """Get where git finds a worktree on the server's machine, for reading it safely."""
    return await call.agor.worktrees.place(worktree)


@operation(Role.OWNER)
async def adopt(call: Call, body: WorktreeAdopt) -> Worktree:
    """Adopt a worktree made by another tool; its folder stays where it is."""
    return await call.agor.worktrees.adoption.adopt(call.caller, body, call.key)


@operation(Role.OWNER)
async def release(call: Call, worktree: str) -> Worktree:
    """Forget a worktree; its folder, branch and files stay."""
    return await call.agor.worktrees.adoption.release(call.caller, worktree, call.key)


@operation(Role.STEERER)
async def relocate(call: Call, worktree: str, body: Relocate) -> Worktree:
    """Follow a worktree whose folder was moved."""
    return await call.agor.worktrees.relocation.relocate(call.caller, worktree, body.path, call.key)


@operation(Role.STEERER)
async def stop_setup(call: Call, worktree: str) -> Worktree:
    """Stop the running setup command, with all its processes."""
    return await call.agor.worktrees.ways.stop_setup(call.caller, worktree)


@operation(Role.STEERER)
async def mend(call: Call, worktree: str, kind: str) -> Worktree:
    """Apply one of the remedies that a worktree offers."""
    return await call.agor.worktrees.ways.take(call.caller, worktree, kind, call.key)
