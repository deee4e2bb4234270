"""The repositories below a worktree: found, looked into when they changed, and told in a sentence each."""

import asyncio
import dataclasses
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import Work, WorkKind, count, shown, size
from agor_jupyter.git import entries
from agor_jupyter.git.entries import Index
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import inner, operations, walk
from agor_jupyter.git.inspection.inner import Found, Place
from agor_jupyter.git.inspection.status import STATUS, Changes, parse
from agor_jupyter.git.repository import Repository

MAX = 200
"""Of one worktree. Those beyond are not looked at."""
_MAX_DEPTH = 5
_AT_ONCE = 4
_MAX_PACKED_BYTES = 4 * 1024 * 1024
_MAX_TIPS = 2_000
_FEW = 400
"""Files. Of more, git tells sooner which changed than we tell that none did."""
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

Inside = tuple[Place, Found, int]
"""A repository, what is in it, and its bytes."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """What the worktree started from."""

    sha: str
    ref: str
    set_up_at: datetime | None = None
    """Ignored files that did not change since are what its setup made."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    inside: Inside
    kept: bytes
    """The print of what git keeps for it."""
    files: bytes | None
    """The print of its files. `None`: they are many."""
    view: inner.View


@dataclass(kw_only=True)
class Seen:
    """What earlier looks found, by the state that it was found in."""

    found: dict[str, _Known] = field(default_factory=dict)
    recorded_mark: object = None
    recorded: dict[str, str] = field(default_factory=dict)


async def find(  # noqa: PLR0917 called in one place
    repository: Repository, worktree: Path, paths: Iterable[str], index: Index, base: Base, seen: Seen, bounds: walk.Bounds
) -> list[Inside]:
    own = repository.worktree_dir(worktree)
    links = {os.fsdecode(path): sha for path, sha in index.links.items()}
    waiting = list(dict.fromkeys((*paths, *links)))
    recorded = await _recorded(repository, worktree, [path for path in links if os.path.lexists(worktree / path / ".git")], base, seen)
    slots = asyncio.Semaphore(_AT_ONCE)
    done: dict[str, Inside] = {}
    matched: set[Path] = set()

    async def one(place: Place) -> None:
        known = tuple(recorded[path] for path in (place.path,) if path in recorded)
        async with slots:
            done[_name(place)] = await _inside(repository, place, own, known, seen, bounds)

    for _ in range(_MAX_DEPTH):
        room = MAX - len(done)
        places = [
            place for path in waiting[: max(room, 0)] if path not in done and (place := inner.locate(worktree, path, own)) is not None
        ]
        matched.update(place.git_dir for place in places if place.git_dir is not None)
        await asyncio.gather(*(one(place) for place in places))
        waiting = [f"{place.path}/{below}" for place in places for below in _below(place, done[place.path][1])]
        if not waiting:
            break
    left = [folder for folder in inner.modules(own) if folder not in matched]
    for folder in left[: max(MAX - len(done), 0)]:
        await one(Place(path=str(folder.relative_to(own / "modules")), folder=None, git_dir=folder, is_left=True))
    for path in [path for path in seen.found if path not in done]:
        del seen.found[path]
    return [done[path] for path in sorted(done)]


def _below(place: Place, found: Found) -> list[str]:
    """Repositories and submodules that lie in this one."""
    links: list[str] = []
    if place.git_dir is not None and place.folder is not None:
        parsed = entries.read(place.git_dir)
        links = [os.fsdecode(path) for path in parsed.links]
        links += [name for folder in parsed.folders if os.path.lexists(f"{place.folder}/{(name := os.fsdecode(folder))}/.git")]
    return [*found.changes.inner, *links]


async def _inside(  # noqa: PLR0917 called in one place
    repository: Repository, place: Place, own: Path, known: tuple[str, ...], seen: Seen, bounds: walk.Bounds
) -> Inside:
    if place.git_dir is None:
        linked = _linked(repository, place)
        if linked is None:
            total = await asyncio.to_thread(walk.weigh, str(place.folder), bounds) if place.folder else 0
            return place, Found(problem=place.problem), total
        return linked, await _look_linked(repository, linked), await asyncio.to_thread(walk.weigh, str(linked.folder), bounds)
    git_dir, before = str(place.git_dir), seen.found.get(_name(place))
    state = await asyncio.to_thread(walk.take, "", git_dir, bounds, lambda _: False)
    if before is not None and (before.kept != state.digest or before.inside[0] != place):
        before = None
    if before is not None and before.files is None:
        again = await inner.look_again(place, before.inside[1], before.view)
        if again == before.inside[1]:
            return before.inside
    files = await asyncio.to_thread(walk.take, str(place.folder or ""), "", bounds, lambda _: False)
    if before is not None and before.files == files.digest:
        return before.inside
    kept = () if place.folder is None or not git_dir.startswith(f"{own}/modules/") else _tips(repository, own, place.git_dir)
    found = await inner.look(repository, place, (*known, *kept))
    objects = await asyncio.to_thread(walk.weigh, f"{place.common_dir or git_dir}/objects", bounds)
    answer = (place, found, state.bytes + files.bytes + objects)
    if state.is_settled and files.is_settled:
        few = files.digest if files.count <= _FEW else None
        seen.found[_name(place)] = _Known(inside=answer, kept=state.digest, files=few, view=inner.View(repository, place))
    return answer


