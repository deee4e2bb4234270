"""Removed worktrees of which all is kept for a while, and the tidying up of what is due."""

import asyncio
import logging
from datetime import datetime, timedelta

from agor_jupyter.domain import errors
from agor_jupyter.domain.archives import Archive, Backup, Purpose
from agor_jupyter.domain.events import WorktreeChanged
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.git.archives.archives import Box
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.shelf import Shelf, is_due
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_TIDIED_EVERY_S = 3600.0


class Backups:
    def __init__(self, store: Store, config: Config, clock: Clock, repos: Repos, shelf: Shelf) -> None:
        self._store, self._config, self._clock, self._repos, self._shelf = store, config, clock, repos, shelf
        self._tasks = Tasks()

    async def start(self) -> None:
        """Tidy up what is due, now and then."""
        await self.tidy()
        self._tasks.start(self._tidy_on(), "tidy up backups")

    async def close(self) -> None:
        await self._tasks.close()

    async def revive(self, name: str) -> Worktree | None:
        """Put a removed worktree into the table again, archived. `None`: there is no backup of it.

        Errors:
            Conflict: several of that name were removed.
            AlreadyExists: another one has its name now.
        """
        found = await asyncio.to_thread(self._find)
        same = [box for box, backup in found if name in {backup.worktree_id, backup.name}]
        if len(same) > 1:
            ids = ", ".join(backup.worktree_id for _, backup in found if backup.name == name)
            raise errors.Conflict(f"Several worktrees {name!r} were removed. Name one by its id: {ids}.")
        archive = await asyncio.to_thread(same[0].read) if same else None
        if archive is None:
            return None
        box = same[0]
        worktree = archive.worktree.replace(
            **put_away_as(archive.worktree, box, archive), state=WorktreeState.ARCHIVED, step=None, archived_at=archive.at
        )
        await self._repos.get(worktree.repo_id)

        def insert(transaction: Transaction) -> None:
            if kept.is_taken(transaction.connection, worktree.repo_id, worktree.name):
                raise errors.AlreadyExists("Worktree", worktree.name, "Rename that one, then restore the removed one.")
            kept.insert(transaction.connection, worktree)
            transaction.append(self._clock.now(), WorktreeChanged(worktree=worktree))

        await self._store.write(insert)
        await asyncio.to_thread(box.write, archive.replace(purpose=Purpose.ARCHIVE, until=None))
        return worktree

    async def keep(self, box: Box) -> None:
        """What an archive holds that cannot be brought back whole."""
        archive = await asyncio.to_thread(box.read)
        if archive is not None:
            kept_as = archive.replace(purpose=Purpose.BACKUP, until=self.until(self._clock.now()))
            await asyncio.to_thread(box.write, kept_as)

    def until(self, now: datetime) -> datetime | None:
        """Until when is kept what is removed now. `None`: for ever."""
        return now + timedelta(days=self._config.backup_days) if self._config.backup_days else None

    async def tidy(self) -> None:
        """Make the archives agree with the table: what a crash left half done, and backups that are due."""
        for box in await asyncio.to_thread(lambda: list(self._shelf.boxes())):
            archive = await asyncio.to_thread(box.read)
            if archive is None:
                continue
            try:
                await self._tidy(box, archive)
            except (errors.AgorError, OSError) as error:
                log.warning("%s could not be tidied up: %s", box.folder, error)

    async def _tidy(self, box: Box, archive: Archive) -> None:
        worktree = await self._store.read(kept.find, archive.worktree.id)
        try:
            repository = self._repos.repository(await self._repos.get(archive.worktree.repo_id))
        except errors.RepoNotFound:
            repository = None
        if worktree is None:
            if is_due(archive, self._clock.now()):
                self._shelf.purge_later(repository, box)
        elif worktree.archive_path == str(box.folder) and worktree.state is WorktreeState.ARCHIVED:
            if archive.purpose is not Purpose.ARCHIVE:
                await asyncio.to_thread(box.write, archive.replace(purpose=Purpose.ARCHIVE, until=None))
        elif worktree.archive_path != str(box.folder) and (is_due(archive, self._clock.now()) or (box.is_empty and not worktree.step)):
            await self._shelf.purge(repository, box)

    async def _tidy_on(self) -> None:
        while True:
            await asyncio.sleep(_TIDIED_EVERY_S)
            await self.tidy()

    def _find(self) -> list[tuple[Box, Backup]]:
        found = []
        for box in self._shelf.boxes():
            archive = box.read()
            if archive is not None and archive.purpose is Purpose.BACKUP:
                found.append((box, _backup(box, archive)))
        return found

    async def list(self) -> list[Backup]:
        """Removed worktrees of which all is kept for a while, the latest first."""
        found = await asyncio.to_thread(self._find)
        return sorted((backup for _, backup in found), key=lambda one: one.removed_at, reverse=True)


def put_away_as(worktree: Worktree, box: Box, archive: Archive) -> dict[str, object]:
    """What the record of an archived worktree says."""
    return {
        "archive_path": str(box.folder),
        "backup_ref": archive.pins.refs[0] if archive.pins.refs else worktree.backup_ref,
        "branch": archive.worktree.branch,
        "has_own_branch": archive.worktree.has_own_branch,
    }


def _backup(box: Box, archive: Archive) -> Backup:
    return Backup(
        worktree_id=archive.worktree.id,
        repo=archive.worktree.repo,
        name=archive.worktree.name,
        branch=archive.worktree.branch,
        folder=str(box.folder),
        ref=archive.pins.refs[0] if archive.pins.refs else None,
        held=[*archive.losses, *archive.own],
        removed_at=archive.at,
        until=archive.until,
    )
