"""People who work while the server dies: they prompt, answer, cancel, reorder and make worktrees, and note what they were told."""

import contextlib
import random
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from tests.faults.history import History
from tests.faults.server import Lost, Refused, Server


class Workload:
    """Three threads over one server. Each prompt's block appends its own token to `ledger`, so a second run of it would show."""

    def __init__(self, server: Server, history: History, ledger: Path, seed: int) -> None:
        self.server, self.history, self.ledger, self.random = server, history, ledger, random.Random(seed)
        self.repo = ""
        self.worktrees: list[str] = []
        self.sessions: list[str] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(step,), daemon=True) for step in (self._prompt, self._answer, self._steer)
        ]

    def prepare(self, repository: Path) -> None:
        self.repo = self.server.call("POST", "repos", {"path": str(repository)})["id"]
        for number in range(2):
            self._make_worktree(f"base-{number}")
        for worktree in self.worktrees:
            self._wait_ready(worktree)
            self._make_session(worktree)
        assert self.sessions

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _loop(self, step: Any) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(Refused, Lost):
                step()
            time.sleep(self.random.uniform(0.005, 0.05))

    def _do(self, action: str, path: str, body: dict[str, Any] | None = None, **subject: Any) -> Any:
        key = uuid.uuid4().hex
        op = self.history.invoke(action, key=key, path=path, body=body, **subject)
        try:
            answer = self.server.call("POST", path, body, key=key)
        except Refused as error:
            self.history.finish(op, "fail", action, error.body, **subject)
            raise
        except Lost:
            self.history.finish(op, "info", action, **subject)
            raise
        self.history.finish(op, "ok", action, answer, **subject)
        return answer

    def _make_worktree(self, name: str) -> None:
        answer = self._do("worktree", "worktrees", {"repo": self.repo, "name": name}, name=name)
        self.worktrees.append(answer["id"])

    def _wait_ready(self, worktree: str) -> None:
        end = time.monotonic() + 30
        while self.server.call("GET", f"worktrees/{worktree}")["state"] == "creating" and time.monotonic() < end:
            time.sleep(0.05)

    def _make_session(self, worktree: str) -> None:
        self.sessions.append(self._do("session", "sessions", {"worktreeId": worktree, "agent": "script"}, worktree=worktree)["id"])

    def _prompt(self) -> None:
        if self.random.random() < 0.05 and len(self.worktrees) < 12:
            self._make_worktree(f"w-{uuid.uuid4().hex[:8]}")
            return
        if self.random.random() < 0.05 and len(self.sessions) < 6:
            self._make_session(self.random.choice(self.worktrees))
            return
        session = self.random.choice(self.sessions)
        token = uuid.uuid4().hex
        pause = self.random.choice([0, 0, 0.05, 0.5])
        text = f"```sh\necho {token} >> {self.ledger}\nsleep {pause}\nnohup setsid sleep 60 >/dev/null 2>&1 &\n```"
        self._do("prompt", f"sessions/{session}/prompt", {"text": text}, session=session, token=token)
        time.sleep(self.random.choice([0, 0.1, 0.3]))

    def _answer(self) -> None:
        for permission in self.server.call("GET", "permissions"):
            options = [option["id"] for option in permission["options"] if option["kind"] == "allow_once"]
            self._do("answer", f"permissions/{permission['id']}/answer", {"optionId": options[0]}, permission=permission["id"])

    def _steer(self) -> None:
        time.sleep(self.random.uniform(0, 0.3))
        session = self.server.call("GET", f"sessions/{self.random.choice(self.sessions)}")
        turns = self.server.call("GET", f"sessions/{session['id']}/turns")
        interrupted = [turn for turn in turns if turn["state"] == "interrupted" and turn["resolution"] is None]
        if interrupted:
            action = self.random.choice(["resume", "retry", "discard", "discard"])
            self._do(action, f"turns/{interrupted[0]['id']}/{action}", turn=interrupted[0]["id"])
        elif session["queue"] and self.random.random() < 0.3:
            turn = self.random.choice(session["queue"])
            self._do("cancel", f"turns/{turn}/cancel", turn=turn)
        elif session["currentTurnId"] and self.random.random() < 0.1:
            self._do("cancel", f"turns/{session['currentTurnId']}/cancel", turn=session["currentTurnId"])
