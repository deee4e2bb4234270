"""Reads the log that a shim writes for a service: two files, of which the older one is dropped when the newer one is full.

A place in it is the number of bytes since the log began, whatever was dropped. `.at` beside it says at which place each file begins; the
shim writes it before it exchanges them, by the files' inodes, so that there is no moment in which a reader takes one for the other.
Everything here reads files and blocks for a moment.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

_TRIES = 20


class Part(NamedTuple):
    content: bytes
    start: int
    """Its place. Later than asked for, when what was there has been dropped."""

    @property
    def end(self) -> int:
        return self.start + len(self.content)


def end(log: Path) -> int:
    """The place after the last byte. 0: there is no log."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            stat = log.stat()
            start = _start_of(log, stat.st_ino)
            if start is not None:
                return start + stat.st_size
    return 0


def read(log: Path, after: int, limit: int) -> Part:
    """At most `limit` bytes from the place `after`, or from the oldest that is there. Beyond the end: nothing."""
    for _ in range(_TRIES):
        found = _read(log, after, limit)
        if found is not None:
            return found
    return Part(b"", after)


def _read(log: Path, after: int, limit: int) -> Part | None:
    """`None`: the files were exchanged meanwhile."""
    content, start, place = bytearray(), after, after
    for path in (log.with_name(f"{log.name}.1"), log):
        try:
            with path.open("rb", buffering=0) as file:
                stat = os.fstat(file.fileno())
                begins = _start_of(log, stat.st_ino)
                if begins is None:
                    return None
                if place < begins and not content:
                    start = place = begins
                if place < begins:
                    return None
                if place > begins + stat.st_size:
                    continue
                file.seek(place - begins)
                piece = file.read(max(0, min(limit - len(content), stat.st_size - (place - begins)))) or b""
        except FileNotFoundError:
            continue
        content += piece
        place += len(piece)
        if len(content) >= limit:  # the rest of this file comes before what is in the other
            break
    return Part(bytes(content), start)


def _start_of(log: Path, inode: int) -> int | None:
    """The place at which the file of this inode begins. `None`: it is none of the two any more."""
    try:
        lines = log.with_name(f"{log.name}.at").read_text().splitlines()
    except FileNotFoundError:
        return 0  # nothing was exchanged yet
    starts = dict(line.split(" ") for line in lines)
    found = starts.get(str(inode))
    return None if found is None else int(found)
