"""The MCP server as an ASGI app: official `mcp` package, stateless streamable HTTP, imported in a thread when it is first needed.

Works with `mcp` 1.30 (handlers are registered by decorator) and 2.x (handlers are arguments).
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from pydantic import ValidationError

from agor_jupyter._version import __version__
from agor_jupyter.domain.errors import AgorError, BadRequest
from agor_jupyter.mcp.errors import explain, sendable
from agor_jupyter.mcp.tools import discover
from agor_jupyter.services.sessions.delegation import Delegation

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]  # ASGI's own type
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ENGINE: ContextVar[Delegation] = ContextVar("agor_engine")
"""The engine as the agent of this request sees it. Set by the handler that authenticated it."""

INSTRUCTIONS = "You share a board with people and other agents. These tools show you the board and let you start and follow other agents."


async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run one tool; the answer in MCP's wire form."""
    tools = discover()
    tool = tools.get(name)
    if tool is None:
        return _said(sendable(f"There is no tool {name[:80]!r}. There are: {', '.join(tools)}."), is_error=True)
    try:
        engine = ENGINE.get()
        _check_text(arguments)
        answer = await tool.run(engine, tool.input.model_validate(engine.mask.json(arguments)))
    except (AgorError, ValidationError) as error:
        return _said(explain(error, tool.input), is_error=True)
    except Exception:
        incident = secrets.token_hex(4)
        log.exception("Incident %s, in the tool %s", incident, name)
        return _said(f"Something went wrong inside the server. Its log has the details under incident {incident}.", is_error=True)
    return _said(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace").decode(), is_error=False)


def _check_text(arguments: dict[str, Any]) -> None:
    """Raises `BadRequest` for what JSON can say and no text can: half of a character."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadRequest(["an argument has half of a character (a lone surrogate). Send whole characters"]) from None


def _said(text: str, *, is_error: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def _build() -> Any:  # the manager's class differs between versions of mcp
    from mcp import types
    from mcp.server.lowlevel import Server
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    listed = [types.Tool.model_validate(tool.describe()) for tool in discover().values()]
    server: Any
    if hasattr(Server, "list_tools"):
        server = Server("agor", version=__version__, instructions=INSTRUCTIONS)

        async def list_tools() -> list[Any]:
            return listed

        async def call_tool(name: str, arguments: dict[str, Any]) -> Any:
            return types.CallToolResult.model_validate(await call(name, arguments))

        server.list_tools()(list_tools)
        server.call_tool(validate_input=False)(call_tool)
    else:

        async def on_list(_context: Any, _params: Any) -> Any:
            return types.ListToolsResult(tools=listed)

        async def on_call(_context: Any, params: Any) -> Any:
            return types.CallToolResult.model_validate(await call(params.name, params.arguments or {}))

        server = Server("agor", version=__version__, instructions=INSTRUCTIONS, on_list_tools=on_list, on_call_tool=on_call)
    return StreamableHTTPSessionManager(app=server, stateless=True)


class McpApp:
    """The ASGI app. One task owns the manager's task group, as it must be left by the task that entered it."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Any] | None = None

    async def warm(self) -> None:
        """Import and start. An agent that finds the server slow starts its first turn without the tools."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._ready), name="agor-mcp")
        await asyncio.shield(self._ready)

    async def aclose(self) -> None:
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.warm()
        assert self._ready is not None
        await self._ready.result().handle_request(scope, receive, send)

    async def _run(self, ready: "asyncio.Future[Any]") -> None:
        try:
            manager = await asyncio.to_thread(_build)
            async with manager.run():
                ready.set_result(manager)
                await self._stop.wait()
        except Exception as error:
            log.exception("MCP could not start")
            if not ready.done():
                ready.set_exception(error)
