"""A real private server that can be killed and started again on the same data."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOKEN = "t" * 40
READY_S = 30


class Refused(Exception):
    """The server answered with an error: nothing was done."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


class Lost(Exception):
    """No answer: the command may or may not have been carried out."""


class Server:
    """`start`, `kill` (SIGKILL), `stop` (orderly). Every call opens its own connection, so it is thread-safe.

    `is_up` is set from when it was found ready to when it was killed or stopped.
    """

    def __init__(self, root: Path, data: Path, *, log: Path, arguments: Sequence[str] = ()) -> None:
        self.root, self.data, self.log, self.arguments = root, data, log, arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.is_up = threading.Event()

    def start(self, crash_at: str | None = None) -> None:
        runtime = self.log.parent / "runtime"
        runtime.mkdir(exist_ok=True)
        env = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "JPY_", "AGOR_"))}
        env |= {
            "JUPYTER_TOKEN": TOKEN,
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_NO_CONFIG": "1",
            "AGOR_DATA_DIR": str(self.data),
            "AGOR_PARENT": str(os.getpid()),
        }
        if crash_at:
            env["AGOR_CRASH_AT"] = crash_at
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agor_jupyter.server.private", str(self.root), *self.arguments],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        self.url = json.loads(line)["url"]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def wait_dead(self, patience_s: float) -> None:
        """Until it died by itself, or that much time passed."""
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience_s)

    def kill(self) -> None:
        self.is_up.clear()
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self._reap()

    def stop(self) -> None:
        self.is_up.clear()
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(20)
            self._reap()

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, timeout: float = 30) -> Any:
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
        if method in {"POST", "DELETE"}:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        try:
            payload = None if method in {"GET", "DELETE"} else json.dumps(body or {})
            connection.request(method, f"{parts.path.rstrip('/')}/agor/api/{path}", payload, headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Lost(str(error)) from error
        finally:
            connection.close()
        answer = json.loads(text) if text else None
        if response.status >= 500 and response.status not in {503, 507}:
            raise Lost(f"{response.status} {answer}")
        if response.status >= 400:
            raise Refused(response.status, answer)
        return answer

    def wait_ready(self) -> None:
        end = time.monotonic() + READY_S
        while True:
            try:
                self.call("GET", "me", timeout=15)
            except (Refused, Lost):
                assert time.monotonic() < end, self.log.read_text()[-3000:]
                time.sleep(0.02)
            else:
                self.is_up.set()
                return
