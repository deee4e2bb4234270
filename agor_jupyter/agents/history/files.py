"""Reads the files in which agents keep conversations, as files that somebody else wrote: no link out, bounded, no line trusted."""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from agor_jupyter.agents.protocol.frames import BadMessage, decode

MAX_FILE = 64 << 20
MAX_LINE = 4 << 20
MAX_FOLDER = 5_000
LIST_S = 10.0
T = TypeVar("T")


class Unreadable(OSError):
    """No regular file of ours, or none that is below its root."""


def newest(folder: Path, suffixes: tuple[str, ...], *, depth: int = 0) -> list[Path]:
    """Regular files with such an ending, at most `MAX_FOLDER` of them, the one that changed last first. No link is followed."""
    found: list[tuple[float, Path]] = []
    waiting, seen = [(folder, 0)], 0
    while waiting:
        place, level = waiting.pop()
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                seen += 1
                if seen > MAX_FOLDER:
                    waiting.clear()
                    break
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False) and entry.name.endswith(suffixes):
                        found.append((entry.stat(follow_symlinks=False).st_mtime, Path(entry.path)))
                    elif level < depth and entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), level + 1))
    return [path for _, path in sorted(found, reverse=True)]


def folders(place: Path) -> list[Path]:
    """The folders directly below, no link among them."""
    with suppress(OSError), os.scandir(place) as entries:
        return [Path(entry.path) for _, entry in zip(range(MAX_FOLDER), entries, strict=False) if entry.is_dir(follow_symlinks=False)]
    return []


def in_time(items: Iterable[T], seconds: float = LIST_S) -> Iterator[T]:
    """As many as come within this time: a list is asked for by somebody who waits."""
    end = time.monotonic() + seconds
    for item in items:
        if time.monotonic() > end:
            return
        yield item


def small(path: Path, limit: int = 64 << 10) -> str:
    """A small text; empty when it cannot be read."""
    with suppress(OSError), open(_descriptor(path), "rb") as file:
        return file.read(limit).decode("utf-8", "replace")
    return ""


class Lines:
    """The JSON objects of a file's lines. `skipped` counts lines that are none; `is_cut` says that the file is longer than what is read."""

    def __init__(self, path: Path, *, limit: int = MAX_FILE, only: tuple[bytes, ...] = ()) -> None:
        self._path, self._limit, self._only = path, limit, only
        self.skipped = 0
        self.is_cut = False

    def __iter__(self) -> Iterator[dict[str, Any]]:  # any JSON
        """With `only`, lines that hold none of these are passed over unread."""
        try:
            with open(_descriptor(self._path), "rb") as file:
                yield from self._read(file)
        except OSError:
            return

    def _read(self, file: Any) -> Iterator[dict[str, Any]]:  # a binary file
        left = self._limit
        while line := file.readline(MAX_LINE):
            left -= len(line)
            if left < 0:
                self.is_cut = True
                return
            if not line.endswith(b"\n") and len(line) == MAX_LINE:
                self.skipped += 1
                while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    left -= len(rest)
                    if left < 0:
                        self.is_cut = True
                        return
                continue
            if not line.strip() or (self._only and not any(mark in line for mark in self._only)):
                continue
            try:
                yield decode(line)
            except BadMessage:
                self.skipped += 1


def _descriptor(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable(f"{path} is not a regular file")
    return descriptor
