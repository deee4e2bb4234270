"""Wires everything together, and opens and closes it in order. The only place that does."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from agor_jupyter.agents.protocol import starting
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentStatus, AgentType
from agor_jupyter.domain.events import AgentChanged
from agor_jupyter.domain.ids import SessionId, WorktreeId
from agor_jupyter.domain.people import Role, lesser
from agor_jupyter.domain.repos import Check
from agor_jupyter.domain.tokens import Token
from agor_jupyter.executors.local import LocalExecutor
from agor_jupyter.services import machine
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.boards.boards import Boards, Rooms
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.grants import Grants
from agor_jupyter.services.consent.permissions import Permissions
from agor_jupyter.services.consent.refusals import Refusals
from agor_jupyter.services.consent.rules import Rules
from agor_jupyter.services.consent.tokens import Tokens
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.events import Events
from agor_jupyter.services.money import prices
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.money.ledger import Ledger
from agor_jupyter.services.sessions.collector import Collector
from agor_jupyter.services.sessions.delegation import AgentDelegation, Delegation, PersonDelegation
from agor_jupyter.services.sessions.history import History
from agor_jupyter.services.sessions.parking import Parking
from agor_jupyter.services.sessions.recovery import interrupt_open, reap_dead
from agor_jupyter.services.sessions.run_context import RunContext
from agor_jupyter.services.sessions.runner import Runner
from agor_jupyter.services.sessions.search import Search
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.sessions.templates import Templates
from agor_jupyter.services.sessions.turns import Turns
from agor_jupyter.services.sessions.waiting import Waiting
from agor_jupyter.services.worktrees.attachments import Attachments
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.sandboxes import Sandboxes
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import commands, filesystem, sessions, turns
from agor_jupyter.storage.lock import DataLock
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import Store, sqlite_url

COMMANDS_KEPT = timedelta(days=7)
"""How long a command's id is remembered."""


