"""The page behind a link of an environment: leads to what its service serves, and starts what is stopped. Loads nothing but tornado."""

import contextlib
import secrets
import uuid
from html import escape
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from tornado import web

from agor_jupyter.server.base import Guarded
from agor_jupyter.server.errors import translate

_REFRESH_S = 2
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 15vh auto; padding: 0 1rem; overflow-wrap: anywhere; color: CanvasText; background: Canvas; }
h1 { font-size: 1.25rem; } button { font: inherit; padding: .4rem 1rem; } li { white-space: pre-wrap; }
"""


class OpenLink(Guarded):
    """`GET {base_url}agor/open/{worktree}/{link}`.

    A browser is sent on once the service is healthy. Until then a page says how it is, and looks again. A stopped one is started for an
    owner, but only when the person came here from this server or by their own hand: another site's page leads to a button.
    """

    leads_to_login = True

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        self._nonce = secrets.token_urlsafe(16)
        await super().prepare()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    @property
    def content_security_policy(self) -> str:
        nonce = getattr(self, "_nonce", None)  # Jupyter sets the headers before it prepares
        return super().content_security_policy + (f"; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'" if nonce else "")

    @web.authenticated
    async def get(self, worktree: str, link: str) -> None:
        is_trusted = self.request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")
        await self._answer(worktree, link, may_begin=is_trusted and not self.get_query_arguments("wait"))

    @web.authenticated
    async def post(self, worktree: str, link: str) -> None:
        await self._answer(worktree, link, may_begin=True)

    async def _answer(self, worktree: str, link: str, *, may_begin: bool) -> None:
        try:
            await self._open(worktree, link, may_begin=may_begin)
        except Exception as error:  # noqa: BLE001  # the root of this handler
            answer = translate(error)
            self.set_status(answer.status)
            self._show(f"“{link}” cannot be opened", [answer.body["error"]["message"]])

    async def _open(self, worktree: str, link: str, *, may_begin: bool) -> None:
        from agor_jupyter.domain import errors
        from agor_jupyter.domain.people import Caller, Person, Role

        person, role = Person(**self.person()), await self.role()
        if role is None:
            raise errors.NotAllowed(who=person.name, action="look at this environment", needs=Role.VIEWER.value)
        caller = Caller(person=person, role=Role(role))
        agor = await self.lifetime.ready()
        openings = agor.environments.openings
        opening = await openings.look(caller, worktree, link)
        may_start = caller.role is Role.OWNER
        if opening.url is None and may_begin and (may_start or self.request.method == "POST"):
            try:
                opening = await openings.begin(caller, worktree, link, uuid.uuid4().hex)
            except errors.NotAllowed:
                with contextlib.suppress(errors.Unavailable):  # a full disk does not make it another answer
                    await agor.refusals.note(person.username, f"{self.request.method} open/{worktree}/{link}", "http")
                raise
        if opening.url is not None:
            self.redirect(self.base_url.rstrip("/") + opening.url, status=303 if self.request.method == "POST" else 302)
            return
        self._tell(opening, may_start=may_start)

    def _tell(self, opening: Any, *, may_start: bool) -> None:  # their types would load the services
        name = f"“{opening.link}” of worktree “{opening.environment.worktree}”"
        lines = [f"{one.name}: {one.state.value}" for one in opening.environment.services]
        if opening.reason:
            lines.append(opening.reason)
        if opening.is_under_way:
            self._show(f"{name} is on its way: {opening.state.value}", lines, is_waiting=True)
        elif may_start:
            self._show(f"{name} is not up: {opening.state.value}", lines, has_button=True)
        else:
            self._show(f"{name} is not up: {opening.state.value}", [*lines, "An owner can start it."])

    def _show(self, title: str, lines: list[str], *, is_waiting: bool = False, has_button: bool = False) -> None:
        here = "./" + quote(unquote_to_bytes(self.request.path.rpartition("/")[2]), safe="")
        refresh = f'<meta http-equiv="refresh" content="{_REFRESH_S}; url={here}?wait=1">' if is_waiting else ""
        button = f'<form method="post" action="{here}">{self.xsrf_form_html()}<button>Start it</button></form>' if has_button else ""
        listed = "".join(f"<li>{escape(_clean(line))}</li>" for line in lines)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", self.content_security_policy)
        self.finish(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(_clean(title))}</title>{refresh}'
            f'<meta name="viewport" content="width=device-width"><style nonce="{self._nonce}">{_STYLE}</style></head>'
            f'<body><main><h1 role="status">{escape(_clean(title))}</h1><ul>{listed}</ul>{button}</main></body></html>'
        )


def _clean(text: str) -> str:
    from agor_jupyter.domain.text import plain

    return plain(text)
