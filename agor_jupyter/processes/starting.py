"""The one place that starts a program: in a session and a group of its own, with the variables and limits that it is given."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PIPE, NOTHING, SAME = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
"""What a program may be given as an output or input; `SAME` sends its errors where its output goes."""

Child = subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the kernel allows a program and each that it starts; `None` leaves what the server itself may. None of them can raise it."""

    memory_bytes: int | None = None
    """Of addresses, which is more than what is used."""
    cpu_s: int | None = None
    open_files: int | None = None
    core_bytes: int | None = None

    def around(self, command: Sequence[str]) -> list[str]:
        """`command` with these limits, set before it is executed. One that cannot be set is an end with an error, on stderr."""
        kilobytes = None if self.memory_bytes is None else self.memory_bytes >> 10
        blocks = None if self.core_bytes is None else self.core_bytes >> 9
        wanted = {"v": kilobytes, "t": self.cpu_s, "n": self.open_files, "c": blocks}
        settings = [f"ulimit -{letter} {value}" for letter, value in wanted.items() if value is not None]
        return ["/bin/sh", "-c", " && ".join([*settings, 'exec "$@"']), "sh", *command] if settings else [*command]


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | IO[bytes] = NOTHING,
    stdout: int | IO[bytes] = NOTHING,
    stderr: int | IO[bytes] = NOTHING,
) -> Child:
    """Blocks until the program is executed, about a millisecond.

    Raises `OSError`: `FileNotFoundError` when the program or `cwd` is not there.
    """
    return subprocess.Popen(
        argv, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0, start_new_session=True, executable=_full(argv[0], env)
    )


def _full(program: str, env: Mapping[str, str]) -> str | None:
    """The file of a program, looked for once: else each start tries every folder of PATH. `None` leaves it to the start."""
    if "/" in program:
        return None
    found = _which(program, env.get("PATH", os.defpath))
    if found is None or not os.access(found, os.X_OK):
        _which.cache_clear()
        found = _which(program, env.get("PATH", os.defpath))
    return found if found is not None and found.startswith("/") else None


@functools.lru_cache(64)
def _which(program: str, path: str) -> str | None:
    return shutil.which(program, path=path)
