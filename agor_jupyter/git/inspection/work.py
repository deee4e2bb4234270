"""Finds what a person would call work in a worktree, wherever it lies: below it, in what git keeps for it, in ignored files.

Nothing here obeys what it reads: `inner.py` says how repositories below are looked into. All is bounded, and where a bound is reached it
says so and does not call the rest clean.
"""

import asyncio
import functools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain.caches import Caches
from agor_jupyter.domain.own_files import NOBODYS, OwnFiles, named
from agor_jupyter.domain.work import MAX_NAMES, Work, WorkKind, count, shown, size
from agor_jupyter.git import entries
from agor_jupyter.git.entries import Index
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import inner, insides, operations, walk
from agor_jupyter.git.inspection.ignored import Compared, Ignored, ignored_work
from agor_jupyter.git.inspection.insides import Base
from agor_jupyter.git.inspection.status import Changes, changes
from agor_jupyter.git.repository import Repository

_MAX_STASHES_BYTES = 4 * 1024 * 1024
_MAX_COMPARED = 64 * 1024 * 1024
_MOUNTS_AGE_S = 1.0


@dataclass(kw_only=True)
class Seen:
    """What earlier looks at one worktree found, so that what stayed the same is not looked at again."""

    inside: insides.Seen = field(default_factory=insides.Seen)
    commits_mark: object = None
    commits: int = 0
    compared: Compared = field(default_factory=Compared)


@dataclass(kw_only=True)
class _Local:
    """What was seen without git."""

    index: Index
    folders: list[str]
    """That have a `.git` though git does not say so."""
    hidden: list[tuple[str, int]]
    ignored: Ignored
    mounts: list[str]
    unreadable: list[str]
    is_cut: bool


async def survey(  # noqa: PLR0917 called in few places
    repository: Repository,
    worktree: Path,
    base: Base,
    caches: Caches | None = None,
    found: Changes | None = None,
    seen: Seen | None = None,
    *,
    own: OwnFiles = NOBODYS,
    is_whole: bool = True,
) -> list[Work]:
    """All work in the worktree, beside changed and untracked files, which `plain` names; and last what is agents' own.

    Args:
        repository: the outer one.
        worktree: its folder.
        base: what counts as kept elsewhere.
        caches: what is no work though ignored. Default: the declared list.
        found: what `changes` said just now. Default: it is asked.
        seen: what was found before. Default: all is looked at anew.
        own: what agents keep for themselves; `found` is told apart already.
        is_whole: walk the whole folder for repositories that git does not see. Otherwise only tracked and untracked folders count.

    """
    caches, seen = caches or _declared(), seen or Seen()
    found = found if found is not None else await changes(repository, worktree)
    bounds = walk.Bounds()
    under_way = operations.under_way(repository.worktree_dir(worktree))
    local = await asyncio.to_thread(_look_around, repository, worktree, found, base, caches, seen, bounds, own, is_whole=is_whole)
    work = [_operation(one.name, one.sentence(found.conflicted), one.set_aside, found.conflicted) for one in under_way]
    work += await _commits(repository, worktree, found, base, seen)
    work += _stashes(repository, found.branch)
    paths = dict.fromkeys((*found.inner, *local.folders, *local.ignored.repositories))
    inside = await insides.find(repository, worktree, paths, local.index, base, seen.inside, bounds)
    work += [insides.describe(one, found, local.index) for one in inside if insides.is_work(one, found, local.index)]
    work += _filtered(worktree, found)
    if local.hidden:
        names = [shown(path) for path, _ in local.hidden]
        text = f"{count(len(names), 'changed file')} that git was told to ignore: {_named(names)}"
        total = sum(number for _, number in local.hidden)
        work.append(Work(kind=WorkKind.HIDDEN, text=text, files=len(names), bytes=total, names=names[:MAX_NAMES]))
    if local.ignored.work is not None:
        work.append(local.ignored.work)
    work += [Work(kind=WorkKind.MOUNT, path=shown(path), text=f"another file system, mounted at {shown(path)}") for path in local.mounts]
    unreadable = [shown(path) or "the folder" for path in local.unreadable]
    work += [Work(kind=WorkKind.UNKNOWN, path=path, text=f"{path} cannot be read") for path in unreadable]
    if local.is_cut or len(inside) >= insides.MAX:
        text = "more files or repositories than could be checked"
        work.append(Work(kind=WorkKind.UNKNOWN, text=text, is_more=True))
    return [*work, *_own(worktree, found.own, local.ignored.own)]


