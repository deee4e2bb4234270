"""Variables: what a person hands to the agents of their sessions. A value goes in, and comes out only into a process."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection

from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.variables import MAX_VALUE, MAX_VARIABLES, Variable, VariableSet
from agor_jupyter.executors import environment
from agor_jupyter.services.agents.secrets import Secrets
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.storage import sessions, variables
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)


class Variables:
    """`on_change` is told the username whose variables changed."""

    def __init__(self, store: Store, clock: Clock, config: Config, on_change: Callable[[str], None]) -> None:
        self._store, self._clock, self._on_change = store, clock, on_change
        self._secrets = Secrets(config.key_file, config.data_dir)
        self._only_account = config.only_account

    async def list(self, caller: Caller) -> list[Variable]:
        """The caller's own, by name."""
        return [sealed.variable for sealed in await self._store.read(variables.of, self.account(caller.person.username))]

    async def names(self, caller: Caller | None = None) -> set[str]:
        """Of the caller's; without one, of those that all callers share, where the server knows no people."""
        account = self.account(caller.person.username) if caller is not None else self._only_account
        return {sealed.variable.name for sealed in await self._store.read(variables.of, account)} if account else set()

    async def set(self, caller: Caller, name: str, change: VariableSet) -> Variable:
        """Keep the value, encrypted. Processes that start from now on get it.

        Errors:
            BadName: no agent may have a variable of this name, or not this value.
            SecretsLocked: it cannot be encrypted.
        """
        caller.require(Role.STEERER, "set variables")
        environment.check_variables({name: change.value})
        if (size := len(change.value.encode())) > MAX_VALUE:
            raise errors.BadRequest([f"value: it has {size:,} bytes; {MAX_VALUE:,} is the limit"])
        variable = Variable(username=self.account(caller.person.username), name=name, updated_at=self._clock.now())
        secret = await asyncio.to_thread(self._secrets.encrypt, variable.username, name, change.value)

        def job(transaction: Transaction) -> None:
            known = {sealed.variable.name for sealed in variables.of(transaction.connection, variable.username)}
            if len(known | {name}) > MAX_VARIABLES:
                raise errors.BadRequest([f"a person has at most {MAX_VARIABLES} variables; remove one"])
            variables.save(transaction, variable, secret)

        await self._store.write(job)
        self._on_change(variable.username)
        return variable

    async def remove(self, caller: Caller, name: str) -> None:
        """Errors:
        VariableNotFound: the caller has none of this name.
        """
        caller.require(Role.STEERER, "remove variables")
        username = self.account(caller.person.username)
        if not await self._store.write(variables.delete, username, name):
            raise errors.VariableNotFound(name, [one.name for one in await self.list(caller)])
        self._on_change(username)

    async def account_of(self, session: Session) -> str:
        """Whose variables its process gets: those of the person who made it. One that an agent made has those of the agent's person."""
        return self.account(await self._store.read(_person_of, session))

    async def values(self, account: str) -> dict[str, str]:
        """Errors:
        SecretsLocked: they cannot be read. Nothing should start without them.
        """
        found = await self._store.read(variables.of, account)

        def read() -> dict[str, str]:
            return {one.variable.name: self._secrets.decrypt(account, one.variable.name, one.secret) for one in found}

        return await asyncio.to_thread(read) if found else {}

    async def values_of(self, caller: Caller) -> dict[str, str]:
        """The caller's own. Raises `SecretsLocked`."""
        return await self.values(self.account(caller.person.username))

    async def hide(self, mask: Mask, worktree_id: WorktreeId) -> None:
        """Add to `mask` all that an agent may have left in this worktree's files: the variables of everyone with a session there."""
        for account in {self.account(username) for username in await self._store.read(_people_of, worktree_id)}:
            try:
                mask.add(await self.values(account))
            except errors.SecretsLocked as error:  # what cannot be read is not in a process either
                log.warning("Variables cannot be masked: %s", error)

    def account(self, username: str) -> str:
        """Where the server knows no people, every login is the person who runs it, under another name in each browser."""
        return self._only_account or username


def _person_of(connection: Connection, session: Session) -> str:
    """Only an agent's own session leads on to another: who names somebody else's session as its parent gets nothing of theirs."""
    seen: set[SessionId] = set()
    while session.created_by.username == f"agent:{session.parent_id}" and session.id not in seen:
        seen.add(session.id)
        parent = sessions.get(connection, str(session.parent_id))
        if parent is None:
            break
        session = parent
    return session.created_by.username


def _people_of(connection: Connection, worktree_id: WorktreeId) -> set[str]:
    return {_person_of(connection, session) for session in sessions.of_worktree(connection, worktree_id)}
