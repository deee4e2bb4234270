"""One lock per repository, for all processes of this machine.

It lies in the server's own folder, because an agent can write the repository's. The operating system frees it when its holder
dies, so a lock is never stale.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

_POLL_S = 0.005


class Locks:
    """Hands out `held(name)`. Within this process the wait is in order; between processes it polls."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here: dict[str, asyncio.Lock] = {}

    @contextlib.asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        async with self._here.setdefault(name, asyncio.Lock()):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                while True:
                    try:
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        await asyncio.sleep(_POLL_S)
                yield
            finally:
                os.close(descriptor)