def _own(worktree: Path, *groups: Mapping[str, Sequence[str]]) -> list[Work]:
    work = []
    for label in dict.fromkeys(label for group in groups for label in group):
        paths = sorted(path for group in groups for path in group.get(label, ()))
        names = [shown(path) for path in paths[:MAX_NAMES]]
        total = sum(_size(worktree, path) for path in paths[:5_000])
        text = f"{named(label, len(paths))}: {_named(names, len(paths))} ({size(total)})"
        work.append(Work(kind=WorkKind.OWN, text=text, files=len(paths), bytes=total, names=names))
    return work


@functools.cache
def _declared() -> Caches:
    return Caches()


def plain(worktree: Path, found: Changes) -> list[Work]:
    """Changed and untracked files, as work."""
    work = []
    for kind, paths, what in (
        (WorkKind.CHANGES, found.tracked, "changed file"),
        (WorkKind.UNTRACKED, found.untracked, "untracked file"),
    ):
        if paths:
            text = f"{count(len(paths), what)}{', not committed' if kind is WorkKind.CHANGES else ''}"
            total = sum(_size(worktree, path) for path in paths[:5_000])
            names = [shown(path) for path in paths[:MAX_NAMES]]
            work.append(
                Work(kind=kind, text=f"{text}: {_named(names, len(paths))} ({size(total)})", files=len(paths), bytes=total, names=names)
            )
    return work


def _size(worktree: Path, path: str) -> int:
    try:
        return os.lstat(f"{worktree}/{path}").st_size
    except OSError:
        return 0


def _named(names: Sequence[str], number: int | None = None, limit: int = 3) -> str:
    more = (number if number is not None else len(names)) - limit
    return ", ".join(names[:limit]) + (f" and {more:,} more" if more > 0 else "")


def _filtered(worktree: Path, found: Changes) -> list[Work]:
    """Files that git calls clean, and that have more in them than it stores."""
    shows = set(found.tracked)
    paths = [path for path, one in found.cleaned.items() if one.is_tracked and not one.is_reversible and path not in shows]
    if not paths:
        return []
    filters = ", ".join(sorted({shown(found.cleaned[path].filter) for path in paths}))
    total, names = sum(_size(worktree, path) for path in paths), [shown(path) for path in paths[:MAX_NAMES]]
    text = f"{count(len(paths), 'file')} with parts that the filter {filters} keeps out of git: {_named(names, len(paths))} ({size(total)})"
    return [Work(kind=WorkKind.FILTERED, text=text, files=len(paths), bytes=total, names=names)]


# What the worktree itself shows


def _look_around(  # noqa: PLR0917 called in one place
    repository: Repository,
    worktree: Path,
    found: Changes,
    base: Base,
    caches: Caches,
    seen: Seen,
    bounds: walk.Bounds,
    own: OwnFiles,
    *,
    is_whole: bool,
) -> _Local:
    root = str(worktree)
    index, findings = entries.read(repository.worktree_dir(worktree)), walk.Findings()
    since = int(base.set_up_at.timestamp() * 1e9) if base.set_up_at is not None else 0
    ignored = ignored_work(repository.path, worktree, found.ignored, caches, since, seen.compared, bounds, own)
    if is_whole:
        for _ in walk.files(root, "", bounds, caches.skips, findings):
            pass
    known = {os.fsdecode(folder) for folder in index.folders}
    known.update(path.rpartition("/")[0] for paths in (found.untracked, *found.own.values()) for path in paths)
    known.discard("")
    folders = {folder for folder in (*known, *findings.repositories) if os.path.lexists(f"{root}/{folder}/.git")}
    bare = (path[:-5] for path in found.untracked if path.endswith("/HEAD"))
    folders |= {folder for folder in bare if os.path.lexists(f"{root}/{folder}/objects") and os.path.lexists(f"{root}/{folder}/refs")}
    return _Local(
        index=index,
        folders=sorted(folders),
        hidden=_hidden(worktree, index),
        ignored=ignored,
        mounts=walk.mounts(root, max_age_s=0 if is_whole else _MOUNTS_AGE_S),
        unreadable=list(dict.fromkeys((*findings.unreadable, *ignored.unreadable))),
        is_cut=findings.is_cut or ignored.is_cut,
    )


