"""The address of a schedule, to which other services post. Nobody logs in there: the schedule's own secret is what lets a message in."""

import json
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from agor_jupyter.server.errors import translate
from agor_jupyter.server.lifetime import Lifetime

MAX_BODY = 256 << 10


@web.stream_request_body
class Hook(JupyterHandler):
    """Answers 202 with the slot, 200 if nothing starts, 404 without the right secret, 413 and 429 for too much."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        self._body = bytearray()
        self.current_user = self._jupyter_current_user = None  # what a browser sends along counts for nothing here
        if self.request.method != "POST":
            raise web.HTTPError(405)
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise web.HTTPError(413, f"The body is larger than {MAX_BODY >> 10} KiB.")
        assert self.request.connection is not None
        self.request.connection.set_max_body_size(MAX_BODY)  # type: ignore[attr-defined]  # of HTTP/1, which is all there is

    def data_received(self, chunk: bytes) -> None:
        if len(self._body) + len(chunk) <= MAX_BODY:
            self._body += chunk

    def check_xsrf_cookie(self) -> None:
        """No cookie counts here."""

    @allow_unauthenticated
    async def post(self, schedule: str) -> None:
        lifetime = self.settings["agor"]
        assert isinstance(lifetime, Lifetime)
        try:
            webhooks = (await lifetime.ready()).webhooks
            if webhooks.is_flooded(schedule):
                self.set_header("Retry-After", "60")
                raise web.HTTPError(429, "Too many messages came to this address. Try again in a minute.")
            slot = await webhooks.take(schedule, self.request.headers, bytes(self._body))
        except Exception as error:  # noqa: BLE001  # the root of this handler
            self._refuse(error)
            return
        self.set_status(202 if slot is not None else 200)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"slot": slot.id if slot is not None else None}))

    def _refuse(self, error: BaseException) -> None:
        answer = translate(error)
        self.set_status(answer.status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(answer.body))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self._refuse((kwargs.get("exc_info") or (None, web.HTTPError(status_code), None))[1])

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """`translate` logs what needs it."""
