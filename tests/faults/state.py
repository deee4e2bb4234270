"""What a server at rest shows over HTTP, what git and the disk hold, and which processes live: all that the checker looks at."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agor_jupyter.processes import listeners
from tests.faults.server import Server

Json = dict[str, Any]
BUSY = {"queued", "starting", "running", "waiting", "stopping"}


@dataclass
class State:
    sessions: dict[str, Json] = field(default_factory=dict)
    turns: dict[str, Json] = field(default_factory=dict)
    transcripts: dict[str, list[Json]] = field(default_factory=dict)
    """Session id to its events."""
    open_permissions: set[str] = field(default_factory=set)
    worktrees: dict[str, Json] = field(default_factory=dict)
    """Archived ones too."""
    in_git: set[str] = field(default_factory=set)
    """Paths of `git worktree list`, without the main checkout."""
    on_disk: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    """Of all commits that a ref reaches."""
    ran: Counter[str] = field(default_factory=Counter)
    """How often each prompt's block ran, by its token."""
    committed: set[str] = field(default_factory=set)
    """Tokens that an agent committed."""
    live_runs: set[str] = field(default_factory=set)
    recorded_runs: set[str] = field(default_factory=set)
    streamed: list[Json] = field(default_factory=list)
    """The events that a client saw, in the order in which they came, across all restarts."""
    resyncs: int = 0
    environments: list[Json] = field(default_factory=list)
    services: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What looks after services, by worktree and name."""
    listeners: set[int] = field(default_factory=set)


def collect(server: Server, repository: Path, ledger: Path, streamed: list[Json], resyncs: int) -> State:
    sessions = {session["id"]: session for session in every_session(server)}
    turns = {turn["id"]: turn for session in sessions for turn in server.call("GET", f"sessions/{session}/turns")}
    folder, commits = server.data / "worktrees", ledger.with_suffix(".commits")
    return State(
        sessions=sessions,
        turns=turns,
        transcripts={session: _transcript(server, session) for session in sessions},
        open_permissions={permission["id"] for permission in server.call("GET", "permissions")},
        worktrees={worktree["id"]: worktree for worktree in server.call("GET", "worktrees?archived=1")},
        in_git=_listed(repository),
        on_disk={str(path) for path in folder.iterdir() if path.is_dir()} if folder.exists() else set(),
        subjects=set(_git(repository, "log", "--all", "--format=%s").split()),
        ran=Counter(ledger.read_text().split() if ledger.exists() else []),
        committed=set(commits.read_text().split() if commits.exists() else []),
        live_runs={run for run in runs_below(server.data) if run.startswith("ru_")},
        recorded_runs=recorded_runs(server.data),
        streamed=streamed,
        resyncs=resyncs,
        environments=server.call("GET", "environments"),
        services=services_below(server.data),
        listeners=set(listeners.listeners()),
    )


def services_below(data: Path) -> Counter[tuple[str, str]]:
    """The shims of services whose logs are in this data directory: what is left of a service is below one, or carries its mark."""
    found: Counter[tuple[str, str]] = Counter()
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        log = next((Path(os.fsdecode(one[9:])) for one in variables if one.startswith(b"AGOR_LOG=")), None)
        if log is not None and log.is_relative_to(data) and any(one.endswith(b"/shim.py") for one in command):
            found[log.parent.name, log.stem] += 1
    return found


def every_session(server: Server) -> list[Json]:
    items: list[Json] = []
    cursor = ""
    while True:
        page = server.call("GET", f"sessions?limit=50{cursor}")
        items += page["items"]
        if not page["next"]:
            return items
        cursor = f"&before={page['next']}"


def _transcript(server: Server, session: str) -> list[Json]:
    found: list[Json] = []
    while page := server.call("GET", f"sessions/{session}/events?after={found[-1]['seq'] if found else 0}&limit=1000")["items"]:
        found += page
    return found


def _git(repository: Path, *argv: str) -> str:
    return subprocess.run(["git", "-C", repository, *argv], capture_output=True, text=True, check=True).stdout


def _listed(repository: Path) -> set[str]:
    lines = _git(repository, "worktree", "list", "--porcelain").splitlines()
    return {line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")} - {str(repository.resolve())}


def recorded_runs(data: Path) -> set[str]:
    """The runs in the table. Read from a copy: opening the database would do the dead server's recovery for it."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("agor.db", "agor.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(data / name, folder)
        if not (Path(folder) / "agor.db").exists():
            return set()
        with contextlib.closing(sqlite3.connect(Path(folder) / "agor.db")) as connection, contextlib.suppress(sqlite3.OperationalError):
            return {row[0] for row in connection.execute("SELECT id FROM runs")}
    return set()


def runs_below(data: Path) -> set[str]:
    """The marks of living processes in a folder of this data directory: runs, set-up commands, calls of git. Not those of other servers."""
    found = set()
    for pid, run in marked_processes().items():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cwd").readlink().is_relative_to(data):
                found.add(run)
    return found


def marked_processes() -> dict[int, str]:
    """Living processes that carry a run's mark: pid to run id."""
    found = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            continue
        run = next((value[12:].decode() for value in environment if value.startswith(b"AGOR_RUN_ID=")), None)
        if run and state != b"Z":
            found[pid] = run
    return found


def survivors_of(runs: set[str], patience_s: float = 10) -> dict[int, str]:
    """Processes of these runs that are still there after `patience_s`."""
    end = time.monotonic() + patience_s
    while True:
        left = {pid: run for pid, run in marked_processes().items() if run in runs}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)
