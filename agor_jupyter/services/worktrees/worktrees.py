"""Worktrees: make, look at, change. Nothing is left half made. `archives.py` puts them away and brings them back."""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from agor_jupyter.agents import catalogue
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import WorktreeChanged
from agor_jupyter.domain.ids import ObjectId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import GitPlace, Repo
from agor_jupyter.domain.work import Work, shown
from agor_jupyter.domain.worktrees import StatusAnswer, Worktree, WorktreeChange, WorktreeCreate, WorktreeState, WorktreeStatus
from agor_jupyter.git import carrying, names, places
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.worktrees.adoption import Adoption
from agor_jupyter.services.worktrees.archives import Archives
from agor_jupyter.services.worktrees.checkpoints import Checkpoints
from agor_jupyter.services.worktrees.contents import Contents
from agor_jupyter.services.worktrees.creation import Creation
from agor_jupyter.services.worktrees.directory import Directory
from agor_jupyter.services.worktrees.issues import Issues, check_link, named
from agor_jupyter.services.worktrees.keepers import Keepers
from agor_jupyter.services.worktrees.losses import CacheLists, survey
from agor_jupyter.services.worktrees.notices import Notices
from agor_jupyter.services.worktrees.reconciliation import Reconciliation
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.relocation import Relocation
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.shelf import Shelf
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.strays import Strays
from agor_jupyter.services.worktrees.tenants import NoTenants, Tenants
from agor_jupyter.services.worktrees.ways import Ways
from agor_jupyter.storage import turns
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

WorktreeStatuses = list[WorktreeStatus]
StatusAnswers = list[StatusAnswer]
Works = list[Work]
Paths = list[str]
_SHOWN_AGE_S = 2.0


class Places(Protocol):
    """The boards, as far as worktrees need them."""

    def check(self, path: str) -> str: ...

    async def place(self, worktree: Worktree, x: float | None, y: float | None, card: ObjectId | None = None) -> None: ...

    async def mark(self, worktree: Worktree) -> None: ...


