"""Which server does this kernel, terminal or process belong to?

What the server told its children comes first, then the one that has the data directory open. Never just any running server: it may be
another project's, or another person's.
"""

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server and how to reach it."""

    url: str
    """With the base URL, with a slash at the end."""
    token: str = field(repr=False)
    root_dir: Path
    pid: int
    how: str
    """How it was found, for a person who asks why this one."""
    notebook: Path | None = None
    """The notebook of this kernel, when the server said so."""


def data_dir() -> Path:
    """Where a server of this user that is started in this folder keeps its data. Runs the user's configuration files to find out."""
    chosen = os.environ.get("AGOR_DATA_DIR")
    if not chosen:
        from agor_jupyter.client import settings  # a server that told where it is spares everybody the import

        chosen = str(settings.data_dir(Path.cwd()) or Path(jupyter_data_dir()) / "agor")
    return Path(chosen).expanduser().absolute()


def find() -> Server | None:
    """The server this process belongs to, or `None`. Asks nobody; reads files only."""
    return told() or holder(data_dir())


def told() -> Server | None:
    """The one that told its children, this process among them, where it is."""
    runtime = Path(jupyter_runtime_dir())
    places = [
        (os.environ.get("AGOR_SERVER_FILE"), "AGOR_SERVER_FILE"),
        (_info_file(runtime, os.environ.get("JPY_PARENT_PID")), "JPY_PARENT_PID"),
        *((_info_file(runtime, ancestor), "a parent process") for ancestor in _ancestors()),
    ]
    return next((server for path, how in places if path and (server := read(Path(path), how))), None)


def holder(folder: Path) -> Server | None:
    """The server that has the data directory `folder` open. Its lock is tried, because a file alone proves nothing."""
    path = folder / "lock"
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict) or not _is_alive(found.get("pid")) or not _is_locked(path) or not found.get("info_file"):
            return None
    except (OSError, ValueError):
        return None
    return read(Path(found["info_file"]), f"the data in {folder}")


def read(path: Path, how: str) -> Server | None:
    """The server that wrote the info file `path`, if it lives."""
    try:
        found = json.loads(path.read_text())
        pid, url, root = found["pid"], found["url"], found["root_dir"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not _is_alive(pid):
        return None
    notebook = os.environ.get("JPY_SESSION_NAME")
    return Server(
        url=url.rstrip("/") + "/",
        token=found.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", ""),
        root_dir=Path(root),
        pid=pid,
        how=how,
        notebook=Path(notebook) if notebook else None,
    )


def _info_file(runtime: Path, pid: str | int | None) -> str | None:
    return str(runtime / f"jpserver-{pid}.json") if pid else None


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _ancestors() -> list[int]:
    """The process and its parents, where the system tells."""
    found, pid = [], os.getpid()
    while pid > 1:
        found.append(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            break
    return found
