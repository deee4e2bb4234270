"""What a process in a sandbox sees of this machine: an agent's, and git's when the server runs it on what agents wrote.

`checkouts` are always those of all repositories, and the repositories themselves.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.executors import devices, sandbox
from agor_jupyter.executors.sandbox import Layout, Mount
from agor_jupyter.git import private
from agor_jupyter.git.private import Inside, Private
from agor_jupyter.git.sandbox import modules
from agor_jupyter.services.agents.homes import Home
from agor_jupyter.services.config import Config
from agor_jupyter.services.worktrees.attachments import folder_of
from agor_jupyter.storage import repos
from agor_jupyter.storage.store import Store

_OWN_GIT = {"LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Layouts:
    def __init__(self, store: Store, config: Config) -> None:
        self._store, self._config = store, config
        self._data_dir = Path(os.path.realpath(config.data_dir))
        self.folder = self._data_dir / "sandboxes"
        """Of all sandboxes."""

    async def checkouts(self) -> list[Path]:
        """Of all repositories, and the repositories themselves."""
        return [Path(path) for repo in await self._store.read(repos.every) for path in (repo.path, repo.git_dir) if path]

    async def filtering_in(self, folder: Path) -> Sequence[str] | None:
        """The command line that puts git where it sees nothing but its programs, and `folder`, which holds files and a repository for them.

        `None`: there is no sandbox.
        """
        if self._config.sandbox == "off" or await sandbox.why_not() is not None:
            return None
        checkouts = await self.checkouts()
        return await asyncio.to_thread(self.filtering, folder, checkouts)

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

    def of_agent(self, place: Private, agent: AgentType, env: Mapping[str, str], tmp: Path, checkouts: Sequence[Path]) -> Layout:
        """Of an agent's process, whose `/tmp` is `tmp`."""
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
            *sandbox.accounts(self.folder),
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
        chosen = {*agent.pass_env, *self._config.pass_env, *_CERTIFICATES} - set(agent.sandbox.state_env)
        named = [Path(env[name]) for name in chosen if env.get(name, "").startswith("/")]
        return [path for path in (*named, self._data_dir / "agents") if path.exists() and path != Path("/")]

    def _repository(self, place: Private, *, is_writable: bool) -> list[Mount]:
        empty = self.folder / "empty"
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

    def filtering(self, folder: Path, checkouts: Sequence[Path]) -> Sequence[str]:
        """The command line that puts git where it sees nothing but its programs, and `folder`."""
        path, home = os.environ.get("PATH", os.defpath), Path(os.environ.get("HOME") or "/nonexistent")
        hidden = [*self._secret(home), *sandbox.homes(), *checkouts]
        self.folder.mkdir(parents=True, exist_ok=True)
        mounts = [
            *(Mount(source=one, target=one) for one in sandbox.programs(("git",), path, home, hidden)),
            *sandbox.accounts(self.folder),
            *(Mount(source=one, target=one) for one in self._config.sandbox_read if one.exists()),
            Mount(source=folder, target=sandbox.CHECK, is_writable=True),
        ]
        env = {"PATH": path, **_OWN_GIT, "HOME": "/tmp", "GIT_DIR": f"{sandbox.CHECK}/git", "GIT_WORK_TREE": f"{sandbox.CHECK}/files"}  # noqa: S108  # the one inside
        layout = Layout(cwd=sandbox.CHECK / "files", mounts=mounts, hidden=self._hidden(home, checkouts, mounts), env=env)
        return sandbox.arguments(layout)

    def inside(self, place: Private, checkouts: Sequence[Path]) -> Inside:
        """Of the server's own calls of git: no network is taken away and no home given, only git and the private side."""
        path, home = os.environ.get("PATH", os.defpath), Path(os.environ.get("HOME") or "/nonexistent")
        own = place.repository.common_dir / "worktrees" / place.entry
        env = {"PATH": path, "HOME": "/run", **_OWN_GIT}
        pinned = env | {"GIT_DIR": str(own)}
        hidden = [*self._secret(home), *sandbox.homes(), *checkouts]
        tools = [Mount(source=one, target=one) for one in sandbox.program("git", path, home, hidden)]
        users = sandbox.accounts(self.folder)
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
            filtering=self.filtering(place.folder / "check", checkouts),
            looking=arguments(Path("/"), looking, pinned),
            serving=arguments(Path("/"), looking, env),
            changing=arguments(place.worktree, changing, pinned | {"GIT_WORK_TREE": str(place.worktree)}),
        )


def _link(place: Private) -> Mount:
    """The worktree's `.git` file, which nobody can change inside."""
    target = place.worktree / ".git"
    if target.is_symlink() or not target.is_file():
        raise errors.SandboxFailed(f"{target} is not the file that git made. Run `git worktree repair {place.worktree}` in the repository")
    return Mount(source=place.link, target=target)
