"""Keeps a row for each refused command, so that an owner can see who tried what."""

from agor_jupyter.domain.people import Caller, Refusal, Role
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import refusals
from agor_jupyter.storage.store import Store

_SHOWN = 200


class Refusals:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def note(self, username: str, action: str, surface: str) -> None:
        """`action` says what was tried, such as “POST sessions/se_…/prompt”. No body is kept."""
        await self._store.write(refusals.insert, at=self._clock.now(), username=username, action=action, surface=surface)

    async def list(self, caller: Caller) -> list[Refusal]:
        """The newest 200, the latest first."""
        caller.require(Role.OWNER, "read the audit trail")
        return await self._store.read(refusals.newest, _SHOWN)
