"""People who work while the server dies: they prompt, answer, cancel, put worktrees away and bring them back, and note what they
were told; and one who only looks.
"""

import contextlib
import json
import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.faults.history import History
from tests.faults.server import TOKEN, Lost, Refused, Server

MAX_QUEUE = 3
_RESYNC = 4000


class Workload:
    """Three threads over one server. Each prompt's block appends its own token to `ledger`, so a second run of it would show."""

    def __init__(self, server: Server, history: History, ledger: Path, seed: int) -> None:
        self.server, self.history, self.ledger, self.random = server, history, ledger, random.Random(seed)
        self.repo = ""
        self.worktrees: list[str] = []
        self.spare: list[str] = []
        """Worktrees without sessions, which are put away and brought back."""
        self.sessions: list[str] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def prepare(self, repository: Path) -> None:
        self.repo = self.server.call("POST", "repos", {"path": str(repository)})["id"]
        for number in range(3):
            (self.worktrees if number < 2 else self.spare).append(self.make_worktree(f"base-{number}"))
        for worktree in self.worktrees:
            self._wait_ready(worktree)
            self._make_session(worktree)
        assert self.sessions

    def start(self) -> None:
        self._stop.clear()
        steps = (self._prompt, self.answer, self._steer)
        self._threads = [threading.Thread(target=self._loop, args=(step,), daemon=True) for step in steps]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _loop(self, step: Any) -> None:
        while not self._stop.is_set():
            if self.server.is_up.wait(0.1):
                with contextlib.suppress(Refused, Lost):
                    step()
                time.sleep(self.random.uniform(0.005, 0.03))

    def _do(self, action: str, method: str, path: str, body: dict[str, Any] | None = None, **subject: Any) -> Any:
        key = uuid.uuid4().hex
        op = self.history.invoke(action, key=key, path=path, **subject)
        try:
            answer = self._send(method, path, body, key)
        except Refused as error:
            self.history.finish(op, "fail", action, error.body, **subject)
            raise
        except Lost as error:
            self.history.finish(op, "info", action, str(error), **subject)
            raise
        self.history.finish(op, "ok", action, answer, **subject)
        return answer

    def _send(self, method: str, path: str, body: dict[str, Any] | None, key: str) -> Any:
        """As clients do: without an answer, some send it again with the same key."""
        try:
            return self.server.call(method, path, body, key=key)
        except Lost:
            if self.random.random() < 0.5 or not self.server.is_up.wait(20):
                raise
            return self.server.call(method, path, body, key=key)

    def make_worktree(self, name: str) -> str:
        return self._do("worktree", "POST", "worktrees", {"repo": self.repo, "name": name}, name=name)["id"]

    def _wait_ready(self, worktree: str) -> None:
        end = time.monotonic() + 60
        while self.server.call("GET", f"worktrees/{worktree}")["state"] == "creating" and time.monotonic() < end:
            time.sleep(0.02)

    def _make_session(self, worktree: str) -> None:
        made = self._do("session", "POST", "sessions", {"worktreeId": worktree, "agent": "script"}, worktree=worktree)
        self.sessions.append(made["id"])

    def _prompt(self) -> None:
        if self.random.random() < 0.05 and len(self.worktrees) < 6:
            self.worktrees.append(self.make_worktree(f"w-{uuid.uuid4().hex[:8]}"))
            return
        if self.random.random() < 0.05 and len(self.sessions) < 5:
            self._make_session(self.random.choice(self.worktrees))
            return
        session = self.random.choice(self.sessions)
        if len(self.server.call("GET", f"sessions/{session}")["queue"]) >= MAX_QUEUE:
            return
        token = uuid.uuid4().hex
        lines = [f"echo {token} >> {self.ledger}", f"sleep {self.random.choice([0, 0, 0.05, 0.5])}"]
        if self.random.random() < 0.3:
            lines.append(f"git commit -q --allow-empty -m {token} && echo {token} >> {self.ledger.with_suffix('.commits')}")
        lines.append("nohup setsid sleep 60 >/dev/null 2>&1 &")
        text = "```sh\n" + "\n".join(lines) + "\n```"
        self._do("prompt", "POST", f"sessions/{session}/prompt", {"text": text}, session=session, token=token)
        time.sleep(self.random.choice([0, 0.05, 0.2]))

    def answer(self) -> None:
        for permission in self.server.call("GET", "permissions"):
            options = [option["id"] for option in permission["options"] if option["kind"] == "allow_once"]
            path = f"permissions/{permission['id']}/answer"
            self._do("answer", "POST", path, {"optionId": options[0]}, permission=permission["id"])

    def _steer(self) -> None:
        time.sleep(self.random.uniform(0, 0.2))
        if self.random.random() < 0.3:
            self._put_away()
            return
        session = self.server.call("GET", f"sessions/{self.random.choice(self.sessions)}")
        turns = self.server.call("GET", f"sessions/{session['id']}/turns")
        interrupted = [turn for turn in turns if turn["state"] == "interrupted" and turn["resolution"] is None]
        if interrupted:
            action = self.random.choice(["resume", "retry", "discard", "discard"])
            self._do(action, "POST", f"turns/{interrupted[0]['id']}/{action}", turn=interrupted[0]["id"])
        elif session["queue"] and self.random.random() < 0.3:
            turn = self.random.choice(session["queue"])
            self._do("cancel", "POST", f"turns/{turn}/cancel", turn=turn)
        elif session["currentTurnId"] and self.random.random() < 0.2:
            self._do("cancel", "POST", f"turns/{session['currentTurnId']}/cancel", turn=session["currentTurnId"])

    def _put_away(self) -> None:
        if len(self.spare) < 2:
            self.spare.append(self.make_worktree(f"s-{uuid.uuid4().hex[:8]}"))
            return
        worktree = self.random.choice(self.spare)
        state = self.server.call("GET", f"worktrees/{worktree}")["state"]
        if self.random.random() < 0.2:
            self.spare.remove(worktree)  # whatever comes of it
            self._do("remove", "DELETE", f"worktrees/{worktree}?force=1", worktree=worktree)
        elif state == "archived":
            self._do("restore", "POST", f"worktrees/{worktree}/restore", worktree=worktree)
        elif state == "ready":
            self._do("archive", "POST", f"worktrees/{worktree}/archive", worktree=worktree)


class Watcher:
    """Follows the event stream across restarts, as a browser does: it says the last number that it saw."""

    def __init__(self, server: Server) -> None:
        self.server, self.events, self.resyncs = server, [], 0
        self._n = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_for(self, newest: int) -> None:
        """Until event `newest` came. If it does not, the checker will say so."""
        end = time.monotonic() + 60
        while self._n < newest and time.monotonic() < end:
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(50)

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, WebSocketException, EOFError):
                self._follow()
            time.sleep(0.02)

    def _follow(self) -> None:
        url = self.server.url.replace("http", "ws", 1).rstrip("/") + f"/agor/api/stream?after={self._n}"
        headers = {"Authorization": f"token {TOKEN}"}
        with connect(url, additional_headers=headers, compression=None, max_size=None, proxy=None) as socket:
            while not self._stop.is_set():
                try:
                    frame = socket.recv(timeout=0.2)
                except TimeoutError:
                    continue
                except WebSocketException:
                    if socket.close_code == _RESYNC:
                        self.resyncs += 1
                        self._n = 0
                    raise
                received = json.loads(frame)
                self.events += received
                self._n = received[-1]["n"] if received else self._n
