"""Repos: register a checkout, clone a URL, list branches, forget."""

import asyncio
import contextlib
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Removed, RepoChanged
from agor_jupyter.domain.ids import RepoId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.repos import Branch, Check, CloneProgress, GitPlace, Repo, RepoAdd, RepoState
from agor_jupyter.git import branches, clone, names, places, worktrees
from agor_jupyter.git.inspection import inner
from agor_jupyter.git.repository import Filtering, Repository, discover, promisor_url, read_settings
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once
from agor_jupyter.services.config import Config
from agor_jupyter.services.tasks import Tasks, end
from agor_jupyter.services.worktrees import checkup
from agor_jupyter.storage import repos as kept
from agor_jupyter.storage import worktrees as kept_worktrees
from agor_jupyter.storage.store import Store, Transaction

_PROGRESS_INTERVAL_S = 0.25

Branches = list[Branch]
Checks = list[Check]


class Repos:
    """`filtering` says how filters of people are tried, as of a `Repository`."""

    def __init__(self, store: Store, config: Config, clock: Clock, filtering: Filtering | None = None) -> None:
        self._store, self._config, self._clock, self._filtering = store, config, clock, filtering
        self._data_dir = Path(os.path.realpath(config.data_dir))
        self._repositories: dict[RepoId, Repository] = {}
        self._entries: defaultdict[RepoId, dict[str, str]] = defaultdict(dict)
        self._tasks = Tasks()

    async def start(self) -> None:
        """A clone that the server's end cut off has failed, and what it left is not there."""
        for repo in await self.list():
            if repo.state is RepoState.CLONING:
                await asyncio.to_thread(clone.forget, Path(repo.path))
                await self._change(repo.id, state=RepoState.FAILED, reason="the server stopped while it was being cloned", progress=None)
            elif repo.state is RepoState.READY and repo.git_dir is not None:
                await asyncio.to_thread(inner.drop_left_views, self.repository(repo).view)

    async def close(self) -> None:
        await self._tasks.close()

    async def add(self, caller: Caller, request: RepoAdd, key: str) -> Repo:
        """Register a checkout at once, or start a clone, which `RepoChanged` follows.

        A repository is one, however it is reached: by a linked worktree, a link, the folder around a `.bare`, or its own folder.

        Errors:
            BadPath, BadUrl, NotARepository, AlreadyExists.
        """
        caller.require(Role.OWNER, "register a repo")
        if (request.path is None) == (request.url is None):
            raise errors.BadRequest(["give either path or url"])
        if request.slug is not None and names.slugify(request.slug) != request.slug:
            raise errors.BadName(
                "Slug", request.slug, "it must be lower case letters, digits and single -", names.slugify(request.slug) or None
            )
        repo_id = RepoId(self._clock.new_id("repo"))
        now = self._clock.now()
        if request.path is not None:
            path, git_dir = await self._checkout(request.path)
            promisor = self._usable(promisor_url(dict(await read_settings(git_dir / "config"))))
            repository = self._open(repo_id, path, git_dir, promisor)
            repo = Repo(
                id=repo_id,
                slug=request.slug or names.slugify(_name(path)) or "repo",
                kind="checkout",
                path=str(path),
                git_dir=str(git_dir),
                promisor_url=promisor,
                default_branch=await default_branch(repository),
                state=RepoState.READY,
                created_at=now,
                created_by=caller.person,
            )
        else:
            url = names.check_url(request.url or "", self._config.clone_protocols)
            slug = request.slug or names.slugify(names.name_of_url(url)) or "repo"
            path = self._data_dir / "repos" / f"{slug}-{repo_id[-10:]}"
            repo = Repo(
                id=repo_id,
                slug=slug,
                kind="clone",
                path=str(path),
                url=url,
                git_dir=str(path / ".git"),
                state=RepoState.CLONING,
                progress=CloneProgress(phase="Connecting", percent=0),
                created_at=now,
                created_by=caller.person,
            )

        def insert(transaction: Transaction) -> Repo:
            same = [known for known in kept.every(transaction.connection) if known.path == repo.path or known.git_dir == repo.git_dir]
            for known in same:
                raise errors.AlreadyExists("Repo", known.slug, f"It is the one at {known.path}.", known=known.id)
            final = repo.replace(slug=_free(repo.slug, kept.slugs(transaction.connection), is_given=request.slug is not None))
            kept.insert(transaction.connection, final)
            transaction.append(now, RepoChanged(repo=final))
            return final

        outcome = await self._store.write(once, key, caller, "repos.add", request, now, insert, Repo)
        if outcome.is_new and outcome.record.kind == "clone":
            self._tasks.start(self._clone(outcome.record), f"clone {outcome.record.slug}")
        return outcome.record

    async def list(self) -> list[Repo]:
        return await self._store.read(kept.every)

    async def get(self, name: str) -> Repo:
        """By id or slug."""
        repo = await self._store.read(kept.find, name)
        if repo is None:
            raise errors.RepoNotFound(name, await self._store.read(kept.slugs))
        return repo

    async def remove(self, caller: Caller, name: str, key: str) -> Repo:
        """Forget a repo that has no worktrees. A checkout stays as it is; so does a clone, whose branches may hold work."""
        caller.require(Role.OWNER, "remove a repo")
        now = self._clock.now()
        request = {"name": name}

        def delete(transaction: Transaction) -> Repo:
            repo = kept.find(transaction.connection, name)
            if repo is None:
                raise errors.RepoNotFound(name, kept.slugs(transaction.connection))
            own = [worktree.name for worktree in kept_worktrees.page(transaction.connection, repo_id=repo.id)]
            if own:
                raise errors.Conflict(f"Repo {repo.slug!r} has worktrees: {', '.join(own[:8])}. Remove them first.", subject=repo.slug)
            kept.delete(transaction.connection, repo.id)
            transaction.append(now, Removed(noun="repo", id=repo.id))
            return repo

        outcome = await self._store.write(once, key, caller, "repos.remove", request, now, delete, Repo)
        self._repositories.pop(outcome.record.id, None)
        return outcome.record

    async def branches(self, name: str) -> Branches:
        """Local ones first. What is no UTF-8 in a name is shown escaped, and such a branch cannot be used here."""
        repo = await self.get(name)
        repository = self.repository(repo)
        places = {entry.branch: entry.path for entry in await worktrees.entries(repository) if entry.branch}
        return [
            Branch(
                name=names.shown(full.removeprefix("refs/heads/").removeprefix("refs/remotes/")),
                sha=sha,
                is_remote=full.startswith("refs/remotes/"),
                checked_out_at=places.get(full.removeprefix("refs/heads/")),
            )
            for full, sha in await worktrees.refs(repository, "refs/heads", "refs/remotes")
            if not full.endswith("/HEAD")
        ]

    async def place(self, name: str) -> GitPlace:
        """Where a program on the server's machine, such as GitPython, finds its main checkout."""
        return await places.of(self.repository(await self.get(name)))

    async def check(self, name: str) -> Checks:
        """What is special about it, and what of that needs a person. Nothing is changed."""
        repo = await self.get(name)
        own = await self._store.read(lambda connection: [one.path for one in kept_worktrees.page(connection, repo_id=repo.id)])
        return await checkup.check(repo, self.repository(repo) if repo.state is RepoState.READY else None, own)

    def repository(self, repo: Repo) -> Repository:
        """The way to its git.

        Errors:
            Conflict: it is not ready.
        """
        if repo.state is not RepoState.READY or repo.git_dir is None:
            because = f" ({repo.reason})" if repo.reason else ""
            raise errors.Conflict(
                f"Repo {repo.slug!r} is {repo.state.value}{because}. Wait until it is ready, or add it again.", subject=repo.slug
            )
        return self._repositories.get(repo.id) or self._open(repo.id, Path(repo.path), Path(repo.git_dir), repo.promisor_url)

    def name_entry(self, repo_id: RepoId, path: str, entry: str | None) -> None:
        """Say how git's entry for the worktree at `path` is named, if not as its folder."""
        if entry is None:
            self._entries[repo_id].pop(path, None)
        else:
            self._entries[repo_id][path] = entry

    def _usable(self, url: str | None) -> str | None:
        """What may be kept and fetched from: without credentials, by a protocol that is allowed."""
        try:
            return names.check_url(url, self._config.clone_protocols) if url is not None else None
        except errors.BadUrl:
            return None

    def _open(self, repo_id: RepoId, path: Path, git_dir: Path, promisor: str | None = None) -> Repository:
        repository = Repository(
            path=path,
            common_dir=git_dir,
            view=self._data_dir / "git" / repo_id,
            timeout_s=self._config.git_timeout.total_seconds(),
            promisor=promisor,
            protocols=self._config.clone_protocols,
            entries=self._entries[repo_id],
            filtering=self._filtering,
        )
        self._repositories[repo_id] = repository
        return repository

    async def relocate(self, caller: Caller, repo: Repo, path: str, commits: Sequence[str], key: str) -> Repo:
        """Record that the checkout lies at `path` now.

        Errors:
            BadPath, NotARepository, AlreadyExists.
            Conflict: the repository there has not all of `commits`.
        """
        top, git_dir = await self._checkout(path)
        trial = Repository(path=top, common_dir=git_dir, view=self._data_dir / "git" / f"{repo.id}-trial")
        try:
            lacking = [sha for sha in dict.fromkeys(commits) if await branches.first_known(trial, [sha]) is None]
        finally:
            await asyncio.to_thread(shutil.rmtree, trial.view, ignore_errors=True)
        if lacking:
            raise errors.Conflict(
                f"The repository at {str(top)!r} is a different one: it does not have the commit {lacking[0][:10]}, from which a worktree "
                f"of {repo.slug!r} was made. Name the folder where {repo.path} is now.",
                subject=repo.slug,
            )
        now = self._clock.now()

        def update(transaction: Transaction) -> Repo:
            every = [known for known in kept.every(transaction.connection) if known.id != repo.id]
            for known in [one for one in every if one.path == str(top) or one.git_dir == str(git_dir)]:
                raise errors.AlreadyExists("Repo", known.slug, f"It is the one at {known.path}.", known=known.id)
            moved = repo.replace(path=str(top), git_dir=str(git_dir))
            kept.update(transaction.connection, moved)
            transaction.append(now, RepoChanged(repo=moved))
            return moved

        outcome = await self._store.write(once, key, caller, "repos.relocate", {"name": repo.id, "path": path}, now, update, Repo)
        self._repositories.pop(repo.id, None)
        return outcome.record

    def folder(self, text: str, *, also: Path) -> Path:
        """The real path of a folder that lies under the allowed roots or under `also`.

        Errors:
            BadPath.
        """
        roots = [Path(os.path.realpath(root)) for root in (*self._config.allowed_roots, also)]
        path = self._real(text, roots)
        if not path.is_dir():
            raise errors.BadPath(text, "there is no such folder")
        return path

    def _real(self, text: str, roots: Sequence[Path]) -> Path:
        if "\0" in text:
            raise errors.BadPath(text.replace("\0", "\\0"), "it has a NUL character")
        try:
            path = Path(os.path.realpath(self._config.root_dir / Path(text).expanduser()))
            _check_beneath(path, [*roots], text)
        except RuntimeError:  # of `expanduser`
            raise errors.BadPath(text, "there is no such user") from None
        except OSError as error:
            raise errors.BadPath(text, f"the system says “{error.strerror}”") from error
        return path

    async def _checkout(self, text: str) -> tuple[Path, Path]:
        """What lies at the path, if it lies under the allowed roots after every link in it was followed.

        What is recorded is the real path. A link that is swapped afterwards changes nothing, because git gets only that.
        """
        roots = [Path(os.path.realpath(root)) for root in self._config.allowed_roots]
        path = self._real(text, roots)
        try:
            is_folder = path.is_dir()
        except OSError as error:
            raise errors.BadPath(text, f"the system says “{error.strerror}”") from error
        if not is_folder:
            raise errors.BadPath(text, "there is no such folder")
        top, git_dir = await discover(path)
        for found in (top, git_dir):
            _check_beneath(found, roots, text)
        return top, git_dir

    async def _clone(self, repo: Repo) -> None:
        loop = asyncio.get_running_loop()
        latest: CloneProgress | None = None

        def note(progress: CloneProgress) -> None:
            nonlocal latest
            latest = progress

        async def tell() -> None:
            told: CloneProgress | None = None
            while True:
                await asyncio.sleep(_PROGRESS_INTERVAL_S)
                if latest is not None and latest != told:
                    told = latest
                    await self._change(repo.id, progress=told)

        teller = asyncio.create_task(tell())
        changes: dict[str, object] = {}
        started = time.monotonic()
        try:
            await clone.clone(
                repo.url or "",
                Path(repo.path),
                self._config.clone_protocols,
                self._config.clone_timeout.total_seconds(),
                lambda progress: _thread_safely(loop, note, progress),
            )
            repository = self._open(repo.id, Path(repo.path), Path(repo.path) / ".git")
            changes = {"state": RepoState.READY, "default_branch": await default_branch(repository), "reason": None}
        except (errors.AgorError, OSError) as error:
            changes = {"state": RepoState.FAILED, "reason": str(error) or f"it failed after {time.monotonic() - started:.0f} s"}
        finally:
            await end(teller)
        await self._change(repo.id, progress=None, **changes)

    async def _change(self, repo_id: RepoId, **changes: object) -> None:
        now = self._clock.now()

        def update(transaction: Transaction) -> None:
            repo = kept.find(transaction.connection, repo_id)
            if repo is not None:
                changed = repo.replace(**changes)
                kept.update(transaction.connection, changed)
                transaction.append(now, RepoChanged(repo=changed))

        await self._store.write(update)


