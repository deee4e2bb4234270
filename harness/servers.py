"""Real Jupyter servers with the extension, each in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.client.http import Client

SERVE = Path(__file__).with_name("serve.py")


@dataclass
class RealServer:
    url: str
    routes: list[list[str]]
    warnings: list[str]
    pid: int
    folder: Path
    log: Path
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        if name not in self.clients:
            self.clients[name] = Client(self.url, f"{name}-token", patience_s=50)
        return self.clients[name]


def serve(folder: Path, *arguments: str, base_url: str = "/user/ann/", data_dir: Path | None = None, **environment: str):
    (folder / "root").mkdir(exist_ok=True)
    (folder / "runtime").mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "AGOR_"))}
    env |= {
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "AGOR_KEY_FILE": str(folder / "keys" / "key"),
        "AGOR_DATA_DIR": str(data_dir or folder / "data"),
        **environment,
    }
    log = folder / "server.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, SERVE, folder / "root", base_url, *arguments],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    line = process.stdout.readline()
    assert line, log.read_text()
    return process, RealServer(**json.loads(line), folder=folder, log=log)


def stop(process: subprocess.Popen) -> None:
    process.stdin.close()
    try:
        process.wait(50)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
