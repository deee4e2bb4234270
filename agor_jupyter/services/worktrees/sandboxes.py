"""Where agents work: behind bubblewrap, with a repository of their own, wherever this machine lets it work.

A machine without it runs agents as they are, and says so; unless the administrator requires a sandbox. A sandbox that should be there and
cannot be made is never left out: an agent could bring that about.
"""

import asyncio
import contextlib
import logging
import os
import shlex
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.agents.protocol.process import Executor
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import RunId, SessionId, WorktreeId
from agor_jupyter.domain.worktrees import Kept, Worktree, WorktreeState
from agor_jupyter.executors import devices, sandbox
from agor_jupyter.executors.sandbox import Layout, SandboxedExecutor
from agor_jupyter.git import identity
from agor_jupyter.git.private import Inside, Private
from agor_jupyter.git.sandbox import inside, introduction, keeping, modules, sync
from agor_jupyter.git.sandbox.inside import UnderWay
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.transitions import derive, find_session
from agor_jupyter.services.worktrees.directory import Directory
from agor_jupyter.services.worktrees.kept_commits import Hide, KeptCommits
from agor_jupyter.services.worktrees.layouts import Layouts
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.storage import events
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

AllKept = list[Kept]
_SWITCHED_OFF = "it is switched off (AgorApp.sandbox)"
_OPEN = "open"
"""A file that says: an agent ran here, and what it committed last may not have been brought out."""
_NOT_IN = "Changes made outside the sandbox could not be brought into it before this turn."
_NOT_OUT = "The agents' commits could not be brought out of their sandbox, and stay in it until the next turn."
UNSIGNED = "unsigned"
NOT_COLLECTED = "not_collected"
"""The code of a notice: the private side could not be read. A process that starts when no other runs there makes it anew."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start an agent."""

    env: Mapping[str, str]
    executor: Executor
    worktree_id: WorktreeId
    run_id: RunId
    reason: str | None = None
    """Why it has no sandbox; `None` when it has one."""
    devices: Sequence[str] = ()
    """What it may use there of the machine's devices."""
    notices: Sequence[Notice] = ()

    @property
    def is_on(self) -> bool:
        return self.reason is None