async def default_branch(repository: Repository) -> str | None:
    """Origin's, else the one the main checkout is on. `None`: there is no commit."""
    found = dict(await worktrees.refs(repository, "refs/heads", "refs/remotes"))
    target = await repository.git("read the default branch", "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", ok=(0, 1, 128))
    remote = target.text.strip().removeprefix("refs/remotes/origin/")
    if remote and (f"refs/heads/{remote}" in found or f"refs/remotes/origin/{remote}" in found):
        return remote
    current = await repository.git("read the default branch", "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128))
    branch = current.text.strip().removeprefix("refs/heads/")
    candidates = (branch, "main", "master", *(name.removeprefix("refs/heads/") for name in found if name.startswith("refs/heads/")))
    return next((name for name in candidates if f"refs/heads/{name}" in found), None)


def _name(path: Path) -> str:
    """What people call it: of `project/.bare` it is `project`."""
    return (path.parent if path.name.startswith(".") else path).name.removesuffix(".git")


def _thread_safely(loop: asyncio.AbstractEventLoop, note: Callable[[CloneProgress], None], progress: CloneProgress) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
        loop.call_soon_threadsafe(note, progress)


def _check_beneath(path: Path, roots: list[Path], text: str) -> None:
    if not any(path.is_relative_to(root) for root in roots):
        raise errors.BadPath(text, "it is outside the folders that the administrator allows", [str(root) for root in roots])


def _free(slug: str, taken: list[str], *, is_given: bool) -> str:
    if slug not in taken:
        return slug
    if is_given:
        raise errors.AlreadyExists("Repo", slug)
    return next(name for name in (f"{slug}-{number}" for number in range(2, len(taken) + 3)) if name not in taken)
