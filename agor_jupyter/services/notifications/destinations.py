"""Destinations of a person: name one, change it, try it, remove it. An address goes in, and comes out only into the process that sends.

Where an address may lead: `docs/decisions/where-messages-may-go.md`.
"""

import asyncio
import re
from collections.abc import Sequence

from agor_jupyter.domain import errors
from agor_jupyter.domain.destinations import MAX_DESTINATIONS, Destination, DestinationAdd, DestinationChange, DestinationTested
from agor_jupyter.domain.ids import DestinationId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.executors.notifier import Notifier
from agor_jupyter.services.agents.secrets import Secrets
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import once, stored
from agor_jupyter.services.config import Config
from agor_jupyter.storage import destinations, messages
from agor_jupyter.storage.store import Store, Transaction

_CONTROL = re.compile(r"[\x00-\x20\x7f]")
TEST_TITLE = "A test message of Agor"
TEST_BODY = "This place is told when something on a board needs you."


class Destinations:
    def __init__(  # noqa: PLR0917
        self, store: Store, clock: Clock, config: Config, variables: Variables, boards: Boards, notifier: Notifier
    ) -> None:
        self._store, self._clock, self._variables, self._boards, self._notifier = store, clock, variables, boards, notifier
        self._secrets = Secrets(config.key_file, config.data_dir)

    async def list(self, caller: Caller) -> list[Destination]:
        """The caller's own, by name."""
        found = await self._store.read(destinations.of, self._account(caller))
        waiting = await self._store.read(messages.waiting)
        return [one.replace(waiting=waiting.get(one.id, 0)) for one in found]

    async def get(self, caller: Caller, destination_id: str) -> Destination:
        """Errors:
        DestinationNotFound: the caller has none of this id.
        """
        known = await self.list(caller)
        found = next((one for one in known if one.id == destination_id), None)
        if found is None:
            raise errors.DestinationNotFound(destination_id, [one.name for one in known])
        return found

    async def add(self, caller: Caller, request: DestinationAdd, key: str) -> Destination:
        """Name a place. Nothing is sent yet.

        Errors:
            BadAddress: nothing can be sent there, or only an owner may.
            AlreadyExists: the caller has one of this name.
            SecretsLocked: the address cannot be encrypted.
        """
        caller.require(Role.STEERER, "name a destination")
        if (answer := await self._store.read(stored, key, caller, "destinations.add", request)) is not None:
            return Destination.model_validate_json(answer)
        self._check_boards(request.boards)
        inside, account, now = caller.role is Role.OWNER, self._account(caller), self._clock.now()
        service = await self._check(request.address, inside=inside)
        made = Destination(
            id=DestinationId(self._clock.new_id("destination")),
            username=account,
            name=request.name,
            service=service,
            kinds=request.kinds,
            boards=request.boards,
            quiet=request.quiet,
            reaches_inside=inside,
            created_at=now,
            updated_at=now,
        )
        sealed = await self._seal(made, request.address)

        def job(transaction: Transaction) -> Destination:
            known = destinations.of(transaction.connection, account)
            if len(known) >= MAX_DESTINATIONS:
                raise errors.BadRequest([f"a person has at most {MAX_DESTINATIONS} destinations; remove one"])
            _require_free(known, made)
            destinations.insert(transaction, made, sealed)
            return made

        outcome = await self._store.write(lambda t: once(t, key, caller, "destinations.add", request, now, job, Destination))
        return outcome.record

    async def change(self, caller: Caller, destination_id: str, change: DestinationChange) -> Destination:
        """Only the fields that are set. One that is paused forgets what waits for it.

        Errors:
            DestinationNotFound, BadAddress, AlreadyExists, SecretsLocked: as of `add`.
        """
        caller.require(Role.STEERER, "change a destination")
        seen = await self.get(caller, destination_id)
        self._check_boards(change.boards or [])
        now = self._clock.now()
        fields = {name: getattr(change, name) for name in change.model_fields_set - {"address"}}
        fields = {name: value for name, value in fields.items() if value is not None or name == "quiet"}
        sealed = None
        if change.address is not None:
            inside = caller.role is Role.OWNER
            service = await self._check(change.address, inside=inside)
            sealed = await self._seal(seen, change.address)
            fields |= {"service": service, "reaches_inside": inside, "trouble": None}

        def job(transaction: Transaction) -> Destination:
            current = destinations.get(transaction.connection, destination_id)
            if current is None:
                raise errors.DestinationNotFound(destination_id)
            changed = current.replace(**fields, updated_at=now)
            _require_free(destinations.of(transaction.connection, current.username), changed)
            destinations.save(transaction, changed)
            if sealed is not None:
                destinations.seal(transaction, destination_id, sealed)
            if changed.is_paused:
                messages.drop(transaction, destination_id)
            else:
                messages.hasten(transaction, destination_id, now)  # what waits is looked at with the new settings
            return changed

        await self._store.write(job)
        return await self.get(caller, destination_id)

    async def remove(self, caller: Caller, destination_id: str) -> None:
        """With what waits for it.

        Errors:
            DestinationNotFound.
        """
        caller.require(Role.STEERER, "remove a destination")
        await self.get(caller, destination_id)

        def job(transaction: Transaction) -> None:
            messages.delete(transaction, destination_id)
            destinations.delete(transaction, destination_id)

        await self._store.write(job)

    async def test(self, caller: Caller, destination_id: str) -> DestinationTested:
        """Send a test message now, whatever the quiet hours, and say what the place answered.

        Errors:
            DestinationNotFound, SecretsLocked.
        """
        caller.require(Role.STEERER, "send a test message")
        destination = await self.get(caller, destination_id)
        reason = await self.send(destination, TEST_TITLE, TEST_BODY)
        return DestinationTested(has_arrived=reason is None, reason=reason)

    async def send(self, destination: Destination, title: str, body: str) -> str | None:
        """`None`: it was accepted. Otherwise why not. Raises `SecretsLocked`."""
        sealed = await self._store.read(destinations.address, destination.id)
        if sealed is None:
            return "it was removed"
        address = await asyncio.to_thread(self._secrets.decrypt, destination.username, _sealed_as(destination), sealed)
        return await self._notifier.send(address, title, body, inside=destination.reaches_inside)

    async def _check(self, address: str, *, inside: bool) -> str:
        if _CONTROL.search(address):
            raise errors.BadAddress("it has blanks or control characters in it")
        return await self._notifier.check(address, inside=inside)

    async def _seal(self, destination: Destination, address: str) -> str:
        return await asyncio.to_thread(self._secrets.encrypt, destination.username, _sealed_as(destination), address)

    def _check_boards(self, boards: Sequence[str]) -> None:
        for path in boards:
            self._boards.check(path)

    def _account(self, caller: Caller) -> str:
        return self._variables.account(caller.person.username)


def _sealed_as(destination: Destination) -> str:
    """Part of what is encrypted, so that an address belongs to no other destination."""
    return f"destination {destination.id}"


def _require_free(known: Sequence[Destination], wanted: Destination) -> None:
    if any(one.name == wanted.name and one.id != wanted.id for one in known):
        raise errors.AlreadyExists("Destination", wanted.name)
