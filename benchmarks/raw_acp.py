"""The barest client of an agent: starts it, asks, and waits. What our engine costs is told by the difference to it."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class RawAgent:
    """One process with one conversation. Every question for permission is answered with its first yes."""

    async def start(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, env=env, stdin=-1, stdout=-1, stderr=asyncio.subprocess.DEVNULL, limit=64 << 20, start_new_session=True
        )
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.first_at = 0.0
        self._reading = asyncio.create_task(self._read())
        await self._call("initialize", protocolVersion=1, clientCapabilities={"fs": {}, "terminal": False})
        self._session = (await self._call("session/new", cwd=str(cwd), mcpServers=[]))["sessionId"]

    async def prompt(self, text: str) -> float:
        """Returns the seconds to the first thing it says."""
        began, self.first_at = time.perf_counter(), 0.0
        await self._call("session/prompt", sessionId=self._session, prompt=[{"type": "text", "text": text}])
        return self.first_at - began

    async def stop(self) -> None:
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
        self._reading.cancel()

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = len(self._answers) + 1
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        return await self._answers[number]

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            try:
                message = json.loads(line)
            except ValueError:  # some write for people, too
                continue
            if message.get("method") == "session/update":
                if message["params"]["update"]["sessionUpdate"] == "agent_message_chunk":
                    self.first_at = self.first_at or time.perf_counter()
            elif message.get("method") == "session/request_permission":
                option = next(one["optionId"] for one in message["params"]["options"] if one["kind"] == "allow_once")
                self._send({"id": message["id"], "result": {"outcome": {"outcome": "selected", "optionId": option}}})
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "error": {"code": -32601, "message": "not offered"}})
            elif "id" in message:
                assert "error" not in message, message
                self._answers[message["id"]].set_result(message.get("result") or {})
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("the agent ended"))
