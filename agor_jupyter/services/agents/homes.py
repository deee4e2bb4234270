"""The home of an agent in its sandbox: a folder of its own, with links to what it may see of the person's.

What is shown of the person's home is mounted under its own name, and the home inside has links to it. So an absolute path in some
settings still fits, a file may be replaced by another, and nothing is ever mounted below a folder that an agent can write.
"""

import contextlib
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.executors import sandbox
from agor_jupyter.executors.sandbox import Mount

_MOVED = {
    ".config": "XDG_CONFIG_HOME",
    ".cache": "XDG_CACHE_HOME",
    ".local/share": "XDG_DATA_HOME",
    ".local/state": "XDG_STATE_HOME",
}
"""Where the parts of a home lie elsewhere, when a variable says so."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def outside(name: str, home: Path, env: Mapping[str, str]) -> Path:
    """Where a path below the home folder really is: some parts of a home may lie elsewhere."""
    for prefix, variable in _MOVED.items():
        moved = env.get(variable, "")
        if name.startswith(f"{prefix}/") and moved.startswith("/"):
            return Path(moved) / name.removeprefix(f"{prefix}/")
    return home / name


class Home:
    def __init__(self, theirs: Path, own: Path, env: Mapping[str, str]) -> None:
        """`theirs` is the person's, `own` the folder that is the home inside, `env` the variables outside."""
        self.theirs, self._own, self._env = theirs, own, env

    def mounts(self, agent: AgentType, *, read: Iterable[Path], write: Iterable[Path]) -> list[Mount]:
        """Make the links, and say what has to be mounted. Folders of the agent's state that are not there yet are made."""
        self._own.mkdir(parents=True, exist_ok=True)
        writable = {name.rstrip("/"): self._find(name) for name in agent.sandbox.state}
        readable = {name.rstrip("/"): self._find(name) for name in agent.sandbox.settings}
        for path, shown in ((path, found) for paths, found in ((write, writable), (read, readable)) for path in paths):
            if path.is_relative_to(self.theirs) and path != self.theirs:
                shown[str(path.relative_to(self.theirs))] = path
            else:
                shown[str(path)] = path
        for name in agent.sandbox.state_env:
            if self._env.get(name, "").startswith("/"):
                writable[self._env[name]] = Path(self._env[name])
        found = [Mount(source=path, target=path, is_writable=True) for path in writable.values() if path.exists()]
        found += [Mount(source=path, target=path) for path in readable.values() if path.exists()]
        self._link({name: path for name, path in (readable | writable).items() if not name.startswith("/")})
        self._begin(agent.sandbox.files)
        return [*found, Mount(source=self._own, target=sandbox.HOME, is_writable=True)]

    def _find(self, name: str) -> Path:
        """Where it is outside."""
        path = outside(name, self.theirs, self._env)
        if name.endswith("/"):
            with contextlib.suppress(OSError):
                path.mkdir(parents=True, exist_ok=True)
        return path

    def _link(self, wanted: Mapping[str, Path]) -> None:
        linked: list[Path] = []
        for name, target in sorted(wanted.items(), key=lambda one: len(Path(one[0]).parts)):
            relative = Path(name)
            if any(relative.is_relative_to(above) for above in linked):
                continue
            folder = self._open(relative.parent.parts)
            try:
                _put(folder, relative.name, target)
            finally:
                os.close(folder)
            if target.exists():
                linked.append(relative)

    def _begin(self, files: Mapping[str, str]) -> None:
        """What is not there yet is made. What the person has was linked before, what an agent made stays."""
        for name, content in files.items():
            path = Path(name)
            folder = self._open(path.parent.parts)
            try:
                with contextlib.suppress(FileExistsError):
                    if name.endswith("/"):
                        os.mkdir(path.name, dir_fd=folder)
                    else:
                        with os.fdopen(os.open(path.name, _NEW, 0o600, dir_fd=folder), "w") as file:
                            file.write(content)
            finally:
                os.close(folder)

    def _open(self, parts: Iterable[str]) -> int:
        """A folder of the home inside. A link or file that an agent has put in the way is removed; none is followed."""
        descriptor = os.open(self._own, _FOLDER)
        for part in parts:
            try:
                following = os.open(part, _FOLDER, dir_fd=descriptor)
            except OSError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=descriptor)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
                following = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
        return descriptor


def _put(folder: int, name: str, target: Path) -> None:
    """A link to `target`; when that is not there, no link, so that what an agent makes is its own."""
    try:
        now = os.readlink(name, dir_fd=folder)
    except FileNotFoundError:
        now = None
    except OSError:  # a file or folder of the agent's own
        if not target.exists():
            return
        try:
            os.unlink(name, dir_fd=folder)
        except IsADirectoryError:
            os.rename(name, f"{name}.{secrets.token_hex(4)}", src_dir_fd=folder, dst_dir_fd=folder)
        now = None
    if now == str(target) and target.exists():
        return
    if now is not None:
        os.unlink(name, dir_fd=folder)
    if target.exists():
        os.symlink(str(target), name, dir_fd=folder)
