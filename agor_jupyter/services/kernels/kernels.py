"""Kernels of worktrees: made in the background, made again after a server died over it, and gone with their worktrees."""

import asyncio
import hashlib
import os
import platform
import shutil
import sys
from functools import partial
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Event, Removed, WorktreeChanged
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.kernels import SERVER, Kernel, KernelMake, KernelState
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.executors import packages
from agor_jupyter.git import names
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.environments.means import port_variables
from agor_jupyter.services.events import Events
from agor_jupyter.services.kernels import specs
from agor_jupyter.services.kernels.recipes import Recipe, Recipes
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import environments, kernels
from agor_jupyter.storage.store import Store

_KERNEL = "ipykernel"
_LOCKED = "locked.txt"
Found = list[Kernel]


class Kernels:
    def __init__(  # noqa: PLR0917 what it stands on
        self, store: Store, clock: Clock, config: Config, events: Events, worktrees: Worktrees, recipes: Recipes, trusts: Trusts
    ) -> None:
        self._store, self._clock, self._config, self._events = store, clock, config, events
        self._worktrees, self._recipes, self._trusts = worktrees, recipes, trusts
        self._running: dict[WorktreeId, asyncio.Task[None]] = {}
        self._steps: dict[WorktreeId, str] = {}
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """What an earlier run of the server did not get to the end of is made anew."""
        self._follower = await self._events.follow("kernels", (Removed, WorktreeChanged), self._forget_gone)
        for kernel in await self._store.read(kernels.every):
            if kernel.state is KernelState.MAKING:
                self._begin(await self._worktrees.get(kernel.worktree_id), kernel)

    async def close(self) -> None:
        await self._follower.close()
        await end(*self._running.values())

    async def list(self, caller: Caller) -> Found:
        """Those that somebody made."""
        caller.require(Role.VIEWER, "list kernels")
        return [self._with_step(kernel) for kernel in await self._store.read(kernels.every)]

    async def get(self, caller: Caller, name: str) -> Kernel:
        """Errors:
        WorktreeNotFound.
        """
        caller.require(Role.VIEWER, "see a worktree's kernel")
        worktree = await self._worktrees.get(name)
        kernel = await self._store.read(kernels.get, worktree.id)
        if kernel is None:
            return await self._new(worktree)
        if kernel.state is not KernelState.READY or worktree.state is not WorktreeState.READY:
            return self._with_step(kernel)
        try:
            recipe = await self._recipes.of(worktree)
        except errors.BadSettings as error:
            return kernel.replace(is_stale=True, notices=[*kernel.notices, error.message])
        return kernel.replace(is_stale=recipe.digest != kernel.digest)

    async def make(self, caller: Caller, name: str, request: KernelMake) -> Kernel:
        """Begin, unless that is under way, or there is one as the worktree says. `get` tells how far it is.

        Errors:
            WorktreeNotFound, WorktreeNotReady. BadSettings: what it is made from cannot be read.
            KernelNotTrusted: an owner has to trust that first. KernelToolMissing: there is no uv.
        """
        caller.require(Role.STEERER, "make a worktree's kernel")
        worktree = await self._worktrees.get(name)
        if worktree.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(worktree.name, worktree.state.value, worktree.reason)
        recipe = await self._recipes.of(worktree)
        await self._check(worktree, recipe)
        async with self._lock:  # of two at once, one begins
            known = await self._store.read(kernels.get, worktree.id)
            if known is not None and worktree.id in self._running:
                return self._with_step(known)
            is_there = known is not None and known.state is KernelState.READY and known.digest == recipe.digest
            if known is not None and is_there and not request.again:
                return known
            kernel = (known or await self._new(worktree)).replace(
                state=KernelState.MAKING,
                source=recipe.source,
                step=None,
                reason=None,
                notices=list(recipe.notices),
                digest=recipe.digest,
                by=caller.person,
                updated_at=self._clock.now(),
            )
            await self._store.write(kernels.save, kernel)
            self._begin(worktree, kernel, recipe)
        return kernel

    async def remove(self, caller: Caller, name: str) -> None:
        """With its environment. One that there is not is removed already. A notebook that runs on it goes on until it is restarted."""
        caller.require(Role.STEERER, "remove a worktree's kernel")
        await self._forget((await self._worktrees.get(name)).id)

    def _begin(self, worktree: Worktree, kernel: Kernel, recipe: Recipe | None = None) -> None:
        """`recipe` was judged. `None`: it is read and judged anew."""
        task = asyncio.create_task(self._make(worktree, kernel, recipe), name=f"kernel of {worktree.name}")
        self._running[worktree.id] = task
        task.add_done_callback(lambda _: self._end(worktree.id))

    def _end(self, worktree_id: WorktreeId) -> None:
        self._running.pop(worktree_id, None)
        self._steps.pop(worktree_id, None)

    async def _make(self, worktree: Worktree, kernel: Kernel, recipe: Recipe | None) -> None:
        folder = self._folder(worktree.id)
        try:
            if recipe is None:
                recipe = await self._recipes.of(worktree)
                await self._check(worktree, recipe)
                kernel = kernel.replace(digest=recipe.digest, source=recipe.source, notices=list(recipe.notices))
            environment = None
            if recipe.source != SERVER or recipe.spec.python is not None:
                await self._install(worktree, recipe, folder)
                environment = folder
            row = await self._store.read(environments.get, worktree.id)
            variables = port_variables(row.environment.ports) if row is not None else {}
            await asyncio.to_thread(specs.write, self._config.data_dir, kernel, worktree, environment, variables)
            done = kernel.replace(state=KernelState.READY, step=None, updated_at=self._clock.now())
        except (errors.AgorError, OSError) as error:
            why = error.message if isinstance(error, errors.AgorError) else (error.strerror or str(error))
            done = kernel.replace(state=KernelState.FAILED, step=None, reason=why, updated_at=self._clock.now())
        await self._store.write(kernels.save, done)

    async def _install(self, worktree: Worktree, recipe: Recipe, folder: Path) -> None:
        uv = packages.find_uv()
        if uv is None:
            raise errors.KernelToolMissing
        given = _given_folder(folder)
        await asyncio.to_thread(_lay_out, folder, given, recipe)
        env = {"UV_PROJECT_ENVIRONMENT": str(folder)}
        try:
            for step in _steps(folder, given, recipe):
                words = f"uv {' '.join(step[: 2 if step[0] == 'pip' else 1])}"
                self._steps[worktree.id] = words
                tell = partial(self._tell, worktree.id, words)
                timeout_s = self._config.setup_timeout.total_seconds()
                why = await packages.run(uv, step, cwd=given, env=env, timeout_s=timeout_s, on_progress=tell)
                if why is not None:
                    raise errors.KernelFailed(worktree.name, words, why)
            await asyncio.to_thread(_import_from, folder, Path(worktree.path), recipe.folders)
        finally:
            await asyncio.to_thread(shutil.rmtree, given, ignore_errors=True)

    def _tell(self, worktree_id: WorktreeId, words: str, progress: str) -> None:
        """From another thread."""
        self._steps[worktree_id] = f"{words}: {progress}"

    def _with_step(self, kernel: Kernel) -> Kernel:
        step = self._steps.get(kernel.worktree_id)
        return kernel.replace(step=step) if step is not None and kernel.state is KernelState.MAKING else kernel

    async def _check(self, worktree: Worktree, recipe: Recipe) -> None:
        """Installing runs code: of the files, and of the packages that they name."""
        changed = await self._recipes.changed(worktree, recipe)
        untrusted = []
        for path in changed:
            file = await self._trusts.judge(worktree, path, hashlib.sha256(recipe.files[path]).hexdigest())
            if file.state != "trusted":
                untrusted.append(path)
        if untrusted:
            raise errors.KernelNotTrusted(worktree.name, untrusted)

    async def _new(self, worktree: Worktree) -> Kernel:
        name = f"agor-{names.slugify(worktree.name, 40) or 'worktree'}"
        taken = {one.spec_name for one in await self._store.read(kernels.every) if one.worktree_id != worktree.id}
        return Kernel(
            worktree_id=worktree.id,
            worktree=worktree.name,
            spec_name=name if name not in taken else f"{name}-{worktree.id[-6:]}",
            display_name=f"Python (worktree {worktree.name})",
            updated_at=self._clock.now(),
        )

    async def _forget_gone(self, change: Record, _event: Event) -> None:
        if isinstance(change, Removed):
            if change.noun == "worktree":
                await self._forget(WorktreeId(change.id))
        elif isinstance(change, WorktreeChanged) and change.worktree.state is WorktreeState.ARCHIVED:
            await self._forget(change.worktree.id)

    async def _forget(self, worktree_id: WorktreeId) -> None:
        async with self._lock:
            if (task := self._running.get(worktree_id)) is not None:
                await end(task)
            kernel = await self._store.read(kernels.get, worktree_id)
            if kernel is None:
                return
            await asyncio.to_thread(specs.remove, self._config.data_dir, kernel.spec_name)
            for folder in (self._folder(worktree_id), _given_folder(self._folder(worktree_id))):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await self._store.write(kernels.delete, worktree_id)

    def _folder(self, worktree_id: WorktreeId) -> Path:
        return Path(os.path.realpath(self._config.data_dir)) / "environments" / worktree_id


