"""Options: what agents offer, what people want, and what a session therefore gets."""

import asyncio
import logging
from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy import Connection

from agor_jupyter.agents.protocol.options import MAX_CHOICES, brief
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import AgentChanged
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.options import MODE, MODEL, Preference, PreferenceChange, SessionOption
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.sessions import Session
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.tasks import end
from agor_jupyter.services.transitions import derive, find_session
from agor_jupyter.storage import options as kept
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

_AGENT = "agent:"
"""How the username of an agent that acts for itself begins."""


def wanted(agent: AgentType, session: Session, *, is_sandboxed: bool = False) -> dict[str, str]:
    """What a session's agent is set to. The mode is in it whenever the catalogue knows one: no agent runs in its own default."""
    mode = agent.permissions.mode_where(is_sandboxed=is_sandboxed)
    return {**({MODE: mode} if mode else {}), **session.chosen}


def merge(chosen: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """`chosen` with the changes; an empty value forgets a choice."""
    return {name: value for name, value in {**chosen, **changes}.items() if value}


class Options:
    def __init__(self, store: Store, clock: Clock, agents: Agents, config: Config) -> None:
        self._store, self._clock, self._agents = store, clock, agents
        self._only_account = config.only_account

    async def start(self) -> None:
        self._agents.options.update(await self._store.read(kept.advertised))

    async def preferences(self, caller: Caller) -> list[Preference]:
        """The caller's own."""
        return await self._store.read(kept.preferences, self._account(caller.person.username))

    async def prefer(self, caller: Caller, agent: str, change: PreferenceChange) -> Preference:
        """What the caller wants from now on in new sessions with this agent.

        Errors:
            AgentNotFound, BadOption: as far as it is known what the agent offers.
        """
        caller.require(Role.STEERER, "set preferences")
        self.check_mode(caller, agent, change.options)
        self.check_start(self._agents.get(agent), change.options)
        options = merge({}, change.options)
        preference = Preference(username=self._account(caller.person.username), agent=agent, options=options, updated_at=self._clock.now())
        await self._store.write(kept.prefer, preference)
        return preference

    def check_mode(self, caller: Caller, agent: str, options: Mapping[str, str]) -> None:
        """A mode decides what an agent asks, and only owners answer what it asks. The server's own modes are free to all."""
        known = self._agents.get(agent)
        if options.get(MODE) and options[MODE] not in (known.permissions.mode, known.permissions.sandbox_mode):
            caller.require(Role.OWNER, f"choose the mode {options[MODE]!r}, which decides what the agent asks")

    def check_start(self, agent: AgentType, options: Mapping[str, str]) -> None:
        """Refuse a model or a mode that the agent did not offer when it last ran here. What else there is may depend on the model."""
        offered = {option.id: option for option in self._agents.options.get(agent.name, [])}
        for option_id in (MODEL, MODE):
            value, option = options.get(option_id), offered.get(option_id)
            if not value or not offered:
                continue
            if option is None:
                raise errors.BadOption(agent.name, option_id, None, list(offered))
            _check_value(agent.name, option, value)

    @staticmethod
    def check_change(session: Session, options: Mapping[str, str]) -> None:
        """Refuse what this session's agent does not offer. What another model offers is not known before it is set."""
        offered = {option.id: option for option in session.options}
        for option_id, value in options.items():
            option = offered.get(option_id)
            if not value or not offered or (MODEL in options and option_id not in (MODEL, MODE)):
                continue
            if option is None:
                raise errors.BadOption(session.agent, option_id, None, list(offered))
            _check_value(session.agent, option, value)

    def initial(  # it reads as a sentence
        self, connection: Connection, caller: Caller, agent: str, given: Mapping[str, str], relative: Session | None
    ) -> dict[str, str]:
        """What a new session starts with: what is `given`, before what its parent or origin has, before what the person prefers."""
        person, ancestor = caller.person.username, relative
        while person.startswith(_AGENT) and ancestor is not None:  # an agent works for whoever began the tree
            person = ancestor.created_by.username
            ancestor = sessions.get(connection, ancestor.parent_id) if ancestor.parent_id else None
        preference = kept.preference(connection, self._account(person), agent)
        inherited = relative.chosen if relative is not None and relative.agent == agent else {}
        return merge({**(preference.options if preference else {}), **inherited}, given)

    def _account(self, username: str) -> str:
        """Where the server knows no people, every login is the person who runs it, under another name in each browser."""
        return self._only_account or username

    async def report(self, session_id: SessionId, options: tuple[SessionOption, ...]) -> None:
        """Keep what a session's agent says of itself, and tell everyone."""
        at = self._clock.now()

        def job(transaction: Transaction) -> str:
            session = find_session(transaction, session_id)
            short = brief(options)
            if short != session.options:
                derive(transaction, session_id, at, options=short)
            return session.agent

        agent = await self._store.write(job)
        full = list(options)
        if full and _shape(full) != _shape(self._agents.options.get(agent, [])):
            self._agents.options[agent] = full
            status = self._agents.status(agent)

            def advertise(transaction: Transaction) -> None:
                kept.advertise(transaction, agent, full, at)
                transaction.append(at, AgentChanged(status=status))

            await self._store.write(advertise)


class Reporter:
    """Passes on what one agent advertises, at most once in a while: an agent may say it as often as it likes."""

    INTERVAL_S: ClassVar[float] = 0.2

    def __init__(self, options: Options, session_id: SessionId) -> None:
        self._options, self._session_id = options, session_id
        self._news: tuple[SessionOption, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    def note(self, options: tuple[SessionOption, ...]) -> None:
        self._news = options
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later(), name=f"options {self._session_id}")

    async def flush(self) -> None:
        """Pass on what is new now."""
        news, self._news = self._news, None
        if news is None:
            return
        try:
            await self._options.report(self._session_id, news)
        except errors.AgorError as error:  # it is told again with the next process
            log.warning("Options of session %s were not stored: %s", self._session_id, error)

    async def close(self) -> None:
        await self.flush()
        if self._task is not None:
            await end(self._task)

    async def _later(self) -> None:
        while self._news is not None:
            await asyncio.sleep(self.INTERVAL_S)
            await self.flush()


def _check_value(agent: str, option: SessionOption, value: str) -> None:
    known = [choice.id for choice in option.choices]
    if known and value not in known and len(known) < MAX_CHOICES:
        raise errors.BadOption(agent, option.id, value, known)


def _shape(options: list[SessionOption]) -> list[SessionOption]:
    """Without the values: those are of one session."""
    return [option.replace(value="") for option in options]
