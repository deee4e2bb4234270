"""Data of worktrees: made when it is first needed, reset on demand, removed with the worktree.

Files lie in the worktree and go with it. What lies on a PostgreSQL server is written down before it is made, so that it is dropped
whatever happens to the server in between.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.data import DataItem
from agor_jupyter.domain.environments import DataSpec
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import copies, environment
from agor_jupyter.git.files import read_beneath
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once, stored
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.environments.data_kinds import (
    OF_ENGINES,
    path_of,
    read_variables,
    schema_of,
    secrets_in,
    source_of,
    variable_of,
    with_secrets,
)
from agor_jupyter.services.environments.databases import Databases
from agor_jupyter.services.environments.plans import Plans
from agor_jupyter.services.worktrees.directory import Directory
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_MAX_FILE = 64 << 10


@dataclass
class Provided:
    """Variables for what runs in a worktree. Those of `secrets` are masked; those of `withheld` must not come from elsewhere either."""

    values: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)


class Data:
    def __init__(  # noqa: PLR0917  # what it is wired to
        self, store: Store, clock: Clock, repos: Repos, plans: Plans, variables: Variables, databases: Databases
    ) -> None:
        self._store, self._clock, self._repos, self._plans = store, clock, repos, plans
        self._variables, self._databases = variables, databases
        self._directory = Directory(store, repos)
        self._locks: defaultdict[WorktreeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._copying: set[tuple[WorktreeId, str]] = set()
        self._failed: dict[tuple[WorktreeId, str], str] = {}

    async def list(self, caller: Caller, name: str) -> list[DataItem]:
        """In the order of the file.

        Errors:
            WorktreeNotFound, BadSettings.
        """
        caller.require(Role.VIEWER, "look at this worktree's data")
        worktree = await self._directory.get(name)
        planned = await self._plans.of(worktree, None)
        items = planned.plan.data if planned.plan is not None else []
        return [await self._look(worktree, item, planned.reason) for item in items]

    async def reset(self, caller: Caller, name: str, item_name: str, key: str) -> DataItem:
        """As it was when the worktree was made: copied again, or empty.

        Errors:
            WorktreeNotFound, WorktreeNotReady, DataNotFound, DataFailed, BadSettings.
            EnvironmentUntrusted: an owner has to trust what says it.
        """
        caller.require(Role.STEERER, "reset this worktree's data")
        worktree = await self._directory.get(name)
        asked = [worktree.id, item_name]
        async with self._hold(worktree):
            known = await self._store.read(lambda connection: stored(connection, key, caller, "data.reset", asked))
            if known is not None:
                return DataItem.model_validate_json(known)
            item = await self._item(worktree, item_name)
            await self._make(worktree, item, is_reset=True)
            made = await self._look(worktree, item, None)
            at = self._clock.now()

            def job(_: Transaction) -> DataItem:
                return made

            return (await self._store.write(lambda t: once(t, key, caller, "data.reset", asked, at, job, DataItem))).record

    async def provide(self, worktree: Worktree) -> Provided:
        """Make what is missing, and tell where all of it is. Nothing, where an owner has to trust it first.

        What cannot be made is not told of, and `list` says why.
        """
        provided = Provided()
        if worktree.state is not WorktreeState.READY:
            return provided
        try:
            planned = await self._plans.of(worktree, None)
        except errors.BadSettings as error:
            log.info("No data for worktree %s: %s", worktree.id, error)
            return provided
        if planned.plan is None or planned.needs_trust or not planned.plan.data:
            return provided
        async with self._hold(worktree):
            for item in planned.plan.data:
                try:
                    await self._make(worktree, item, is_reset=False)
                    await self._tell(worktree, item, provided)
                except (errors.DataFailed, errors.SecretsLocked, errors.BadName) as error:
                    self._failed[worktree.id, item.name] = getattr(error, "why", "") or error.message
                    if (variable := variable_of(item)) is not None:
                        provided.withheld.add(variable)
        return provided

    async def values(self, worktree: Worktree) -> dict[str, str]:
        """As `provide`, for what runs beside agents."""
        return (await self.provide(worktree)).values

    @contextlib.asynccontextmanager
    async def _hold(self, worktree: Worktree) -> AsyncIterator[None]:
        async with self._locks[worktree.id]:
            yield

    async def _item(self, worktree: Worktree, name: str) -> DataSpec:
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        planned = await self._plans.of(worktree, None)
        items = {item.name: item for item in planned.plan.data} if planned.plan is not None else {}
        if name not in items:
            raise errors.DataNotFound(name, list(items))
        if planned.needs_trust:
            raise errors.DataFailed(name, planned.reason or "an owner has to trust it first")
        return items[name]

    async def _make(self, worktree: Worktree, item: DataSpec, *, is_reset: bool) -> None:
        """Raises `DataFailed`, `SecretsLocked`."""
        if item.kind == "postgresql":
            await self._databases.make(worktree, item, is_reset=is_reset)
        elif (path := path_of(item)) is not None:
            await self._copy(worktree, item, path, is_reset=is_reset)
        self._failed.pop((worktree.id, item.name), None)

    async def _copy(self, worktree: Worktree, item: DataSpec, path: str, *, is_reset: bool) -> None:
        root = Path(worktree.path)
        is_there, _ = await asyncio.to_thread(copies.state, root, path)
        is_made_later = item.source is None and item.kind in OF_ENGINES
        if is_there and not is_reset:
            return
        source = source_of(item, (await self._repos.get(worktree.repo_id)).path)
        self._copying.add((worktree.id, item.name))
        try:
            crash_point("data.before_copy")
            problem = await copies.make(item.kind, source, root, path, f"data.{worktree.id}")
            crash_point("data.after_copy")
        finally:
            self._copying.discard((worktree.id, item.name))
        if problem is not None and not (is_made_later and not is_reset):
            self._failed[worktree.id, item.name] = problem
            raise errors.DataFailed(item.name, problem)

    async def _tell(self, worktree: Worktree, item: DataSpec, provided: Provided) -> None:
        """Raises `DataFailed`, `SecretsLocked`, `BadName`."""
        variable = variable_of(item)
        if item.kind == "variables":
            await self._tell_variables(worktree, item, provided)
            return
        assert variable is not None
        if item.kind == "postgresql":
            value = await self._databases.address(worktree, item)
            provided.secrets.add(variable)
        elif item.kind == "dbt":
            value = schema_of(item, worktree)
        else:
            value = str(Path(worktree.path) / (path_of(item) or ""))
        environment.check_variables({variable: value})
        provided.values[variable] = value

    async def _tell_variables(self, worktree: Worktree, item: DataSpec, provided: Provided) -> None:
        """`source` of the main checkout, then what lies at `path` in the worktree over it. `${secret:NAME}` is one of the person's."""
        found: dict[str, str] = {}
        places = []
        if (source := source_of(item, (await self._repos.get(worktree.repo_id)).path)) is not None:
            places.append((source.parent, source.name))
        if item.path is not None:
            places.append((Path(worktree.path), item.path))
        for root, path in places:
            content = await asyncio.to_thread(read_beneath, root, path, _MAX_FILE)
            found |= read_variables((content or b"").decode("utf-8", "replace"))
        wanted = {name for value in found.values() for name in secrets_in(value)}
        secrets = await self._databases.secrets(worktree, item, wanted) if wanted else {}
        environment.check_variables(found)
        for name, value in found.items():
            provided.values[name] = with_secrets(value, secrets)
            if secrets_in(value):
                provided.secrets.add(name)

    async def _look(self, worktree: Worktree, item: DataSpec, reason: str | None) -> DataItem:
        key = (worktree.id, item.name)
        reason = self._failed.get(key, reason)
        path, where, size, is_there = path_of(item), None, None, True
        if item.kind == "postgresql":
            where, size, problem = await self._databases.look(worktree, item)
            is_there, reason = size is not None, reason or problem
        elif item.kind == "dbt":
            where = schema_of(item, worktree)
        elif path is not None:
            is_there, size = await asyncio.to_thread(copies.state, Path(worktree.path), path)
        state = "copying" if key in self._copying else "failed" if key in self._failed else "ready" if is_there else "missing"
        return DataItem.model_validate(
            {
                "name": item.name,
                "kind": item.kind,
                "state": state,
                "path": path,
                "variable": variable_of(item),
                "where": where,
                "size_bytes": size,
                "reason": reason,
            }
        )
