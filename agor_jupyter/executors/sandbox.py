"""What an agent sees of this machine: bubblewrap's arguments, and the executor that starts agents behind them.

Only what is named here is there at all: the system's programs, the agent's own, its state, its worktree, and a repository of its own in
the place of the real one. Whatever is mounted below a folder that an agent can write was put there by the server before the agent ran:
bubblewrap makes mount points by following links, so none of them may lie in a folder whose links an agent has chosen.
"""

import asyncio
import functools
import os
import pwd
import shutil
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from agor_jupyter.executors import devices
from agor_jupyter.processes import once

P_co = TypeVar("P_co", covariant=True)

PROGRAM = "bwrap"
HOME = Path("/run/agor/home")
"""Where an agent's home is, inside. It is no folder of this machine, so nothing else is ever mounted below it."""
OBJECTS = Path("/run/agor/objects")
"""Where the objects of the real repository are, inside, read-only."""
LARGE = Path("/run/agor/lfs/objects")
"""Where Git LFS, which looks beside borrowed objects, finds the large files that the real repository has."""
CHECK = Path("/run/agor/check")
"""Where files lie on which a filter is tried."""
_INNER_ID = 1000
_INNER_NAME = "agor"
_PUT_ASIDE = ("/bin/sh", "-c", 'exec 3<&0 4>&1 0</dev/null 1>/dev/null; exec "$@"', "sh")
_TAKEN_UP = ("/bin/sh", "-c", 'exec 0<&3 1>&4 3<&- 4>&-; exec "$@"', "sh")
"""bubblewrap's own processes keep the first three descriptors, and close the others: an agent's pipes must be the agent's alone."""
_SYSTEM = ("/usr", "/opt", "/nix", "/snap", "/gnu")
_TOP = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_VITAL = (*_TOP, "/etc", "/usr/local", "/usr/share", "/nix/store", "/gnu/store", "/snap", "/proc", "/dev", "/sys", "/run")
"""Without these, and what is above them, nothing runs. Accounts of the system have some of them as their home."""
_PEOPLE = 1000
"""The first number of a user who is a person."""
_NOBODY = 65534
_TRIAL_S = 10
_PACKED = (
    *(".pyenv", ".nvm/versions", ".volta/tools", ".asdf/installs", ".asdf/shims", ".rustup/toolchains", ".sdkman/candidates"),
    *(".local/share/uv/tools", ".local/share/uv/python", ".local/share/pipx/venvs", ".local/pipx/venvs", ".local/share/mise/installs"),
    *("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba"),
)
"""Below a home, where tools on PATH keep what they are made of, and nothing else."""


_ENVIRONMENT = ("pyvenv.cfg", "conda-meta", "bin", "lib", "lib64", "libexec", "include", "etc", "share", "ssl", "compiler_compat")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """`source` of this machine is `target` inside; the same path unless it is said."""

    source: Path
    target: Path
    is_writable: bool = False


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All that one process sees beside the system itself."""

    cwd: Path
    mounts: Sequence[Mount]
    hidden: Sequence[Path] = ()
    """Folders and files of this machine that nobody sees, also when they lie below a folder of the system or something that is mounted.
    What is mounted from below them is there all the same.
    """
    tmp: Path | None = None
    """A folder of this machine as `/tmp`; without it, one in memory."""
    devices: Sequence[str] = ()
    """As `devices.arguments` takes them."""
    env: Mapping[str, str] | None = None
    """Exactly these variables. `None`: those that the process is started with. They are in the arguments: no secrets."""


def arguments(layout: Layout) -> list[str]:
    """The arguments before those of the program that runs inside."""
    tmp = ["--bind", str(layout.tmp), "/tmp"] if layout.tmp else ["--tmpfs", "/tmp"]  # noqa: S108  # the one inside
    mounts = [(one.target, ["--bind" if one.is_writable else "--ro-bind", str(one.source)]) for one in layout.mounts]
    found = [*_system(), *tmp]
    for target, how in sorted([*mounts, *_covers(layout)], key=lambda one: len(one[0].parts)):
        found += [*how, str(target)]
    found += devices.arguments(layout.devices)
    if layout.env is not None:
        found += ["--clearenv", *(part for name, value in layout.env.items() for part in ("--setenv", name, value))]
    return [*found, "--chdir", str(layout.cwd), "--"]


@functools.cache
def reason() -> str | None:
    """Why this machine has no sandbox; `None` when it has one. Tried once, with all that a sandbox needs. Blocks for some milliseconds."""
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed (for example: apt install bubblewrap)"
    try:
        tried = once.wait_for([*_system(), "--tmpfs", "/tmp", "--", "true"], timeout_s=_TRIAL_S)  # noqa: S108
    except TimeoutError:
        return f"bubblewrap does not work on this machine: it did not end within {_TRIAL_S:g} s"
    except OSError as error:
        return f"bubblewrap does not work on this machine: {error}"
    if tried.code:
        said = tried.err.decode("utf-8", "replace").strip()[-300:]
        return f"bubblewrap does not work on this machine: {said or f'exit code {tried.code}'}"
    return None


@functools.cache
def _system() -> tuple[str, ...]:
    """Namespaces and the system's own folders."""
    found = [shutil.which(PROGRAM) or PROGRAM]
    found += ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    found += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.geteuid() == 0:  # as root inside, an agent's own sandbox could not be nested, and some agents refuse to work
        found += ["--uid", str(_INNER_ID), "--gid", str(_INNER_ID)]
    for folder in _TOP:
        path = Path(folder)
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            found += ["--ro-bind", folder, folder]
    for folder in (*_SYSTEM, "/etc"):
        if Path(folder).is_dir():
            found += ["--ro-bind", folder, folder]
    found += [part for path in _private_of_etc() for part in _hidden(path)]
    found += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--dir", "/var/tmp"]  # noqa: S108  # those inside
    if Path("/run/systemd/resolve").is_dir():
        found += ["--ro-bind", "/run/systemd/resolve", "/run/systemd/resolve"]
    return tuple(found)