class Worktrees:
    def __init__(  # noqa: PLR0917 what it stands on
        self,
        store: Store,
        config: Config,
        clock: Clock,
        repos: Repos,
        boards: Places | None = None,
        tenants: Tenants | None = None,
        issues: Issues | None = None,
    ) -> None:
        self._store, self._config, self._clock, self._repos = store, config, clock, repos
        self._boards, self._tenants, self._issues = boards, tenants or NoTenants(), issues
        self._directory = Directory(store, repos)
        self.get, self.list = self._directory.get, self._directory.list
        data_dir = Path(os.path.realpath(config.data_dir))
        self._folder = data_dir / "worktrees"
        self._locks = Locks(data_dir / "locks")
        self._busy: defaultdict[WorktreeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._same: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._register = Register(store, clock)
        self._lists = CacheLists()
        self._keepers = Keepers(store, catalogue.merge(config.agents))
        self._statuses = Statuses(clock, self._lists, self._keepers, self._tenants, self._save_status)
        self._notices = Notices()
        self.checkpoints = Checkpoints(config, clock)
        self._creation = Creation(config, clock, self._locks, self._register.change, self._mark)
        contents = Contents(
            repos,
            checkpoints=self.checkpoints,
            register=self._register,
            keepers=self._keepers,
            statuses=self._statuses,
            tenants=self._tenants,
            get=self.get,
            ready=self._ready,
            survey=self._survey,
        )
        self.losses, self.diff, self.checkpoint, self.patch = contents.losses, contents.diff, contents.checkpoint, contents.patch
        self.tell_apart, self.untracked, self.keep_own = contents.tell_apart, contents.untracked, contents.keep_own
        self.archives = Archives(
            store,
            config,
            clock,
            repos,
            shelf=Shelf(data_dir / "archives", clock, self._locks, config.archive_caches),
            register=self._register,
            busy=self._busy,
            creation=self._creation,
            statuses=self._statuses,
            get=self.get,
            survey=self._survey,
            mark=self._mark,
            tenants=self._tenants,
        )
        self.relocation = Relocation(
            store,
            repos,
            own_folder=self._folder,
            register=self._register,
            locks=self._locks,
            busy=self._busy,
            statuses=self._statuses,
            get=self.get,
            tenants=self._tenants,
        )
        self.adoption = Adoption(
            store,
            clock,
            repos,
            own_folder=self._folder,
            busy=self._busy,
            statuses=self._statuses,
            get=self.get,
            place=self._place,
            mark=self._mark,
            tenants=self._tenants,
        )
        self.ways = Ways(
            repos,
            register=self._register,
            locks=self._locks,
            busy=self._busy,
            creation=self._creation,
            relocation=self.relocation,
            strays=Strays(self._was_at_work),
            get=self.get,
            retry=self.retry,
        )
        self.archive, self.restore, self.remove = self.archives.archive, self.archives.restore, self.archives.remove
        self._reconciliation = Reconciliation(
            repos,
            creation=self._creation,
            change=self._register.change,
            recover=self.archives.recover,
            missing=self.ways.missing,
        )

    async def start(self) -> None:
        await self.checkpoints.start([turn.id for turn in await self._store.read(turns.all_parked)])
        every = await self.list(include_archived=True)
        for worktree in every:
            if worktree.entry is not None:
                self._repos.name_entry(worktree.repo_id, worktree.path, worktree.entry)
        await self._reconciliation.run(every)
        await self.archives.start()

    async def close(self) -> None:
        await self._creation.close()
        await self.archives.close()
        await self._statuses.close()

    # Ask

    async def status(self, ids: Sequence[str], max_age_s: float = 2.0) -> WorktreeStatuses:
        """In the order of `ids`. An answer is at most `max_age_s` old. The records of many hold them a moment later."""
        return [*await asyncio.gather(*await self._asked(ids, max_age_s))]

    async def statuses(self, ids: Sequence[str], max_age_s: float = 2.0, *, is_stored: bool = False) -> StatusAnswers:
        """As `status`, but one that is gone or not ready does not keep the others' answers back. `is_stored`: the records hold them."""
        found = await asyncio.gather(*await self._asked(ids, max_age_s, is_stored=is_stored), return_exceptions=True)
        answers = []
        for one, outcome in zip(ids, found, strict=True):
            if isinstance(outcome, errors.AgorError):
                answers.append(StatusAnswer(worktree_id=WorktreeId(one), reason=outcome.message))
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                answers.append(StatusAnswer(worktree_id=WorktreeId(one), status=outcome))
        return answers

    async def _asked(self, ids: Sequence[str], max_age_s: float, *, is_stored: bool = False) -> Iterable[Awaitable[WorktreeStatus]]:
        """A status to wait for, for each of `ids`; the records of all are read with two queries."""
        known = await self._store.read(kept.many, list(dict.fromkeys(ids)))
        repos = {repo.id: repo for repo in await self._repos.list()}

        async def ask(one: str) -> WorktreeStatus:
            worktree = known.get(one) or await self.get(one)
            return await self._status(worktree, repos[worktree.repo_id], max_age_s, is_stored=is_stored or len(ids) == 1)

        return map(ask, ids)

    async def place(self, name: str) -> GitPlace:
        """Where a program on the server's machine, such as GitPython, finds it."""
        worktree, repository = await self._ready(name)
        return await places.of(repository, Path(worktree.path))

    async def wait_ready(self, name: str) -> Worktree:
        """Wait until it is no longer being made."""
        worktree = await self.get(name)
        await self._creation.wait(worktree.id)
        return await self.get(worktree.id)

    # Make

    async def create(
        self, caller: Caller, request: WorktreeCreate, key: str, *, carried: str | None = None, card: ObjectId | None = None
    ) -> Worktree:
        """Answers in state creating; `WorktreeChanged` tells the rest. `carried` is a commit on its base whose files it gets uncommitted,
        `card` one on its board that becomes its own.

        Errors:
            BadName, BadPath (of the board), RepoNotFound, RefNotFound, AlreadyExists, BranchTaken. Those of `Issues.read`, without a name.
        """
        caller.require(Role.STEERER, "create a worktree")
        async with self._same.setdefault(key, asyncio.Lock()):  # ten clicks wait for the first
            known = await self._register.answered(key, caller, "worktrees.create", request, Worktree)
            return known or await self._create(caller, request, key, carried, card)

    async def _create(self, caller: Caller, request: WorktreeCreate, key: str, carried: str | None, card: ObjectId | None) -> Worktree:
        name = names.check_title(request.name if request.name is not None else await named(self._issues, request))
        branch = request.branch if request.branch is not None else names.slugify(name) or "work"
        branch = names.check_existing(branch) if request.existing_branch else names.check_branch(branch)
        self._check_board(request.board)
        repo = await self._repos.get(request.repo)
        repository = self._repos.repository(repo)
        base = names.check_existing(request.base, "Base") if request.base is not None else repo.default_branch or "main"
        start = await git.resolve(repository, repo.slug, base, branch)
        base_sha = start.sha
        if request.existing_branch:
            base_sha = await git.fork_point(repository, repo.slug, branch, start)
        elif start.branch_sha is not None:
            raise errors.AlreadyExists("Branch", branch, "Choose another name, or pass existing_branch to work on it.")
        else:
            self._creation.check_room(repo.id, repository, branch)
        worktree_id, now = WorktreeId(self._clock.new_id("worktree")), self._clock.now()
        worktree = Worktree(
            id=worktree_id,
            repo_id=repo.id,
            repo=repo.slug,
            name=name,
            branch=branch,
            path=str(self._folder / f"{names.slugify(name, 40) or 'worktree'}-{worktree_id[-10:]}"),
            base_ref=base,
            base_sha=base_sha,
            has_own_branch=not request.existing_branch,
            board=request.board,
            issue_url=check_link(request.issue_url),
            pull_request_url=check_link(request.pull_request_url),
            notes=request.notes,
            context=request.context,
            carried=carried,
            state=WorktreeState.CREATING,
            step="git worktree add",
            created_at=now,
            created_by=caller.person,
            updated_at=now,
        )

        if carried is not None:
            await carrying.hold(repository, worktree_id, carried)

        def insert(transaction: Transaction) -> Worktree:
            if kept.is_taken(transaction.connection, repo.id, name):
                raise errors.AlreadyExists("Worktree", name)
            kept.insert(transaction.connection, worktree)
            transaction.append(now, WorktreeChanged(worktree=worktree))
            return worktree

        outcome = await self._store.write(once, key, caller, "worktrees.create", request, now, insert, Worktree)
        if outcome.is_new:
            await self._place(outcome.record, request.x, request.y, card)
            self._creation.start(outcome.record, repository, is_first=True)
        return outcome.record

    async def retry(self, caller: Caller, name: str, key: str) -> Worktree:
        """Make a failed or missing worktree again, from the recorded commit or from what its branch holds now."""
        caller.require(Role.STEERER, "create a worktree")
        known = await self._register.answered(key, caller, "worktrees.retry", {"name": name}, Worktree)
        if known is not None:
            return known
        worktree = await self.get(name)
        async with self._busy[worktree.id]:
            worktree = await self.get(worktree.id)
            if worktree.state not in {WorktreeState.FAILED, WorktreeState.MISSING}:
                raise errors.WorktreeNotReady(worktree.name, worktree.state.value, "only a failed or missing one can be created again")
            repository = self._repos.repository(await self._repos.get(worktree.repo_id))
            if worktree.state is WorktreeState.MISSING:
                if Path(worktree.path).exists():
                    raise errors.Conflict(
                        f"The folder {worktree.path} exists, but git does not know it. Register it with git again "
                        "(`repair`), or move it elsewhere."
                    )
                await self.archives.set_aside(worktree, repository)
            await git.check_room(repository, worktree.branch)
            return await self.archives.begin(caller, worktree, repository, "worktrees.retry", {"name": name}, key)

    async def change(self, caller: Caller, name: str, request: WorktreeChange) -> Worktree:
        """Only what the request sets."""
        caller.require(Role.STEERER, "change a worktree")
        worktree = await self.get(name)
        changes = {field: getattr(request, field) for field in request.model_fields_set}
        if changes.get("name") is not None:
            changes["name"] = names.check_title(changes["name"])
        for field in ("name", "notes", "context"):
            if field in changes and changes[field] is None:
                raise errors.BadRequest([f"{field} cannot be null"])
        for field in ("issue_url", "pull_request_url"):
            check_link(changes.get(field))
        self._check_board(request.board)
        changed = await self._register.change(worktree.id, **changes)
        if changed.board != worktree.board:
            await self._mark(worktree)
            await self._place(changed, None, None)
        else:
            await self._mark(changed)
        return changed

    # Small parts

    async def _place(self, worktree: Worktree, x: float | None, y: float | None, card: ObjectId | None = None) -> None:
        """A board that cannot be written does not stop the work: it is repaired from the table later."""
        if self._boards is not None and worktree.board is not None:
            try:
                await self._boards.place(worktree, x, y, card)
            except errors.AgorError as error:
                log.warning("worktree %s could not be placed: %s", worktree.id, error)

    async def _mark(self, worktree: Worktree) -> None:
        if self._boards is not None and worktree.board is not None:
            try:
                await self._boards.mark(worktree)
            except errors.AgorError as error:
                log.warning("worktree %s could not be marked: %s", worktree.id, error)

    async def _ready(self, name: str) -> tuple[Worktree, Repository]:
        worktree = await self.get(name)
        return worktree, await self._checked(worktree, await self._repos.get(worktree.repo_id))

    async def _checked(self, worktree: Worktree, repo: Repo) -> Repository:
        """The repository of a worktree that is ready and still there. One that was missing and is back is ready again."""
        if worktree.state not in {WorktreeState.READY, WorktreeState.MISSING}:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        repository = self._repos.repository(repo)
        if not git.is_present(repository, Path(worktree.path)):
            worktree = await self.ways.missing(worktree, repository)
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        if worktree.state is WorktreeState.MISSING:
            await self._register.change(worktree.id, state=WorktreeState.READY, reason=None, step=None)
        return repository

    async def _status(self, worktree: Worktree, repo: Repo, max_age_s: float, *, is_stored: bool = True) -> WorktreeStatus:
        repository = await self._checked(worktree, repo)
        found = await self._statuses.read(worktree, repository, Path(worktree.path), max_age_s, is_stored=is_stored)
        await self.ways.look(worktree, repository, found)
        notices = await self._notices.look(worktree, repository)
        if notices != worktree.notices:
            await self._register.change(worktree.id, notices=notices)
        return found

    async def _was_at_work(self, worktree_id: WorktreeId, at: datetime) -> bool:
        return await self._store.read(turns.ran_at, worktree_id, at)

    async def _save_status(self, worktree: Worktree, status: WorktreeStatus) -> None:
        """The record follows the worktree's HEAD. A branch that it moved to was not made with it, so it is never dropped with it."""
        changes: dict[str, object] = {"status": status}
        if status.branch is not None and status.branch != worktree.branch and status.branch == shown(status.branch):
            changes |= {"branch": status.branch, "has_own_branch": False}
        await self._register.change(worktree.id, **changes)

    def _check_board(self, path: str | None) -> None:
        if self._boards is not None and path is not None:
            self._boards.check(path)

    async def _survey(self, repository: Repository, worktree: Worktree) -> Works:
        return await survey(repository, worktree, self._lists, self._keepers, self._tenants)
