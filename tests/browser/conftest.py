"""A real JupyterLab with two people and a viewer, and a browser for each. One server and one browser for the whole run.

`lab` is the server; `lab.restart()` and `lab.kill()` are there for tests of recovery. `people("mira")` is a page of that person.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.browser.facts import TIMEOUT_S

SCREENS = Path(__file__).parents[2] / "build" / "screens"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKENS = {"mira": "token-mira", "jonas": "token-jonas", "vera": "token-vera"}


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


class Lab:
    """A JupyterLab on a folder of its own, with traits of the extension. The port stays the same over a restart."""

    def __init__(self, home: Path, **traits: object) -> None:
        self.home = home
        self.traits = traits
        self.is_used = False
        self.root = home / "root"
        self.root.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Started, with a repository."""
        try:
            self.start()
            self.repository()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout_s: float = 120) -> None:
        here = Path(__file__).parent
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JUPYTER", "JPY_"))} | {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(here.parents[1]),
            "AGOR_DATA_DIR": str(self.home / "data"),
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
            "JUPYTERHUB_API_TOKEN": TOKENS["mira"],  # what a kernel of this server speaks with
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "PIP_INDEX_URL": "http://127.0.0.1:9/",  # no test reaches a registry
            "npm_config_registry": "http://127.0.0.1:9/",
            "npm_config_fetch_retries": "0",
        }
        settings = self.home / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
        (settings / "themes.jupyterlab-settings").write_text('{"adaptive-theme": true}')  # each browser's own preference
        (self.home / "config" / "jupyter_server_config.json").write_text(json.dumps({"AgorApp": self.traits}))
        (self.home / "gitconfig").write_text("[user]\n name = Test\n email = test@example.org\n[init]\n defaultBranch = main\n")
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}", "--ServerApp.identity_provider_class=tests.browser.identity.People", "--People.token=",
            "--ServerApp.authorizer_class=tests.browser.identity.Rights", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--YDocExtension.document_save_delay=0.3",
        ]  # fmt: skip
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=self.root, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError):
                self.get("me")
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log()}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            self.kill()

    def kill(self) -> None:
        """As a crash would: the server only, with nothing said to anyone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def renew(self) -> None:
        """As on the first day: another home, with nothing that a test left."""
        self.stop()
        self.home = Path(tempfile.mkdtemp(prefix=f"{self.home.name}-", dir=self.home.parent))
        self.root = self.home / "root"
        self.root.mkdir()
        self.__enter__()

    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")[-6000:]

    def get(self, path: str, person: str = "mira"):
        return self._request("GET", path, None, person)

    def post(self, path: str, body: object, person: str = "mira"):
        return self._request("POST", path, body, person)

    def put(self, path: str, body: object, person: str = "mira"):
        return self._request("PUT", path, body, person)

    def patch(self, path: str, body: object, person: str = "mira"):
        return self._request("PATCH", path, body, person)

    def _request(self, method: str, path: str, body: object, person: str):
        request = urllib.request.Request(
            f"{self.url}agor/api/{path}", method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Authorization", f"token {TOKENS[person]}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", os.urandom(16).hex())
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def repository(self, name: str = "warehouse") -> Path:
        """A small repository, registered."""
        path = self.root / name
        path.mkdir()
        (path / "README.md").write_text("# Warehouse\n")
        (path / "models").mkdir()
        (path / "models" / "stg_orders.sql").write_text("select\n    cast(raw_id as int) as order_id,\n    customer_id,\nfrom raw.orders\n")
        for argv in (
            ["init", "-q", "-b", "main"],
            ["add", "-A"],
            ["-c", "user.name=Test", "-c", "user.email=t@example.org", "commit", "-qm", "first"],
        ):
            subprocess.run(["git", *argv], cwd=path, check=True)
        self.post("repos", {"path": str(path), "slug": name})
        return path

    def wait_for(self, found: Callable[[], object], timeout_s: float = TIMEOUT_S):
        """The first truth that `found` gives."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if result := found():
                return result
            time.sleep(0.1)
        raise AssertionError(f"it did not happen within {timeout_s} s\n{self.log()}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def chromium():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.fail("Chromium is missing. Run `make browser-tools`.")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=TIMEOUT_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def second_attempt(request) -> None:
    """Meets nothing of the first: its branches, remotes and boards would be in the way."""
    if "lab" not in request.fixturenames:
        return
    lab = request.getfixturevalue("lab")
    if lab.is_used and getattr(request.node, "execution_count", 1) > 1:
        lab.renew()
    lab.is_used = True


@pytest.fixture
def people(lab, chromium):
    """`people("mira")`: a page of a browser of her own, logged in. `people("mira", dark=True)`: with the dark theme."""
    contexts, problems = [], []

    def open_page(name: str = "mira", *, dark: bool = False, width: int = 1440, height: int = 900):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_S * 1000)
        page.on("pageerror", lambda error: problems.append(f"{name}: {error}"))
        page.goto(f"{lab.url}agor-login-not-here?token={TOKENS[name]}")  # any page sets the cookie; then no address carries a token
        return page

    yield open_page
    for context in contexts:
        context.close()
    ours = [problem for problem in problems if "agor" in problem.lower()]
    assert not ours, ours


@pytest.fixture
def board(lab, request) -> str:
    """A fresh board, and its path."""
    path = f"{request.node.name.replace('[', '-').replace(']', '')[-40:].strip('-_')}.agor"
    lab.post("boards", {"path": path, "title": ""})
    return path


@pytest.fixture(scope="session")
def screens() -> Path:
    SCREENS.mkdir(parents=True, exist_ok=True)
    return SCREENS
