"""Ports: each worktree has its own from the configured range, which are free when they are given and again when a service starts."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.processes import listeners
from agor_jupyter.services.config import Config
from agor_jupyter.storage import ports
from agor_jupyter.storage.store import Store


class Given(NamedTuple):
    ports: dict[str, int]
    """By name."""
    moved: dict[str, tuple[int, int]]
    """Those of which another program had taken the number: what they were, and what they are."""


class Ports:
    def __init__(self, store: Store, config: Config) -> None:
        self._store, self._range = store, config.environment_ports
        self._lock = asyncio.Lock()

    async def of(self, worktree_id: WorktreeId) -> dict[str, int]:
        return await self._store.read(ports.of, worktree_id)

    async def give(self, worktree_id: WorktreeId, names: Sequence[str], *, checked: Sequence[str]) -> Given:
        """A port for each name: the one that it has, unless it is in `checked` and another program listens there.

        Errors:
            NoPortFree.
        """
        async with self._lock:
            has = await self.of(worktree_id)
            taken = await self._store.read(ports.taken)
            wanted = await asyncio.to_thread(_unfit, has, names, checked)
            found = await asyncio.to_thread(_free, self._range, taken, len(wanted)) if wanted else []
            if len(found) < len(wanted):
                raise errors.NoPortFree(*self._range, len(wanted))
            fresh = dict(zip(wanted, found, strict=True))
            for name, port in fresh.items():
                await self._store.write(ports.give, worktree_id, name, port)
        moved = {name: (has[name], port) for name, port in fresh.items() if name in has}
        return Given({name: {**has, **fresh}[name] for name in names}, moved)

    async def release(self, worktree_id: WorktreeId) -> None:
        await self._store.write(ports.release, worktree_id)


def _unfit(has: dict[str, int], names: Sequence[str], checked: Sequence[str]) -> list[str]:
    return [name for name in names if name not in has or (name in checked and not listeners.is_free(has[name]))]


def _free(span: tuple[int, int], taken: set[int], count: int) -> list[int]:
    """In a row where that is possible, so that a worktree's ports are easy to tell."""
    found: list[int] = []
    for port in range(span[0], span[1] + 1):
        if port not in taken and listeners.is_free(port, is_new=True):
            found.append(port)
            if len(found) == count:
                break
    return found
