"""Looks at branches that schedules wait for: here by what lies on the disk, at the remote by asking it now and then."""

import asyncio
import logging
import os
from datetime import datetime, timedelta

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import ScheduleId
from agor_jupyter.domain.schedules import BranchMoved, Schedule
from agor_jupyter.git import names
from agor_jupyter.git.repository import Repository, read_settings
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import schedules
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

LOOK_S = 5.0
_Mark = tuple[tuple[int, int], ...]


class Watches:
    def __init__(self, store: Store, clock: Clock, config: Config, repos: Repos, worktrees: Worktrees) -> None:
        self._store, self._clock, self._config, self._repos, self._worktrees = store, clock, config, repos, worktrees
        self._marks: dict[ScheduleId, _Mark] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="watched branches")

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  # a database that is busy; and a bug must not stop all watching for ever
                (log.warning if isinstance(error, errors.Unavailable) else log.exception)("Branches are not watched: %s", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look at each branch that a schedule waits for."""
        for schedule in await self._store.read(schedules.of_kinds, ("branch_moved",)):
            if isinstance(schedule.when, BranchMoved):
                await self._look_at(schedule, schedule.when)

    async def _look_at(self, schedule: Schedule, when: BranchMoved) -> None:
        now = self._clock.now()
        if when.remote and schedule.looked_at is not None and now - schedule.looked_at < timedelta(seconds=when.every_seconds):
            return
        try:
            repository = await self._repository(schedule)
            if when.remote:
                sha = await self._at_remote(repository, when.branch)
            elif (mark := await asyncio.to_thread(_mark, repository, when.branch)) == self._marks.get(schedule.id) and schedule.seen:
                return
            else:
                sha = await _here(repository, when.branch)
                self._marks[schedule.id] = mark
        except errors.AgorError as error:
            trouble = error.message[:500]
            if schedule.trouble != trouble or when.remote:
                await self._store.write(_note, schedule, now, None, trouble)
            return
        await self._store.write(_note, schedule, now, sha, None if sha else f"There is no branch {when.branch!r}.")

    async def _repository(self, schedule: Schedule) -> Repository:
        target = schedule.target
        repo_id = target.repo_id if target.kind == "fresh" else (await self._worktrees.get(target.worktree_id)).repo_id
        return self._repos.repository(await self._repos.get(repo_id))

    async def _at_remote(self, repository: Repository, branch: str) -> str | None:
        settings = dict(await read_settings(repository.common_dir / "config"))
        url = os.fsdecode(settings.get(b"remote.origin.url", b""))
        if not url:
            raise errors.Conflict("The repository has no remote “origin” that could be asked.", subject=branch)
        checked, protocols = names.check_url(url, self._config.clone_protocols), self._config.clone_protocols
        asked = ("ls-remote", "--", checked or url, f"refs/heads/{branch}")
        output = await repository.git("ask the remote", *asked, protocols=protocols, is_personal=True, timeout_s=60)
        return output.text.split("\t")[0].strip() or None


def _note(transaction: Transaction, seen: Schedule, now: datetime, sha: str | None, trouble: str | None) -> None:
    """What was seen, and a slot if it is another commit than before. The first look only takes note."""
    schedule = schedules.hold(transaction, seen.id)
    if schedule is None or not schedule.is_waiting or schedule.when != seen.when or schedule.seen != seen.seen:
        return
    if sha is not None and schedule.seen is not None and sha != schedule.seen:
        why = f"{schedule.when.branch} moved to {sha[:10]}" if isinstance(schedule.when, BranchMoved) else ""
        key = f"moved {schedule.counted + 1} {sha}"
        schedule, _ = kept.add(transaction, schedule, kept.Happening(key=key, planned_at=now, cause="event", caused_by=why), now)
    changes = {"seen": sha or schedule.seen, "looked_at": now, "trouble": trouble}
    if schedule != seen or (changes["seen"], trouble) != (seen.seen, seen.trouble):
        kept.save_schedule(transaction, schedule, now, **changes)
    else:
        schedules.save(transaction, schedule.replace(**changes), now)


async def _here(repository: Repository, branch: str) -> str | None:
    output = await repository.git("read a branch", "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", ok=(0, 1))
    return output.text.strip() or None


def _mark(repository: Repository, branch: str) -> _Mark:
    """Another one when the branch may have moved."""
    found = []
    for name in (f"refs/heads/{branch}", "packed-refs", "reftable/tables.list"):
        try:
            known = (repository.common_dir / name).stat()
            found.append((known.st_mtime_ns, known.st_ino))
        except OSError:
            found.append((0, 0))
    return tuple(found)
