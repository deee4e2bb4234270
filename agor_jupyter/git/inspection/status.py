"""What git says of one worktree, in two processes at most."""

import asyncio
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain.own_files import OwnFiles
from agor_jupyter.domain.worktrees import WorktreeStatus
from agor_jupyter.git import names, partial
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import cleaned, counts
from agor_jupyter.git.inspection.cleaned import Cleaned
from agor_jupyter.git.repository import Repository

_MAX_COUNTED_BYTES = 4 * 1024 * 1024
_MAX_PATHS = 300


STATUS = (
    *("-c", "core.preloadIndex=false", "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--ignored=matching"),
    *("--ignore-submodules=dirty", "--no-renames", "--no-ahead-behind"),
)
"""Of submodules git reads which commit they are at, and never enters them: it would obey their own settings."""


@dataclass(kw_only=True)
class Submodule:
    """One that is at another commit than the one recorded, or whose record changed."""

    is_staged: bool
    is_moved: bool


@dataclass(kw_only=True)
class Changes:
    """What `git status` found, with paths relative to the worktree."""

    head: str = ""
    branch: str | None = None
    staged: int = 0
    unstaged: int = 0
    conflicted: int = 0
    tracked: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    own: dict[str, list[str]] = field(default_factory=dict)
    """Those that agents keep for themselves, by the agents' labels, once they are told apart from `untracked`."""
    inner: list[str] = field(default_factory=list)
    """Folders that are repositories of their own, and that git does not look into."""
    ignored: list[str] = field(default_factory=list)
    """Files, and folders that end with `/`."""
    entries: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Of tracked files that are not in conflict: the mode at HEAD, the one in the folder, and the name of the object at HEAD."""
    submodules: dict[str, Submodule] = field(default_factory=dict)
    altered: dict[str, str] = field(default_factory=dict)
    """Tracked files that differ from the index, as far as git sees without their filters, with the name of the object there."""
    in_another_mode: set[str] = field(default_factory=set)
    """Those of `altered` whose mode differs too."""
    cleaned: dict[str, Cleaned] = field(default_factory=dict)
    """Files that a filter stands between, as git would store them."""
    untried: dict[str, str] = field(default_factory=dict)
    """Files that show as they are, since their filter could not be tried, with its name."""

    @property
    def is_dirty(self) -> bool:
        return bool(self.tracked or self.untracked)

    def tell_apart(self, own: OwnFiles) -> None:
        self.untracked, self.own = own.tell_apart(self.untracked)


async def changes(repository: Repository, worktree: Path, *, index: Path | None = None, is_raw: bool = False) -> Changes:
    """Files that a filter of people stands between are compared as git would, which runs it. If it `is_raw`, all bytes count."""
    output = await repository.git("read the status", *STATUS, worktree=worktree, index=index)
    found = parse(output.text)
    if is_raw:
        return found
    compared = await cleaned.compare(repository, worktree, found.altered, found.untracked)
    found.cleaned, found.untried = compared.files, compared.untried
    unchanged = {path for path, one in compared.files.items() if one.content is None} - found.in_another_mode
    same = {path: oid for path, oid in found.altered.items() if path in unchanged}
    if same:
        found.unstaged -= len(same)
        found.altered = {path: oid for path, oid in found.altered.items() if path not in same}
        as_committed = {path for path, oid in same.items() if _is_at_head(found.entries[path], oid)}
        found.tracked = [path for path in found.tracked if path not in as_committed]
        found.entries = {path: entry for path, entry in found.entries.items() if path not in as_committed}
    return found


def _is_at_head(entry: tuple[str, str, str], oid: str) -> bool:
    before, after, name = entry
    return (before, name) == (after, oid)


def parse(text: str) -> Changes:
    found = Changes()
    for line in text.split("\0"):
        mark, _, rest = line.partition(" ")
        if mark == "#":
            key, _, value = rest.partition(" ")
            if key == "branch.oid":
                found.head = "" if value == "(initial)" else value
            elif key == "branch.head":
                found.branch = None if value == "(detached)" else names.shown(value)
        elif mark == "1":
            _take_changed(found, rest)
        elif mark == "u":
            found.conflicted += 1
            found.tracked.append(rest.split(" ", 9)[-1])
        elif mark == "?":
            (found.inner if rest.endswith("/") else found.untracked).append(rest.rstrip("/"))
        elif mark == "!":
            found.ignored.append(rest)
    return found


def _take_changed(found: Changes, rest: str) -> None:
    _, _, before, staged, after, name, indexed, path = rest.split(" ", 7)
    if rest[3] == "S":
        found.submodules[path] = Submodule(is_staged=rest[0] != ".", is_moved=rest[1] != ".")
        return
    found.staged += rest[0] != "."
    found.unstaged += rest[1] != "."
    found.tracked.append(path)
    found.entries[path] = (before, after, name)
    if rest[1] == "M":
        found.altered[path] = indexed
        if staged != after:
            found.in_another_mode.add(path)


@dataclass(kw_only=True)
class Counted:
    """Lines and files that were counted, and for which state of the worktree, so that the same state is not counted again."""

    state: object = None
    files: int = 0
    added: int = 0
    deleted: int = 0


async def status(  # noqa: PLR0917 called in one place
    repository: Repository,
    worktree: Path,
    base_sha: str,
    base_ref: str,
    at: datetime,
    found: Changes,
    counted: Counted | None = None,
) -> WorktreeStatus:
    """The state of the worktree against the commit it started from and the ref that was. `counted` is read and brought up to date."""
    counted = counted or Counted()
    state, is_settled = _state(worktree, found, base_sha)
    if counted.state is None or counted.state != state:
        counted.files, counted.added, counted.deleted = await _count_lines(repository, worktree, found, base_sha)
        counted.state = state if is_settled else None
    ahead, behind = await _distance(repository, worktree, found.head, base_sha, base_ref)
    return WorktreeStatus(
        branch=found.branch,
        head=found.head,
        ahead=ahead,
        behind=behind,
        dirty=found.is_dirty,
        staged=found.staged,
        unstaged=found.unstaged,
        untracked=len(found.untracked),
        conflicted=found.conflicted,
        files=counted.files,
        added=counted.added,
        deleted=counted.deleted,
        as_of=at,
    )


def _state(worktree: Path, found: Changes, base_sha: str) -> tuple[object, bool]:
    """What the counts depend on, and whether all of it is older than the clock's grain, so that a change would show."""
    marks: list[object] = [base_sha, found.head, *((path, one.oid) for path, one in found.cleaned.items())]
    newest, folder = 0, f"{worktree}/"
    for path in (*found.tracked, *found.untracked):
        try:
            there = os.lstat(folder + path)  # a Path for each costs as much as the call
        except OSError:
            marks.append(path)
            continue
        marks.append((path, there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns, there.st_mode))
        newest = max(newest, there.st_ctime_ns)
    return tuple(marks), newest < time.time_ns() - 100_000_000


