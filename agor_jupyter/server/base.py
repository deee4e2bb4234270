"""What every route of ours goes through before anything else: who asks, from where, and what they may do.

A route is closed unless it says otherwise, and none does but the static bundle. Loads nothing but tornado.
"""

import json
import re
import time
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlparse

from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from agor_jupyter.server.errors import translate
from agor_jupyter.server.lifetime import Lifetime

RESOURCE = "agor_jupyter"
_ROLE_SECONDS = 5.0
_ACTIONS = (("execute", "owner"), ("write", "steerer"), ("read", "viewer"))

_roles: dict[tuple[int, str], tuple[float, str | None]] = {}


def knows_people(provider: IdentityProvider) -> bool:
    """Jupyter's own providers let in whoever has the one token or password, under a random name that stays with the browser."""
    return type(provider) not in (IdentityProvider, PasswordIdentityProvider)


async def role_of(handler: JupyterHandler, user: User) -> str | None:
    """The name of the highest role that the server's authorizer grants `user`, kept for 5 s. `None`: not even reading."""
    key = (id(handler.authorizer), user.username)
    until, role = _roles.get(key, (0.0, None))
    if until > (now := time.monotonic()):
        return role
    role = None
    for action, name in reversed(_ACTIONS):
        if not await ensure_async(handler.authorizer.is_authorized(handler, user, action, RESOURCE)):
            break
        role = name
    if len(_roles) > 1000:
        _roles.clear()
    _roles[key] = (now + _ROLE_SECONDS, role)
    return role


class Guarded(JupyterHandler):
    """Refuses with 403: a foreign host, a foreign origin, a token in the URL, a missing login, a cookie without the XSRF token."""

    auth_resource = RESOURCE
    leads_to_login = False
    """Whether a stranger's GET is led to the login, as it is for a page that people open, instead of refused."""

    @property
    def lifetime(self) -> Lifetime:
        lifetime = self.settings["agor"]
        assert isinstance(lifetime, Lifetime)
        return lifetime

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        if "token" in self.request.query_arguments:
            # It would lie in logs and histories, and Jupyter skips the check of the origin for it.
            self.current_user = self._jupyter_current_user = None
            raise web.HTTPError(403, "A token in the URL is not accepted here. Send it in the Authorization header.")
        if self._is_foreign():
            self.current_user = self._jupyter_current_user = None
            raise web.HTTPError(403, "A page from another origin may not request this.")
        is_led = self.leads_to_login and self.request.method == "GET"
        result = super().prepare(_redirect_to_login=is_led)
        if isinstance(result, Awaitable):
            await result
        if self.current_user is None and not is_led:
            raise web.HTTPError(403)

    def _is_foreign(self) -> bool:
        """Jupyter's rule, without its exception for requests that carry a token."""
        origin, host = self.get_origin(), self.request.headers.get("Host")
        if origin is None or self.allow_origin == "*" or urlparse(origin.lower()).netloc == (host or "").lower():
            return False
        if self.allow_origin:
            return bool(self.allow_origin != origin.lower())
        return not (self.allow_origin_pat and re.fullmatch(self.allow_origin_pat, origin.lower()))

    async def role(self) -> str | None:
        """The name of the highest role that the caller has."""
        return await role_of(self, self.current_user)

    @property
    def is_plain(self) -> bool:
        """Whether the caller is a user of Jupyter's own kind, whom an authorizer knows by name alone."""
        return type(self.current_user) is User

    async def may(self, action: str, resource: str) -> bool:
        """What the server's authorizer says about one of Jupyter's own resources."""
        return bool(await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, resource)))

    def person(self) -> dict[str, str | None]:
        """The fields of a `Person`.

        Jupyter's own providers give a request with the server's token and no cookie a new random name. That request comes from
        a process of the person who runs the server, so it has that person's name.
        """
        user: User = self.current_user
        provider = self.identity_provider
        is_nameless = not knows_people(provider) and self.token_authenticated
        if is_nameless and not self.get_secure_cookie(provider.get_cookie_name(self)):
            name = self.lifetime.owner
            return {"username": name, "name": name, "initials": name[:1].upper(), "color": None}
        name = user.display_name or user.name or user.username
        return {"username": user.username, "name": name, "initials": user.initials or name[:1].upper(), "color": user.color}

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What tornado refuses by itself, in our form."""
        error = (kwargs.get("exc_info") or (None, web.HTTPError(status_code), None))[1]
        self.refuse(error)

    def refuse(self, error: BaseException) -> None:
        answer = translate(error)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(answer.body))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """`translate` logs what needs it."""

    @property
    def content_security_policy(self) -> str:
        return f"{super().content_security_policy}; default-src 'none'"


@web.stream_request_body
class Handler(Guarded):
    """A route of the JSON API. The body is read only after the guard has let the request in, and only up to `max_body`."""

    max_body = 1 << 20
    """Bytes."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        self._body = bytearray()
        await super().prepare()
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > self.max_body:
            raise web.HTTPError(413, f"The body is larger than {self.max_body >> 20} MiB.")
        assert self.request.connection is not None
        self.request.connection.set_max_body_size(self.max_body)  # type: ignore[attr-defined]  # of HTTP/1, which is all there is
        if self.request.method in ("POST", "PATCH", "PUT"):
            kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise web.HTTPError(415, "The body must be JSON, with Content-Type: application/json.")

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise web.HTTPError(400, f"{'The address' if name is None else name} has characters that are no text.") from None

    def data_received(self, chunk: bytes) -> None:
        if not self._finished and len(self._body) + len(chunk) <= self.max_body:
            self._body += chunk

    @property
    def body(self) -> bytes:
        return bytes(self._body)

    def compute_etag(self) -> str | None:
        return None  # hashing a snapshot costs more than sending it


class NothingHere(Handler):
    """Whatever else lies under `api/`: nothing, but that too only for those who may ask."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        await super().prepare()
        raise web.HTTPError(404)
