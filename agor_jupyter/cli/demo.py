"""`jupyter agor demo`: a sample project, notebooks beside it, and a JupyterLab of its own to try it in."""

import json
import os
import secrets
import socket
import sys
from pathlib import Path

import typer

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.errors import FileMissing

NOTEBOOK = "quickstart.ipynb"
MORE = ("pipeline.ipynb",)
"""Lie beside it."""
LAB = ".agor/lab"
DEFAULTS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def demo(
    folder: str = typer.Option("agor-demo", help="Folder for the demo. Created if it does not exist; its contents are kept."),
    port: int = typer.Option(8888, help="Port for JupyterLab on 127.0.0.1. If it is taken, the next free one."),
    browser: bool = typer.Option(False, help="Open a browser."),
) -> None:
    """Create a sample project and open the quick-start notebook in JupyterLab.

    Everything is in the folder, including Agor's data, so it does not interfere with any other JupyterLab and can simply be deleted.
    """
    from agor_jupyter.notebook.sample import sample

    home = absolute(folder).resolve()
    home.mkdir(parents=True, exist_ok=True)
    sample(home / "warehouse")
    for name in (NOTEBOOK, *MORE):
        if not (home / name).exists():
            (home / name).write_text(fresh(_shipped(name).read_text()))
    _settings(home)
    token = _token(home / ".agor-token")
    free = _free_port(port)
    address = f"http://127.0.0.1:{free}/lab/tree/{NOTEBOOK}?token={token}"
    print(f"\nThe quick start opens in some seconds at\n\n    {address}\n\nStop it with Ctrl+C. Its folder is {home}.\n", flush=True)
    os.chdir(home)
    os.execve(sys.executable, command(home, free, browser=browser), environment(home, token))  # noqa: S606  # signals reach JupyterLab itself


def fresh(notebook: str) -> str:
    """The notebook as nobody has run it yet: what is stored in ours is of another run, and would look like this one's."""
    story = json.loads(notebook)
    for cell in story["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(story, indent=1, ensure_ascii=False) + "\n"


def command(home: Path, port: int, *, browser: bool) -> list[str]:
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        *root,
        *([] if browser else ["--no-browser"]),
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={home}",
        "--ServerApp.log_level=WARN",  # so that the address stays in sight
        f"--LabApp.default_url=/lab/tree/{NOTEBOOK}",
        "--ServerApp.identity_provider_class=agor_jupyter.server.identity.OwnerFirst",
        "--LabApp.news_url=None",  # offline
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.app_settings_dir={home / LAB / 'settings'}",
        f"--LabApp.workspaces_dir={home / LAB / 'workspaces'}",  # the tabs of another folder are not opened in this one
    ]


def environment(home: Path, token: str) -> dict[str, str]:
    """As ours, with its own Python first, its own data, and its own token, which is not in the list of processes."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    dropped = {"AGOR_SERVER_FILE", "JPY_PARENT_PID", "JPY_SESSION_NAME", "AGOR_URL", "AGOR_TOKEN"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PATH": path, "JUPYTER_TOKEN": token, "AGOR_DATA_DIR": str(home / ".agor")}


def _settings(home: Path) -> None:
    """Defaults for this JupyterLab; what a person has set goes on counting.

    Without it JupyterLab asks whether it may fetch news, also where `news_url` is none: its page reads the setting only.
    """
    folder = home / LAB / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overrides.json").write_text(json.dumps(DEFAULTS, indent=1) + "\n")


def _shipped(name: str) -> Path:
    place = Path(__file__).parents[1] / "notebook" / name
    if not place.exists():
        raise FileMissing(name)
    return place


def _token(file: Path) -> str:
    """The same one each time, so that an address that was opened before goes on working."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(24))
    return file.read_text().strip()


def _free_port(wanted: int) -> int:
    for port in (*range(wanted, min(wanted + 20, 65536)), 0):
        with socket.socket() as probe:
            # As the server itself binds: connections of the one that just ended do not make the port a taken one.
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
