"""Worktrees: make, look at, change. Nothing is left half made. `archives.py` puts them away and brings them back."""

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from agor_jupyter.agents import catalogue
from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import WorktreeChanged
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import GitPlace, Repo
from agor_jupyter.domain.turns import Patch
from agor_jupyter.domain.work import Work, not_shown, shown
from agor_jupyter.domain.worktrees import StatusAnswer, Worktree, WorktreeChange, WorktreeCreate, WorktreeState, WorktreeStatus
from agor_jupyter.git import names, places
from agor_jupyter.git import worktrees as git
from agor_jupyter.git.inspection import status
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.git.locks import Locks
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.worktrees.adoption import Adoption
from agor_jupyter.services.worktrees.archives import Archives
from agor_jupyter.services.worktrees.checkpoints import Checkpoints
from agor_jupyter.services.worktrees.creation import Creation
from agor_jupyter.services.worktrees.keepers import MAX_MADE, Keepers
from agor_jupyter.services.worktrees.losses import CacheLists, LookInside, survey
from agor_jupyter.services.worktrees.notices import Notices
from agor_jupyter.services.worktrees.reconciliation import Reconciliation
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.relocation import Relocation
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.shelf import Shelf
from agor_jupyter.services.worktrees.statuses import Statuses
from agor_jupyter.services.worktrees.strays import Strays
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

    async def place(self, worktree: Worktree, x: float | None, y: float | None) -> None: ...

    async def mark(self, worktree: Worktree) -> None: ...


