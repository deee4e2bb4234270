"""Tells ignored files that somebody made from caches, and from copies of what the main checkout has too."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain.caches import Caches
from agor_jupyter.domain.own_files import NOBODYS, OwnFiles
from agor_jupyter.domain.work import MAX_NAMES, Work, WorkKind, count, shown, size
from agor_jupyter.git.files import opened_file
from agor_jupyter.git.inspection import walk

_PIECE = 1024 * 1024
_NAMED = 3

Mark = tuple[int, ...]


@dataclass(kw_only=True)
class Compared:
    """Which files were found to be as in the main checkout, with the marks of both."""

    same: dict[str, tuple[Mark, Mark]] = field(default_factory=dict)
    differing: dict[str, tuple[Mark, Mark]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Ignored:
    work: Work | None = None
    repositories: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    is_cut: bool = False
    """Not all could be looked at."""
    own: dict[str, list[str]] = field(default_factory=dict)
    """What agents keep for themselves, by the agents' labels."""


def ignored_work(  # noqa: PLR0917 called in one place
    checkout: Path,
    worktree: Path,
    listed: Iterable[str],
    caches: Caches,
    since_ns: int,
    compared: Compared,
    bounds: walk.Bounds,
    own: OwnFiles = NOBODYS,
) -> Ignored:
    """`listed` is what git says: files, and folders with a slash at their end. Files that did not change after `since_ns` were set up."""
    answer, findings = Ignored(), walk.Findings()
    found: list[tuple[int, str]] = []
    seen: dict[str, tuple[Mark, Mark]] = {}
    differing: dict[str, tuple[Mark, Mark]] = {}
    for path in listed:
        if caches.has(path):
            continue
        for entry in _entries(str(worktree), path, caches, bounds, findings):
            if entry.state.st_ctime_ns <= since_ns:
                continue
            if own and (owner := own.owner(entry.path)) is not None:
                answer.own.setdefault(owner, []).append(entry.path)
                continue
            pair = _pair(checkout, entry)
            if pair is not None and (
                compared.same.get(entry.path) == pair
                or (compared.differing.get(entry.path) != pair and _is_same(checkout, worktree, entry.path, bounds))
            ):
                seen[entry.path] = pair
                continue
            if pair is not None:
                differing[entry.path] = pair
            found.append((entry.state.st_size, entry.path))
    compared.same, compared.differing = seen, differing
    answer.repositories, answer.unreadable, answer.is_cut = findings.repositories, findings.unreadable, findings.is_cut
    if found:
        answer.work = _describe(found, is_more=findings.is_cut)
    return answer


def _entries(root: str, path: str, caches: Caches, bounds: walk.Bounds, findings: walk.Findings) -> Iterable[walk.Entry]:
    if path.endswith("/"):
        return walk.files(root, path.rstrip("/"), bounds, caches.skips, findings)
    try:
        return [walk.Entry(path=path, state=os.lstat(f"{root}/{path}"))]
    except OSError:
        return []


def _describe(found: list[tuple[int, str]], *, is_more: bool) -> Work:
    found.sort(key=lambda one: (-one[0], one[1]))
    total = sum(number for number, _ in found)
    names = ", ".join(f"{shown(path)} ({size(number)})" for number, path in found[:_NAMED])
    more = f" and {len(found) - _NAMED:,} more, {size(total)} together" if len(found) > _NAMED else ""
    is_one = len(found) == 1 and not is_more
    text = f"{count(len(found), 'ignored file', is_more=is_more)} that {'is' if is_one else 'are'} no cache: {names}{more}"
    return Work(
        kind=WorkKind.IGNORED,
        text=text,
        files=len(found),
        bytes=total,
        names=[shown(path) for _, path in found[:MAX_NAMES]],
        is_more=is_more,
    )


def _mark(state: os.stat_result) -> Mark:
    return (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def _pair(checkout: Path, entry: walk.Entry) -> tuple[Mark, Mark] | None:
    """Marks of the file here and in the main checkout; `None` when they cannot be the same."""
    try:
        theirs = os.lstat(f"{checkout}/{entry.path}")
    except OSError:
        return None
    if theirs.st_size != entry.state.st_size or not (stat.S_ISREG(theirs.st_mode) and stat.S_ISREG(entry.state.st_mode)):
        return None
    return (_mark(entry.state), _mark(theirs))


def _is_same(checkout: Path, worktree: Path, path: str, bounds: walk.Bounds) -> bool:
    """What cannot be read to its end in time counts as differing."""
    try:
        with opened_file(checkout, path) as ours, opened_file(worktree, path) as theirs:
            while not bounds.is_reached:
                piece = os.read(ours, _PIECE)
                if piece != os.read(theirs, _PIECE):
                    return False
                if not piece:
                    return True
    except OSError:
        pass
    return False
