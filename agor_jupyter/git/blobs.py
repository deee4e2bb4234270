"""Reads what files held at a commit: many questions, also from several worktrees, are answered by one process."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

MAX_BYTES = 1024 * 1024
"""Of one file. A larger one is not kept here."""
_KEPT_BYTES = 8 * 1024 * 1024

Run = Callable[[bytes], Awaitable[bytes]]


class Blobs:
    """`run` gives the input to `git cat-file --batch` and returns its output."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._kept: OrderedDict[str, bytes | None] = OrderedDict()
        self._bytes = 0
        self._waiting: dict[str, None] = {}
        self._reading: asyncio.Task[None] | None = None

    async def read(self, names: Iterable[str]) -> dict[str, bytes | None]:
        """By the names of the objects. `None`: it is no file, too large, or not there."""
        wanted = list(names)
        found: dict[str, bytes | None] = {}
        while missing := [name for name in wanted if name not in found and name not in self._kept]:
            self._waiting.update(dict.fromkeys(missing))
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
            found |= {name: self._kept[name] for name in wanted if name in self._kept}
        return found | {name: self._kept[name] for name in wanted if name not in found}

    async def _read(self) -> None:
        asked, self._waiting = list(self._waiting), {}
        output = await self._run("".join(f"{name}\n" for name in asked).encode())
        position = 0
        for name in asked:
            end = output.find(b"\n", position)
            head = output[position : max(end, position)].split(b" ")
            content = None
            position = end + 1
            if end >= 0 and len(head) == 3:
                size = int(head[2])
                content = output[position : position + size] if head[1] == b"blob" and size <= MAX_BYTES else None
                position += size + 1
            self._keep(name, content)

    def _keep(self, name: str, content: bytes | None) -> None:
        self._kept[name] = content
        self._bytes += len(content or b"")
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= len(old or b"")
