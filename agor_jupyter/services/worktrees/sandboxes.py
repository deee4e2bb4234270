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

from jupyter_core.paths import jupyter_runtime_dir

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.process import Executor
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import RunId, SessionId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.work import shown
from agor_jupyter.domain.worktrees import Kept, KeptKind, Taken, TakeRequest, Taking, Worktree, WorktreeState
from agor_jupyter.executors import devices, sandbox
from agor_jupyter.executors.sandbox import Layout, Mount, SandboxedExecutor
from agor_jupyter.git import identity, private
from agor_jupyter.git.private import Inside, Private
from agor_jupyter.git.sandbox import inside, introduction, keeping, kept, modules, sync, taking
from agor_jupyter.git.sandbox.inside import UnderWay
from agor_jupyter.services.agents.homes import Home
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.transitions import derive, find_session
from agor_jupyter.services.worktrees.attachments import folder_of
from agor_jupyter.services.worktrees.register import Register
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
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
    def __init__(self, store: Store, config: Config, clock: Clock, repos: Repos, worktrees: Worktrees) -> None:
        self._store, self._config, self._clock, self._repos, self._worktrees = store, config, clock, repos, worktrees
        self._data_dir = Path(os.path.realpath(config.data_dir))
        self._folder = self._data_dir / "sandboxes"
        self._locks: defaultdict[WorktreeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._live: defaultdict[WorktreeId, set[RunId]] = defaultdict(set)
        self._tasks = Tasks()

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
                checkouts = await self._checkouts()
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
                worktree = await self._worktrees.get(worktree_id)
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
            return await asyncio.to_thread(self._inside, place, await self._checkouts())

        findings = await sync.sync(place, look, is_quick=is_quick, is_new=is_new, reached=crash_point)
        if not is_quick:
            findings += await modules.collect(place, look)
        return [Notice(code=finding.code, text=finding.text) for finding in findings]

    async def _introduce(self, place: Private) -> list[Notice]:
        async def look() -> Inside:
            return await asyncio.to_thread(self._inside, place, await self._checkouts())

        return [Notice(code=finding.code, text=finding.text) for finding in await introduction.introduce(place, look)]

    async def unsigned(self, session_id: SessionId, worktree_id: WorktreeId, commit: str) -> list[Notice]:
        """Once for each session: that what came out of the sandbox lacks the signature that the person's settings ask for."""
        worktree = await self._worktrees.get(worktree_id)
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

    async def take(self, caller: Caller, name: str, request: TakeRequest, key: str) -> Taken:
        """Bring commits that were kept apart onto the worktree's branch, and the files that they changed, where nobody else did.

        Errors:
            WorktreeNotFound, WorktreeNotReady.
            BadRequest: `ref` is none of this worktree's, or has to be named.
            Conflict: it cannot be done; nothing was changed.
        """
        caller.require(Role.STEERER, "take commits from a sandbox")
        worktree = await self._worktrees.get(name)
        async with self._locks[worktree.id]:
            known = await Register(self._store, self._clock).answered(key, caller, "take", [name, request], Taken)
            if known is not None:
                return known
            worktree, place = await self._checked(worktree.id)
            ref = await self._kept_ref(place, worktree, request.ref)
            found = await taking.take(place.repository, place.worktree, ref, await _identity(place, caller), place.name)
            taken = Taken(
                worktree_id=worktree.id, branch=found.branch, ref=ref, commit=found.commit, left=found.left, staged_ref=found.staged_ref
            )
            outcome = await self._store.write(once, key, caller, "take", [name, request], self._clock.now(), lambda _: taken, Taken)
        return outcome.record

    async def kept(self, name: str) -> AllKept:
        """What refs of ours keep of this worktree's agents, beside its branch; the newest first."""
        worktree, place = await self._checked(name)
        found = await kept.find(place.repository, place.worktree, place.name)
        mask = await self._mask(worktree.id)
        return [mask.record(one) for one in found]

    async def would_take(self, name: str, ref: str | None) -> Taking:
        """What `take` would do as things are now, or why it cannot.

        Errors:
            WorktreeNotFound, WorktreeNotReady.
            BadRequest: as `take`.
        """
        worktree, place = await self._checked(name)
        ref = await self._kept_ref(place, worktree, ref)
        try:
            plan = await taking.preview(place.repository, place.worktree, ref)
        except errors.Conflict as error:
            return Taking(worktree_id=worktree.id, branch=worktree.branch, ref=ref, refusal=error.message)
        found = Taking(
            worktree_id=worktree.id,
            branch=shown(plan.branch.removeprefix("refs/heads/")),
            ref=ref,
            commits=plan.commits,
            subjects=[shown(one) for one in plan.subjects],
            is_merge=plan.is_merge,
            written=[shown(one) for one in plan.written],
            there=[shown(one) for one in plan.there],
            left=[shown(one) for one in plan.left],
        )
        return (await self._mask(worktree.id)).record(found)

    async def _checked(self, name: str) -> tuple[Worktree, Private]:
        worktree = await self._worktrees.get(name)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        return worktree, await self._place(worktree)

    async def _mask(self, worktree_id: WorktreeId) -> Mask:
        mask = Mask()
        if self._worktrees.hide is not None:
            await self._worktrees.hide(mask, worktree_id)
        return mask

    async def _kept_ref(self, place: Private, worktree: Worktree, ref: str | None) -> str:
        there = await keeping.kept_refs(place)
        mine = [one for one in there if one.endswith(f"/heads/{worktree.branch}")] or there
        if ref is None and len(mine) == 1:
            return mine[0]
        if ref is None or ref not in there:
            known = f"Kept for worktree {worktree.name!r}: {', '.join(there[:20])}" if there else f"Nothing is kept for {worktree.name!r}"
            raise errors.BadRequest([f"name the ref to take. {known}" if ref is None else f"{ref[:200]!r} is not kept here. {known}"])
        if kept.kind_of(ref, place.name) in {KeptKind.STASH, KeptKind.NOTES}:
            raise errors.BadRequest(
                [f"{ref} is not a commit that can be merged. `{kept.line_of(ref, place.name)}` in the worktree makes it yours"]
            )
        return ref

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
                place = await self._place(await self._worktrees.get(worktree_id))
                if await self.under_way(worktree_id, place.entry) is not None:
                    return
                await keeping.let_go(place.repository, worktree_id)
        if await asyncio.to_thread((folder / _OPEN).exists):
            log.warning("The sandbox of worktree %s is kept in %s: not all in it could be brought out", worktree_id, folder)
            return
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    # Layout

    async def _place(self, worktree: Worktree) -> Private:
        repository = self._repos.repository(await self._repos.get(worktree.repo_id))
        return Private(
            repository=repository,
            worktree=Path(worktree.path),
            folder=self._folder / worktree.id,
            name=worktree.id,
            objects=sandbox.OBJECTS,
        )

    async def _checkouts(self) -> list[Path]:
        """Of all repositories, and the repositories themselves."""
        return [Path(path) for repo in await self._repos.list() for path in (repo.path, repo.git_dir) if path]

    def _secret(self, home: Path) -> list[Path]:
        """What no agent ever sees as a whole: the data, the key, the files of running servers, the home."""
        key = [self._config.key_file] if self._config.key_file else []
        return [self._data_dir, *key, Path(jupyter_runtime_dir()), *self._others([home])]

    def _others(self, paths: Iterable[Path]) -> list[Path]:
        """Those of `paths` that the administrator did not let agents see."""
        named = [path.resolve() for path in (*self._config.sandbox_read, *self._config.sandbox_write)]
        return [path for path in paths if not any(path.resolve().is_relative_to(one) for one in named)]

    def _hidden(self, home: Path, checkouts: Iterable[Path], mounts: Sequence[Mount]) -> list[Path]:
        """Of a layout with `mounts`. What is mounted on purpose is seen, and nothing is hidden below what an agent can write."""
        meant = {mount.target.resolve() for mount in mounts}
        writable = [mount.target.resolve() for mount in mounts if mount.is_writable]
        found = [path for path in self._others([*sandbox.homes(), *checkouts]) if path.resolve() not in meant]
        return [*self._secret(home), *(path for path in found if not any(path.resolve().is_relative_to(one) for one in writable))]

    def _layout(self, place: Private, agent: AgentType, env: Mapping[str, str], run_id: RunId, checkouts: Sequence[Path]) -> Layout:
        """Of an agent's process."""
        tmp = place.folder / "tmp" / run_id
        tmp.mkdir(parents=True)
        (place.folder / _OPEN).touch()
        attached = folder_of(self._data_dir, WorktreeId(place.name))
        attached.mkdir(parents=True, exist_ok=True)
        ours = {
            name: value for name, value in env.items() if value in {os.environ.get(name), agent.env.get(name)}
        }  # not what people set for their agents
        home = Home(Path(ours.get("HOME") or "/nonexistent"), place.folder / "home", ours)
        hidden = [*self._secret(home.theirs), *sandbox.homes(), *checkouts]
        mounts = [
            *(Mount(source=path, target=path) for path in sandbox.programs(agent.command, env.get("PATH", ""), home.theirs, hidden)),
            *(Mount(source=path, target=path) for path in self._named(agent, ours)),
            *home.mounts(agent, read=self._config.sandbox_read, write=self._config.sandbox_write),
            *sandbox.accounts(self._folder),
            *self._repository(place, is_writable=True),
            Mount(source=place.worktree, target=place.worktree, is_writable=True),
            Mount(source=attached, target=attached),
            _link(place),
        ]
        return Layout(
            cwd=place.worktree,
            mounts=mounts,
            hidden=self._hidden(home.theirs, checkouts, mounts),
            tmp=tmp,
            devices=devices.present(self._config.sandbox_devices),
        )

    def _named(self, agent: AgentType, env: Mapping[str, str]) -> list[Path]:
        """Files that the administrator's variables name, such as certificates; and what this server installed."""
        chosen = {*agent.pass_env, *self._config.pass_env, *_CERTIFICATES} - set(agent.state_env)
        named = [Path(env[name]) for name in chosen if env.get(name, "").startswith("/")]
        return [path for path in (*named, self._data_dir / "agents") if path.exists() and path != Path("/")]

    def _repository(self, place: Private, *, is_writable: bool) -> list[Mount]:
        empty = self._folder / "empty"
        empty.touch()
        found = [Mount(source=place.git_dir, target=place.repository.common_dir, is_writable=is_writable)]
        large = place.repository.common_dir / "lfs" / "objects"
        if large.is_dir() and not large.is_symlink():
            found.append(Mount(source=large, target=sandbox.LARGE))
        for source, target in [*private.borrowed(place), *modules.borrowed(place)]:
            found.append(Mount(source=source, target=target))
            if (source / "info" / "alternates").exists():  # its paths are not there inside; all that it names is
                found.append(Mount(source=empty, target=target / "info" / "alternates"))
        return found

    async def filtering(self, folder: Path) -> Sequence[str] | None:
        """The command line that puts git where it sees nothing but its programs, and `folder`, which holds files and a repository for them.

        `None`: there is no sandbox.
        """
        if self._config.sandbox == "off" or await sandbox.why_not() is not None:
            return None
        checkouts = await self._checkouts()
        return await asyncio.to_thread(self._filtering, folder, checkouts)

    def _filtering(self, folder: Path, checkouts: Sequence[Path]) -> Sequence[str]:
        path, home = os.environ.get("PATH", os.defpath), Path(os.environ.get("HOME") or "/nonexistent")
        hidden = [*self._secret(home), *sandbox.homes(), *checkouts]
        self._folder.mkdir(parents=True, exist_ok=True)
        mounts = [
            *(Mount(source=one, target=one) for one in sandbox.programs(("git",), path, home, hidden)),
            *sandbox.accounts(self._folder),
            *(Mount(source=one, target=one) for one in self._config.sandbox_read if one.exists()),
            Mount(source=folder, target=sandbox.CHECK, is_writable=True),
        ]
        env = {"PATH": path, **_OWN_GIT, "HOME": "/tmp", "GIT_DIR": f"{sandbox.CHECK}/git", "GIT_WORK_TREE": f"{sandbox.CHECK}/files"}  # noqa: S108  # the one inside
        layout = Layout(cwd=sandbox.CHECK / "files", mounts=mounts, hidden=self._hidden(home, checkouts, mounts), env=env)
        return sandbox.arguments(layout)

    def _inside(self, place: Private, checkouts: Sequence[Path]) -> Inside:
        """Of the server's own calls of git: no network is taken away and no home given, only git and the private side."""
        path, home = os.environ.get("PATH", os.defpath), Path(os.environ.get("HOME") or "/nonexistent")
        own = place.repository.common_dir / "worktrees" / place.entry
        env = {"PATH": path, "HOME": "/run", **_OWN_GIT}
        pinned = env | {"GIT_DIR": str(own)}
        hidden = [*self._secret(home), *sandbox.homes(), *checkouts]
        tools = [Mount(source=one, target=one) for one in sandbox.program("git", path, home, hidden)]
        users = sandbox.accounts(self._folder)
        looking = [*tools, *users, *self._repository(place, is_writable=False)]
        changing = [
            *tools,
            *users,
            *self._repository(place, is_writable=True),
            Mount(source=place.worktree, target=place.worktree),
            _link(place),
        ]

        def arguments(cwd: Path, mounts: Sequence[Mount], env: Mapping[str, str]) -> list[str]:
            return sandbox.arguments(Layout(cwd=cwd, mounts=mounts, hidden=self._hidden(home, checkouts, mounts), env=env))

        return Inside(
            filtering=self._filtering(place.folder / "check", checkouts),
            looking=arguments(Path("/"), looking, pinned),
            serving=arguments(Path("/"), looking, env),
            changing=arguments(place.worktree, changing, pinned | {"GIT_WORK_TREE": str(place.worktree)}),
        )


_OWN_GIT = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def _link(place: Private) -> Mount:
    """The worktree's `.git` file, which nobody can change inside."""
    target = place.worktree / ".git"
    if target.is_symlink() or not target.is_file():
        raise errors.SandboxFailed(f"{target} is not the file that git made. Run `git worktree repair {place.worktree}` in the repository")
    return Mount(source=place.link, target=target)


def gpu_notice(launch: Launch) -> Notice | None:
    """For a session whose first process has a sandbox that hides this machine's GPU."""
    if not launch.is_on or any(name == devices.GPU or name.startswith("/dev/") for name in launch.devices) or not devices.gpus():
        return None
    text = (
        "This machine has a GPU, and the sandbox hides it: programs that the agent runs compute without it. An administrator "
        'can let agents use it, with AgorApp.sandbox_devices = ["gpu"].'
    )
    return Notice(code="gpu_hidden", text=text)


async def _identity(place: Private, caller: Caller) -> dict[str, str]:
    """Who merges: the person, as git knows them there, else by the name they have here."""
    settings = {key: value for key, value in identity.plain(await identity.of(place.repository, place.worktree)).items() if value}
    name = settings.get("user.name", caller.person.name)
    email = settings.get("user.email", f"{caller.person.username}@localhost")
    return {f"GIT_{who}_{what}": one for who in ("AUTHOR", "COMMITTER") for what, one in (("NAME", name), ("EMAIL", email))}


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
    text = (
        f"{agent.label} works in its mode {agent.sandbox_mode!r}: its own sandbox does not work inside the server's. It does not ask "
        "before it acts; the server's sandbox is the limit of what it can do."
    )
    return Notice(code="sandbox_mode", text=text)
