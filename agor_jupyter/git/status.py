"""What git says of one worktree, in two processes at most."""

import asyncio
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain.own_files import OwnFiles
from agor_jupyter.domain.worktrees import WorktreeStatus
from agor_jupyter.git import counts, names, partial, unfilled
from agor_jupyter.git.files import read_beneath
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
    altered: list[str] = field(default_factory=list)
    """Those of `tracked` of which only the file differs, and nothing is staged."""

    @property
    def is_dirty(self) -> bool:
        return bool(self.tracked or self.untracked)

    def tell_apart(self, own: OwnFiles) -> None:
        self.untracked, self.own = own.tell_apart(self.untracked)


async def changes(repository: Repository, worktree: Path, *, index: Path | None = None) -> Changes:
    """Files that LFS filled are as they should be, whatever git says, which runs no filter here."""
    output = await repository.git("read the status", *STATUS, worktree=worktree, index=index)
    found = parse(output.text)
    same = await unfilled.same_by_lfs(repository, worktree, found.altered)
    if same:
        found.unstaged -= len(same)
        found.tracked = [path for path in found.tracked if path not in same]
        found.altered = [path for path in found.altered if path not in same]
    return found


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
    _, _, before, _, after, name, _, path = rest.split(" ", 7)
    if rest[3] == "S":
        found.submodules[path] = Submodule(is_staged=rest[0] != ".", is_moved=rest[1] != ".")
        return
    found.staged += rest[0] != "."
    found.unstaged += rest[1] != "."
    found.tracked.append(path)
    found.entries[path] = (before, after, name)
    if rest.startswith(".M"):
        found.altered.append(path)


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
    marks: list[object] = [base_sha, found.head]
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
    files = added = deleted = 0
    is_moved = found.head != base_sha
    known = None if is_moved or not found.tracked else await counts.tracked(repository, worktree, found.tracked, found.entries)
    if known is not None:
        files, added, deleted = known
    elif found.tracked or is_moved:
        if is_moved and found.head:
            await partial.complete_diff(repository, base_sha, found.head, "count what changed")
        only = found.tracked if not is_moved and len(found.tracked) <= _MAX_PATHS else []  # git then looks at no other file
        output = await repository.git(
            "compare with the base",
            *(
                "diff",
                "--no-ext-diff",
                "--no-textconv",
                "--no-renames",
                "--ignore-submodules=all",
                "--numstat",
                "-z",
                base_sha,
                "--",
                *only,
            ),
            worktree=worktree,
        )
        for line in output.text.split("\0"):
            plus, _, rest = line.partition("\t")
            minus, tab, _ = rest.partition("\t")
            if tab:
                files += 1
                added += int(plus) if plus.isdigit() else 0
                deleted += int(minus) if minus.isdigit() else 0
    if found.untracked:
        files += len(found.untracked)
        added += await asyncio.to_thread(_lines, worktree, found.untracked)
    return files, added, deleted


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


def _lines(worktree: Path, paths: list[str]) -> int:
    """The lines of new text files, as git would count them. A binary, large or odd file counts as none."""
    return sum(count_lines(read_beneath(worktree, path, _MAX_COUNTED_BYTES) or b"") for path in paths[:2000])


def count_lines(content: bytes) -> int:
    if b"\0" in content[:8000]:
        return 0
    return content.count(b"\n") + (not content.endswith(b"\n") if content else 0)
