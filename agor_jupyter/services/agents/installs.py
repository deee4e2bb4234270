"""Agents that this server installed: each in a folder of its version, with the Node that runs it. Whole, or not there.

    <data>/agents/<name>/<version>/      node_modules, and `agor.json`, which says what runs
    <data>/agents/.node/<version>/       Node and npm, when the machine has none that fits
    <data>/agents/.new/<random>/         what is being made; emptied at the server's start

A folder is made under `.new` and renamed when it was proven to work, so a crash, a cancel or a full disk leaves what was there.
"""

import asyncio
import contextlib
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from agor_jupyter.agents.protocol.mask import Mask, secrets
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.executors import environment, installer
from agor_jupyter.executors.installer import Ended, Node
from agor_jupyter.services.tasks import end

log = logging.getLogger(__name__)

Step = Callable[[str], Awaitable[None]]
"""Is told what the installation does now."""

_MANIFEST, _NEW, _NODE = "agor.json", ".new", ".node"
_OLDEST_NODE = 20
_NODE_MB = 400
_TICK_S, _TRY_S = 1.0, 60.0
_WHY = {
    "ENOTFOUND": "the npm registry was not found; this machine may be offline, or need a proxy",
    "EAI_AGAIN": "the npm registry was not found; this machine may be offline, or need a proxy",
    "ECONNREFUSED": "the npm registry refuses connections; is it the right one, and is this machine online?",
    "ECONNRESET": "the connection to the npm registry broke",
    "ETIMEDOUT": "the npm registry does not answer; this machine may be offline, or need a proxy",
    "ENETUNREACH": "this machine has no network",
    "E404": "the npm registry has no such package",
    "ETARGET": "the npm registry has no such version",
    "E401": "the npm registry requires a login; see your .npmrc",
    "E403": "the npm registry refused",
    "EBADENGINE": "the package does not run on this Node",
    "EBADPLATFORM": "the package does not run on this machine",
    "EINTEGRITY": "what the npm registry sent does not match its checksum",
    "ENOSPC": "the disk is full",
    "EDQUOT": "the disk quota is used up",
    "EACCES": "a folder is not writable",
    "EROFS": "the data folder is not writable",
}


class Managed(NamedTuple):
    """An installation that is whole."""

    folder: Path
    version: str
    program: list[str]
    """What replaces the first word of the agent's command."""
    path: list[str]


