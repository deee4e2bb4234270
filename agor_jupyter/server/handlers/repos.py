"""Repos: register, list, look into, forget."""

from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.repos import Branch, Check, GitPlace, Repo, RepoAdd
from agor_jupyter.domain.worktrees import Adoptable, Relocate
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Repo]:
    """List the repos."""
    return await call.agor.repos.list()


@operation(Role.OWNER)
async def add(call: Call, body: RepoAdd) -> Repo:
    """Register a local checkout, or clone a URL in the background."""
    return await call.agor.repos.add(call.caller, body, call.key)


@operation()
async def get(call: Call, repo: str) -> Repo:
    """Get a repo by its id or slug."""
    return await call.agor.repos.get(repo)


@operation(Role.OWNER)
async def remove(call: Call, repo: str) -> Repo:
    """Forget a repo that has no worktrees; its folder stays."""
    return await call.agor.repos.remove(call.caller, repo, call.key)


@operation()
async def branches(call: Call, repo: str) -> list[Branch]:
    """List the branches of a repo."""
    return await call.agor.repos.branches(repo)


@operation()
async def check(call: Call, repo: str) -> list[Check]:
    """Check a repo: its format, what is missing, filters, identity, other worktrees."""
    return await call.agor.repos.check(repo)


@operation()
async def place(call: Call, repo: str) -> GitPlace:
    """Get where git finds a repo on the server's machine, for reading it safely."""
    return await call.agor.repos.place(repo)


@operation()
async def adoptable(call: Call, repo: str) -> list[Adoptable]:
    """List the worktrees that git knows and Agor does not."""
    return await call.agor.worktrees.adoption.adoptable(repo)


@operation(Role.OWNER)
async def relocate(call: Call, repo: str, body: Relocate) -> Repo:
    """Follow a checkout that was moved to its new location."""
    if body.path is None:
        raise errors.BadRequest(["path: say where the checkout is now"])
    return await call.agor.worktrees.relocation.repo(call.caller, repo, body.path, call.key)
