"""The table of the JSON API: each address, and the function of `handlers/` that answers. Lists and does nothing else.

The functions are imported when the first request needs them, or when the server has started: the server's start pays for none.
"""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated

from agor_jupyter.server.base import Handler


@dataclass(frozen=True)
class Route:
    """`methods` maps an HTTP method to a function of `handlers/{module}.py`. `{name}` in the path is one segment of it."""

    path: str
    module: str
    methods: dict[str, str]
    max_body: int = 1 << 20
    """Bytes."""

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def pattern(self) -> str:
        parts = [r"([^/]+)" if part.startswith("{") else part.replace(".", r"\.") for part in self.path.split("/")]
        return "/agor/" + "/".join(parts)


ROUTES = (
    Route("api/me", "me", {"GET": "me"}),
    Route("api/checks", "checks", {"GET": "index"}),
    Route("api/openapi.json", "openapi", {"GET": "document"}),
    Route("api/agents", "agents", {"GET": "index"}),
    Route("api/agents/{agent}", "agents", {"GET": "get"}),
    Route("api/agents/{agent}/check", "agents", {"POST": "check"}),
    Route("api/agents/{agent}/install", "agents", {"POST": "install"}),
    Route("api/repos", "repos", {"GET": "index", "POST": "add"}),
    Route("api/repos/{repo}", "repos", {"GET": "get", "DELETE": "remove"}),
    Route("api/repos/{repo}/branches", "repos", {"GET": "branches"}),
    Route("api/repos/{repo}/check", "repos", {"GET": "check"}),
    Route("api/repos/{repo}/git", "repos", {"GET": "place"}),
    Route("api/repos/{repo}/adoptable", "repos", {"GET": "adoptable"}),
    Route("api/repos/{repo}/relocate", "repos", {"POST": "relocate"}),
    Route("api/worktrees", "worktrees", {"GET": "index", "POST": "create"}),
    Route("api/backups", "backups", {"GET": "index"}),
    Route("api/worktrees/status", "worktrees", {"POST": "statuses"}),
    Route("api/worktrees/adopt", "worktrees", {"POST": "adopt"}),
    Route("api/worktrees/{worktree}", "worktrees", {"GET": "get", "PATCH": "change", "DELETE": "remove"}),
    Route("api/worktrees/{worktree}/archive", "worktrees", {"POST": "archive"}),
    Route("api/worktrees/{worktree}/restore", "worktrees", {"POST": "restore"}),
    Route("api/worktrees/{worktree}/retry", "worktrees", {"POST": "retry"}),
    Route("api/worktrees/{worktree}/kept", "worktrees", {"GET": "kept"}),
    Route("api/worktrees/{worktree}/take", "worktrees", {"GET": "would_take", "POST": "take"}),
    Route("api/worktrees/{worktree}/attachments", "attachments", {"POST": "create"}, max_body=15 << 20),
    Route("api/worktrees/{worktree}/attachments/{attachment}", "attachments", {"GET": "get"}),
    Route("api/worktrees/{worktree}/relocate", "worktrees", {"POST": "relocate"}),
    Route("api/worktrees/{worktree}/release", "worktrees", {"POST": "release"}),
    Route("api/worktrees/{worktree}/stop-setup", "worktrees", {"POST": "stop_setup"}),
    Route("api/worktrees/{worktree}/ways/{kind}", "worktrees", {"POST": "mend"}),
    Route("api/worktrees/{worktree}/zone", "zones", {"PUT": "drop"}),
    Route("api/worktrees/{worktree}/zone/preview", "zones", {"POST": "preview"}),
    Route("api/worktrees/{worktree}/status", "worktrees", {"GET": "status"}),
    Route("api/kernels", "kernels", {"GET": "index"}),
    Route("api/worktrees/{worktree}/kernel", "kernels", {"GET": "get", "POST": "make", "DELETE": "remove"}),
    Route("api/worktrees/{worktree}/issue", "issues", {"GET": "issue"}),
    Route("api/worktrees/{worktree}/pull-request", "issues", {"GET": "pull_request"}),
    Route("api/worktrees/{worktree}/losses", "worktrees", {"GET": "losses"}),
    Route("api/worktrees/{worktree}/diff", "worktrees", {"GET": "diff"}),
    Route("api/worktrees/{worktree}/git", "worktrees", {"GET": "place"}),
    Route("api/worktrees/{worktree}/project-files", "project_files", {"GET": "index", "POST": "decide"}),
    Route("api/worktrees/{worktree}/data", "data", {"GET": "index"}),
    Route("api/worktrees/{worktree}/data/{name}/reset", "data", {"POST": "reset"}),
    Route("api/worktrees/{worktree}/history", "history", {"GET": "index"}),
    Route("api/worktrees/{worktree}/import", "history", {"POST": "import_"}),
    Route("api/environments", "environments", {"GET": "index"}),
    Route("api/worktrees/{worktree}/environment", "environments", {"GET": "get"}),
    Route("api/worktrees/{worktree}/environment/start", "environments", {"POST": "start"}),
    Route("api/worktrees/{worktree}/environment/stop", "environments", {"POST": "stop"}),
    Route("api/worktrees/{worktree}/environment/restart", "environments", {"POST": "restart"}),
    Route("api/worktrees/{worktree}/environment/reset", "environments", {"POST": "reset"}),
    Route("api/worktrees/{worktree}/environment/logs", "environments", {"GET": "logs"}),
    Route("api/worktrees/{worktree}/environment/logs/download", "environments", {"GET": "download"}),
    Route("api/search", "search", {"GET": "find"}),
    Route("api/sessions", "sessions", {"GET": "index", "POST": "create"}),
    Route("api/sessions/{session}", "sessions", {"GET": "get", "PATCH": "change"}),
    Route("api/sessions/{session}/fork", "sessions", {"POST": "fork"}),
    Route("api/sessions/{session}/tree", "sessions", {"GET": "tree"}),
    Route("api/sessions/{session}/prompt", "sessions", {"POST": "prompt"}),
    Route("api/sessions/{session}/render", "templates", {"POST": "render"}),
    Route("api/sessions/{session}/cancel", "sessions", {"POST": "cancel"}),
    Route("api/sessions/{session}/archive", "sessions", {"POST": "archive"}),
    Route("api/sessions/{session}/events", "sessions", {"GET": "events"}),
    Route("api/sessions/{session}/turns", "turns", {"GET": "index"}),
    Route("api/turns/{turn}", "turns", {"GET": "get"}),
    Route("api/turns/{turn}/patch", "turns", {"GET": "patch"}),
    Route("api/turns/{turn}/cancel", "turns", {"POST": "cancel"}),
    Route("api/turns/{turn}/resume", "turns", {"POST": "resume"}),
    Route("api/turns/{turn}/retry", "turns", {"POST": "retry"}),
    Route("api/turns/{turn}/discard", "turns", {"POST": "discard"}),
    Route("api/firings", "firings", {"GET": "index"}),
    Route("api/firings/{firing}", "firings", {"GET": "get"}),
    Route("api/firings/{firing}/start", "firings", {"POST": "start"}),
    Route("api/firings/{firing}/approve", "firings", {"POST": "approve"}),
    Route("api/firings/{firing}/reject", "firings", {"POST": "reject"}),
    Route("api/firings/{firing}/retry", "firings", {"POST": "retry"}),
    Route("api/firings/{firing}/withdraw", "firings", {"POST": "withdraw"}),
    Route("api/firings/{firing}/verdict", "firings", {"POST": "verdict"}),
    Route("api/schedules", "schedules", {"GET": "index", "POST": "create"}),
    Route("api/schedules/preview", "schedules", {"POST": "preview"}),
    Route("api/schedules/{schedule}", "schedules", {"GET": "get", "PATCH": "change", "DELETE": "remove"}),
    Route("api/schedules/{schedule}/next", "schedules", {"GET": "next_times"}),
    Route("api/schedules/{schedule}/slots", "schedules", {"GET": "of_schedule"}),
    Route("api/schedules/{schedule}/run", "schedules", {"POST": "run"}),
    Route("api/schedules/{schedule}/pause", "schedules", {"POST": "pause"}),
    Route("api/schedules/{schedule}/resume", "schedules", {"POST": "resume"}),
    Route("api/schedules/{schedule}/approve", "schedules", {"POST": "approve"}),
    Route("api/schedules/{schedule}/reject", "schedules", {"POST": "reject"}),
    Route("api/schedules/{schedule}/secret", "schedules", {"POST": "renew_secret"}),
    Route("api/slots", "slots", {"GET": "calendar"}),
    Route("api/slots/{slot}", "slots", {"GET": "get"}),
    Route("api/slots/{slot}/cancel", "slots", {"POST": "cancel"}),
    Route("api/permissions", "permissions", {"GET": "index"}),
    Route("api/permissions/{permission}/answer", "permissions", {"POST": "answer"}),
    Route("api/preferences", "preferences", {"GET": "index"}),
    Route("api/preferences/{agent}", "preferences", {"PATCH": "change"}),
    Route("api/rules", "rules", {"GET": "index", "POST": "create"}),
    Route("api/rules/{rule}", "rules", {"DELETE": "revoke"}),
    Route("api/variables", "variables", {"GET": "index"}),
    Route("api/variables/{name}", "variables", {"PATCH": "change", "DELETE": "remove"}),
    Route("api/destinations", "destinations", {"GET": "index", "POST": "add"}),
    Route("api/destinations/{destination}", "destinations", {"PATCH": "change", "DELETE": "remove"}),
    Route("api/destinations/{destination}/test", "destinations", {"POST": "test"}),
    Route("api/tokens", "tokens", {"GET": "index", "POST": "create"}),
    Route("api/tokens/{token}", "tokens", {"DELETE": "revoke"}),
    Route("api/ledger", "ledger", {"GET": "index"}),
    Route("api/budgets", "budgets", {"GET": "index", "POST": "put"}),
    Route("api/budgets/{budget}", "budgets", {"DELETE": "remove"}),
    Route("api/refusals", "refusals", {"GET": "index"}),
    Route("api/boards", "boards", {"GET": "index", "POST": "open_board"}),
    Route("api/board", "boards", {"GET": "get"}),
    Route("api/board/snapshot", "boards", {"GET": "snapshot"}),
    Route("api/board/room", "boards", {"GET": "room"}),
    Route("api/board/templates", "boards", {"GET": "templates"}),
    Route("api/board/template", "boards", {"GET": "export", "POST": "extend"}, max_body=4 << 20),
    Route("api/board/zones", "boards", {"POST": "add_zone"}),
    Route("api/board/zones/{object_id}", "zones", {"PATCH": "change"}),
    Route("api/board/cards/{object_id}/worktree", "worktrees", {"POST": "create_of_card"}),
    Route("api/board/notes", "boards", {"POST": "add_note"}),
    Route("api/board/objects/{object_id}", "boards", {"PATCH": "move", "DELETE": "remove"}),
)
MODULES = tuple(sorted({f"agor_jupyter.server.handlers.{route.module}" for route in ROUTES}))


def handler_of(route: Route) -> type[Handler]:
    """A tornado handler with a method for each of the route's."""
    methods = {method.lower(): _method(route.module, name) for method, name in route.methods.items()}
    title = "".join(part.capitalize() for part in route.path.replace("{", "").replace("}", "").replace(".", "/").split("/")[1:])
    return type(f"{title}Handler", (Handler,), {**methods, "route": route, "max_body": route.max_body})


def function_of(module: str, name: str) -> Callable[..., Awaitable[Any]]:
    function = getattr(importlib.import_module(f"agor_jupyter.server.handlers.{module}"), name)
    assert callable(function)
    return function  # type: ignore[no-any-return]  # the test of the table proves it


def _method(module: str, name: str) -> Callable[..., Awaitable[None]]:
    @ws_authenticated  # answers 403 where `web.authenticated` would redirect to a login page
    async def method(handler: Handler, *path: str) -> None:
        try:
            if f"agor_jupyter.server.handlers.{module}" not in sys.modules:
                await asyncio.to_thread(function_of, module, name)
            from agor_jupyter.server import operations

            await operations.run(handler, operations.of(function_of(module, name)), path)
        except Exception as error:  # noqa: BLE001 the root of every handler
            handler.refuse(error)

    return method