class Installs:
    """What is installed, and the way to install more. Needs no database."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = Path(os.path.realpath(data_dir / "agents"))
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._broken: set[Path] = set()

    async def clear(self, agents: Iterable[AgentType] = ()) -> None:
        """Remove what an earlier server left half made, and the versions of `agents` that are no longer used. Called when none runs."""
        await asyncio.to_thread(self._clear, list(agents))

    def _clear(self, agents: Sequence[AgentType]) -> None:
        shutil.rmtree(self._folder / _NEW, ignore_errors=True)
        for agent in agents:
            if (used := self.find(agent)) is None:
                continue
            for folder in used.folder.parent.iterdir():
                if folder != used.folder:
                    shutil.rmtree(folder, ignore_errors=True)
        kept = [one for own in _folders(self._folder) if own.name not in {_NEW, _NODE} for one in self._versions(own)]
        nodes = {Path(one.path[0]).parent for one in kept} | {self._folder / _NODE / installer.NODE_VERSION}
        for folder in _folders(self._folder / _NODE):
            if folder not in nodes:
                shutil.rmtree(folder, ignore_errors=True)

    # Ask

    def find(self, agent: AgentType) -> Managed | None:
        """The pinned version of it, else the newest that is here. Reads a small file, and starts nothing."""
        version = agent.install.version
        if version is None:
            return None
        versions = [one for one in self._versions(self._folder / agent.name) if one.folder not in self._broken]
        return next((one for one in versions if one.version == version), versions[0] if versions else None)

    def ready(self, agent: AgentType) -> AgentType | None:
        """The agent so that it starts what was installed, or `None` when nothing was."""
        managed = self.find(agent)
        return resolved(agent, managed.program, managed.path) if managed is not None else None

    async def try_out(self, agent: AgentType, managed: Managed) -> str | None:
        """Run it once, and say why it does not run. If it fails it counts as not installed: the next installation replaces it."""
        new = await self._new()
        try:
            ended = await self._run_once(agent, managed.program, Path(managed.path[0]), new)
        finally:
            await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
        if ended is not None and ended.code not in {0, None}:  # after the deadline nobody knows: the machine may just be busy
            log.warning("Agent %s in %s no longer runs: %s", agent.name, managed.folder, ended.output[-1500:])
            self._broken.add(managed.folder)
        return ended.why_not(Mask(secrets(os.environ)).text) if ended is not None else None

    def _versions(self, own: Path) -> list[Managed]:
        """The whole ones, the newest installation first."""
        found: list[tuple[float, Managed]] = []
        for folder in _folders(own):
            try:
                manifest = json.loads((folder / _MANIFEST).read_bytes())
                script, node = folder / manifest["script"], manifest["node"]
                words = [node, str(script)] if node else [str(script)]
                if all(os.access(word, os.R_OK) for word in words) and os.access(words[0], os.X_OK):
                    path = [str(Path(manifest["with"]).parent)]
                    found.append((manifest["at"], Managed(folder, manifest["version"], words, path)))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # not whole: it counts as not there, and the next installation replaces it
        return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]

    # Install

    def check(self, agent: AgentType) -> str:
        """The version that would be installed.

        Errors:
            NotInstallable: it is built in, has no package, or does not run on this kind of machine.
        """
        if agent.is_builtin:
            raise errors.NotInstallable(agent.name, "it is built in and always there")
        version = agent.install.version
        if version is None:
            by_hand = f"install it with: {agent.install.by_hand}" if agent.install.by_hand else "install its program yourself"
            raise errors.NotInstallable(agent.name, f"its entry names no npm package; {by_hand}")
        if sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}:
            raise errors.NotInstallable(agent.name, "that works on Linux on x86-64 and ARM64 only; install its program yourself")
        return version

    def is_busy(self, name: str) -> bool:
        return self._busy[name].locked()

    async def install(self, agent: AgentType, step: Step) -> AgentType:
        """Put the pinned version in place, unless it is there, and return the agent ready to start. A second call waits for the first.

        Errors:
            NotInstallable: as `check` says.
            InstallFailed: says why; what was there before is as it was.
        """
        version = self.check(agent)
        async with self._busy[agent.name]:
            managed = self.find(agent)
            if managed is None or managed.version != version:
                try:
                    await self._install(agent, version, step)
                except OSError as error:
                    if isinstance(error, errors.AgorError):
                        raise
                    raise errors.InstallFailed(agent.name, f"{error.strerror or error} ({self._folder})") from error
            ready = self.ready(agent)
            if ready is None:
                raise errors.InstallFailed(agent.name, "it was removed while it was installed")
            return ready

    async def _install(self, agent: AgentType, version: str, step: Step) -> None:
        await self._require_space(agent)
        env = environment.for_installer()
        async with self._busy[_NODE]:
            node = await self._node(agent, env, step)
        new = await self._new()
        try:
            await self._fetch(agent, new, node, env, step)
            script = await asyncio.to_thread(self._verify, agent, version, new)
            if agent.install.post_install:
                package = _package_folder(agent, new)
                ended = await installer.run_script(package / agent.install.post_install, node, env=env, mark=_mark(agent.name))
                self._require(agent, ended, f"its script {agent.install.post_install} failed", env)
            is_script = await asyncio.to_thread(_is_script, script)
            await self._prove(agent, [str(node.program), str(script)] if is_script else [str(script)], node, new, env, step)
            manifest: dict[str, object] = {
                "package": agent.install.package,
                "version": version,
                "script": str(script.relative_to(new)),
                "node": str(node.program) if is_script else None,
                "with": str(node.program),
                "at": time.time(),
            }
            await asyncio.to_thread(self._keep, new, self._folder / agent.name / version, manifest)
        finally:
            await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)

    async def _new(self) -> Path:
        """An empty folder on the same disk, so that it can be renamed."""
        place = self._folder / _NEW
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        return Path(await asyncio.to_thread(tempfile.mkdtemp, dir=place))

    async def _require_space(self, agent: AgentType) -> None:
        place = next(each for each in (self._folder, *self._folder.parents) if each.exists())
        free = (await asyncio.to_thread(shutil.disk_usage, place)).free >> 20
        needed = 2 * agent.install.disk_mb + _NODE_MB
        if free < needed:
            why = f"it needs up to {needed} MB while it is unpacked, and {free} MB are free in {self._folder}"
            raise errors.InstallFailed(agent.name, why)

    async def _node(self, agent: AgentType, env: dict[str, str], step: Step) -> Node:
        """A Node that fits: the machine's, or ours, which is fetched when it is not there."""
        oldest = max(agent.install.node or _OLDEST_NODE, _OLDEST_NODE)
        place = self._folder / _NODE / installer.NODE_VERSION
        if node := Node.below(place):
            return node
        if node := await installer.find_node(oldest, cwd=Path("/"), env=env):
            return node
        if int(installer.NODE_VERSION.partition(".")[0]) < oldest:
            raise errors.InstallFailed(agent.name, f"it needs Node {oldest} or newer; put one on the server's PATH, with its npm")
        new = await self._new()
        try:
            async with _telling(step, lambda: f"Downloading Node {installer.NODE_VERSION}"):
                ended = await installer.fetch_node(new, env=env, mark=_mark(agent.name))
            self._require(agent, ended, f"Node {installer.NODE_VERSION} could not be fetched", env)
            if Node.below(new) is None:
                raise errors.InstallFailed(agent.name, "what was fetched as Node does not work")
            await asyncio.to_thread(self._rename, new, place)
        finally:
            await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
        node = Node.below(place)
        assert node is not None  # it was just renamed
        return node

    async def _fetch(self, agent: AgentType, new: Path, node: Node, env: dict[str, str], step: Step) -> None:
        assert agent.install.package is not None  # `check` said so
        progress = installer.Progress()
        async with _telling(step, lambda: f"npm install {agent.install.package}, {progress.fetched} files fetched"):
            ended = await installer.fetch_package(agent.install.package, new, node, env=env, mark=_mark(agent.name), progress=progress)
        self._require(agent, ended, "npm failed", env)

    def _verify(self, agent: AgentType, version: str, new: Path) -> Path:
        """The script that the agent's command runs. An npm that took another version than it was told is found out here."""
        try:
            found = json.loads((_package_folder(agent, new) / "package.json").read_bytes()).get("version")
        except (OSError, ValueError):
            found = None
        if found != version:
            raise errors.InstallFailed(agent.name, f"version {version} was requested, but {found or 'nothing'} was installed")
        script = (new / "node_modules" / ".bin" / agent.command[0]).resolve()
        if not script.is_file() or not script.is_relative_to(new):
            raise errors.InstallFailed(agent.name, f"the package has no program {agent.command[0]!r}")
        return script

    async def _prove(  # noqa: PLR0917
        self, agent: AgentType, program: list[str], node: Node, new: Path, env: dict[str, str], step: Step
    ) -> None:
        """Run what came, once: npm says nothing when a binary for this machine is missing."""
        async with _telling(step, lambda: "Trying it"):
            ended = await self._run_once(agent, program, node.program.parent, new)
        if ended is not None:
            free = (await asyncio.to_thread(shutil.disk_usage, new)).free >> 20
            # npm drops a binary that the disk has no room for, and says nothing.
            cause = "" if free > 2 * agent.install.disk_mb else f"; the disk may have been full, {free} MB are free now"
            self._require(agent, ended, f"it does not run on this machine{cause}", env)

    async def _run_once(self, agent: AgentType, program: list[str], node: Path, new: Path) -> Ended | None:
        """Let it say its version, in a home below `new` and with none of the server's variables. `None`: it has no way to say it."""
        words = agent.install.probe_args or agent.install.version_args
        if not words:
            return None
        home = new / ".home"
        await asyncio.to_thread(home.mkdir)
        path = os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)])
        env = {"PATH": path, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
        try:
            return await installer.run([*program, *words], cwd=home, env=env, mark=_mark(agent.name), timeout_s=_TRY_S)
        finally:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    def _require(self, agent: AgentType, ended: Ended, what: str, env: dict[str, str]) -> None:
        if ended.code == 0:
            return
        why = _WHY.get(ended.npm_code or "")
        log.warning("Agent %s: %s", agent.name, what)
        if ended.code is None:
            what += ": it took too long"
        elif why is not None:
            what = f"{why} ({ended.npm_code})"
        last = Mask(secrets(env)).text(ended.output[-1500:])
        raise errors.InstallFailed(agent.name, f"{what}. Its last output: {last}" if last else what)

    def _keep(self, new: Path, place: Path, manifest: dict[str, object]) -> None:
        (new / _MANIFEST).write_text(json.dumps(manifest, indent=1))
        self._rename(new, place)

    def _rename(self, new: Path, place: Path) -> None:
        """`new` becomes `place`; what lay there and was not whole goes."""
        place.parent.mkdir(parents=True, exist_ok=True)
        os.sync()  # a name that points to what is not on the disk yet would outlive a power cut
        old = Path(tempfile.mkdtemp(dir=self._folder / _NEW))
        if place.exists():
            place.rename(old / "old")
        new.rename(place)
        self._broken.discard(place)
        shutil.rmtree(old, ignore_errors=True)


@contextlib.asynccontextmanager
async def _telling(step: Step, text: Callable[[], str]) -> AsyncGenerator[None, None]:
    """While inside, says each second what is done and for how long."""

    async def tell() -> None:
        began = time.monotonic()
        while True:
            await step(f"{text()}, {time.monotonic() - began:.0f} s")
            await asyncio.sleep(_TICK_S)

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        await end(task)


def resolved(agent: AgentType, program: list[str], path: list[str]) -> AgentType:
    """The agent with the words that start it. Its sign-in is changed too, when it is by the same program."""
    sign_in = agent.sign_in
    if sign_in.command and agent.command and sign_in.command[0] == agent.command[0]:
        sign_in = sign_in.replace(command=[*program, *sign_in.command[1:]])
    return agent.replace(command=[*program, *agent.command[1:]], sign_in=sign_in, path=[*agent.path, *path])


def _folders(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except OSError:
        return []


def _package_folder(agent: AgentType, new: Path) -> Path:
    assert agent.install.package is not None
    return new / "node_modules" / agent.install.package.rpartition("@")[0]


def _is_script(program: Path) -> bool:
    """Whether Node has to run it; else it is a binary of its own."""
    with program.open("rb") as file:
        first = file.readline(200)
    return program.suffix in {".js", ".mjs", ".cjs"} or (first.startswith(b"#!") and b"node" in first)


def _mark(name: str) -> str:
    """By which the processes of an installation are found."""
    return f"install.{name}.{os.getpid()}"