def _hidden(worktree: Path, index: Index) -> list[tuple[str, int]]:
    """Entries that git does not compare and whose files differ all the same. One that is not there was left out on purpose."""
    found = []
    for entry in index.set_aside:
        path = os.fsdecode(entry.path)
        try:
            there = os.lstat(f"{worktree}/{path}")
        except OSError:
            continue
        if (there.st_size & 0xFFFFFFFF, int(there.st_mtime) & 0xFFFFFFFF) == entry.mark:
            continue
        content = read_beneath(worktree, path, _MAX_COMPARED)
        if content is None or entries.blob_name(content, len(entry.oid)) != entry.oid:
            found.append((path, there.st_size))
    return found


def _operation(name: str, text: str, set_aside: str | None, conflicts: int) -> Work:
    return Work(kind=WorkKind.OPERATION, text=text, files=conflicts, stashes=int(set_aside is not None), names=[name])


async def _commits(repository: Repository, worktree: Path, found: Changes, base: Base, seen: Seen) -> list[Work]:
    if not found.head or found.head == base.sha:
        return []
    tips = await repository.tips()
    mark = (found.head, found.branch, base, tips)
    if seen.commits_mark != mark:
        exclude = [f"--exclude={found.branch}"] if found.branch else []
        tip = await repository.tip(base.ref)
        without = [f"^{base.sha}", *([f"^{tip}"] if tip else []), "--not", "--remotes", "--tags", *exclude, "--branches"]
        options = ("--count", f"--max-count={inner.MAX_COMMITS + 1}")
        output = await repository.git(
            "count what is nowhere else", "rev-list", *options, found.head, *without, worktree=worktree, ok=(0, 128)
        )
        if output.code:
            return [Work(kind=WorkKind.UNKNOWN, text="commits that git could not count")]
        seen.commits, seen.commits_mark = int(output.text or 0), mark
    if not seen.commits:
        return []
    commits, is_more = min(seen.commits, inner.MAX_COMMITS), seen.commits > inner.MAX_COMMITS
    if found.branch is None:
        text = f"{count(commits, 'commit', is_more=is_more)} on no branch and on no remote (HEAD is detached at {found.head[:10]})"
        return [Work(kind=WorkKind.DETACHED, text=text, commits=commits, is_more=is_more)]
    text = f"{count(commits, 'commit', is_more=is_more)} of branch {shown(found.branch)}, on no other branch and on no remote"
    return [Work(kind=WorkKind.COMMITS, text=text, commits=commits, is_more=is_more)]


def _stashes(repository: Repository, branch: str | None) -> list[Work]:
    """Those made on this branch. They lie in the repository and stay there."""
    if branch is None or not os.path.lexists(f"{repository.common_dir}/logs/refs/stash"):
        return []
    log = read_beneath(repository.common_dir, "logs/refs/stash", _MAX_STASHES_BYTES) or b""
    ours = re.compile(rb"\t(?:WIP on|On) " + re.escape(os.fsencode(branch)) + rb": ")
    number = sum(1 for line in log.split(b"\n") if ours.search(line))
    if not number:
        return []
    text = f"{number} {'stash' if number == 1 else 'stashes'} made on branch {shown(branch)}"
    return [Work(kind=WorkKind.STASH, text=text, stashes=number, stays=True)]