class Worktrees:
    """`boards` and `hide` are set by whoever wires the engine, as is what `archives` asks for."""

    boards: Places | None = None
    hide: Callable[[Mask, WorktreeId], Awaitable[None]] | None = None
    """Adds to a mask the secrets that agents may have written into files there."""

    def __init__(self, store: Store, config: Config, clock: Clock, repos: Repos) -> None:
        self._store, self._config, self._clock, self._repos = store, config, clock, repos
        data_dir = Path(os.path.realpath(config.data_dir))
        self._folder = data_dir / "worktrees"
        self._locks = Locks(data_dir / "locks")
        self._busy: defaultdict[WorktreeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._same: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._register = Register(store, clock)
        self._lists = CacheLists()
        self._keepers = Keepers(store, catalogue.merge(config.agents))
        self._statuses = Statuses(clock, self._lists, self._keepers, self._save_status)
        self._notices = Notices()
        self.checkpoints = Checkpoints(config, clock)
        self._creation = Creation(config, clock, self._locks, self._register.change, self._mark)
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

    async def list(self, repo: str | None = None, board: str | None = None, *, include_archived: bool = False) -> list[Worktree]:
        """Oldest first."""
        repo_id = (await self._repos.get(repo)).id if repo is not None else None
        states = [state for state in WorktreeState if include_archived or state is not WorktreeState.ARCHIVED]
        return await self._store.read(kept.page, repo_id=repo_id, board=board, states=states)

    async def get(self, name: str, repo: str | None = None) -> Worktree:
        """By id, or by its name within a repo, or by a name that only one repo has."""
        worktree = await self._store.read(kept.find, WorktreeId(name))
        if worktree is not None:
            return worktree
        same = await self._store.read(kept.named, name)
        if repo is not None:
            repo_id = (await self._repos.get(repo)).id
            same = [one for one in same if one.repo_id == repo_id]
        if len(same) == 1:
            return same[0]
        raise errors.WorktreeNotFound(
            name, [f"{one.repo}/{one.name} ({one.id})" for one in same] or [one.name for one in await self.list(repo)]
        )

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

    async def losses(self, name: str) -> Works:
        """What a person would call work in its folder as it is now, and what of it stays when the folder goes."""
        worktree, repository = await self._ready(name)
        return await self._survey(repository, worktree)

    async def diff(self, name: str) -> Patch:
        """All that differs from the base commit, uncommitted and untracked files included."""
        worktree, repository = await self._ready(name)
        now = await self.checkpoints.take(repository, Path(worktree.path))
        try:
            base = Checkpoint(commit=worktree.base_sha, tree=worktree.base_sha, dirty=False)
            own = await self._keepers.of(worktree, now.untracked)
            patch = await self.checkpoints.patch(repository, base, now if now.tree else base, own)
        finally:
            await self.checkpoints.drop(now)
        found = await self._statuses.read(worktree, repository, Path(worktree.path), _SHOWN_AGE_S)
        patch = patch.replace(not_shown=[*patch.not_shown, *not_shown(found.work)])
        mask = Mask()
        if self.hide is not None:
            await self.hide(mask, worktree.id)
        return mask.record(patch)

    async def checkpoint(self, name: str, beside: Checkpoint | None = None) -> Checkpoint:
        """What the worktree holds now. Its files, index and branch stay untouched. Whoever takes it drops it."""
        worktree, repository = await self._ready(name)
        return await self.checkpoints.take(repository, Path(worktree.path), beside)

    async def patch(self, name: str, before: Checkpoint, after: Checkpoint) -> Patch:
        """What changed between two checkpoints, but for what agents keep for themselves."""
        worktree = await self.get(name)
        own = await self._keepers.of(worktree, before.untracked, after.untracked)
        return await self.checkpoints.patch(self._repos.repository(await self._repos.get(worktree.repo_id)), before, after, own)

    async def tell_apart(self, name: str, checkpoint: Checkpoint) -> Checkpoint:
        """It is not dirty because of what agents keep for themselves."""
        return checkpoint.apart(await self._keepers.of(await self.get(name), checkpoint.untracked))

    async def untracked(self, name: str) -> Paths:
        """The untracked files that are there now."""
        worktree, repository = await self._ready(name)
        return (await status.changes(repository, Path(worktree.path))).untracked

    async def keep_own(self, worktree: Worktree, made: Mapping[str, str]) -> None:
        """Remember which files agents made for themselves there, by the agents' names; what was remembered before is forgotten."""
        kept_files = dict(sorted(made.items())[:MAX_MADE])
        if kept_files != worktree.own_files:
            await self._register.change(worktree.id, own_files=kept_files)
            self._statuses.outdate(worktree.id)

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

    async def create(self, caller: Caller, request: WorktreeCreate, key: str) -> Worktree:
        """Answers in state creating; `WorktreeChanged` tells the rest.

        Errors:
            BadName, BadPath (of the board), RepoNotFound, RefNotFound, AlreadyExists, BranchTaken.
        """
        caller.require(Role.STEERER, "create a worktree")
        async with self._same.setdefault(key, asyncio.Lock()):  # ten clicks wait for the first
            known = await self._register.answered(key, caller, "worktrees.create", request, Worktree)
            return known or await self._create(caller, request, key)

    async def _create(self, caller: Caller, request: WorktreeCreate, key: str) -> Worktree:
        name = names.check_title(request.name)
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
            issue_url=_check_link(request.issue_url),
            pull_request_url=_check_link(request.pull_request_url),
            notes=request.notes,
            context=request.context,
            state=WorktreeState.CREATING,
            step="git worktree add",
            created_at=now,
            created_by=caller.person,
            updated_at=now,
        )

        def insert(transaction: Transaction) -> Worktree:
            if kept.is_taken(transaction.connection, repo.id, name):
                raise errors.AlreadyExists("Worktree", name)
            kept.insert(transaction.connection, worktree)
            transaction.append(now, WorktreeChanged(worktree=worktree))
            return worktree

        outcome = await self._store.write(once, key, caller, "worktrees.create", request, now, insert, Worktree)
        if outcome.is_new:
            await self._place(outcome.record, request.x, request.y)
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
            _check_link(changes.get(field))
        self._check_board(request.board)
        changed = await self._register.change(worktree.id, **changes)
        if changed.board != worktree.board:
            await self._mark(worktree)
            await self._place(changed, None, None)
        else:
            await self._mark(changed)
        return changed

    # Small parts

    async def _place(self, worktree: Worktree, x: float | None, y: float | None) -> None:
        """A board that cannot be written does not stop the work: it is repaired from the table later."""
        if self.boards is not None and worktree.board is not None:
            try:
                await self.boards.place(worktree, x, y)
            except errors.AgorError as error:
                log.warning("worktree %s could not be placed: %s", worktree.id, error)

    async def _mark(self, worktree: Worktree) -> None:
        if self.boards is not None and worktree.board is not None:
            try:
                await self.boards.mark(worktree)
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
        if self.boards is not None and path is not None:
            self.boards.check(path)

    async def _survey(self, repository: Repository, worktree: Worktree) -> Works:
        return await survey(repository, worktree, self._lists, self._keepers, self._statuses.look_inside)

    def look_inside_by(self, look: LookInside) -> None:
        """Whoever wires the engine says how to look into sandboxes."""
        self._statuses.look_inside = look


def _check_link(url: str | None) -> str | None:
    """Links are shown to be clicked: only web addresses."""
    if url is not None and not (url.startswith(("https://", "http://")) and len(url) <= 2000 and url.isprintable() and " " not in url):
        raise errors.BadRequest([f"{url[:80]!r} is not a web address"])
    return url
