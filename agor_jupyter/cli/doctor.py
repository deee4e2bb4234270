"""`jupyter agor doctor`: what this machine has and lacks, a line for each, and what to do about it."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import typer

from agor_jupyter.cli.output import AsJson, show_json
from agor_jupyter.notebook.display.views import visible

Verdict = Literal["ok", "warn", "fail"]


class Finding(NamedTuple):
    verdict: Verdict
    what: str
    text: str


def doctor(as_json: AsJson = False) -> None:
    """Check this machine, and each repository that the server knows. Exits with 1 if something keeps Agor from working."""
    findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        show_json([finding._asdict() for finding in findings])
    else:
        for verdict, what, text in findings:
            print(f"{verdict:<4}  {what:<13}  {text}")
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(1)


def _python() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{sys.version.split()[0]} in {sys.prefix}")


def _git() -> Iterator[Finding]:
    path = shutil.which("git")
    if path is None:
        yield Finding("fail", "git", "not found. Install it, for example: apt install git")
        return
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)\.(\d+)", said)
    if number and (int(number[1]), int(number[2])) >= (2, 36):
        yield Finding("ok", "git", said.strip())
    else:
        yield Finding("fail", "git", f"{said.strip() or 'no version'}, and 2.36 or later is needed")


def data_dir() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(os.environ.get("AGOR_DATA_DIR") or Path(jupyter_data_dir()) / "agor").expanduser().absolute()


def _data() -> Iterator[Finding]:
    from agor_jupyter.domain.errors import DataOnNetwork
    from agor_jupyter.domain.filesystems import network_mount

    folder = data_dir()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(nearest, os.W_OK):
        yield Finding("fail", "data", f"{nearest} cannot be written. Choose another folder with AGOR_DATA_DIR")
        return
    mount = network_mount(Path(os.path.realpath(folder)), _mounts())
    if mount is not None:
        yield Finding("fail", "data", DataOnNetwork(str(folder), mount.kind, str(mount.folder)).message)
        return
    free = shutil.disk_usage(nearest).free
    place = f"{folder}{'' if folder.exists() else ' (will be made)'}, {free / 2**30:.1f} GiB free"
    yield Finding("ok" if free > 2**30 else "warn", "data", place + ("" if free > 2**30 else ". Free some space: worktrees need it"))
    yield _lock(folder / "lock")


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # not Linux: unknown
        return ""


def _lock(file: Path) -> Finding:
    if not file.exists():
        return Finding("ok", "server", "none uses this data now")
    with file.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            try:
                owner = json.loads(file.read_text() or "{}")
            except ValueError:
                owner = {}
            return Finding("ok", "server", f"{owner.get('url') or 'a server'} (pid {owner.get('pid', 'unknown')}) uses this data")
    return Finding("ok", "server", "none uses this data now")


def _sandbox() -> Iterator[Finding]:
    path = shutil.which("bwrap")
    if path is None:
        yield Finding("warn", "sandbox", "bubblewrap is not installed: agents run without a sandbox. For example: apt install bubblewrap")
        return
    trial = [path, "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--dev", "/dev", "true"]
    works = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    yield (
        Finding("ok", "sandbox", path)
        if works
        else Finding("warn", "sandbox", "bubblewrap is installed, but this machine does not let it work: agents run without a sandbox")
    )


def _jupyter() -> Iterator[Finding]:
    for module, what, verdict, text in (
        ("jupyterlab", "jupyterlab", "warn", "not installed: boards show in cells elsewhere only. pip install 'agor-jupyter[lab]'"),
        (
            "jupyter_server_ydoc",
            "collaboration",
            "warn",
            "no collaboration extension: boards are read-only. pip install jupyter-collaboration",
        ),
    ):
        present = find_spec(module) is not None or (what == "collaboration" and find_spec("jupyter_server_documents") is not None)
        yield Finding("ok", what, "installed") if present else Finding(verdict, what, text)  # type: ignore[arg-type]  # both are verdicts
    from agor_jupyter._assets import bundle_hash

    if bundle_hash():
        yield Finding("ok", "front end", "built. Node is not needed")
    else:
        yield Finding("warn", "front end", "not built: boards show as text. Install a wheel, or in a checkout run: make demo")


def _agents() -> Iterator[Finding]:
    from agor_jupyter.cli.agents import place
    from agor_jupyter.cli.reach import link
    from agor_jupyter.domain.agents import AgentStatus
    from agor_jupyter.domain.errors import AgorError

    try:
        found = [AgentStatus.model_validate(item) for item in link().items("agents")]
    except (AgorError, OSError) as error:
        yield Finding("fail", "agents", f"no server answers: {error}")
        return
    for one in found:
        if one.problem is not None:
            yield Finding("warn", "agent", f"{one.agent.name} did not run when it was last checked: {one.problem}")
        elif one.is_installed and one.is_signed_in is False:
            yield Finding("warn", "agent", f"{one.agent.name} shows no sign of a sign-in. In a terminal: {one.sign_in_line}")
        elif one.is_installed:
            yield Finding("ok", "agent", f"{one.agent.name}: {place(one)}")
        else:
            yield Finding(
                "warn",
                "agent",
                f"{one.agent.name} is not installed"
                + (f". Install it with: {one.agent.install.by_hand}" if one.agent.install.by_hand else ""),
            )


def _repos() -> Iterator[Finding]:
    from agor_jupyter.cli.reach import link
    from agor_jupyter.domain.errors import AgorError
    from agor_jupyter.domain.repos import Check, Repo

    try:
        hub = link()
        for repo in [Repo.model_validate(item) for item in hub.items("repos")]:
            for one in [Check.model_validate(item) for item in hub.items(f"repos/{repo.id}/check")]:
                yield Finding(one.verdict, repo.slug, f"{one.what}: {visible(one.text)}")
    except (AgorError, OSError) as error:
        yield Finding("warn", "repos", f"they could not be looked at: {error}")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _git, _data, _sandbox, _jupyter, _agents, _repos)
