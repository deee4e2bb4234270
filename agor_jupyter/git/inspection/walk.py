"""Walks folders that somebody else writes: counts files and bytes, finds repositories and mounts, within bounds. Follows no link."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

MAX_ENTRIES = 100_000
MAX_DEPTH = 64


@dataclass(kw_only=True)
class Bounds:
    """Shared by all walks of one survey."""

    entries: int = MAX_ENTRIES
    until: float = field(default_factory=lambda: time.monotonic() + 5.0)

    def take(self) -> bool:
        """Whether one more entry may be looked at."""
        self.entries -= 1
        return self.entries >= 0 and (self.entries % 256 > 0 or time.monotonic() < self.until)

    @property
    def is_reached(self) -> bool:
        return self.entries < 0 or time.monotonic() >= self.until


@dataclass(kw_only=True)
class Entry:
    path: str
    """Below the root that the walk was given."""
    state: os.stat_result


@dataclass(kw_only=True)
class Findings:
    """What a walk met beside files."""

    repositories: list[str] = field(default_factory=list)
    """Folders that have a `.git`, and bare repositories. Their files are not walked."""
    unreadable: list[str] = field(default_factory=list)
    is_cut: bool = False


def files(root: str, start: str, bounds: Bounds, skip: Callable[[str], bool], findings: Findings) -> Iterator[Entry]:
    """Files and links below `start`, which lies below `root`. `skip` is asked about the path of each file and folder."""
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(f"{root}/{folder}" if folder else root) as entries:
                listed = list(entries)
        except OSError:
            findings.unreadable.append(folder)
            continue
        names = {entry.name for entry in listed}
        if folder and (".git" in names or {"HEAD", "objects", "refs", "config"} <= names):
            findings.repositories.append(folder)
            continue
        for entry in listed:
            if not bounds.take():
                findings.is_cut = True
                return
            path = f"{folder}/{entry.name}" if folder else entry.name
            if path == ".git" or skip(path):
                continue
            try:
                if not entry.is_dir(follow_symlinks=False):
                    yield Entry(path=path, state=entry.stat(follow_symlinks=False))
                elif path.count("/") >= MAX_DEPTH:
                    findings.is_cut = True
                else:
                    waiting.append(path)
            except OSError:
                continue


@dataclass(kw_only=True)
class Print:
    """What tells one state of a folder from another."""

    digest: bytes
    is_settled: bool
    """All in it is older than the clock's grain, and all was seen: the same print means the same content."""
    bytes: int
    count: int = 0


def take(folder: str, git_dir: str, bounds: Bounds, skip: Callable[[str], bool]) -> Print:
    """Of a repository's files, and of what git keeps for it, its objects excepted: none comes without a change beside them.

    Either may be empty, and is left out then.
    """
    hasher, newest, size, count, is_whole = blake2b(digest_size=16), 0, 0, 0, True
    waiting = [(place, is_work) for place, is_work in ((folder, True), (git_dir, False)) if place]
    while waiting:
        place, is_work = waiting.pop()
        try:
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            hasher.update(place.encode("utf-8", "surrogateescape") + b"?")
            continue
        for entry in listed:
            if not bounds.take():
                return Print(digest=hasher.digest(), is_settled=False, bytes=size, count=count)
            name = entry.name
            if skip(name) if is_work else name == "objects":
                continue
            if is_work and name == ".git":
                continue
            try:
                there = entry.stat(follow_symlinks=False)
            except OSError:
                is_whole = False
                continue
            mark = f"{entry.path}\0{there.st_ino}.{there.st_size}.{there.st_mtime_ns}.{there.st_ctime_ns}.{there.st_mode}\0"
            hasher.update(mark.encode("utf-8", "surrogateescape"))
            newest = max(newest, there.st_ctime_ns)
            count += 1
            if stat.S_ISDIR(there.st_mode):
                waiting.append((entry.path, is_work))
            else:
                size += there.st_size
    is_settled = is_whole and newest < time.time_ns() - 100_000_000
    return Print(digest=hasher.digest(), is_settled=is_settled, bytes=size, count=count)


def weigh(folder: str, bounds: Bounds) -> int:
    """The bytes of all files below it, as far as the bounds let it look."""
    return sum(entry.state.st_size for entry in files(folder, "", bounds, lambda _: False, Findings()))


def mounts(root: str, table: str = "/proc/self/mountinfo", *, max_age_s: float = 0) -> list[str]:
    """What is mounted below `root`, by paths below it. Empty where the system has no such table."""
    written = root.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
    try:
        points = [line.split(" ", 5)[4] for line in _mount_lines(table, max_age_s) if written in line]
    except IndexError:
        return []
    plain = [point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\") for point in points]
    return sorted({point[len(root) + 1 :] for point in plain if point.startswith(f"{root}/")})


_mounts_read: dict[str, tuple[float, list[str]]] = {}


def _mount_lines(table: str, max_age_s: float) -> list[str]:
    """The system makes the table anew for each reader, which fifty worktrees that are looked at together need not pay fifty times."""
    now, known = time.monotonic(), _mounts_read.get(table)
    if known is None or now - known[0] >= max_age_s:
        try:
            known = now, Path(table).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return []
        _mounts_read[table] = known
    return known[1]
