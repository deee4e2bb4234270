"""Finds a program below an agent that signs for git: it may wait for a pass phrase, in a window that nobody sees.

Reads `/proc` and blocks for milliseconds: call it in a thread.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

from agor_jupyter.processes import table

_TICKS = os.sysconf("SC_CLK_TCK")


class Signer(NamedTuple):
    program: str
    seconds: float
    """How long it has run."""


def waiting(run_id: str) -> Signer | None:
    """The oldest one of the run. Git names the program itself (`gpg.program`), so it is known by how git calls it."""
    found = []
    for process in table.of_run(run_id):
        try:
            folder = Path("/proc", str(process.pid))
            argv = [os.fsdecode(part) for part in (folder / "cmdline").read_bytes().split(b"\0")]
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
            is_of_git = Path("/proc", str(parent), "comm").read_bytes().strip() == b"git"
        except (OSError, ValueError, IndexError):
            continue
        if is_of_git and (program := _program(argv)) is not None:
            found.append(Signer(program, time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_ticks / _TICKS))
    return max(found, key=lambda signer: signer.seconds, default=None)


def _program(argv: list[str]) -> str | None:
    """`gpg --status-fd=2 -bsau <key>`, or `ssh-keygen -Y sign -n git …`, after the interpreter of a script where there is one."""
    for at, argument in enumerate(argv):
        if argument == "-bsau" or argv[at : at + 2] == ["-Y", "sign"]:
            named = [one for one in argv[:at] if not one.startswith("-")]
            return Path(named[-1]).name if named else None
    return None
