"""Databases and schemas of worktrees on PostgreSQL servers, by addresses that are variables of the person who made the worktree.

Each is written down in a file before it is made, without its address, and struck out when it has been dropped.
"""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import DataSpec
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.crash import crash_point
from agor_jupyter.storage import databases
from agor_jupyter.storage.databases import Unreachable

log = logging.getLogger(__name__)


class Databases:
    """`folder` has a file for each worktree that has such."""

    def __init__(self, folder: Path, variables: Variables) -> None:
        self._folder, self._variables = folder, variables

    async def make(self, worktree: Worktree, item: DataSpec, *, is_reset: bool) -> None:
        """Raises `DataFailed`, `SecretsLocked`."""
        address, name = await self._address(worktree, item), _name(worktree, item)
        entry = {"username": worktree.created_by.username, "connection": item.connection, "name": name, "is_schema": item.template is None}
        await asyncio.to_thread(self._note, worktree.id, entry)
        crash_point("data.noted")
        try:
            if is_reset:
                await asyncio.to_thread(databases.drop, address, is_schema=item.template is None, name=name)
            await asyncio.to_thread(databases.make, address, item.template, name)
        except Unreachable as error:
            raise errors.DataFailed(item.name, str(error)) from None

    async def address(self, worktree: Worktree, item: DataSpec) -> str:
        """Of the worktree's own. Raises `DataFailed`, `SecretsLocked`."""
        found = await self._address(worktree, item)
        return databases.address_of(found, is_schema=item.template is None, name=_name(worktree, item))

    async def look(self, worktree: Worktree, item: DataSpec) -> tuple[str, int | None, str | None]:
        """Its name, its size in bytes, and why that is not known."""
        name = _name(worktree, item)
        try:
            address = await self._address(worktree, item)
            return name, await asyncio.to_thread(databases.size, address, is_schema=item.template is None, name=name), None
        except Unreachable as error:
            return name, None, str(error)
        except (errors.DataFailed, errors.SecretsLocked) as error:
            return name, None, error.message

    async def secrets(self, worktree: Worktree, item: DataSpec, names: set[str]) -> dict[str, str]:
        """Raises `DataFailed`: the person has no such variable. `SecretsLocked`."""
        username = worktree.created_by.username
        found = await self._variables.values(self._variables.account(username))
        if missing := sorted(names - found.keys()):
            what = f"{username} has no variable {missing[0]}"
            raise errors.DataFailed(item.name, f"{what}; set it with `jupyter agor variable set {missing[0]}`")
        return {name: found[name] for name in names}

    async def drop_all(self, worktree_id: WorktreeId) -> None:
        """What cannot be dropped now is tried again when a server starts."""
        for entry in await asyncio.to_thread(self._noted, worktree_id):
            try:
                values = await self._variables.values(self._variables.account(entry["username"]))
                address = values[entry["connection"]]
                await asyncio.to_thread(databases.drop, address, is_schema=entry["is_schema"], name=entry["name"])
            except (Unreachable, errors.SecretsLocked, KeyError) as error:
                log.warning("%s of worktree %s could not be dropped: %s", entry["name"], worktree_id, type(error).__name__)
            else:
                await asyncio.to_thread(self._strike, worktree_id, entry)

    async def noted(self) -> list[WorktreeId]:
        """Worktrees that have some."""
        return await asyncio.to_thread(lambda: [WorktreeId(path.stem) for path in sorted(self._folder.glob("wt_*.json"))])

    async def _address(self, worktree: Worktree, item: DataSpec) -> str:
        assert item.connection is not None
        return (await self.secrets(worktree, item, {item.connection}))[item.connection]

    def _file(self, worktree_id: WorktreeId) -> Path:
        return self._folder / f"{worktree_id}.json"

    def _noted(self, worktree_id: WorktreeId) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(self._file(worktree_id).read_text())
        except FileNotFoundError:
            return []
        return found

    def _note(self, worktree_id: WorktreeId, entry: dict[str, Any]) -> None:
        entries = self._noted(worktree_id)
        if entry not in entries:
            self._save(worktree_id, [*entries, entry])

    def _strike(self, worktree_id: WorktreeId, entry: dict[str, Any]) -> None:
        self._save(worktree_id, [each for each in self._noted(worktree_id) if each != entry])

    def _save(self, worktree_id: WorktreeId, entries: list[dict[str, Any]]) -> None:
        file = self._file(worktree_id)
        if not entries:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
            return
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(entries))
        new.replace(file)


def _name(worktree: Worktree, item: DataSpec) -> str:
    return databases.name_of(item.template, f"{worktree.name}_{item.name}" if item.template is None else worktree.name, worktree.id)
