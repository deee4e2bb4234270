"""MCP for agents and for people's own clients: one ASGI app on one route.

A bearer token of our own, never a cookie, a URL or Jupyter's token.
"""

import asyncio
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from agor_jupyter.server.base import role_of
from agor_jupyter.server.errors import translate
from agor_jupyter.server.lifetime import Lifetime

MAX_BODY_BYTES = 1 << 20


class McpHandler(JupyterHandler):
    """`POST {base_url}agor/mcp`. Bridges Tornado and ASGI without buffering; a client that leaves is an `http.disconnect`."""

    def initialize(self) -> None:
        self._gone = asyncio.Event()
        self._is_read = False

    def check_xsrf_cookie(self) -> None:
        """No cookie is ever looked at."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Instead of Jupyter's own, which takes cookies and `?token=`."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        is_page = self.request.headers.get("Origin") or "token" in self.request.query_arguments  # an agent sends neither
        if not self.check_host() or is_page:
            raise web.HTTPError(403)
        if len(self.request.body) > MAX_BODY_BYTES:
            raise web.HTTPError(413)
        if scheme.lower() != "bearer" or not token.strip():
            self._challenge("", "This address needs a token of a session or a person: Authorization: Bearer …")
            return
        lifetime: Lifetime = self.settings["agor"]
        try:
            engine = await lifetime.ready()
        except Exception as error:  # noqa: BLE001  # whatever kept the services from opening
            answer = translate(error)
            self.set_status(answer.status)
            self.set_header("Retry-After", "1")
            self.finish(answer.body)
            return
        delegation = await self._authenticate(engine, token.strip())
        if delegation is None:
            self._challenge(', error="invalid_token"', "This token is not valid: it was revoked, has expired, or never existed.")
            return
        self._mcp = self.settings["agor_app"].mcp
        self._delegation = delegation

    def _challenge(self, error: str, text: str) -> None:
        """As RFC 6750, section 3, has it: without a token there is no error code."""
        self.set_status(401)
        self.set_header("WWW-Authenticate", f'Bearer realm="agor"{error}')
        self.finish({"error": "invalid_token" if error else "token_needed", "message": text})

    async def _authenticate(self, engine: Any, token: str) -> Any:  # their types would load the services
        """The engine as the agent of a session sees it, or as a person's own client does. `None`: the token opens nothing."""
        session_id = await engine.grants.authenticate(token)
        if session_id is not None:
            return await engine.delegate(session_id)
        personal = await engine.tokens.authenticate(token)
        if personal is None:
            return None
        role: str | None = personal.role
        if personal.is_asked:
            role = await role_of(self, User(username=personal.person.username, name=personal.person.name))
        return engine.represent(personal, type(personal.role)(role)) if role is not None else None

    def on_connection_close(self) -> None:
        self._gone.set()

    def compute_etag(self) -> None:
        return None

    @allow_unauthenticated  # `prepare` is the authentication
    async def post(self) -> None:
        from agor_jupyter.mcp.app import ENGINE

        token = ENGINE.set(self._delegation)
        try:
            await self._mcp(self._scope(), self._receive, self._send)
        except OSError:
            if not self._gone.is_set():
                raise
        finally:
            ENGINE.reset(token)
        if not self._gone.is_set() and not self._finished:
            await self.finish()

    def _scope(self) -> dict[str, Any]:
        """ASGI's own form of the request."""
        request = self.request
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.protocol,
            "path": request.path,
            "raw_path": request.path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in request.headers.get_all()],
            "client": (request.remote_ip, 0),
            "server": (request.host_name, None),
            "state": {},
        }

    async def _receive(self) -> dict[str, object]:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self.request.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self._gone.is_set():
            raise OSError("client gone")  # what ASGI servers raise
        if message["type"] == "http.response.start":
            self.set_status(message["status"])
            self.clear_header("Content-Type")
            for key, value in message.get("headers", ()):
                self.set_header(key.decode("latin-1"), value.decode("latin-1"))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                self.write(message["body"])
            if message.get("more_body"):
                await self._flush()

    async def _flush(self) -> None:
        try:
            await self.flush()  # returns when the bytes are in the socket: backpressure
        except StreamClosedError:
            self._gone.set()
            raise OSError("client gone") from None
