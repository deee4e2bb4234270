"""A real Jupyter server on whose boards many work at the same time."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import uuid
from pathlib import Path

from agor_jupyter.documents import boards
from harness.room_client import ask


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class RoomServer:
    def __init__(self, folder: Path, *options):
        self.root = folder / "root"
        self.root.mkdir()
        port = free_port()
        self.base = f"http://127.0.0.1:{port}/"
        self.log = (folder / "log").open("wb")
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "run"),
            "HOME": str(folder),
            "AGOR_DATA_DIR": str(folder / "agor"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.room_server", str(port), str(self.root), *options],
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=folder,
            stdout=self.log,
            stderr=self.log,
        )
        end = time.monotonic() + 40
        while True:
            try:
                ask(self.base, "agor/api/me", "alice")
                return
            except (urllib.error.URLError, ConnectionError):
                is_starting = self.process.poll() is None and time.monotonic() < end
                assert is_starting, (folder / "log").read_text()[-3000:]
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def log_text(self):
        return Path(self.log.name).read_text()

    def board(self, content=None):
        """A new board; its path, file and room."""
        path = f"b{uuid.uuid4().hex[:8]}.agor"
        file = self.root / path
        file.write_text(boards.write({}, {}) if content is None else content)
        return path, file, ask(self.base, f"agor/api/board/room?path={path}", "alice")
