"""Which processes belong to a run, and how to end them: by tree, by mark, by recorded identity; never by name or a bare pid.

Everything here reads `/proc` and blocks for milliseconds: call it in a thread.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

MARK = "AGOR_RUN_ID"
"""The environment variable that every process of a run inherits."""


class Identity(NamedTuple):
    """One process, for ever: a pid alone is used again. As text it is good for a record, which another server reads after us."""

    pid: int
    start_ticks: int

    def text(self) -> str:
        return f"{boot_id()}:{self.pid}:{self.start_ticks}"

    @classmethod
    def living(cls, text: str) -> "Identity | None":
        """The process of that text, if it lives: not when the machine was started again, or its pid is another's. Raises `ValueError`."""
        boot, pid, ticks = text.split(":")
        process = cls(int(pid), int(ticks))
        return process if boot == boot_id() and process in identify({process.pid}) else None


class _Stat(NamedTuple):
    parent: int
    is_zombie: bool
    start_ticks: int


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _read(pid: int, name: str) -> bytes:
    """Without `Path` and buffers, which take longer than the reading: it is done for every process of the machine."""
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  # hot
        return file.read()


def _stat(pid: int) -> _Stat | None:
    try:
        fields = _read(pid, "stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return _Stat(int(fields[1]), fields[0] in {b"Z", b"X"}, int(fields[19]))


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  # hot


def start_ticks(pid: int) -> int | None:
    """When the process started, in the kernel's ticks; `None` when there is none."""
    stat = _stat(pid)
    return stat.start_ticks if stat else None


def identify(pids: Collection[int]) -> set[Identity]:
    """The living ones of `pids`."""
    return {Identity(pid, stat.start_ticks) for pid in pids if (stat := _stat(pid)) and not stat.is_zombie}


def tree(root: int) -> set[int]:
    """All living descendants of `root`."""
    return _below(root, _living())


def marked(run_id: str) -> set[int]:
    """All processes that inherited the run's mark and did not clear their environment."""
    return {pid for pid in _pids() if _is_marked(pid, run_id)}


def of_run(run_id: str, root: int | None = None) -> set[Identity]:
    """All that inherited the run's mark, and `root` with its descendants. One look serves both."""
    living = _living()
    family = {root, *_below(root, living)} if root is not None else set()
    return {Identity(pid, stat.start_ticks) for pid, stat in living.items() if pid in family or _is_marked(pid, run_id)}


def _living() -> dict[int, _Stat]:
    return {pid: stat for pid in _pids() if (stat := _stat(pid)) and not stat.is_zombie}


def _below(root: int, living: Mapping[int, _Stat]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, stat in living.items():
        children.setdefault(stat.parent, []).append(pid)
    found: set[int] = set()
    todo = [root]
    while todo:
        below = [pid for pid in children.get(todo.pop(), []) if pid not in found]
        found.update(below)
        todo += below
    return found


def _is_marked(pid: int, run_id: str) -> bool:
    mark = f"{MARK}={run_id}".encode()
    try:
        variables = _read(pid, "environ")
    except OSError:
        return False
    return mark in variables and mark in variables.split(b"\0")


def pin(process: Identity) -> int | None:
    """A descriptor that stays with exactly this process, or `None` when it is gone. The caller closes it."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return None
    if process in identify({process.pid}):
        return descriptor
    os.close(descriptor)
    return None


def kill(process: Identity) -> None:
    """SIGKILL to exactly this process: the descriptor pins it, then its start is compared."""
    descriptor = pin(process)
    if descriptor is None:
        return
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    finally:
        os.close(descriptor)


def sweep(find: Callable[[], Collection[Identity]], keep: Collection[tuple[int, int]] = (), limit_s: float = 10.0) -> set[Identity]:
    """Kill what `find` sees, again and again, until it twice sees nothing. Returns what is left after `limit_s`."""
    kept = set(keep)
    end, quiet = time.monotonic() + limit_s, 0
    while quiet < 2 and time.monotonic() < end:
        left = set(find()) - kept
        quiet = 0 if left else quiet + 1
        for process in left:
            kill(process)
        time.sleep(0.01)
    return set(find()) - kept
