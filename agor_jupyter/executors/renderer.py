"""The one worker process that renders templates, started at the first template and again after each that had to be killed."""

import asyncio
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

from agor_jupyter.domain.errors import BadTemplate
from agor_jupyter.domain.templates import MAX_SECONDS, MAX_SOURCE_BYTES, TemplateContext
from agor_jupyter.processes import guarded
from agor_jupyter.processes.guarded import Process
from agor_jupyter.processes.starting import Limits

_WORKER = Path(__file__).with_name("template_worker.py")
_START_S = 10.0
_LIMITS = Limits(memory_bytes=256 << 20, core_bytes=0)
_LONGEST_ANSWER = 8 << 20
_numbers = itertools.count()


class Renderer:
    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: Process | None = None

    async def render(self, source: str, context: dict[str, Any]) -> str:
        """The text, or `BadTemplate` with a line. Values are never rendered again."""
        return str(await self._answer({"source": source, "context": context}))

    async def names(self, source: str) -> list[str]:
        """The names that it asks for, such as `issue.title`. Raises `BadTemplate` for one that is too long or takes too long to read."""
        found = await self._answer({"source": source})
        assert isinstance(found, list)
        return found

    async def _answer(self, question: dict[str, Any]) -> object:
        if len(question["source"].encode()) > MAX_SOURCE_BYTES:
            raise BadTemplate(f"it is longer than {MAX_SOURCE_BYTES} bytes")
        async with self._lock:
            limit_s = MAX_SECONDS
            if self._process is None:
                self._process = await self._start()
                limit_s += _START_S  # the first answer waits for the interpreter
                await self._ask(self._process, {"source": "", "context": {}}, limit_s)
                limit_s = MAX_SECONDS
            answer = await self._ask(self._process, question, limit_s)
        if "error" in answer:
            error = answer["error"]
            raise BadTemplate(error["message"], line=error.get("line"), hint=error.get("hint"))
        found: object = answer["ok"]
        return found

    async def fill(self, source: str, context: TemplateContext) -> str:
        """As `render`, over the names that templates have."""
        return await self.render(source, context.plain())

    async def close(self) -> None:
        async with self._lock:
            await self._kill()

    async def _start(self) -> Process:
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        command = [sys.executable, "-I", str(_WORKER)]
        run_id = f"templates.{os.getpid()}.{next(_numbers)}"
        return await guarded.spawn(command, Path("/"), env, run_id, limits=_LIMITS, longest_line=_LONGEST_ANSWER)

    async def _ask(self, process: Process, question: dict[str, Any], limit_s: float) -> dict[str, Any]:
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            async with asyncio.timeout(limit_s):
                line = await process.stdout.readline()
        except TimeoutError:
            await self._kill()
            return {"error": {"message": f"it takes longer than {limit_s:.0f} s"}}
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        except asyncio.CancelledError:
            await self._kill()
            raise
        if not line:
            await self._kill()
            return {"error": {"message": "it used too much memory"}}
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop(grace_s=0)