def _linked(repository: Repository, place: Place) -> Place | None:
    """A worktree of the outer repository that lies below this one: its commits and refs are the outer one's."""
    registered = repository.common_dir / "worktrees"
    target = Path(place.target) if place.target else None
    if target is None or place.folder is None or target.parent != Path(os.path.realpath(registered)):
        return None
    common = read_beneath(target, "commondir", 64)
    return dataclasses.replace(place, git_dir=target, whose="this", problem="") if common in {b"../..\n", b"../.."} else None


async def _look_linked(repository: Repository, place: Place) -> Found:
    assert place.folder is not None
    assert place.git_dir is not None
    pins = {"GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": str(place.folder)}
    try:
        output = await repository.git("read a worktree below", *STATUS, environment=pins, cwd=place.folder)
        found = parse(output.text)
        without = ("--not", "--remotes", "--branches", "--tags")
        counted = await repository.git("count its commits", "rev-list", "--count", found.head, *without) if found.head else None
    except errors.GitFailed:
        return Found(problem="git could not read it")
    commits = int(counted.text or 0) if counted else 0
    return Found(branch=found.branch, head=found.head, changes=found, commits=commits, under_way=tuple(operations.under_way(place.git_dir)))


async def _recorded(repository: Repository, worktree: Path, paths: list[str], base: Base, seen: Seen) -> dict[str, str]:
    """The commits of submodules that the base names: they came from elsewhere, whether or not a ref here has them."""
    if not paths:
        return {}
    mark = (base.sha, tuple(paths))
    if seen.recorded_mark != mark:
        listing = ("ls-tree", "-z", "--full-tree", base.sha, "--", *paths)
        output = await repository.git("read the submodules", *listing, worktree=worktree, ok=(0, 128))
        lines = (line.partition("\t") for line in output.text.split("\0") if line)
        seen.recorded = {path: head.split(" ")[2] for head, _, path in lines if head.split(" ")[1] == "commit"}
        seen.recorded_mark = mark
    return seen.recorded


def _tips(repository: Repository, own: Path, git_dir: Path) -> tuple[str, ...]:
    """What the main checkout's repository of the same submodule has: those commits do not go with this worktree."""
    theirs = repository.common_dir / "modules" / git_dir.relative_to(own / "modules")
    packed = (read_beneath(theirs, "packed-refs", _MAX_PACKED_BYTES) or b"").decode("ascii", "replace")
    found = [line.split(" ", 1)[0] for line in packed.splitlines()]
    loose = walk.files(str(theirs), "refs", walk.Bounds(entries=_MAX_TIPS), lambda _: False, walk.Findings())
    found += [(read_beneath(theirs, entry.path, 100) or b"").decode("ascii", "replace").strip() for entry in loose]
    return tuple(dict.fromkeys(sha for sha in found if _SHA.fullmatch(sha)))[:_MAX_TIPS]


def _name(place: Place) -> str:
    """Unlike a path of the worktree, one that is left in git's own folder begins with a slash."""
    return f"/{place.path}" if place.is_left else place.path


def is_work(one: Inside, outer: Changes, index: Index) -> bool:
    """A submodule where nothing happened is none; any other repository is, for nothing of the outer one holds it."""
    place, found, _ = one
    is_submodule = place.is_left or os.fsencode(place.path) in index.links
    return not is_submodule or bool(_parts(found)) or bool(found.problem) or place.path in outer.submodules


def describe(one: Inside, outer: Changes, index: Index) -> Work:
    place, found, _ = one
    path = shown(place.path)
    parts = _parts(found)
    if found.problem:
        parts = [found.problem, *([shown(place.target)] if place.target and place.git_dir is None else [])]
    if place.is_left:
        return _work(WorkKind.SUBMODULE, f"submodule {path}, no longer in the folder: {', '.join(parts)}", one)
    if os.fsencode(place.path) in index.links:
        moved = outer.submodules.get(place.path)
        parts += ["at another commit than the one recorded"] if moved and moved.is_moved else []
        parts += ["a new commit of it is staged"] if moved and moved.is_staged else []
        return _work(WorkKind.SUBMODULE, f"submodule {path}: {', '.join(parts)}", one)
    if place.whose:
        where = f"on branch {shown(found.branch)}" if found.branch else "on no branch" if found.head else ""
        said = ", ".join(filter(None, (where, *(parts or ["nothing that is not committed"]))))
        return _work(WorkKind.LINKED_WORKTREE, f"a worktree of {place.whose} repository below ({path}): {said}", one)
    return _work(WorkKind.REPOSITORY, f"1 repository inside ({path}): {', '.join(parts) or 'nothing that its remote lacks'}", one)


def _work(kind: WorkKind, text: str, one: Inside) -> Work:
    place, found, total = one
    return Work(
        kind=kind,
        path=shown(place.path),
        text=f"{text} ({size(total)})",
        files=_files(found.changes),
        commits=min(found.commits, inner.MAX_COMMITS),
        stashes=found.stashes,
        bytes=total,
        is_more=found.commits > inner.MAX_COMMITS,
    )


def _files(found: Changes) -> int:
    return len(found.tracked) + len(found.untracked) + len(found.submodules)


def _parts(found: Found) -> list[str]:
    parts = []
    if found.commits:
        is_more = found.commits > inner.MAX_COMMITS
        parts.append(f"{count(min(found.commits, inner.MAX_COMMITS), 'commit', is_more=is_more)} on no remote")
    if files := _files(found.changes):
        parts.append(f"{count(files, 'file')} not committed")
    if found.stashes:
        parts.append(f"{found.stashes} {'stash' if found.stashes == 1 else 'stashes'}")
    parts += [one.sentence(found.changes.conflicted) for one in found.under_way]
    return parts
