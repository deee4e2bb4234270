"""Logs of services: a part at a time, waited for as it is written, or all that is kept of it."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import LogChunk
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.processes import rings
from agor_jupyter.services.environments.means import Means
from agor_jupyter.storage.environments import Row

MAX_CHUNK = 256 << 10
"""Bytes of one answer."""
MAX_WAIT_S = 30.0
_LOOK_S = 0.01


class Logs:
    def __init__(self, means: Means, row_of: Callable[[Worktree], Awaitable[Row]]) -> None:
        self._means, self._row_of = means, row_of

    async def read(self, worktree: Worktree, service: str | None, after: int | None, wait_s: float) -> LogChunk:
        """What was written after the place `after`; `None`: the end of what is there. Waits until there is something, `wait_s` at most.

        Errors:
            EnvironmentNotFound, ServiceNotFound.
        """
        name, log = await self._log(worktree, service)
        end = await asyncio.to_thread(rings.end, log)
        place = max(0, end - MAX_CHUNK // 4) if after is None else after
        until = time.monotonic() + min(wait_s, MAX_WAIT_S)
        while end == place and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
            end = rings.end(log)  # a look at two names: not worth a thread
        if place > end:  # of a log that was dropped since
            place = 0
        part = await asyncio.to_thread(rings.read, log, place, MAX_CHUNK)
        content = _whole(part.content, is_cut=part.end < end)
        return LogChunk(
            service=name, text=content.decode("utf-8", "replace"), next=part.start + len(content), skipped=max(0, part.start - place)
        )

    async def whole(self, worktree: Worktree, service: str | None) -> tuple[str, bytes]:
        """The service's name, and all that is kept."""
        name, log = await self._log(worktree, service)
        return name, (await asyncio.to_thread(rings.read, log, 0, 1 << 40)).content

    async def drop(self, worktree_id: WorktreeId) -> None:
        await asyncio.to_thread(shutil.rmtree, self._means.folder_of(worktree_id), ignore_errors=True)

    async def _log(self, worktree: Worktree, service: str | None) -> tuple[str, Path]:
        names = [one.name for one in (await self._row_of(worktree)).environment.services]
        name = service if service is not None else (names[0] if names else "")
        if name not in names:
            raise errors.ServiceNotFound(name, names)
        return name, self._means.log_of(worktree.id, name)


def _whole(content: bytes, *, is_cut: bool) -> bytes:
    """Without a character at its end of which only the first bytes are there yet."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte & 0xC0 == 0x80:  # of UTF-8: it continues a character
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return content[:-back] if length > back and (is_cut or len(content) > back) else content
    return content
