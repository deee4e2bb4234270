"""Where a shallow clone's history ends, on both sides of a sandbox: a person may deepen it, or fetch to another end, while agents work."""

import contextlib
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from agor_jupyter.git.files import opened_folder, read_beneath

_FILE = "shallow"
_MAX_BYTES = 4 * 1024 * 1024
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read(git_dir: Path) -> list[str]:
    """The commits whose parents are not there; none in a whole clone."""
    text = (read_beneath(git_dir, _FILE, _MAX_BYTES) or b"").decode("ascii", "replace")
    return sorted({line for line in text.split() if _SHA.fullmatch(line)})


def render(commits: Iterable[str]) -> bytes:
    return "".join(f"{commit}\n" for commit in commits).encode()


def write(git_dir: Path, wanted: Collection[str]) -> bool:
    """Whether it could be written into the private side: while an agent's git has it locked there, it cannot."""
    with contextlib.suppress(OSError), opened_folder(git_dir, []) as folder:
        lock = f"{_FILE}.lock"
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(render(sorted(wanted)))
        if wanted:
            os.replace(lock, _FILE, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(_FILE, dir_fd=folder)
            os.unlink(lock, dir_fd=folder)
        return True
    return False