async def _count_lines(repository: Repository, worktree: Path, found: Changes, base_sha: str) -> tuple[int, int, int]:
    is_moved = found.head != base_sha
    tracked = [path for path in found.tracked if path not in found.cleaned]
    counted: dict[str, tuple[int, int]] = {}
    known = None if is_moved or not tracked or found.cleaned else await counts.tracked(repository, worktree, tracked, found.entries)
    if known is None and (tracked or is_moved):
        counted = await _count_by_git(repository, worktree, found, base_sha, tracked)
    apart = {path: one for path, one in found.cleaned.items() if one.is_tracked and (is_moved or path in found.entries)}
    counted |= await cleaned.count(repository, base_sha, apart)
    files, added, deleted = known or (0, 0, 0)
    files += len(counted)
    added += sum(plus for plus, _ in counted.values())
    deleted += sum(minus for _, minus in counted.values())
    if found.untracked:
        files += len(found.untracked)
        added += await asyncio.to_thread(_lines, worktree, found)
    return files, added, deleted


async def _count_by_git(
    repository: Repository, worktree: Path, found: Changes, base_sha: str, tracked: list[str]
) -> dict[str, tuple[int, int]]:
    """By path, without files that a filter stands between."""
    is_moved = found.head != base_sha
    if is_moved and found.head:
        await partial.complete_diff(repository, base_sha, found.head, "count what changed")
    only = tracked if not is_moved and len(tracked) <= _MAX_PATHS else []  # git then looks at no other file
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all", "--numstat", "-z")
    output = await repository.git("compare with the base", "diff", *options, base_sha, "--", *only, worktree=worktree)
    counted = {}
    for line in output.text.split("\0"):
        plus, _, rest = line.partition("\t")
        minus, tab, path = rest.partition("\t")
        if tab and path not in found.cleaned:
            counted[path] = (int(plus) if plus.isdigit() else 0, int(minus) if minus.isdigit() else 0)
    return counted


async def _distance(repository: Repository, worktree: Path, head: str, base_sha: str, base_ref: str) -> tuple[int, int]:
    """Commits since the base, and commits that the base ref got meanwhile. No process when neither moved."""
    tip = await repository.tip(base_ref)
    if not head or (head == base_sha and tip in {None, head}):
        return 0, 0
    ahead, behind = 0, 0
    if head != base_sha:
        ahead = await _count(repository, worktree, f"{base_sha}..{head}")
    if tip is not None and tip != base_sha:
        behind = await _count(repository, worktree, f"{head}..{tip}")
    return ahead, behind


async def _count(repository: Repository, worktree: Path, span: str) -> int:
    output = await repository.git("count commits", "rev-list", "--count", span, "--", worktree=worktree, ok=(0, 128))
    return int(output.text or 0) if output.code == 0 else 0


def _lines(worktree: Path, found: Changes) -> int:
    """The lines of new text files, as git would count them. A binary, large or odd file counts as none."""
    total = 0
    for path in found.untracked[:2000]:
        one = found.cleaned.get(path)
        content = one.content if one is not None else read_beneath(worktree, path, _MAX_COUNTED_BYTES)
        total += count_lines(content or b"")
    return total


def count_lines(content: bytes) -> int:
    if b"\0" in content[:8000]:
        return 0
    return content.count(b"\n") + (not content.endswith(b"\n") if content else 0)
