"""The first start of an agent goes alone: it makes the agent's home folder, and two that do so at once break it for each other."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FirstStartLock:
    def __init__(self) -> None:
        self._done: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def held(self, agent: str) -> AsyncIterator[None]:
        """Enter when no other start of this agent is inside, until one has left without an error: from then on at once."""
        if agent in self._done:
            yield
            return
        async with self._locks[agent]:
            yield
            self._done.add(agent)
