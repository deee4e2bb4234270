"""Where worktrees lie that were put away: the steps there and back, each of which may be the last before a power cut.

What happened is read from the disk: the folder of an archive has an account of itself, and the files and git's own part are either still
in their place or already in the archive.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.archives import Archive, Pins, Purpose
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git.archives import archives as git
from agor_jupyter.git.archives import moves, pins, slimming
from agor_jupyter.git.archives.archives import Box
from agor_jupyter.git.archives.obstacles import obstacles
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import Tasks

log = logging.getLogger(__name__)


class Shelf:
    """`folder` has a folder for each archive. `caches` are the names of folders that are not worth keeping."""

    def __init__(self, folder: Path, clock: Clock, locks: Locks, caches: Sequence[str]) -> None:
        self._folder, self._clock, self._locks, self._caches = folder, clock, locks, caches
        self._tasks = Tasks()
        self._slimming: dict[Path, tuple[asyncio.Task[None], threading.Event]] = {}

    async def close(self) -> None:
        for _, is_ended in self._slimming.values():
            is_ended.set()
        await asyncio.gather(*(task for task, _ in self._slimming.values()), return_exceptions=True)
        await self._tasks.close()

    def boxes(self) -> Iterator[Box]:
        """Of all archives and backups."""
        try:
            folders = sorted(self._folder.iterdir())
        except OSError:
            return
        yield from map(Box, folders)

    def box_of(self, worktree: Worktree) -> Box:
        return Box(Path(worktree.archive_path) if worktree.archive_path else self._folder / worktree.id)

    def free_box(self, worktree: Worktree) -> Box:
        """One that is not there yet. A second one is needed when the worktree was made anew beside what an archive kept of it."""
        box, number = Box(self._folder / worktree.id), 1
        while box.folder.exists():
            number += 1
            box = Box(self._folder / f"{worktree.id}.{number}")
        return box

    async def check(self, worktree: Worktree, repository: Repository, action: str) -> None:
        """Raises when something must not or cannot be moved; nothing was touched.

        Errors:
            Conflict, GitFailed.
        """
        path, admin = Path(worktree.path), repository.worktree_dir(Path(worktree.path))
        git.check_lock(repository, path, action.removesuffix("d"))
        is_copied = path.exists() and moves.crosses(path, self._folder)
        found = await asyncio.to_thread(obstacles, path, is_copied=is_copied) if path.exists() else []
        if admin.is_symlink() or path.is_symlink():
            found.append(f"{admin if admin.is_symlink() else path} is a link, and not what git made")
        if found:
            raise errors.Conflict(f"Worktree {worktree.name!r} was not {action}: {'; '.join(found)}. Nothing was changed.")

    async def put_away(self, worktree: Worktree, repository: Repository, box: Box, archive: Archive) -> Archive:
        """Move the folder and git's part of it into `box`.

        Errors:
            AgorError: all is as it was.
        """
        path, admin = Path(worktree.path), repository.worktree_dir(Path(worktree.path))
        async with self._locks.held(worktree.repo_id):
            try:
                await asyncio.to_thread(git.keep_head, box, repository, path)
                kept = await pins.pin(repository, path, box.folder.name) if (admin / "HEAD").exists() else Pins()
                archive = archive.replace(pins=kept)
                crash_point("archive.pinned")
                await asyncio.to_thread(box.write, archive)
                crash_point("archive.told")
                await asyncio.to_thread(git.put_away, box, path)
                crash_point("archive.files_moved")
                await asyncio.to_thread(git.put_admin_away, box, admin)
                crash_point("archive.admin_moved")
            except (errors.AgorError, OSError) as error:
                await self._roll_back(worktree, repository, box)
                if isinstance(error, OSError) and not isinstance(error, errors.AgorError):
                    raise moves.sentence("put away", error) from error
                raise
        return archive

    async def bring_back(self, worktree: Worktree, repository: Repository, box: Box) -> str | None:
        """Move all back to where it was. What is not as it was, in words.

        Errors:
            AgorError: it stays archived.
        """
        archive = await asyncio.to_thread(box.read)
        if archive is None:
            raise errors.Conflict(f"Worktree {worktree.name!r} stays archived: {box.folder} does not say what it contains.")
        await self.stop_slimming(box)
        try:
            await git.check_back(box, repository, archive)
            written = await slimming.refill(repository, box.files, box.folder)
            crash_point("restore.filled")
            async with self._locks.held(worktree.repo_id):
                await git.check_back(box, repository, archive)
                notice = await git.settle_head(box, repository, archive)
                archive = archive.replace(notice=notice, admin=await asyncio.to_thread(git.settle_entry, box, repository, archive))
                await asyncio.to_thread(box.write, archive)
                crash_point("restore.headed")
                await asyncio.to_thread(git.bring_admin_back, box, repository, archive)
                crash_point("restore.admin_moved")
                try:
                    await asyncio.to_thread(git.bring_back, box, archive)
                except OSError:
                    await asyncio.to_thread(git.put_admin_away, box, repository.common_dir / "worktrees" / archive.admin)
                    raise
                _know(repository, archive)
                crash_point("restore.files_moved")
        except OSError as error:
            if isinstance(error, errors.AgorError):
                raise
            raise moves.sentence("restored", error) from error
        if written:
            await git.refresh_index(repository, Path(worktree.path))
        return notice

    async def recover_away(self, worktree: Worktree, repository: Repository, box: Box) -> Archive | None:
        """After a server died while something was put away: finish it if the files are gone from their place, else undo it (`None`)."""
        archive = await asyncio.to_thread(box.read)
        path, admin = Path(worktree.path), repository.worktree_dir(Path(worktree.path))
        async with self._locks.held(worktree.repo_id):
            if archive is not None and (box.files.exists() or (not path.exists() and admin.exists())):
                if box.files.exists():
                    await asyncio.to_thread(moves.finish, path, box.files)
                await asyncio.to_thread(git.put_admin_away, box, admin)
                return archive
            await self._roll_back(worktree, repository, box)
        return None

    async def recover_back(self, worktree: Worktree, repository: Repository, box: Box) -> tuple[bool, str | None]:
        """After a server died while something was brought back: whether it is back now, and what there is to say."""
        archive = await asyncio.to_thread(box.read)
        if archive is None or box.admin.exists():  # where git has that name too, it may be another worktree's
            return False, None
        async with self._locks.held(worktree.repo_id):
            if box.files.exists():
                await asyncio.to_thread(moves.finish, box.files, Path(worktree.path))
            _know(repository, archive)
        await git.refresh_index(repository, Path(worktree.path))
        return True, archive.notice

    async def _roll_back(self, worktree: Worktree, repository: Repository, box: Box) -> None:
        path = Path(worktree.path)
        await asyncio.to_thread(git.roll_back, box, path, repository.worktree_dir(path))
        with contextlib.suppress(errors.AgorError):  # the repository may be what is broken
            await pins.unpin(repository, box.folder.name)
        await asyncio.to_thread(box.remove)

    # Space

    def slim(self, repository: Repository, box: Box) -> None:
        """In the background: drop what can be made again."""
        is_ended = threading.Event()
        work = slimming.slim(
            repository, box.files, index=box.admin / "index", note=box.folder, caches=self._caches, is_ended=is_ended.is_set
        )
        task = self._tasks.start(work, f"drop from {box.folder} what can be made again")
        self._slimming[box.folder] = (task, is_ended)
        task.add_done_callback(lambda _: self._slimming.pop(box.folder, None))

    async def settled(self) -> None:
        """Wait until nothing more goes in the background."""
        await self._tasks.settled()

    async def stop_slimming(self, box: Box) -> None:
        task, is_ended = self._slimming.get(box.folder, (None, None))
        if task is not None and is_ended is not None:
            is_ended.set()
            await asyncio.wait([task])

    async def purge(self, repository: Repository | None, box: Box) -> None:
        """For good, the account of it last. May be repeated."""
        await self.stop_slimming(box)
        await asyncio.to_thread(box.empty)
        crash_point("purge.emptied")
        if repository is not None:
            await pins.unpin(repository, box.folder.name)
        await asyncio.to_thread(box.remove)

    def purge_later(self, repository: Repository | None, box: Box) -> None:
        self._tasks.start(self.purge(repository, box), f"remove {box.folder}")


def _know(repository: Repository, archive: Archive) -> None:
    """By which name git has it now."""
    path = Path(archive.worktree.path)
    if archive.admin == path.name:
        repository.entries.pop(str(path), None)
    else:
        repository.entries[str(path)] = archive.admin


def is_due(archive: Archive, now: datetime) -> bool:
    """Whether nobody needs what is left of a removed worktree any more."""
    return archive.purpose is Purpose.DISCARD or (archive.purpose is Purpose.BACKUP and archive.until is not None and archive.until <= now)
