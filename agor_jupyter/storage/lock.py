"""One server for each data directory: a file lock that the kernel releases when the process ends, however it ends."""

import fcntl
import json
import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from agor_jupyter.domain import errors

log = logging.getLogger(__name__)

_LEAVING_S = 5.0
"""A holder that was killed in the middle of starting a process leaves the lock to that child until it has its program."""


class DataLock:
    """Held from `__enter__` to `__exit__`. The file says who holds it."""

    def __init__(self, data_dir: Path, *, url: str | None = None, info_file: str | None = None) -> None:
        self.data_dir, self.path = data_dir, data_dir / "lock"
        self._holder: dict[str, object] = {"pid": os.getpid(), "url": url, "info_file": info_file}
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Wait for at most 5 s, and only while the holder is dead.

        Errors:
            DataInUse: another server has it; it says which.

        """
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LEAVING_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                holder = self.read(self.data_dir)
                pid, url = holder.get("pid"), holder.get("url")
                if isinstance(pid, int) and not _is_alive(pid) and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                os.close(descriptor)
                raise errors.DataInUse(str(self.data_dir), pid if isinstance(pid, int) else None, str(url) if url else None) from error
        self._descriptor = descriptor
        self._write()
        return self

    def announce(self, url: str, info_file: str | None = None) -> None:
        """Say where this server is found, for those who are refused and for clients on this machine."""
        self._holder |= {"url": url, "info_file": info_file}
        if self._descriptor is not None:
            self._write()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def read(data_dir: Path) -> dict[str, object]:
        """What the holder wrote; empty when there is none or it cannot be read."""
        try:
            holder = json.loads((data_dir / "lock").read_text())
        except (OSError, ValueError):
            return {}
        return holder if isinstance(holder, dict) else {}

    def _write(self) -> None:
        """On a full disk the lock holds all the same; only nobody reads whose it is."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        try:
            os.pwrite(self._descriptor, json.dumps(self._holder).encode(), 0)
        except OSError as error:
            log.warning("Nobody will find this server by %s: %s", self.path, error)


def _is_alive(pid: int) -> bool:
    """On this machine; one that has ended and was not yet collected by its parent is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
