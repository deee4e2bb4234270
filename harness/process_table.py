"""Which processes a test brought about: those that were not there before and that have to do with its folder or its mark.

Never by name or age: other tests and people run the same programs on this machine.
"""

import contextlib
import os
import time
import uuid
from pathlib import Path

from agor_jupyter.processes.table import Identity, identify, tree

ESCAPES = 5


def escapes(mark: str) -> str:
    """A child, one in a session of its own, one that ignores the hang-up, and one without a parent, an environment or a folder."""
    slow = f"bash -c 'sleep 400; : {mark}'"
    orphan = f"(cd /; env -i setsid {slow} >/dev/null 2>&1 &)"
    return f"echo begun; {slow} & setsid {slow} >/dev/null 2>&1 & nohup setsid {slow} >/dev/null 2>&1 & {orphan}; {slow}"


class ProcessTable:
    """Made before anything of the test runs. `mark` goes into the command lines of what might escape by clearing its environment."""

    def __init__(self, folder: Path) -> None:
        self.mark = f"mark{uuid.uuid4().hex}"
        self._signs = (str(folder).encode(), self.mark.encode())
        self._before = _all()

    def ours(self) -> set[Identity]:
        """The living processes of the test, with all that is below them; the test itself is none of them."""
        own = identify({os.getpid()})
        roots = {process for process in _all() - self._before - own if self._is_ours(process.pid)}
        below = {pid for root in roots for pid in tree(root.pid)}
        return (roots | identify(below)) - self._before

    def agents(self) -> set[Identity]:
        """Those of `ours` that a shim started; what fell to it without a parent has the mark."""
        ours = self.ours()
        shims = {one.pid for one in ours if "processes/shim.py" in self.show(one)}
        return {one for one in ours if _parent(one.pid) in shims and self.mark not in self.show(one)}

    def marked(self) -> set[Identity]:
        """Those of `ours` that have the mark in their command line."""
        return {process for process in self.ours() if self.mark in self.show(process)}

    def show(self, process: Identity) -> str:
        return _read(process.pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")

    def _is_ours(self, pid: int) -> bool:
        told = [_read(pid, "cmdline"), _read(pid, "environ"), _link(pid, "cwd"), _link(pid, "exe")]
        return any(sign in one for sign in self._signs for one in told)

    def survivors(self, within_s: float) -> list[str]:
        """What is left of `ours` after that time, or earlier when nothing is."""
        end = time.monotonic() + within_s
        while (left := self.ours()) and time.monotonic() < end:
            time.sleep(0.05)
        return sorted(f"{process.pid} {self.show(process)}" for process in left)


def _all() -> set[Identity]:
    return identify([int(name) for name in os.listdir("/proc") if name.isdigit()])


def _read(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _link(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/{name}").encode()
    return b""
