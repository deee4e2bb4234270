"""The connection to the server that handles and commands share, and how the right server is found."""

import atexit
import contextlib
import os
import uuid
from collections.abc import AsyncGenerator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from agor_jupyter.client.discovery import data_dir as default_data_dir
from agor_jupyter.client.discovery import holder, told
from agor_jupyter.client.http import Client
from agor_jupyter.client.paths import absolute
from agor_jupyter.client.private import PrivateServer
from agor_jupyter.client.stream import Resync, Stream
from agor_jupyter.domain.boards import Me
from agor_jupyter.domain.errors import BadUrl
from agor_jupyter.domain.records import Record

Json = Any  # what `json.loads` gives; the caller makes a record of it


class Link:
    """One server, over HTTP and the event stream. `private` is its process, when it is ours."""

    def __init__(self, url: str, token: str, *, private: PrivateServer | None = None) -> None:
        self._client = Client(url, token)
        self._private = private

    @property
    def url(self) -> str:
        return self._client.url

    @property
    def http(self) -> Client:
        return self._client

    @property
    def is_private(self) -> bool:
        """The server ends with this process."""
        return self._private is not None

    @property
    def is_alive(self) -> bool:
        return self._private is None or self._private.is_running

    @cached_property
    def me(self) -> Me:
        return Me.model_validate(self.get("me"))

    def get(self, at: str, /, **query: object) -> Json:
        """`at` is relative to `agor/api/`; a query value that is `None` is left out."""
        return self._client.request("GET", at, query=query)

    def post(self, at: str, body: Record | Mapping[str, object] | None = None, /, **query: object) -> Json:
        """Carries a key of its own, so that it is done once also when it is sent again."""
        return self._client.request("POST", at, body=body, query=query, key=uuid.uuid4().hex)

    def put(self, at: str, body: Record, /) -> Json:
        """Carries a key of its own, as `post` does."""
        return self._client.request("PUT", at, body=body, key=uuid.uuid4().hex)

    def patch(self, at: str, body: Record, /, **query: object) -> Json:
        """Sends only the fields that were set."""
        return self._client.request("PATCH", at, body=body, query=query)

    def delete(self, at: str, /, **query: object) -> Json:
        return self._client.request("DELETE", at, query=query, key=uuid.uuid4().hex)

    def items(self, at: str, /, **query: object) -> list[Json]:
        """All items of a list, page by page where it has pages."""
        found: list[Json] = []
        before: str | None = None
        while True:
            page = self.get(at, **query, **({"before": before} if before else {}))
            if isinstance(page, list):
                return page
            found += page["items"]
            before = page.get("next")
            if not before:
                return found

    async def changes(self, of: str) -> AsyncGenerator[None, None]:
        """Yields once when the stream is live, then each time something about this id happened, or may have: of a session, a worktree…"""
        async with Stream(self.url, self._client.token) as stream:
            yield
            while True:
                try:
                    async with contextlib.aclosing(stream.frames()) as frames:
                        async for events in frames:
                            if any(event.session_id == of or of in event.body.encode().decode() for event in events):
                                yield
                except Resync:
                    await stream.connect()
                    yield

    def board_path(self, path: str | os.PathLike[str]) -> str:
        """A board's path as the server says it: relative to its root. What you pass is relative to this process's folder."""
        root = Path(self.me.root_dir).resolve()
        here = absolute(path)
        return here.relative_to(root).as_posix() if here.is_relative_to(root) else str(path)

    def stop(self) -> None:
        """Stop the server if it is ours, and close the connections."""
        self._client.close()
        if self._private is not None:
            self._private.stop()


_ours: dict[Path, Link] = {}
"""Private servers of this process by their data directory: connecting again finds the same one."""


def reach(*, url: str | None = None, token: str | None = None, data_dir: str | os.PathLike[str] | None = None) -> Link:
    """The server at `url`; else the one this process belongs to, or that has the data open; else a private one."""
    if url:
        if not url.startswith(("http://", "https://")):
            raise BadUrl(url, "a Jupyter server's address begins with http:// or https://")
        if not url.isprintable() or " " in url:
            raise BadUrl(url, "it has characters that an address does not have")
        return Link(url, token or "")
    if not data_dir and (server := told()):
        return Link(server.url, server.token)
    folder = absolute(data_dir) if data_dir else default_data_dir()
    if (known := _ours.get(folder)) and known.is_alive:
        return known
    if server := holder(folder):
        return Link(server.url, server.token)
    private = PrivateServer(Path.cwd(), data_dir=folder).start()
    link = _ours[folder] = Link(private.url, private.token, private=private)
    atexit.register(link.stop)
    return link