def _given_folder(folder: Path) -> Path:
    """Where the copies lie while an environment is made."""
    return folder.with_name(f"{folder.name}.given")


def _lay_out(folder: Path, given: Path, recipe: Recipe) -> None:
    """Nothing of an earlier one, and what was judged."""
    for old in (folder, given):
        shutil.rmtree(old, ignore_errors=True)
    for path, content in recipe.given.items():
        file = given / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    given.mkdir(parents=True, exist_ok=True)


def _steps(folder: Path, given: Path, recipe: Recipe) -> list[list[str]]:
    """What `uv` is told, in turn."""
    python = recipe.spec.python or _python(recipe.requires_python)
    of = ["--project", str(given)]
    install = ["pip", "install", "--python", str(folder / "bin" / "python"), "--link-mode", "hardlink", *of]
    extra = [_KERNEL, *recipe.spec.packages]
    if not recipe.is_locked:
        return [["venv", "--no-project", *of, "--python", python, str(folder)], [*install, *recipe.arguments, *extra]]
    locked = ["--frozen", "--python", python, *of]
    # What is added keeps to the versions of the lock, or is refused.
    return [
        ["export", *locked, "--quiet", "--no-hashes", "--no-emit-local", "--no-emit-project", "--output-file", str(given / _LOCKED)],
        ["sync", *locked, "--no-install-local", "--no-install-project", "--link-mode", "hardlink"],
        [*install, "--constraints", str(given / _LOCKED), *recipe.arguments, *extra],
    ]


def _python(wanted: str | None) -> str:
    """The server's, unless that is not one that is asked for."""
    if wanted is None:
        return sys.executable
    try:
        is_ours = SpecifierSet(wanted).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        return sys.executable
    return sys.executable if is_ours else wanted


def _import_from(environment: Path, root: Path, folders: tuple[str, ...]) -> None:
    """Code of the worktree is found as if it were installed so that changes of it count."""
    found = list[str]()
    for folder in dict.fromkeys((".", *folders)):
        path = root / folder
        found += [str(one) for one in (path / "src", path) if one.is_dir() and "\n" not in str(one)]
    for packages_of in environment.glob("lib/python3*/site-packages"):
        (packages_of / "agor_worktree.pth").write_text("".join(f"{line}\n" for line in found))