class Sandboxes:
    def __init__(self, store: Store, config: Config, clock: Clock, repos: Repos, layouts: Layouts, *, hide: Hide) -> None:
        self._store, self._config, self._clock, self._repos, self._layouts = store, config, clock, repos, layouts
        self._folder = layouts.folder
        self._locks: defaultdict[WorktreeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._live: defaultdict[WorktreeId, set[RunId]] = defaultdict(set)
        self._tasks = Tasks()
        self._directory = Directory(store, repos)
        self.kept_commits = KeptCommits(store, clock, self._directory, place=self._place, locks=self._locks, hide=hide)

    async def start(self) -> None:
        """What a server that was killed left: folders of its agents, and commits that are still in their sandboxes."""
        if not await asyncio.to_thread(self._folder.is_dir):
            return
        left = await asyncio.to_thread(self._tidy)
        if left and self._config.sandbox != "off":
            self._tasks.start(self._collect_all(left), "collect from sandboxes")

    async def close(self) -> None:
        await self._tasks.close()

    def _tidy(self) -> list[WorktreeId]:
        left = []
        for folder in self._folder.iterdir():
            shutil.rmtree(folder / "tmp", ignore_errors=True)
            if (folder / _OPEN).exists():
                left.append(WorktreeId(folder.name))
        return left

    async def _collect_all(self, left: Iterable[WorktreeId]) -> None:
        if await sandbox.why_not() is not None:
            return
        for worktree_id in left:
            for notice in await self.collect(worktree_id):
                log.warning("Worktree %s: %s", worktree_id, notice.text)

    # One process

    async def prepare(self, worktree: Worktree, agent: AgentType, env: Mapping[str, str], run_id: RunId, executor: Executor) -> Launch:
        """Where `agent` will run. Nothing was started yet; `release` has to follow.

        Errors:
            SandboxFailed: it should have a sandbox, and cannot.
        """
        reason = _SWITCHED_OFF if self._config.sandbox == "off" else await sandbox.why_not()
        if reason is not None:
            if self._config.sandbox == "required":
                raise errors.SandboxFailed(reason)
            return Launch(env=env, executor=executor, worktree_id=worktree.id, run_id=run_id, reason=reason)
        async with self._locks[worktree.id]:
            try:
                place = await self._place(worktree)
                is_made = await sync.prepare(place)
                notices = [] if is_made or self._live[worktree.id] else await self._meet(place, is_new=True)
                notices += await self._introduce(place)
                if is_made and place.repository.is_partial:
                    notices.append(partial_notice(place))
                await modules.prepare(place)
                checkouts = await self._layouts.checkouts()
                layout = await asyncio.to_thread(self._layout, place, agent, env, run_id, checkouts)
            except OSError as error:
                raise errors.SandboxFailed(str(error)) from error
            except errors.GitFailed as error:
                raise errors.SandboxFailed(error.message) from error
            self._live[worktree.id].add(run_id)
        return Launch(
            env=sandbox.environment(env),
            executor=SandboxedExecutor(executor, layout),
            worktree_id=worktree.id,
            run_id=run_id,
            devices=layout.devices,
            notices=notices,
        )

    async def release(self, launch: Launch) -> None:
        """The process is gone, with all that it started."""
        if launch.is_on:
            self._live[launch.worktree_id].discard(launch.run_id)
            await asyncio.to_thread(shutil.rmtree, self._folder / launch.worktree_id / "tmp" / launch.run_id, ignore_errors=True)

    def tell(self, transaction: Transaction, session_id: SessionId, launch: Launch) -> None:
        """Let the session's record say where its process runs."""
        state = "on" if launch.is_on else "off"
        session = find_session(transaction, session_id)
        found = {"sandbox": state, "sandbox_reason": launch.reason, "sandbox_devices": list(launch.devices)}
        if any(getattr(session, name) != value for name, value in found.items()):
            derive(transaction, session_id, self._clock.now(), **found)

    # Both sides

    async def refresh(self, worktree_id: WorktreeId) -> list[Notice]:
        """Before a turn: what happened outside since the last is there inside too."""
        return await self._sync(worktree_id, is_quick=True)

    async def collect(self, worktree_id: WorktreeId) -> list[Notice]:
        """After a turn: what agents committed is on the worktree's branch. What could not be brought out is told, and stays inside."""
        return await self._sync(worktree_id, is_quick=False)

    async def _sync(self, worktree_id: WorktreeId, *, is_quick: bool) -> list[Notice]:
        async with self._locks[worktree_id]:
            try:
                worktree = await self._directory.get(worktree_id)
                if worktree.state is not WorktreeState.READY:
                    return []
                place = await self._place(worktree)
                notices = await self._meet(place, is_quick=is_quick) if await asyncio.to_thread(place.git_dir.is_dir) else []
            except errors.WorktreeNotFound:
                return []
            except (errors.AgorError, OSError) as error:
                log.warning("Worktree %s: the sandbox and the repository could not be brought together: %s", worktree_id, error)
                return [Notice(code=NOT_COLLECTED, text=f"{_NOT_IN if is_quick else _NOT_OUT} {error}")]
            except Exception:  # whatever it is, the turn has to end
                log.exception("Worktree %s: the sandbox and the repository could not be brought together", worktree_id)
                return [Notice(code=NOT_COLLECTED, text=f"{_NOT_IN if is_quick else _NOT_OUT} The server's log says why.")]
            if not self._live[worktree_id]:
                (place.folder / _OPEN).unlink(missing_ok=True)
        return notices

    async def _meet(self, place: Private, *, is_quick: bool = False, is_new: bool = False) -> list[Notice]:
        async def look() -> Inside:
            return await asyncio.to_thread(self._layouts.inside, place, await self._layouts.checkouts())

        findings = await sync.sync(place, look, is_quick=is_quick, is_new=is_new, reached=crash_point)
        if not is_quick:
            findings += await modules.collect(place, look)
        return [Notice(code=finding.code, text=finding.text) for finding in findings]

    async def _introduce(self, place: Private) -> list[Notice]:
        async def look() -> Inside:
            return await asyncio.to_thread(self._layouts.inside, place, await self._layouts.checkouts())

        return [Notice(code=finding.code, text=finding.text) for finding in await introduction.introduce(place, look)]

    async def unsigned(self, session_id: SessionId, worktree_id: WorktreeId, commit: str) -> list[Notice]:
        """Once for each session: that what came out of the sandbox lacks the signature that the person's settings ask for."""
        worktree = await self._directory.get(worktree_id)
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        try:
            wants = (await identity.of(repository, Path(worktree.path))).signs
            if not wants or await identity.is_signed(repository, commit) or await self._store.read(events.has_notice, session_id, UNSIGNED):
                return []
        except errors.AgorError as error:
            log.warning("Worktree %s: whether commits are signed could not be read: %s", worktree_id, error)
            return []
        line = shlex.join(
            ["git", "-C", worktree.path, *["rebase", "--autostash", "--rebase-merges", "--force-rebase", "--gpg-sign"], worktree.base_sha]
        )
        text = (
            "Your settings ask for signed commits (commit.gpgsign). There is no key in the sandbox, so what agents commit in it has no "
            f"signature. To sign all commits of this branch, run in a terminal: {line}"
        )
        return [Notice(code=UNSIGNED, text=text)]

    async def under_way(self, worktree_id: WorktreeId, entry: str) -> UnderWay | None:
        """What an agent has under way in the sandbox of the worktree that git calls `entry`, by the files there: no process."""
        git_dir = f"{self._folder}/{worktree_id}/git"
        return await asyncio.to_thread(inside.under_way, Path(git_dir), entry) if os.path.lexists(git_dir) else None

    async def forget(self, worktree_id: WorktreeId) -> None:
        """The worktree's folder is gone. What is left of its sandbox is only kept when something in it was not brought out, or is under
        way there: it goes on when the worktree is restored.
        """
        folder = self._folder / worktree_id
        if await asyncio.to_thread((folder / "git").is_dir):
            with contextlib.suppress(errors.AgorError):
                place = await self._place(await self._directory.get(worktree_id))
                if await self.under_way(worktree_id, place.entry) is not None:
                    return
                await keeping.let_go(place.repository, worktree_id)
        if await asyncio.to_thread((folder / _OPEN).exists):
            log.warning("The sandbox of worktree %s is kept in %s: not all in it could be brought out", worktree_id, folder)
            return
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    # Where

    async def _place(self, worktree: Worktree) -> Private:
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        return Private(
            repository=repository,
            worktree=Path(worktree.path),
            folder=self._folder / worktree.id,
            name=worktree.id,
            objects=sandbox.OBJECTS,
        )

    def _layout(self, place: Private, agent: AgentType, env: Mapping[str, str], run_id: RunId, checkouts: Sequence[Path]) -> Layout:
        """Of an agent's process, which is about to start."""
        tmp = place.folder / "tmp" / run_id
        tmp.mkdir(parents=True)
        (place.folder / _OPEN).touch()
        return self._layouts.of_agent(place, agent, env, tmp, checkouts)


def gpu_notice(launch: Launch) -> Notice | None:
    """For a session whose first process has a sandbox that hides this machine's GPU."""
    if not launch.is_on or any(name == devices.GPU or name.startswith("/dev/") for name in launch.devices) or not devices.gpus():
        return None
    text = (
        "This machine has a GPU, and the sandbox hides it: programs that the agent runs compute without it. An administrator "
        'can let agents use it, with AgorApp.sandbox_devices = ["gpu"].'
    )
    return Notice(code="gpu_hidden", text=text)


def partial_notice(place: Private) -> Notice:
    """Once for each worktree: why a command of git may say that an object is not there."""
    line = shlex.join(["git", "-C", str(place.repository.path), "fetch", "--refetch", "--no-filter"])
    text = (
        "This repository is a partial clone. All files of the worktree are there; for what else git asks its remote, without your "
        f"credentials in the sandbox. If that fails, fetch everything in a terminal: {line}"
    )
    return Notice(code="partial_clone", text=text)


def mode_notice(agent: AgentType) -> Notice:
    """For an agent that works in its `sandbox_mode`."""
    mode = agent.permissions.sandbox_mode
    text = (
        f"{agent.label} works in its mode {mode!r}: its own sandbox does not work inside the server's. It does not ask "
        "before it acts; the server's sandbox is the limit of what it can do."
    )
    return Notice(code="sandbox_mode", text=text)
