"""What the files of a worktree's private repository say: where heads stand, what reflogs remember, what is under way, which locks are left.

An agent wrote them all. They are opened beneath the folder without following a link, and nothing is believed of them but its form.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.git import entries
from agor_jupyter.git.entries import OddIndex
from agor_jupyter.git.files import opened_folder, read_beneath
from agor_jupyter.git.private import Private, Refs

_HEAD = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\n?")
_LINE = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ")
_PART = re.compile(r"(?![.-])[\w.+-]+(?<!\.)(?<!\.lock)")
_MOST_FOLDERS, _MOST_LOGS, _LOG_BYTES = 50, 500, 128 * 1024
_OPERATIONS = (
    *(("rebase-merge", "rebase"), ("rebase-apply", "rebase"), ("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick")),
    *(("REVERT_HEAD", "revert"), ("BISECT_LOG", "bisect")),
)
_LOCKS = ("", "refs", "worktrees", "logs")
_INDEX_BYTES, _MOST_KNOWN = 64 * 1024 * 1024, 500
_WIDTHS = (20, 32)
_known_conflicts: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {}
"""By the state of an index, so that it is read again only when an agent's git wrote it."""


def other_heads(private: Private) -> Refs:
    """Of worktrees that agents made inside, and that are on no branch: as if each were a ref."""
    found: Refs = {}
    for name in _folders(private.git_dir, "worktrees"):
        head = _HEAD.fullmatch(read_beneath(private.git_dir, f"worktrees/{name}/HEAD", 4096) or b"")
        if head and name != private.entry and ".." not in name and _PART.fullmatch(name):
            found[f"worktrees/{name}/HEAD"] = head[1].decode()
    return found


def stashed(private: Private) -> list[str]:
    """All entries of the stash, the last one first."""
    return _logged(private.git_dir, "logs/refs/stash")


def remembered(private: Private) -> list[str]:
    """What the reflogs of heads and branches name, the newest of each first."""
    paths = ["logs/HEAD", *(f"worktrees/{name}/logs/HEAD" for name in _folders(private.git_dir, "worktrees"))]
    paths += list(_files(private.git_dir, "logs/refs/heads"))[:_MOST_LOGS]
    return list(dict.fromkeys(sha for path in paths for sha in _logged(private.git_dir, path)))


def operation(git_dir: Path, name: str = "") -> str | None:
    """What is under way in a worktree, if anything is: in the folder `name` of `git_dir`, that git keeps for it."""
    with contextlib.suppress(OSError), opened_folder(git_dir, name.split("/") if name else []) as folder:
        there = set(_listed(folder))
        return next((word for file, word in _OPERATIONS if file in there), None)
    return None


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """What an agent did not finish: git's word for it, and the files in conflict."""

    operation: str | None
    conflicts: tuple[str, ...] = ()


def under_way(git_dir: Path, name: str) -> UnderWay | None:
    """Of the worktree `name`, in the private repository `git_dir`. `None`: nothing, or there is no such repository."""
    own = f"worktrees/{name}"
    word, paths = operation(git_dir, own), _conflicts(git_dir, f"{own}/index")
    return UnderWay(operation=word, conflicts=paths) if word is not None or paths else None


def _conflicts(git_dir: Path, path: str) -> tuple[str, ...]:
    key = str(git_dir / path)
    mark = entries.signature(git_dir / path)
    known = _known_conflicts.get(key)
    if mark is None:
        return ()
    if known is None or known[0] != mark:
        content = read_beneath(git_dir, path, _INDEX_BYTES) or b""
        paths: list[bytes] = []
        for width in _WIDTHS:
            with contextlib.suppress(OddIndex):
                paths = entries.unmerged(content, width)
                break
        if len(_known_conflicts) >= _MOST_KNOWN:
            _known_conflicts.clear()
        known = _known_conflicts[key] = (mark, tuple(os.fsdecode(one) for one in paths))
    return known[1]


def clear_locks(private: Private) -> list[str]:
    """Remove the locks that processes left which are gone. No process may run inside. Returns their names."""
    cleared = []
    for top in _LOCKS:
        for path in _files(private.git_dir, top, is_deep=bool(top)):
            if path.endswith(".lock"):
                *parts, name = path.split("/")
                with contextlib.suppress(OSError), opened_folder(private.git_dir, parts) as folder:
                    os.unlink(name, dir_fd=folder)
                    cleared.append(path)
    return cleared


def _listed(folder: int) -> list[str]:
    with os.scandir(folder) as there:
        return sorted(entry.name for entry in there)


def _folders(root: Path, path: str) -> list[str]:
    with contextlib.suppress(OSError), opened_folder(root, path.split("/")) as folder:
        return _listed(folder)[:_MOST_FOLDERS]
    return []


def _files(root: Path, path: str, *, is_deep: bool = True, depth: int = 12) -> Iterator[str]:
    """Regular files and what else is no folder, below `path`."""
    listed: list[tuple[str, bool]] = []
    with contextlib.suppress(OSError), opened_folder(root, path.split("/") if path else []) as folder:
        for name in _listed(folder)[: 20 * _MOST_LOGS]:
            with contextlib.suppress(OSError):
                listed.append((name, stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode)))
    for name, is_folder in listed:
        inner = f"{path}/{name}" if path else name
        if not is_folder:
            yield inner
        elif is_deep and depth:
            yield from _files(root, inner, depth=depth - 1)


def _logged(root: Path, path: str) -> list[str]:
    *parts, name = path.split("/")
    with contextlib.suppress(OSError), opened_folder(root, parts) as folder:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            text = os.pread(descriptor, _LOG_BYTES, max(0, found.st_size - _LOG_BYTES)) if stat.S_ISREG(found.st_mode) else b""
        finally:
            os.close(descriptor)
        lines = [match[1].decode() for line in text.splitlines() if (match := _LINE.match(line))]
        return [sha for sha in dict.fromkeys(reversed(lines)) if sha.strip("0")]
    return []
