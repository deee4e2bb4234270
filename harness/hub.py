"""A real JupyterHub whose users' servers have this package: `python -m harness.hub` puts it into the cache, beside the agents.

The hub has an environment of its own, which sees the packages of ours: its single-user server is ours with the hub's login.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.kits import CACHE

PACKAGES = ("jupyterhub==5.*",)
PROXY = "configurable-http-proxy@5"
HOME = CACHE / "jupyterhub"
_PATIENCE_S = 90


@dataclass
class Answer:
    status: int
    body: str
    url: str


@dataclass
class Hub:
    url: str
    token: str
    """An administrator's."""
    folder: Path

    def api(self, method: str, path: str, body: object = None) -> Answer:
        return self.ask(method, f"{self.url}/hub/api/{path}", self.token, body)

    def start(self, user: str) -> str:
        """Start the user's server. Their own token."""
        self.api("POST", f"users/{user}")
        self.api("POST", f"users/{user}/server")
        end = time.monotonic() + _PATIENCE_S
        while not json.loads(self.api("GET", f"users/{user}").body)["servers"].get("", {}).get("ready"):
            assert time.monotonic() < end, (self.folder / "hub.log").read_text()[-4000:]
            time.sleep(0.2)
        return json.loads(self.api("POST", f"users/{user}/tokens", {}).body)["token"]

    def ask(self, method: str, url: str, token: str | None = None, body: object = None) -> Answer:
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
        if token is not None:
            headers["Authorization"] = f"token {token}"
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=_PATIENCE_S) as answer:
                return Answer(answer.status, answer.read().decode(), answer.url)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), error.url)


def install() -> None:
    """What is there stays."""
    if not (HOME / "bin/jupyterhub").exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", HOME], check=True)
        subprocess.run(
            [Path(sys.prefix) / "bin/uv", "pip", "install", "-q", "--python", HOME / "bin/python", *_links(), *PACKAGES], check=True
        )
    if not _proxy().exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", HOME / "proxy", PROXY], check=True)


@contextmanager
def hub(folder: Path, users: tuple[str, ...]) -> Iterator[Hub]:
    """One whose users all have their servers' files below `folder`. Ends with all that it started."""
    install()
    ours = Path(sys.prefix)
    packages = next((HOME / "lib").glob("python3*")) / "site-packages"
    (packages / "ours.pth").write_text(f"{next((ours / 'lib').glob('python3*')) / 'site-packages'}\n{Path(__file__).parents[1]}\n")
    ports = _free_ports(3)
    token, url = secrets.token_hex(16), f"http://127.0.0.1:{ports[0]}"
    (folder / "root").mkdir(exist_ok=True)
    config = folder / "jupyterhub_config.py"
    config.write_text(
        f"""
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {[str(_proxy())]!r}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = set({list(users)!r})
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {str(folder / "homes/{username}")!r}
c.Spawner.cmd = [{str(HOME / "bin/python")!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--ServerApp.root_dir={folder / "root"}", "--LabApp.news_url="]
c.Spawner.env_keep = ["PATH", "LANG"]
c.Spawner.environment = {{
    "AGOR_DATA_DIR": {str(folder / "data")!r}, "AGOR_KEY_FILE": {str(folder / "keys/key")!r},
    "JUPYTER_PATH": {str(ours / "share/jupyter")!r}, "JUPYTER_CONFIG_PATH": {str(ours / "etc/jupyter")!r},
}}
c.Spawner.start_timeout = {_PATIENCE_S}
c.Spawner.http_timeout = {_PATIENCE_S}
c.JupyterHub.services = [{{"name": "tests", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "tests", "services": ["tests"], "scopes": ["read:hub", "admin:users", "admin:servers", "tokens", "access:servers"]}}]
"""
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "AGOR_"))}
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [HOME / "bin/python", "-m", "jupyterhub", "-f", config], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    running = Hub(url, token, folder)
    try:
        end = time.monotonic() + _PATIENCE_S
        while not _answers(running):
            has_failed = process.poll() is not None or time.monotonic() > end
            assert not has_failed, (folder / "hub.log").read_text()[-4000:]
            time.sleep(0.2)
        yield running
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _answers(running: Hub) -> bool:
    try:
        return running.api("GET", "info").status == 200
    except OSError:
        return False


def _proxy() -> Path:
    return HOME / "proxy/node_modules/.bin/configurable-http-proxy"


def _links() -> list[str]:
    """Where pip finds packages beside the index, uv does too."""
    return [argument for place in os.environ.get("PIP_FIND_LINKS", "").split() for argument in ("--find-links", place)]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    install()
