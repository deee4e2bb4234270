"""What git's logs tell of commits that a branch, or a HEAD without one, was moved away from.

Logs are files that an agent may write. They are read as data and within a bound, and what they name is only ever asked for.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agor_jupyter.git.files import opened_file

_MOST_BYTES = 128 * 1024
_MOST = 5
_SHA = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_LINE = re.compile(rf"({_SHA}) ({_SHA}) [^\t\n]*> (\d{{1,11}}) [+-]\d{{4}}(?:\t(.*))?")
_REWRITES = ("commit", "rebase", "pull", "merge", "cherry-pick", "revert", "am:", "am ", "agor:")
"""How the messages begin of what goes on from where the branch was, or rewrites it as somebody asked: nothing is left behind unseen."""
_DETACHED = re.compile(rf"checkout: moving from {_SHA} to .*")


@dataclass(frozen=True, kw_only=True)
class Move:
    """From `old`, which may be on no branch any more, to `new`."""

    old: str
    new: str
    at: datetime | None = None
    """To the second; `None`: not known."""
    is_detached: bool = False
    """HEAD was on no branch."""


def moves(common_dir: Path, admin: Path, branch: str | None, since: datetime) -> list[Move]:
    """Each place once, the latest first, at most five: resets, forced updates, whatever is not known to go on from where the branch was;
    and HEAD, when it left a place that was on no branch.
    """
    found = [
        Move(old=old, new=new, at=at)
        for old, new, at, message in (_lines(common_dir, f"logs/refs/heads/{branch}") if branch is not None else ())
        if not message.startswith(_REWRITES)
    ]
    found += [
        Move(old=old, new=new, at=at, is_detached=True)
        for old, new, at, message in _lines(admin, "logs/HEAD")
        if _DETACHED.fullmatch(message)
    ]
    after = since.replace(microsecond=0)
    recent = [one for one in found if one.at is not None and one.at >= after and one.old != one.new and one.old.strip("0")]
    latest = {one.old: one for one in sorted(recent, key=lambda one: one.at or after)}
    return sorted(latest.values(), key=lambda one: one.at or after, reverse=True)[:_MOST]


def signature(common_dir: Path, admin: Path, branch: str | None) -> tuple[object, ...]:
    """What tells one state of the logs from another."""
    places = [f"{admin}/logs/HEAD", *([f"{common_dir}/logs/refs/heads/{branch}"] if branch is not None else [])]
    return tuple(map(_mark, places))


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _lines(root: Path, path: str) -> Iterator[tuple[str, str, datetime, str]]:
    try:
        with opened_file(root, path) as descriptor:
            size = os.fstat(descriptor).st_size
            content = os.pread(descriptor, _MOST_BYTES, max(0, size - _MOST_BYTES))
    except OSError:
        return
    for line in reversed(content.decode("utf-8", "replace").split("\n")):
        if (read := _LINE.fullmatch(line)) is not None:
            yield read[1], read[2], datetime.fromtimestamp(int(read[3]), UTC), read[4] or ""
