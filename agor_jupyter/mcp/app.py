"""The MCP server as an ASGI app: official `mcp` package, stateless streamable HTTP, imported in a thread when it is first needed.

Works with `mcp` 1.30 (handlers are registered by decorator) and 2.x (handlers are arguments).
"""

import asyncio
import functools
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, cast

from pydantic import ValidationError

from agor_jupyter._version import __version__
from agor_jupyter.domain.errors import AgorError, BadRequest, NotFound
from agor_jupyter.mcp import prompts, resources
from agor_jupyter.mcp.errors import explain, sendable
from agor_jupyter.mcp.tools import discover
from agor_jupyter.services.app import Agor
from agor_jupyter.services.sessions.delegation import Delegation

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]  # ASGI's own type
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ENGINE: ContextVar[Delegation] = ContextVar("agor_engine")
"""The engine as the agent of this request sees it. Set by the handler that authenticated it."""

OPEN: list[Agor] = []
"""The engine of this process's server while it is open, for those who call tools in the same process."""

INSTRUCTIONS = (
    "You share a board with people and other agents. These tools show you the board and let you start and follow other agents. Begin with "
    "whoami."
)


class NoSuchTool(NotFound):
    """Somebody asked for something that nobody may do over MCP, such as an answer to a permission."""


_tools = functools.cache(discover)


async def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run one tool; the answer in MCP's wire form. Every call is written down with its caller."""
    began, engine = time.perf_counter(), ENGINE.get()
    answer, error = await _answer(engine, name, arguments)
    refusal = answer["content"][0]["text"] if answer["isError"] else None
    is_read = refusal is None and _tools()[name].reads_only
    await engine.note_call(sendable(name[:80]), (time.perf_counter() - began) * 1000, refusal, error, soon=is_read)
    return answer


async def _answer(engine: Delegation, name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], Exception | None]:
    """With what it was refused for, if it was."""
    tools = _tools()
    tool = tools.get(name)
    if tool is None:
        text = sendable(f"There is no tool {name[:80]!r}. There are: {', '.join(tools)}.")
        return _said(text, is_error=True), NoSuchTool(text)
    try:
        _check_text(arguments)
        answer = await tool.run(engine, tool.input.model_validate(engine.mask.json(arguments)))
    except (AgorError, ValidationError) as error:
        return _said(explain(error, tool.input), is_error=True), error
    except Exception as error:
        incident = secrets.token_hex(4)
        log.exception("Incident %s, in the tool %s", incident, name)
        text = f"Something went wrong inside the server. Its log has the details under incident {incident}."
        return _said(text, is_error=True), error
    return _said(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace").decode(), is_error=False), None


def _check_text(arguments: dict[str, Any]) -> None:
    """Raises `BadRequest` for what JSON can say and no text can: half of a character."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadRequest(["an argument has half of a character (a lone surrogate). Send whole characters"]) from None


def _said(text: str, *, is_error: bool) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


async def _read(uri: str) -> list[dict[str, Any]]:
    """A resource, in MCP's wire form. Audited as a call."""
    began, engine = time.perf_counter(), ENGINE.get()
    try:
        text, mime = await resources.read(engine, uri)
    except AgorError as error:
        await engine.note_call("resources/read", (time.perf_counter() - began) * 1000, sendable(error.message), error)
        raise _rpc_error(sendable(error.message)) from None
    await engine.note_call("resources/read", (time.perf_counter() - began) * 1000, soon=True)
    return [{"uri": uri, "mimeType": mime, "text": text.encode("utf-8", "replace").decode()}]


def _prompt(name: str, arguments: dict[str, str] | None) -> dict[str, Any]:
    try:
        return prompts.render(name, arguments or {})
    except AgorError as error:
        raise _rpc_error(sendable(error.message)) from None


def _rpc_error(text: str) -> Exception:
    """What a request other than a tool's call is refused with: invalid parameters."""
    import mcp

    found: Any = mcp
    if hasattr(found, "MCPError"):
        return cast(Exception, found.MCPError(-32602, text))
    return cast(Exception, found.McpError(found.types.ErrorData(code=-32602, message=text)))


def _build() -> Any:  # the manager's class differs between versions of mcp
    from mcp.server.lowlevel import Server
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    server = _with_decorators(Server) if hasattr(Server, "list_tools") else _with_arguments(Server)
    return StreamableHTTPSessionManager(app=server, stateless=True)


def _with_decorators(make: Any) -> Any:
    """For `mcp` 1.x."""
    from mcp import types

    server = make("agor", version=__version__, instructions=INSTRUCTIONS)
    handlers: Any = server.request_handlers
    results: Any = types

    async def list_tools(_request: Any) -> Any:
        return results.ServerResult(types.ListToolsResult.model_validate({"tools": _listed()}))

    async def call_tool(request: Any) -> Any:
        answer = await call(request.params.name, request.params.arguments or {})
        return results.ServerResult(types.CallToolResult.model_validate(answer))

    async def list_resources(_request: Any) -> Any:
        return results.ServerResult(types.ListResourcesResult.model_validate({"resources": resources.of(ENGINE.get())}))

    async def list_templates(_request: Any) -> Any:
        found = {"resourceTemplates": resources.TEMPLATES}
        return results.ServerResult(types.ListResourceTemplatesResult.model_validate(found))

    async def read(request: Any) -> Any:
        return results.ServerResult(types.ReadResourceResult.model_validate({"contents": await _read(str(request.params.uri))}))

    async def list_prompts(_request: Any) -> Any:
        return results.ServerResult(types.ListPromptsResult.model_validate({"prompts": prompts.LISTED}))

    async def get_prompt(request: Any) -> Any:
        return results.ServerResult(types.GetPromptResult.model_validate(_prompt(request.params.name, request.params.arguments)))

    handlers[types.ListToolsRequest] = list_tools
    handlers[types.CallToolRequest] = call_tool
    handlers[types.ListResourcesRequest] = list_resources
    handlers[types.ListResourceTemplatesRequest] = list_templates
    handlers[types.ReadResourceRequest] = read
    handlers[types.ListPromptsRequest] = list_prompts
    handlers[types.GetPromptRequest] = get_prompt
    return server


def _with_arguments(make: Any) -> Any:
    """For `mcp` 2.x."""
    from mcp import types

    async def list_tools(_context: Any, _params: Any) -> Any:
        return types.ListToolsResult.model_validate({"tools": _listed()})

    async def call_tool(_context: Any, params: Any) -> Any:
        return types.CallToolResult.model_validate(await call(params.name, params.arguments or {}))

    async def list_resources(_context: Any, _params: Any) -> Any:
        return types.ListResourcesResult.model_validate({"resources": resources.of(ENGINE.get())})

    async def list_templates(_context: Any, _params: Any) -> Any:
        return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": resources.TEMPLATES})

    async def read(_context: Any, params: Any) -> Any:
        return types.ReadResourceResult.model_validate({"contents": await _read(str(params.uri))})

    async def list_prompts(_context: Any, _params: Any) -> Any:
        return types.ListPromptsResult.model_validate({"prompts": prompts.LISTED})

    async def get_prompt(_context: Any, params: Any) -> Any:
        return types.GetPromptResult.model_validate(_prompt(params.name, params.arguments))

    return make(
        "agor",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )


@functools.cache
def _listed() -> list[dict[str, Any]]:
    return [tool.describe() for tool in _tools().values()]


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
