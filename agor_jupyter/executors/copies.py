"""Copies of data into worktrees. The process that copies ends with the server, and what it had not finished counts for nothing."""

import contextlib
import os
import stat
import sys
from pathlib import Path

from agor_jupyter.processes import guarded

_COPIER = Path(__file__).with_name("copier.py")
_TIMEOUT_S = 3600.0
_MAX_ENTRIES = 100_000


async def make(kind: str, source: Path | None, root: Path, path: str, run_id: str) -> str | None:
    """Put a copy of `source` at `path` below `root`, in place of what is there; without a source, something empty.

    It says why that was not possible, for a person. `None`: it is there.
    """
    command = [sys.executable, "-I", "-S", str(_COPIER), kind, "" if source is None else str(source), str(root), path]
    try:
        ended = await guarded.run(command, cwd=Path("/"), env={"LC_ALL": "C.UTF-8"}, run_id=run_id, timeout_s=_TIMEOUT_S)
    except OSError as error:
        return f"the copy could not be started: {error.strerror}"
    if ended.code == 0:
        return None
    return ended.output.strip()[-1000:] or f"the copy ended with code {ended.code}"


def state(root: Path, path: str) -> tuple[bool, int]:
    """Whether something lies there, and how many bytes: of a copy that is under way, those that it has so far. Links are not followed."""
    place = root / path
    if os.path.lexists(place):
        return True, _size(place)
    return False, _size(place.with_name(f".{place.name}.new"))


def _size(place: Path) -> int:
    total = 0
    waiting, left = [place], _MAX_ENTRIES
    while waiting and left > 0:
        left -= 1
        each = waiting.pop()
        with contextlib.suppress(OSError):
            found = each.lstat()
            if stat.S_ISDIR(found.st_mode):
                waiting += each.iterdir()
            else:
                total += found.st_size
    return total
