"""Starts a private headless server for a process outside any Jupyter server, and ends it with the process."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from agor_jupyter.client.paths import absolute
from agor_jupyter.domain import errors

START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 8.0


class PrivateServer:
    """On 127.0.0.1, with a random token, for the files under `root`. It ends when this process does, however that ends.

    Of the person's and the machine's settings it has what they give this extension (`c.AgorApp`), and nothing else. Its data lie in
    `data_dir`, else where AGOR_DATA_DIR says, else in the user's Jupyter data folder.
    """

    def __init__(self, root: Path | str = ".", *, data_dir: Path | str | None = None, timeout_s: float = START_TIMEOUT_S) -> None:
        self.root = absolute(root).resolve()
        self.timeout_s = timeout_s
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self.pid = 0
        self.started_in_s = 0.0
        self._data_dir = absolute(data_dir).resolve() if data_dir else None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Return when it answers. Raises `errors.ServerGone` with its last words when it does not start."""
        began = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix="agor-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        environment |= {
            "JUPYTER_TOKEN": self.token,  # not an argument: those are for everyone to read
            "JUPYTER_RUNTIME_DIR": str(folder),
            "AGOR_PARENT": str(os.getpid()),
            # Set-up commands and scripts of agents find the Python of this process, with what is installed for it.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        }
        if self._data_dir is not None:
            environment["AGOR_DATA_DIR"] = str(self._data_dir)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agor_jupyter.server.private", str(self.root)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the notebook is not for the server
            )
        assert self._process.stdout is not None
        watchdog = threading.Timer(self.timeout_s, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()  # the end of the file: it died
        finally:
            watchdog.cancel()
        if not line:
            last_words = self.log()[-2000:]
            self.stop()
            raise errors.ServerGone("the private server", f"it did not start. Its last words: {last_words}")
        found = json.loads(line)
        self.url, self.pid = found["url"].rstrip("/") + "/", found["pid"]
        self.started_in_s = time.monotonic() - began
        return self

    def log(self) -> str:
        """What it wrote to its log so far."""
        if self._folder is None:
            return ""
        try:
            return (Path(self._folder.name) / "log").read_text(errors="replace")
        except OSError:
            return ""

    def stop(self) -> None:
        """Close its stdin, which is how it is told, and wait. Does nothing when it was stopped already."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


_NOT_INHERITED = {
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_SERVICE_PREFIX",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "AGOR_SERVER_FILE",
    "JUPYTER_TOKEN",
}