class Agor:
    """The engine. `async with Agor(config) as app:` has the data directory for itself.

    Errors on entering:
        DataInUse: another server has the data directory.
        DataOnNetwork: it lies on a network file system.
        StorageBusy, StorageFull, StorageBroken: as they say.
    """

    config: Config
    clock: Clock
    store: Store
    events: Events
    agents: Agents
    options: Options
    history: History
    repos: Repos
    worktrees: Worktrees
    sandboxes: Sandboxes
    sessions: Sessions
    turns: Turns
    permissions: Permissions
    rules: Rules
    boards: Boards
    refusals: Refusals
    grants: Grants
    search: Search
    templates: Templates
    tokens: Tokens
    attachments: Attachments
    ledger: Ledger
    budgets: Budgets
    variables: Variables

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        *,
        url: str | None = None,
        rooms: Rooms | None = None,
        mcp_url: str | None = None,
        warm_mcp: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or Clock()
        self.runner = Runner()
        self._rooms = rooms
        self._mcp_url, self._warm_mcp = mcp_url, warm_mcp
        self.lock = DataLock(config.data_dir, url=url)
        self._stack = AsyncExitStack()
        self._opened: asyncio.Future[None] | None = None

    async def ready(self, timeout_s: float = 10) -> None:
        """Wait until it is open.

        Errors:
            Starting: it is not, after `timeout_s`.
            Whatever entering raised.
        """
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._opened)
        except TimeoutError:
            raise errors.Starting from None

    async def __aenter__(self) -> Self:
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack)
                self._stack = stack.pop_all()
        except BaseException as error:
            self._opened.set_exception(error if isinstance(error, Exception) else errors.Starting())
            self._opened.exception()  # whoever waits gets it; nobody has to
            raise
        self._opened.set_result(None)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        """Closing runs in the opposite order: no process, then no open turn, then no waiting text, then no file."""
        config, clock = self.config, self.clock
        store = await self._open_store(stack)
        await store.write(commands.forget, clock.now() - COMMANDS_KEPT)
        await reap_dead(store, clock.now())
        await store.write(interrupt_open, clock.now())
        self.events = Events(store)
        await self.events.start()
        self.refusals = Refusals(store, clock)
        self.grants = Grants(store, clock, self._mcp_url, self._warm_mcp)
        await self.grants.revoke_all()
        self.agents = Agents(config)
        self.agents.announce = self._announce_agent
        await self.agents.start()
        stack.push_async_callback(self.agents.close)
        self.options = Options(store, clock, self.agents, config)
        await self.options.start()
        collector = Collector(store, clock, config.text_interval.total_seconds())
        collector.start()
        stack.push_async_callback(collector.close)
        stack.push_async_callback(self._interrupt)

        self.repos = Repos(store, config, clock)
        stack.push_async_callback(self.repos.close)
        await self.repos.start()
        self.variables = Variables(store, clock, config, self.runner.invalidate_environment)
        await self._open_worktrees(stack)

        self.tokens = Tokens(store, clock, config, self.boards.check, self._types, self._mcp_url)
        self.rules = Rules(store, clock, self.boards)
        self.trusts = Trusts(store, clock, self.agents.obeyed(), trusts_all=config.trust_project_files)
        self.permissions = Permissions(store, clock, config, self.rules, self.trusts)
        self.templates = Templates(store, self.repos, self.worktrees)
        stack.push_async_callback(self.templates.close)
        self.ledger = Ledger(store, prices.load(config.prices), config.only_account)
        self.budgets = Budgets(store, clock, self.ledger, self.runner)
        self.sessions = Sessions(store, clock, self.agents, self.options, self.runner, self.templates, self.budgets, self.attachments)
        self.history = History(store, clock, config, self.agents, self.options, self.variables, self.repos, self.worktrees)
        self.turns = Turns(store, clock, self.runner, self.budgets)
        self.search = Search(store, clock)
        await self.search.start()
        stack.push_async_callback(self.search.close)
        self._waiting = Waiting(store, clock, max_starting=config.max_starting, max_running=config.max_running)
        self._waiting.start()
        stack.push_async_callback(self._waiting.close)
        self._parking = Parking(store, clock, self.events, self.runner.wake)
        self.runner.start(self._run_context(collector))
        stack.push_async_callback(self.runner.close)
        await self._parking.start()
        stack.push_async_callback(self._parking.close)
        for session_id in await store.read(turns.sessions_that_wait):
            self.runner.wake(session_id)

    async def _open_store(self, stack: AsyncExitStack) -> Store:
        config = self.config
        await asyncio.to_thread(filesystem.check, config.data_dir, config.database_url)
        await asyncio.to_thread(self.lock.__enter__)
        stack.push(self.lock)
        url = config.database_url or sqlite_url(config.data_dir / "agor.db")
        await asyncio.to_thread(migrate, url)
        self.store = store = await asyncio.to_thread(Store, url)
        store.start()
        stack.push_async_callback(asyncio.to_thread, store.close)
        return store

    async def _open_worktrees(self, stack: AsyncExitStack) -> None:
        store, config, clock = self.store, self.config, self.clock
        self.attachments = Attachments(config, self.events)
        stack.push_async_callback((await self.attachments.start()).close)
        self.worktrees = Worktrees(store, config, clock, self.repos)
        stack.push_async_callback(self.worktrees.close)
        self.worktrees.hide = self.variables.hide
        self.worktrees.archives.is_live = self.worktrees.adoption.is_live = self._is_live
        self.boards = self.worktrees.boards = Boards(config, clock, store, self._rooms, self._list_agents)
        stack.push_async_callback(self.boards.watches.close)
        self.sandboxes = Sandboxes(store, config, clock, self.repos, self.worktrees)
        stack.push_async_callback(self.sandboxes.close)
        self.repos.filtering = self.sandboxes.filtering
        self.worktrees.look_inside_by(self.sandboxes.under_way)
        self.worktrees.archives.on_gone = self.worktrees.adoption.on_gone = self.sandboxes.forget
        self.worktrees.relocation.on_moved = self._leave_old_folder
        await self.worktrees.start()
        await self.sandboxes.start()

    def _run_context(self, collector: Collector) -> RunContext:
        return RunContext(
            store=self.store,
            clock=self.clock,
            config=self.config,
            collector=collector,
            permissions=self.permissions,
            agents=self.agents,
            options=self.options,
            worktrees=self.worktrees,
            grants=self.grants,
            attachments=self.attachments,
            variables=self.variables,
            sandboxes=self.sandboxes,
            trusts=self.trusts,
            executor=LocalExecutor(),
            start_agent=starting.start,
            starting=self._waiting.starting,
            running=self._waiting.running,
            make_room=self.runner.make_room,
            budgets=self.budgets,
        )

    async def check(self) -> list[Check]:
        """What of this server's machine is fine, and what needs a person."""
        return await machine.check(self.config, await self._list_agents())

    async def delegate(self, session_id: SessionId) -> Delegation:
        """The engine as this session's agent sees it."""
        mask = self.runner.mask_of(session_id)
        return AgentDelegation(await self.sessions.get(session_id), self.sessions, self.turns, self.worktrees, self.search, mask)

    def represent(self, token: Token, role: Role) -> Delegation:
        """The engine as this person's own client sees it; `role` is the most that the person may do now."""
        return PersonDelegation(token, lesser(role, token.role), self.sessions, self.turns, self.worktrees, self.search)

    async def _is_live(self, worktree_id: WorktreeId) -> bool:
        """Whether a turn is open or waits there, or an agent works in the background. If not, agents at rest there are stopped: their
        folder is about to go.
        """
        here = await self.store.read(sessions.of_worktree, worktree_id)
        if await self.store.read(turns.has_live, worktree_id) or any(session.background for session in here):
            return True
        await self.runner.dismiss([session.id for session in here])
        return False

    async def _leave_old_folder(self, worktree_id: WorktreeId) -> None:
        """Agents at rest there and their sandbox know a folder that is gone: both begin anew with the next turn."""
        await self.runner.dismiss([session.id for session in await self.store.read(sessions.of_worktree, worktree_id)])
        await self.sandboxes.forget(worktree_id)

    async def _interrupt(self) -> None:
        """No turn is left open by an orderly stop; if the disk is full, the next start does it."""
        with contextlib.suppress(errors.Unavailable):
            await self.store.write(interrupt_open, self.clock.now())

    async def _announce_agent(self, name: str) -> None:
        status = self.agents.status(name, await self.variables.names())
        await self.store.write(lambda transaction: transaction.append(self.clock.now(), AgentChanged(status=status)))

    def _types(self) -> Sequence[AgentType]:
        return [status.agent for status in self.agents.list()]

    async def _list_agents(self) -> Sequence[AgentStatus]:
        return self.agents.list(await self.variables.names())