def _hidden(path: Path) -> list[str]:
    return [*_cover(path), str(path)]


def _cover(path: Path) -> list[str]:
    return ["--tmpfs"] if path.is_dir() else ["--ro-bind", os.devnull]


def _covers(layout: Layout) -> list[tuple[Path, list[str]]]:
    """Where inside there is something to hide, and by what. Through a mount, a path of this machine may be at another place."""
    shown: dict[Path, list[Path]] = {}
    for source, target in [*((Path(one), Path(one)) for one in (*_SYSTEM, "/etc")), *((one.source, one.target) for one in layout.mounts)]:
        shown.setdefault(source.resolve(), []).append(target)
    wanted = {
        target / path.relative_to(above): path
        for path in (one.resolve() for one in layout.hidden)
        for above in (path, *path.parents)
        for target in shown.get(above, ())
        if path not in _vital()
    }
    targets = {target for among in shown.values() for target in among}
    found: dict[Path, list[str]] = {}
    for place, path in sorted(wanted.items(), key=lambda one: len(one[0].parts)):
        nearest = next((above for above in (place, *place.parents) if above in targets or above in found), None)
        if nearest not in found and path.exists():  # else it is hidden with that, or a mount point would be made
            found[place] = _cover(path)
    return list(found.items())


@functools.cache
def _vital() -> frozenset[Path]:
    """Without these nothing would run."""
    return frozenset(above for one in _VITAL for path in (Path(one), Path(one).resolve()) for above in (path, *path.parents))


@functools.cache
def homes() -> tuple[Path, ...]:
    """The homes of people on this machine, as far as they are known."""
    accounts = pwd.getpwall()
    listed = [Path(one.pw_dir) for one in accounts if one.pw_uid in {0, os.getuid()} or (one.pw_uid >= _PEOPLE and one.pw_uid != _NOBODY)]
    return (Path("/home"), Path("/root"), *(path for path in listed if path.is_absolute()))


def _private_of_etc() -> list[Path]:
    """What others may not read, and this user can: password hashes and keys, when it is root."""
    found = []
    for folder, names, files in os.walk("/etc"):
        for name in [*names, *files]:
            path = Path(folder, name)
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            wanted = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
            if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and mode & wanted != wanted and os.access(path, os.R_OK):
                found.append(path)
                if name in names:
                    names.remove(name)
    return found


def accounts(folder: Path) -> list[Mount]:
    """A list of users in which the one inside has a name and a home, written to `folder`."""
    number = _INNER_ID if os.geteuid() == 0 else os.geteuid()
    group = _INNER_ID if os.geteuid() == 0 else os.getegid()
    mounts = []
    for name, own in (
        ("passwd", f"{_INNER_NAME}:x:{number}:{group}:Agor:{HOME}:/bin/sh\n"),
        ("group", f"{_INNER_NAME}:x:{group}:\n"),
    ):
        theirs = Path("/etc", name)
        if not theirs.is_file():
            continue
        mine = str(number if name == "passwd" else group)
        lines = theirs.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        kept = [line for line in lines if (line.split(":") + [""] * 3)[2] != mine and line.split(":")[0] != _INNER_NAME]
        file = folder / name
        if not file.exists() or file.read_text() != "".join([*kept, own]):
            file.write_text("".join([*kept, own]))
        mounts.append(Mount(source=file, target=theirs))
    return mounts


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables inside: another home, no folder that is not there."""
    kept = {name: value for name, value in env.items() if name != "TMPDIR" and not name.startswith("XDG_")}
    return kept | {"HOME": str(HOME), "USER": _INNER_NAME, "LOGNAME": _INNER_NAME}


def programs(argv: Sequence[str], path: str, home: Path, hidden: Sequence[Path] = ()) -> list[Path]:
    """The folders and files, outside of what is seen of the system's own, that `argv` and the tools on `path` are made of.

    Never `home` itself or a folder above it. `hidden` is as in `Layout`.
    """
    package = Path(__file__).resolve().parents[1]
    found = [Path(sys.prefix), Path(sys.base_prefix), package]
    found += [Path(entry) for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}]
    for entry in path.split(os.pathsep):
        folder = Path(entry)
        if entry and folder.is_absolute() and folder.is_dir():
            found += [folder, *_prefix(folder)]
    found += [home / name for name in _PACKED]
    executable = shutil.which(argv[0], path=path) if argv else None
    if executable:
        found += [*_package(Path(executable), home), *_interpreter(Path(executable))]
    for word in (Path(word) for word in argv[1:] if word.startswith("/")):
        found += _package(word, home) if "node_modules" in word.parts else [word]  # a script that Node runs needs what lies beside it
    return _outermost([one for path in found for one in {path, path.resolve()} if path.exists()], home, hidden)


def program(name: str, path: str, home: Path, hidden: Sequence[Path] = ()) -> list[Path]:
    """As `programs`, for one tool alone. Empty when it is the system's own, or is not there."""
    executable = shutil.which(name, path=path)
    if executable is None:
        return []
    folder = Path(executable).parent
    return _outermost([one for one in (*_prefix(folder), *_package(Path(executable), home)) if one.exists()], home, hidden)


