"""What a person would lose with a worktree's folder, and what of it is only a cache."""

import asyncio
from collections import OrderedDict
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.caches import Caches
from agor_jupyter.domain.work import MAX_NAMES, Work, WorkKind, count, shown
from agor_jupyter.domain.worktrees import InsideStatus, Worktree
from agor_jupyter.git.inspection import status, work
from agor_jupyter.git.inspection.insides import Base
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.sandbox.inside import UnderWay
from agor_jupyter.services.worktrees import settings, strays
from agor_jupyter.services.worktrees.keepers import Keepers
from agor_jupyter.services.worktrees.tenants import Tenants

_KEPT_LISTS = 200
_NAMED = 3


async def survey(repository: Repository, worktree: Worktree, lists: "CacheLists", keepers: Keepers, tenants: Tenants) -> list[Work]:
    """All work in its folder as it is now, changed and untracked files first. Nothing is taken from an earlier look."""
    path = Path(worktree.path)
    found = await status.changes(repository, path)
    own = await keepers.of(worktree, found.untracked, found.ignored)
    found.tell_apart(own)
    caches = await lists.of(repository, worktree.base_sha)
    inside = await tenants.under_way(worktree.id, repository.worktree_dir(path).name)
    works = [*work.plain(path, found), *await work.survey(repository, path, base_of(worktree), caches, found, own=own)]
    stray = await strays.find(repository, worktree, found.branch, found.head) if found.head else None
    works += [strays.work(stray, found.branch)] if stray is not None else []
    return [*works, in_sandbox(inside)] if inside is not None else works


def in_sandbox(found: UnderWay) -> Work:
    """“merge under way in the sandbox: 2 files in conflict”."""
    number = len(found.conflicts)
    conflicts = f"{count(number, 'file')} in conflict" if number else ""
    if found.operation is None:
        text = f"{conflicts} in the sandbox"
    else:
        text = f"{found.operation} under way in the sandbox{f': {conflicts}' if conflicts else ''}"
    names = [shown(path) for path in found.conflicts[:MAX_NAMES]]
    return Work(kind=WorkKind.SANDBOX, text=f"{text}{_named(names, number)}", files=number, names=names)


def _named(names: list[str], number: int) -> str:
    more = f" and {number - _NAMED:,} more" if number > _NAMED else ""
    return f" ({', '.join(names[:_NAMED])}{more})" if names else ""


def status_inside(found: UnderWay) -> InsideStatus:
    names = [shown(path) for path in found.conflicts[:MAX_NAMES]]
    return InsideStatus(operation=found.operation, conflicted=len(found.conflicts), names=names)


def base_of(worktree: Worktree) -> Base:
    return Base(sha=worktree.base_sha, ref=worktree.base_ref, set_up_at=worktree.set_up_at)


class CacheLists:
    """The caches that a repository declares in `.agor.yml` as it was committed at a base. What an agent writes there counts for nothing."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, str], asyncio.Task[Caches]] = OrderedDict()

    async def of(self, repository: Repository, base_sha: str) -> Caches:
        key = (repository.common_dir, base_sha)
        task = self._known.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._known[key] = asyncio.create_task(_read(repository, base_sha))
            while len(self._known) > _KEPT_LISTS:
                self._known.popitem(last=False)
        return await asyncio.shield(task)


async def _read(repository: Repository, base_sha: str) -> Caches:
    output = await repository.git(
        f"read {settings.FILE}",
        *("cat-file", "blob", f"{base_sha}:{settings.FILE}"),
        ok=(0, 128),
        cap=settings.MAX_BYTES + 1,
    )
    try:
        return Caches(settings.parse(output.out if output.code == 0 else b"").caches)
    except errors.BadSettings:  # creation tells of it
        return Caches()
