"""Sessions of one real agent in a real server, over HTTP."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.kits import Kit
from tests.faults.server import Server
from tests.real_agents.stage import PATIENCE_S


class Remote:
    """Every question is answered with yes."""

    def __init__(self, server: Server, kit: Kit) -> None:
        self.server, self.kit = server, kit

    def begin(self, repository: Path, *, board: str | None = None, **fields: Any) -> dict[str, Any]:
        """A session in a worktree of its own."""
        repo = self.server.call("POST", "repos", {"path": str(repository)})
        if board:
            self.server.call("POST", "boards", {"path": board})
        worktree = self.server.call("POST", "worktrees", {"repo": repo["id"], "name": "fix", "board": board})
        while self.server.call("GET", f"worktrees/{worktree['id']}")["state"] == "creating":
            time.sleep(0.05)
        return self.server.call("POST", "sessions", {"worktreeId": worktree["id"], "agent": self.kit.name, **fields})

    def prompt(self, session: str, *steps: dict[str, Any]) -> str:
        return self.server.call("POST", f"sessions/{session}/prompt", {"text": self.kit.prompt(*steps)})["id"]

    def play(self, session: str, *steps: dict[str, Any]) -> dict[str, Any]:
        """Prompt it, and wait for the end."""
        return self.until(self.prompt(session, *steps), lambda turn: turn["endedAt"])

    def until(self, turn: str, claim: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the turn is as it should be."""
        end = time.monotonic() + PATIENCE_S
        while not claim(found := self.server.call("GET", f"turns/{turn}")):
            for question in self.server.call("GET", "permissions"):
                option = next(one["id"] for one in question["options"] if one["kind"] == "allow_once")
                self.server.call("POST", f"permissions/{question['id']}/answer", {"optionId": option})
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found