def _prefix(folder: Path) -> list[Path]:
    """The environment whose `bin` this is, with the Python that it is of."""
    prefix = folder.parent
    if (prefix / "conda-meta").is_dir() or (prefix / "lib" / "node_modules").is_dir():
        return [prefix]
    try:
        settings = (prefix / "pyvenv.cfg").read_text(errors="replace")
    except OSError:
        return []
    homes = [line.partition("=")[2].strip() for line in settings.splitlines() if line.partition("=")[0].strip() == "home"]
    return [prefix, *(Path(one).parent for one in homes if one.startswith("/"))]


def _interpreter(executable: Path) -> list[Path]:
    """What a script runs in, by its first line: the interpreter, with the environment that it is of.

    So a tool of pipx or uv, or of a virtual environment that is not on PATH, finds its Python and its packages.
    """
    found = []
    for script in {executable, executable.resolve()}:
        found += _prefix(script.parent)
        try:
            with script.open("rb") as file:
                first = file.readline(4096)
        except OSError:
            continue
        words = os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []
        if words and words[0].startswith("/") and Path(words[0]).name != "env":
            interpreter = Path(words[0])
            found += [interpreter, *_prefix(interpreter.parent)]
            real = interpreter.resolve()
            if (real.parents[1] / "lib").is_dir() and real.parent.name == "bin":  # a Python of its own, as uv and pyenv keep them
                found.append(real.parents[1])
    return found


def _package(executable: Path, home: Path) -> list[Path]:
    """A program with the files it is made of: its `node_modules`, its package, else the folder it lies in."""
    found = []
    for path in (executable, executable.resolve()):
        parts = path.parts
        if "node_modules" in parts:
            found.append(Path(*parts[: parts.index("node_modules") + 1]))
            continue
        package = next((folder for folder in path.parents if (folder / "package.json").is_file()), path.parent)
        found.append(path if home.is_relative_to(package) else package)
    return found


def _outermost(paths: Sequence[Path], home: Path, hidden: Sequence[Path]) -> list[Path]:
    system = [Path(folder) for folder in (*_SYSTEM, *_TOP, "/etc", "/proc", "/dev", "/run", "/sys")]
    above_home = {Path("/"), *(one for path in (home, home.resolve()) for one in (path, *path.parents))}
    secret = {path.resolve() for path in (home, *hidden)} - _vital()
    wanted = {part for path in paths for part in (_parts(path) if path in above_home | secret else [path])}
    wanted |= {path for path in paths if path in secret and not _parts(path)}
    kept: list[Path] = []
    for path in sorted(wanted - above_home, key=lambda one: len(one.parts)):
        shown = max((one for one in (*system, *kept) if path.is_relative_to(one)), key=lambda one: len(one.parts), default=None)
        real = path.resolve()
        if shown is None or any(one in secret and one.is_relative_to(shown.resolve()) for one in (real, *real.parents)):
            kept.append(path)
    return kept


def _parts(prefix: Path) -> list[Path]:
    """What an environment is made of, where it is a home too, or has one in it."""
    is_environment = (prefix / "pyvenv.cfg").is_file() or (prefix / "conda-meta").is_dir()
    return [prefix / name for name in _ENVIRONMENT if (prefix / name).exists()] if is_environment else []


class Spawner(Protocol[P_co]):
    async def spawn(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], run_id: str) -> P_co: ...


class SandboxedExecutor(Generic[P_co]):
    """Starts agents as `executor` does, behind `layout`. The shim stays outside: it sees and ends all that is inside."""

    def __init__(self, executor: Spawner[P_co], layout: Layout) -> None:
        self._executor, self._layout = executor, layout

    async def spawn(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], run_id: str) -> P_co:
        """As `LocalExecutor.spawn`. `env` are the variables inside, `cwd` is a path inside and out."""
        return await self._executor.spawn([*_PUT_ASIDE, *arguments(self._layout), *_TAKEN_UP, *command], cwd, env, run_id)


async def why_not() -> str | None:
    """As `reason`, without blocking."""
    return await asyncio.to_thread(reason)
