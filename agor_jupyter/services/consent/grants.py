"""What an agent may do with its token, over MCP.

A token belongs to one run of one session and dies with it. 256 random bits, handed over in the ACP handshake only: never in an
argument list, a URL, an environment variable or a log; at rest there is its SHA-256.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain.ids import RunId, SessionId
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import grants
from agor_jupyter.storage.store import Store


def hash_of(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class Grants:
    """`url` is where the MCP server answers, `warm` waits until it does; without a `url` no agent gets tools."""

    def __init__(self, store: Store, clock: Clock, url: str | None = None, warm: Callable[[], Awaitable[None]] | None = None) -> None:
        self._store, self._clock, self._url, self._warm = store, clock, url, warm

    async def offer(self, session_id: SessionId, run_id: RunId, mask: Mask) -> list[JsonObject]:
        """The MCP servers for an agent, in ACP's wire form, with a fresh token. `mask` takes the token out of what the agent says."""
        if self._url is None:
            return []
        if self._warm is not None:
            await self._warm()  # an agent that finds it slow starts its first turn without the tools
        token = await self.mint(session_id, run_id)
        mask.add({"AGOR_MCP_TOKEN": token})
        header = {"name": "Authorization", "value": f"Bearer {token}"}
        return [{"type": "http", "name": "agor", "url": self._url, "headers": [header]}]

    async def mint(self, session_id: SessionId, run_id: RunId) -> str:
        token = secrets.token_urlsafe(32)
        await self._store.write(grants.insert, hash_of(token), session_id, run_id, self._clock.now())
        return token

    async def authenticate(self, token: str) -> SessionId | None:
        """The session that the token speaks for, or `None`."""
        return await self._store.read(grants.find, hash_of(token)) if token else None

    async def revoke(self, run_id: RunId) -> None:
        await self._store.write(grants.revoke, run_id)

    async def revoke_all(self) -> None:
        """At start: every run of the last server is dead."""
        await self._store.write(grants.revoke_all)
