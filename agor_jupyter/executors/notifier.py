"""Sends messages to destinations, each in a process of its own that is killed when it takes too long: Apprise waits for the network."""

import json
import sys
from pathlib import Path
from typing import Any

from agor_jupyter.domain.errors import BadAddress
from agor_jupyter.executors import environment
from agor_jupyter.processes import once

_WORKER = Path(__file__).with_name("notify_worker.py")
_MAX_OUTPUT = 64 << 10


class Notifier:
    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def check(self, address: str, *, inside: bool) -> str:
        """The name of the service that an address leads to. Nothing is sent. `inside`: it may lie in the server's own network.

        Errors:
            BadAddress: it cannot be used.
        """
        answer = await self._ask({"address": address, "inside": inside})
        if "error" in answer:
            raise BadAddress(answer["error"]["why"])
        return str(answer["service"])

    async def send(self, address: str, title: str, body: str, *, inside: bool) -> str | None:
        """`None`: it was accepted. Otherwise why not, which says nothing of the address."""
        answer = await self._ask({"address": address, "inside": inside, "title": title, "body": body})
        return str(answer["error"]["why"]) if "error" in answer else None

    async def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        command = [sys.executable, "-I", str(_WORKER)]
        env = environment.for_sender()
        try:
            ended = await once.run(
                command, cwd=Path("/"), env=env, stdin=json.dumps(question).encode(), timeout_s=self._timeout_s, cap=_MAX_OUTPUT
            )
        except TimeoutError:
            return {"error": {"why": f"it took longer than {self._timeout_s:g} s"}}
        except OSError:
            return {"error": {"why": "this machine starts no further process for now"}}
        try:
            answer: dict[str, Any] = json.loads(ended.out)
        except ValueError:
            return {"error": {"why": f"what sends it ended with code {ended.code}"}}
        return answer
