"""What you can do about agents: see which there are and whether they are here, check them, install them."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from agor_jupyter.agents import catalogue
from agor_jupyter.agents.protocol.mask import Mask, secrets
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentStatus, AgentType, InstallState, Origin
from agor_jupyter.domain.options import SessionOption
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.executors import environment, installer, sandbox
from agor_jupyter.services.agents.homes import outside
from agor_jupyter.services.agents.installs import Installs, Managed, resolved
from agor_jupyter.services.config import Config
from agor_jupyter.services.tasks import Tasks

_CHECK_S = 10.0
_NEWS_S = 1.9

Paths = list[str]
Announce = Callable[[str], Awaitable[None]]
_File = tuple[str, float]
"""A program, and when it changed last."""


class Agents:
    """The catalogue and the configuration's agents. `announce` and `options` are set by whoever wires the engine."""

    announce: Announce | None = None
    """Is told the name of an agent whose status changed."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._configured = {agent.name for agent in config.agents}
        self._agents = catalogue.merge(config.agents)
        self._installs = Installs(config.data_dir)
        self._tasks = Tasks()
        self._states: dict[str, tuple[InstallState, str]] = {}
        self._versions: dict[_File, str] = {}
        self._problems: dict[str, tuple[_File | None, str]] = {}
        self._told: dict[str, float] = {}
        self._has_sandbox = False
        self.options: dict[str, list[SessionOption]] = {}
        """What each advertised last."""

    async def start(self) -> None:
        """Forget what an installation left that the server's end cut off, and find out where agents run. Called when no agent runs."""
        await self._installs.clear(self._agents.values())
        self._has_sandbox = self._config.sandbox != "off" and await sandbox.why_not() is None

    async def close(self) -> None:
        """End the installations; nothing of them is left."""
        await self._tasks.close()

    def list(self, variables: Collection[str] = ()) -> list[AgentStatus]:
        """All, with what would be run now. Starts no process. `variables`: the names that the caller has stored."""
        return [self._status(agent, variables) for agent in self._agents.values()]

    def obeyed(self) -> dict[str, Paths]:
        """The project files of those that have any, by their names."""
        return {name: agent.files.project for name, agent in self._agents.items() if agent.files.project}

    def get(self, name: str) -> AgentType:
        """Raises `AgentNotFound`, which lists those there are."""
        try:
            return self._agents[name]
        except KeyError:
            raise errors.AgentNotFound(name, sorted(self._agents)) from None

    def status(self, name: str, variables: Collection[str] = ()) -> AgentStatus:
        """Raises `AgentNotFound`."""
        return self._status(self.get(name), variables)

    def require_installed(self, name: str) -> AgentType:
        """The agent, ready to start: `command` and `sign_in` name what is there.

        Errors:
            AgentNotFound.
            AgentNotInstalled: says how to install it.
        """
        agent = self.get(name)
        found = self._find(agent, self._installs.find(agent))
        if found is None:
            raise errors.AgentNotInstalled(name, agent.command[0] if agent.command else "", _by_what(agent))
        return found

    async def check(self, caller: Caller, name: str, variables: Collection[str] = ()) -> AgentStatus:
        """The same as `status`, after running the program once; `problem` says why it did not run.

        One that this server installed and that fails is no longer installed.

        Errors:
            AgentNotFound.
        """
        caller.require(Role.STEERER, "check an agent")
        agent = self.get(name)
        managed, path = self._installs.find(agent), catalogue.find_command(agent)
        file, problem = None, None
        try:
            if managed is not None:
                problem = await self._installs.try_out(agent, managed)
            elif path is not None and agent.install.version_args:
                file = _file(path)
                problem = await self._ask_version(agent, path, file)
        except OSError as error:
            problem = f"it could not be run: {error}"
        self._problems.pop(name, None)
        if problem is not None:
            self._problems[name] = (file, problem)
        await self._tell(agent)
        return self._status(agent, variables)

    async def install(self, caller: Caller, name: str, variables: Collection[str] = ()) -> AgentStatus:
        """Begin to install the pinned version, unless it is there or on its way. `AgentChanged` follows it.

        Errors:
            AgentNotFound.
            NotInstallable: it is built in, or has no package for this machine.
        """
        caller.require(Role.OWNER, "install an agent")
        agent = self.get(name)
        version = self._installs.check(agent)
        managed = self._installs.find(agent)
        if (managed is None or managed.version != version) and not self._is_installing(name):
            self._states[name] = ("installing", "Preparing")
            self._tasks.start(self._install(agent), f"install {name}")
        return self._status(agent, variables)

    def _is_installing(self, name: str) -> bool:
        return name in self._states and self._states[name][0] == "installing"

    async def _install(self, agent: AgentType) -> None:
        async def step(text: str) -> None:
            self._states[agent.name] = ("installing", text)
            now = asyncio.get_running_loop().time()
            if now - self._told.get(agent.name, 0.0) >= _NEWS_S:
                self._told[agent.name] = now
                await self._tell(agent)

        try:
            await self._installs.install(agent, step)
        except errors.AgorError as error:
            self._states[agent.name] = ("failed", str(error.details.get("why", error.message)))
        except BaseException:
            self._states[agent.name] = ("failed", "the server stopped, or made a mistake; its log says more")
            raise
        else:
            self._states.pop(agent.name, None)
            self._problems.pop(agent.name, None)
        await self._tell(agent)

    async def _tell(self, agent: AgentType) -> None:
        if self.announce is not None:
            with contextlib.suppress(errors.Unavailable):  # a full disk does not change what is installed
                await self.announce(agent.name)

    # What would be run

    def _find(self, agent: AgentType, managed: Managed | None) -> AgentType | None:
        """The one that this server installed, else the one on its `PATH`."""
        if managed is not None:
            return resolved(agent, managed.program, managed.path)
        path = catalogue.find_command(agent)
        return resolved(agent, [path], []) if path is not None else None

    async def _ask_version(self, agent: AgentType, path: str, file: _File) -> str | None:
        """Remember what the program says, until the file changes. Returns why it does not run, if so."""
        env = environment.build(agent, "check", pass_env=self._config.pass_env)
        mark = f"check.{uuid.uuid4().hex}"
        ended = await installer.run([path, *agent.install.version_args], cwd=Path("/"), env=env, mark=mark, timeout_s=_CHECK_S)
        self._versions.pop(file, None)
        if (version := ended.version) is not None:
            self._versions[file] = version
        return ended.why_not(Mask({**secrets(env), **agent.env}).text)

    def _problem(self, agent: AgentType, path: str | None) -> str | None:
        """Of the last check, as long as it is about what would be run."""
        file, problem = self._problems.get(agent.name, (None, None))
        with contextlib.suppress(OSError):
            return problem if file is None or (path is not None and file == _file(path)) else None
        return problem

    def _status(self, agent: AgentType, variables: Collection[str]) -> AgentStatus:
        managed = self._installs.find(agent)
        found = self._find(agent, managed)
        origin: Origin = "configuration" if agent.name in self._configured else "builtin" if agent.is_builtin else "catalogue"
        path, version = (managed.program[-1], managed.version) if managed else (found.command[0] if found else None, None)
        if managed is None and path is not None:
            with contextlib.suppress(OSError):
                version = self._versions.get(_file(path))
        state, step = self._states.get(agent.name, (None, None))
        # A value of `env` may be a key, so may one of `authenticate`, and every viewer may ask.
        shown = agent.replace(
            env=dict.fromkeys(agent.env, ""),
            sign_in=(found or agent).sign_in.replace(authenticate=[]),
            install=agent.install.replace(by_hand=_by_what(agent)),
        )
        return AgentStatus(
            agent=shown,
            is_installed=found is not None,
            path=path,
            origin=origin,
            version=version,
            pinned=agent.install.version,
            is_managed=managed is not None,
            is_signed_in=_is_signed_in(agent, {*variables, *agent.env}, self._config.pass_env, os.environ),
            install_state=state,
            install_step=step,
            options=self.options.get(agent.name, []),
            problem=self._problem(agent, path),
            starting_mode=agent.permissions.mode_where(is_sandboxed=self._has_sandbox),
        )


def _by_what(agent: AgentType) -> str | None:
    return f"jupyter agor agent install {agent.name}" if agent.install.package and not agent.is_builtin else agent.install.by_hand


def _file(path: str) -> _File:
    real = os.path.realpath(path)
    return real, Path(real).stat().st_mtime


def _is_signed_in(agent: AgentType, own: Collection[str], pass_env: Collection[str], source: Mapping[str, str]) -> bool | None:
    if not agent.sign_in.key_env and not agent.sign_in.files:
        return None
    passed = {*agent.pass_env, *pass_env}
    if any(name in own or (name in passed and source.get(name)) for name in agent.sign_in.key_env):
        return True
    home = Path(source.get("HOME") or "~").expanduser()
    return any(place.is_file() for file in agent.sign_in.files if (place := _place(file, home, source)) is not None)


def _place(file: str, home: Path, source: Mapping[str, str]) -> Path | None:
    """Where such a file lies: `$NAME/…` below the folder that a variable names, else below home."""
    if not file.startswith("$"):
        return outside(file, home, source)
    name, _, rest = file[1:].partition("/")
    return Path(source[name]) / rest if source.get(name) else None
