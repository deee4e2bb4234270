"""What processes use of memory and processor. Reads `/proc`: call it in a thread."""

import contextlib
import os
from collections.abc import Iterable
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    memory_bytes: int
    """Resident; what several share counts for each."""
    cpu_s: float
    """Since each began."""


def of(pids: Iterable[int]) -> Usage:
    """Of all together. Those that are gone have nothing."""
    memory, ticks = 0, 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # hot
                fields = file.read().rpartition(b")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            memory += int(fields[21]) * _PAGE
    return Usage(memory, ticks * _TICK_S)
