"""Putting worktrees away, and bringing them back: archive, restore, remove."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from agor_jupyter.domain import errors
from agor_jupyter.domain.archives import Archive, Pins, Purpose
from agor_jupyter.domain.events import Removed
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import Repo
from agor_jupyter.domain.work import Work, lost, own
from agor_jupyter.domain.worktrees import Removal, Worktree, WorktreeState, has_files
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.archives import archives as git_archives
from agor_jupyter.git.archives.archives import Box
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.worktrees.backups import Backups, put_away_as
from agor_jupyter.services.worktrees.creation import Creation
from agor_jupyter.services.worktrees.reconciliation import ARCHIVING, REMOVING, RESTORING
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.shelf import Shelf
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.tenants import Tenants
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

_LIVE = "the work of a session that is busy there or has queued prompts"


class Held(NamedTuple):
    """What goes with a worktree's folder, a sentence each."""

    losses: list[str]
    own: list[str]
    """What agents keep for themselves there: no reason to refuse a removal, and kept all the same."""


class Archives:
    """`survey` says what work lies in a worktree, `mark` tells its board, `get` finds one by name or id."""

    def __init__(
        self,
        store: Store,
        config: Config,
        clock: Clock,
        repos: Repos,
        *,
        shelf: Shelf,
        register: Register,
        busy: MutableMapping[WorktreeId, asyncio.Lock],
        creation: Creation,
        statuses: Statuses,
        get: Callable[[str], Awaitable[Worktree]],
        survey: Callable[[Repository, Worktree], Awaitable[list[Work]]],
        mark: Callable[[Worktree], Awaitable[None]],
        tenants: Tenants,
    ) -> None:
        self._store, self._config, self._clock, self._repos = store, config, clock, repos
        self._shelf, self._register, self._busy, self._creation, self._statuses = shelf, register, busy, creation, statuses
        self._get, self._survey, self._mark, self._tenants = get, survey, mark, tenants
        self.backups = Backups(store, config, clock, repos, shelf)
        self._acts: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Tidy up what is due, now and then."""
        await self.backups.start()

    async def close(self) -> None:
        """What was begun is finished."""
        await self.backups.close()
        await asyncio.gather(*self._acts, return_exceptions=True)
        await self._shelf.close()

    # Commands

    async def archive(self, caller: Caller, name: str, key: str) -> Worktree:
        """Put the worktree's folder away with all that is in it, and what git knows of it. `restore` brings back exactly that.

        Errors:
            WouldLoseWork: an agent works there.
            Conflict: something in it cannot be moved; the sentence says what.
        """
        caller.require(Role.STEERER, "archive a worktree")
        return await self._whole(self._archive(caller, name, key))

    async def _archive(self, caller: Caller, name: str, key: str) -> Worktree:
        known = await self._register.answered(key, caller, "worktrees.archive", {"name": name}, Worktree)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            changes: dict[str, object] = {}
            box = None
            repository = self._settled(worktree, await self._repos.get(worktree.repo_id))
            if worktree.state is not WorktreeState.ARCHIVED:
                if await self._tenants.are_busy(worktree.id):
                    raise errors.WouldLoseWork(worktree.name, [_LIVE], action="archived", is_live=True)
                changes = {"state": WorktreeState.ARCHIVED, "step": None, "reason": None, "archived_at": self._clock.now()}
                if _is_there(worktree, repository):
                    held = await self._known_to_be_held(repository, worktree)
                    worktree = await self._get(worktree.id)
                    await self._tenants.halt(worktree.id)
                    box, archive = await self._put_away(worktree, repository, Purpose.ARCHIVE, held, step=ARCHIVING)
                    changes |= put_away_as(worktree, box, archive)
                    await self._tenants.leave(worktree.id)
            archived = await self._register.finish(caller, worktree, changes, "worktrees.archive", {"name": name}, key)
            crash_point("archive.recorded")
            if box is not None:
                self._shelf.slim(repository, box)
        await self._mark(archived)
        return archived

    async def restore(self, caller: Caller, name: str, key: str) -> Worktree:
        """Bring an archived worktree back as it was, or a removed one of which a backup is kept.

        Where something cannot be as it was (its branch was moved meanwhile), the answer's `reason` says so.

        Errors:
            BranchTaken: its branch is checked out elsewhere.
            Conflict: it cannot be brought back now, or not whole; it stays archived, and the sentence says what lies where.
        """
        caller.require(Role.STEERER, "restore a worktree")
        return await self._whole(self._restore(caller, name, key))

    async def _restore(self, caller: Caller, name: str, key: str) -> Worktree:
        request = {"name": name}
        known = await self._register.answered(key, caller, "worktrees.restore", request, Worktree)
        if known is not None:
            return known
        worktree = await self._found(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            if worktree.state is not WorktreeState.ARCHIVED:
                raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "only an archived one can be restored")
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            box = self._shelf.box_of(worktree)
            if worktree.archive_path is None or not box.files.exists():  # of a version that kept a ref only, or its folder was gone
                await git.check_free(repository, worktree.branch)
                await self.backups.keep(box)
                return await self.begin(caller, worktree, repository, "worktrees.restore", request, key)
            await self._register.change(worktree.id, step=RESTORING)
            try:
                notice = await self._shelf.bring_back(worktree, repository, box)
            except errors.AgorError as error:
                await self._register.change(worktree.id, step=None, reason=error.message)
                raise
            back = _brought_back(worktree, repository, notice)
            restored = await self._register.finish(caller, worktree, back, "worktrees.restore", request, key)
            crash_point("restore.recorded")
            await self._shelf.purge(repository, box)
        await self._mark(restored)
        return restored

    async def remove(self, caller: Caller, name: str, key: str, *, force: bool = False) -> Removal:
        """Remove the worktree and its record. Its branch stays unless it was made with it and holds nothing of its own.

        Files that agents keep for themselves are no work: they do not hold it up, and are kept for `backup_days`.

        Errors:
            WouldLoseWork: something would be lost, or an agent works there. With `force` all is kept for `backup_days` and the
                answer says where; not over a live agent.
            Conflict: something in it cannot be moved; the sentence says what.
        """
        caller.require(Role.OWNER, "remove a worktree")
        return await self._whole(self._remove(caller, name, key, force=force))

    async def _remove(self, caller: Caller, name: str, key: str, *, force: bool) -> Removal:
        request = {"name": name, "force": force}
        known = await self._register.answered(key, caller, "worktrees.remove", request, Removal)
        if known is not None:
            return known
        worktree = await self._get(name)
        async with self._busy[worktree.id]:
            worktree = await self._get(worktree.id)
            is_live = await self._tenants.are_busy(worktree.id)
            repository = self._settled(worktree, await self._repos.get(worktree.repo_id))
            held = await self._held_by(repository, worktree)
            worktree = await self._get(worktree.id)
            if is_live:
                raise errors.WouldLoseWork(worktree.name, [_LIVE, *held.losses], is_live=True)
            if held.losses and not force:
                raise errors.WouldLoseWork(worktree.name, held.losses)
            await self._tenants.halt(worktree.id)
            box, archive = await self._take_out(worktree, repository, held)
            await self._tenants.leave(worktree.id)
            if worktree.has_own_branch and (has_files(worktree) or worktree.state is not WorktreeState.FAILED):
                with contextlib.suppress(errors.BranchTaken):  # somebody works on it elsewhere
                    await git.check_free(repository, worktree.branch)
                    await git.drop_branch(repository, worktree.branch, worktree.base_sha)
            removal = _removal(worktree, box, archive)
            now = self._clock.now()

            def delete(transaction: Transaction) -> Removal:
                kept.delete(transaction.connection, worktree.id)
                transaction.append(now, Removed(noun="worktree", id=worktree.id))
                return removal

            outcome = await self._store.write(once, key, caller, "worktrees.remove", request, now, delete, Removal)
            crash_point("remove.recorded")
        self._statuses.forget(worktree.id)
        if box is not None and archive is not None:
            if archive.purpose is Purpose.DISCARD:
                self._shelf.purge_later(repository, box)
            else:
                self._shelf.slim(repository, box)
        await self._mark(worktree)
        return outcome.record

    async def begin(  # noqa: PLR0917 the parts of one command
        self, caller: Caller, worktree: Worktree, repository: Repository, action: str, request: object, key: str
    ) -> Worktree:
        """Make it again: back to creating, once for this key."""
        changes: dict[str, object] = {"state": WorktreeState.CREATING, "step": "git worktree add", "archive_path": None, "own_files": {}}
        begun = await self._register.finish(caller, worktree, changes, action, request, key)
        self._creation.start(begun, repository, is_first=False)
        return begun

    async def set_aside(self, worktree: Worktree, repository: Repository) -> None:
        """What git still has of a worktree whose folder is gone, so that it can be made anew."""
        if _is_there(worktree, repository):
            held = Held(["what git still had of it after its folder was gone"], [])
            await self._put_away(worktree, repository, Purpose.BACKUP, held, step=REMOVING)
            await self._register.change(worktree.id, step=None, archive_path=None)

    # After the server's end

    async def recover(self, worktree: Worktree, repository: Repository) -> None:
        """Finish or undo what a server that died was about."""
        box = self._shelf.box_of(worktree)
        if worktree.step == RESTORING:
            is_back, notice = await self._shelf.recover_back(worktree, repository, box)
            changes = _brought_back(worktree, repository, notice) if is_back else {"step": None}
            await self._register.change(worktree.id, **changes)
            return
        archive = await self._shelf.recover_away(worktree, repository, box)
        if archive is not None:
            away = {"state": WorktreeState.ARCHIVED, "step": None, "reason": None, "archived_at": archive.at}
            await self._register.change(worktree.id, **away, **put_away_as(worktree, box, archive))
        else:
            state = WorktreeState.READY if git.is_present(repository, Path(worktree.path)) else WorktreeState.MISSING
            await self._register.change(worktree.id, step=None, state=state, archive_path=None)

    # Steps

    async def _put_away(
        self, worktree: Worktree, repository: Repository, purpose: Purpose, held: Held, *, step: str
    ) -> tuple[Box, Archive]:
        await self._shelf.check(worktree, repository, "removed" if step == REMOVING else "archived")
        path, box, now = Path(worktree.path), self._shelf.free_box(worktree), self._clock.now()
        branch = await asyncio.to_thread(git_archives.branch_of, repository, path)
        if branch is not None and branch != worktree.branch:  # it was renamed or another one was chosen, and is nobody's to drop
            worktree = worktree.replace(branch=branch, has_own_branch=False)
        archive = Archive(
            worktree=worktree,
            admin=repository.worktree_dir(path).name,
            pins=Pins(),
            purpose=purpose,
            losses=held.losses,
            own=held.own,
            at=now,
            until=self.backups.until(now) if purpose is Purpose.BACKUP else None,
        )
        await self._register.change(worktree.id, step=step, archive_path=str(box.folder))
        try:
            archive = await self._shelf.put_away(worktree, repository, box, archive)
        except errors.AgorError:
            await self._register.change(worktree.id, step=None, archive_path=None)
            raise
        self._statuses.forget(worktree.id)
        return box, archive

    async def _take_out(self, worktree: Worktree, repository: Repository, held: Held) -> tuple[Box | None, Archive | None]:
        """Of its place, or of the archive's keeping."""
        if worktree.state is WorktreeState.ARCHIVED:
            box = self._shelf.box_of(worktree)
            archive = await asyncio.to_thread(box.read)
            if archive is None:
                return None, None
            await self._shelf.stop_slimming(box)
            now, purpose = self._clock.now(), _purpose(held)
            archive = archive.replace(purpose=purpose, until=self.backups.until(now) if purpose is Purpose.BACKUP else None, at=now)
            await asyncio.to_thread(box.write, archive)
            crash_point("remove.told")
            return box, archive
        if (worktree.state is WorktreeState.FAILED and not has_files(worktree)) or not _is_there(worktree, repository):
            return None, None
        if has_files(worktree) and not held.losses:
            held = await self._held(repository, worktree)
            if held.losses:
                raise errors.WouldLoseWork(worktree.name, held.losses)  # somebody wrote there meanwhile
        return await self._put_away(worktree, repository, _purpose(held), held, step=REMOVING)

    async def _held_by(self, repository: Repository, worktree: Worktree) -> Held:
        if has_files(worktree):
            await self._statuses.read(worktree, repository, Path(worktree.path), 0)  # so that the record names the branch that is there
            return await self._held(repository, worktree)
        if worktree.state is WorktreeState.ARCHIVED:
            archive = await asyncio.to_thread(self._shelf.box_of(worktree).read)
            return Held(list(archive.losses), list(archive.own)) if archive is not None else Held([], [])
        return Held([], [])

    async def _held(self, repository: Repository, worktree: Worktree) -> Held:
        found = await self._survey(repository, worktree)
        return Held([one.text for one in lost(found)], [one.text for one in own(found)])

    async def _known_to_be_held(self, repository: Repository, worktree: Worktree) -> Held:
        """For a removal later on. What git cannot tell just now is taken for a loss."""
        if not has_files(worktree):
            return Held(["what was left of it when it was archived"], [])
        try:
            await self._statuses.read(worktree, repository, Path(worktree.path), 0)  # stays to be seen on the card
            return await self._held(repository, worktree)
        except errors.AgorError as error:
            return Held([f"its content, which could not be checked ({error.message})"], [])

    async def _found(self, name: str) -> Worktree:
        """By name or id; one that was removed, and of which a backup is kept, is in the table again."""
        try:
            return await self._get(name)
        except errors.WorktreeNotFound:
            revived = await self.backups.revive(name)
            if revived is None:
                raise
            return revived

    # Small parts

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Whoever asked may go away; what moves folders is not left halfway."""
        task = asyncio.create_task(work)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
        return await asyncio.shield(task)

    def _settled(self, worktree: Worktree, repo: Repo) -> Repository:
        if worktree.state is WorktreeState.CREATING:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "wait until it has been created")
        return self._repos.repository(repo)


def _is_there(worktree: Worktree, repository: Repository) -> bool:
    """Its folder or git's part of it: something is left to put away."""
    path = Path(worktree.path)
    return path.is_dir() or repository.worktree_dir(path).is_dir()


def _brought_back(worktree: Worktree, repository: Repository, notice: str | None) -> dict[str, object]:
    return {
        "entry": repository.entries.get(worktree.path),
        "state": WorktreeState.READY,
        "step": None,
        "reason": notice,
        "archived_at": None,
        "backup_ref": None,
        "archive_path": None,
    }


def _purpose(held: Held) -> Purpose:
    return Purpose.BACKUP if held.losses or held.own else Purpose.DISCARD


def _removal(worktree: Worktree, box: Box | None, archive: Archive | None) -> Removal:
    if box is None or archive is None:
        return Removal(worktree_id=worktree.id, backup_ref=worktree.backup_ref)
    if archive.purpose is Purpose.DISCARD:
        return Removal(worktree_id=worktree.id, backup_ref=None)
    return Removal(
        worktree_id=worktree.id,
        backup_ref=archive.pins.refs[0] if archive.pins.refs else None,
        folder=str(box.folder),
        until=archive.until,
        own=archive.own,
    )
