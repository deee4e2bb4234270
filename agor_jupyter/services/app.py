"""Wires everything together, and opens and closes it in order. The only place that does.

It is long because the order counts, and is read best in one place: each service is a line or two here, and decides nothing.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from agor_jupyter.agents.protocol import starting
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentStatus, AgentType
from agor_jupyter.domain.events import AgentChanged, SessionChanged
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.people import Role, lesser
from agor_jupyter.domain.repos import Check
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.tokens import Token
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.executors.local import LocalExecutor
from agor_jupyter.executors.notifier import Notifier
from agor_jupyter.executors.renderer import Renderer
from agor_jupyter.services import machine
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.boards.rooms import Rooms
from agor_jupyter.services.boards.templates import BoardTemplates
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.grants import Grants
from agor_jupyter.services.consent.permissions import Permissions
from agor_jupyter.services.consent.refusals import Refusals
from agor_jupyter.services.consent.rules import Rules
from agor_jupyter.services.consent.tokens import Tokens
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.environments.data import Data
from agor_jupyter.services.environments.databases import Databases
from agor_jupyter.services.environments.environments import Environments
from agor_jupyter.services.environments.means import limits_in_words
from agor_jupyter.services.environments.plans import Plans
from agor_jupyter.services.environments.sources import Sources
from agor_jupyter.services.events import Events
from agor_jupyter.services.kernels.kernels import Kernels
from agor_jupyter.services.kernels.recipes import Recipes
from agor_jupyter.services.money import prices
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.money.ledger import Ledger
from agor_jupyter.services.notebooks.merges import Merges
from agor_jupyter.services.notebooks.notebooks import Notebooks
from agor_jupyter.services.notebooks.rooms import Jupyter, NoJupyter
from agor_jupyter.services.notebooks.runs import Runs as CellRuns
from agor_jupyter.services.notifications.destinations import Destinations
from agor_jupyter.services.notifications.outbox import Outbox
from agor_jupyter.services.schedules.beginnings import Beginnings
from agor_jupyter.services.schedules.planner import Planner
from agor_jupyter.services.schedules.retention import Retention
from agor_jupyter.services.schedules.runs import Runs
from agor_jupyter.services.schedules.schedules import Schedules
from agor_jupyter.services.schedules.texts import Texts
from agor_jupyter.services.schedules.triggers import Triggers
from agor_jupyter.services.schedules.watches import Watches
from agor_jupyter.services.schedules.webhooks import Webhooks
from agor_jupyter.services.sessions.conversations.history import History
from agor_jupyter.services.sessions.delegates import AgentDelegation, PersonDelegation
from agor_jupyter.services.sessions.delegation import Delegation
from agor_jupyter.services.sessions.deliveries import Deliveries
from agor_jupyter.services.sessions.means import Means
from agor_jupyter.services.sessions.parking import Parking
from agor_jupyter.services.sessions.recovery import interrupt_open, reap_dead
from agor_jupyter.services.sessions.running.runner import Runner
from agor_jupyter.services.sessions.runs.collector import Collector
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.sessions.search import Search
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.sessions.templates import Templates
from agor_jupyter.services.sessions.tenants import AgentTenants
from agor_jupyter.services.sessions.trees import TreeLimits, Trees
from agor_jupyter.services.sessions.turns import Turns
from agor_jupyter.services.sessions.waiting import Waiting
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.worktrees.attachments import Attachments
from agor_jupyter.services.worktrees.branching import Branching
from agor_jupyter.services.worktrees.cards import CardWorktrees
from agor_jupyter.services.worktrees.issues import Issues
from agor_jupyter.services.worktrees.layouts import Layouts
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.sandboxes import Sandboxes
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.services.zones.arrivals import Arrivals
from agor_jupyter.services.zones.engine import Engine
from agor_jupyter.services.zones.firings import Firings
from agor_jupyter.services.zones.prompts import Prompts
from agor_jupyter.services.zones.zones import Zones
from agor_jupyter.storage import commands, filesystem, turns, worktrees
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
    issues: Issues
    kernels: Kernels
    notebooks: Notebooks
    merges: Merges
    worktrees: Worktrees
    card_worktrees: CardWorktrees
    sandboxes: Sandboxes
    sessions: Sessions
    turns: Turns
    trees: Trees
    permissions: Permissions
    rules: Rules
    boards: Boards
    board_templates: BoardTemplates
    refusals: Refusals
    grants: Grants
    search: Search
    templates: Templates
    tokens: Tokens
    attachments: Attachments
    ledger: Ledger
    budgets: Budgets
    variables: Variables
    zones: Zones
    firings: Firings
    environments: Environments
    schedules: Schedules
    planner: Planner
    watches: Watches
    webhooks: Webhooks
    data: Data
    destinations: Destinations
    outbox: Outbox

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        *,
        url: str | None = None,
        rooms: Rooms | None = None,
        jupyter: Jupyter | None = None,
        mcp_url: str | None = None,
        warm_mcp: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or Clock()
        self.runner = Runner()
        self._rooms, self._jupyter = rooms, jupyter or NoJupyter()
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

        await self._open_repos(stack)
        recipes = self._open_environments(stack)
        await self._open_worktrees(stack)

        self.tokens = Tokens(store, clock, config, self.boards.check, self._types, self._mcp_url)
        self.rules = Rules(store, clock, self.boards)
        await self._open_kernels(stack, recipes)
        self.permissions = Permissions(store, clock, config, self.rules, self.trusts)
        self.templates = Templates(store, self.repos, self.worktrees, self.issues)
        stack.push_async_callback(self.templates.close)
        self.ledger = Ledger(store, prices.load(config.prices), config.only_account)
        self.budgets = Budgets(store, clock, self.ledger, self.runner)
        self._open_sessions(stack)
        self.history = History(store, clock, config, self.agents, self.options, self.variables, self.repos, self.worktrees)
        self.turns = Turns(store, clock, self.runner, self.budgets)
        self.search = Search(store, clock)
        await self.search.start()
        stack.push_async_callback(self.search.close)
        self._waiting = Waiting(store, clock, max_starting=config.max_starting, max_running=config.max_running)
        self._waiting.start()
        stack.push_async_callback(self._waiting.close)
        await self._begin(stack, collector)
        await self.environments.open()
        stack.push_async_callback(self.environments.close)

    def _open_environments(self, stack: AsyncExitStack) -> Recipes:
        store, config, clock = self.store, self.config, self.clock
        self.sources = Sources(self.repos)
        recipes = Recipes(self.repos, self.sources)
        self.trusts = Trusts(store, clock, self.agents.obeyed(), trusts_all=config.trust_project_files, others=recipes.all_changed)
        self._renderer = Renderer()
        stack.push_async_callback(self._renderer.close)
        plans = Plans(self.sources, self.trusts, limits_in_words(config))
        self.variables = Variables(store, clock, config, self.runner.invalidate_environment)
        self._databases = Databases(config.data_dir / "databases", self.variables)
        self.data = Data(store, clock, self.repos, plans, self.variables, self._databases)
        self.environments = Environments(store, config, clock, self.repos, plans, self._renderer.fill, self.data.values)
        self._dropping = Tasks()
        stack.push_async_callback(self._dropping.close)
        self._dropping.start(self._drop_databases(), "drop the databases of worktrees that are gone")
        return recipes

    async def _drop_databases(self) -> None:
        """Of worktrees that went while a PostgreSQL server could not be reached, or this server was killed."""
        for worktree_id in await self._databases.noted():
            worktree = await self.store.read(worktrees.find, worktree_id)
            if worktree is None or worktree.state is WorktreeState.ARCHIVED:
                await self._databases.drop_all(worktree_id)

    async def _begin(self, stack: AsyncExitStack, collector: Collector) -> None:
        """Everything is there: what waits and what is under way goes on."""
        store, clock = self.store, self.clock
        self._parking = Parking(store, clock, self.events, self.runner.wake)
        self.runner.start(self._run_context(collector))
        stack.push_async_callback(self.runner.close)
        await self._parking.start()
        stack.push_async_callback(self._parking.close)
        stack.push_async_callback((await Deliveries(store, clock, self.events, self.runner).start()).close)
        for session_id in await store.read(turns.sessions_that_wait):
            self.runner.wake(session_id)
        await self._open_zones(stack)
        await self._open_schedules(stack)
        await self._open_notifications(stack)

    async def _open_kernels(self, stack: AsyncExitStack, recipes: Recipes) -> None:
        self.kernels = Kernels(self.store, self.clock, self.config, self.events, self.worktrees, recipes, self.trusts)
        await self.kernels.start()
        stack.push_async_callback(self.kernels.close)
        self.notebooks = Notebooks(self._jupyter, lambda: uuid.uuid4().hex[:8])
        self.merges = Merges(self.store, self.clock, self.worktrees)
        stack.push_async_callback(self.merges.close)
        self._cell_runs = CellRuns(self.notebooks, self.kernels, self._jupyter)
        stack.push_async_callback(self._cell_runs.close)

    def _open_sessions(self, stack: AsyncExitStack) -> None:
        store, config = self.store, self.config
        stack.callback(self.events.subscribe(SessionChanged, lambda change, _event: self._fold(change.session)))
        self._notes = Tasks()
        stack.push_async_callback(self._notes.close)
        stack.push_async_callback(self._notes.settled)
        self._limits = TreeLimits(max_depth=config.max_tree_depth, max_children=config.max_children)
        self.sessions = Sessions(
            store,
            self.clock,
            self.agents,
            self.options,
            self.runner,
            self.templates,
            self.budgets,
            self.attachments,
            Branching(store, self.repos, self.worktrees),
            self._limits,
            is_alone=config.concurrent_edits == "refuse",
        )
        self.trees = Trees(store)

    async def _open_zones(self, stack: AsyncExitStack) -> None:
        store, clock, boards = self.store, self.clock, self.boards
        prompts = Prompts(store, self.repos, self.templates)
        engine = Engine(store, clock, self.events, boards, self.agents, self.sessions, self.runner, prompts)
        arrivals = Arrivals(clock, self.agents, self.options, prompts)
        self.zones = Zones(store, clock, boards, self.worktrees, self.agents, arrivals, prompts, engine)
        self.firings = Firings(store, clock, boards, self.worktrees, arrivals, engine)
        self.budgets.on_spent = engine.spent
        await engine.start()
        stack.push_async_callback(engine.close)

    async def _open_schedules(self, stack: AsyncExitStack) -> None:
        store, clock, config, sessions, worktrees = self.store, self.clock, self.config, self.sessions, self.worktrees
        texts = Texts(store, self.repos, self.templates)
        beginnings = Beginnings(store, clock, self.agents, sessions, worktrees, self.zones, self.firings, texts)
        retention = Retention(store, clock, sessions, worktrees)
        runs = Runs(store, clock, self.events, self.runner, self.firings, beginnings, retention)
        self.schedules = Schedules(store, clock, config, self.boards, self.repos, worktrees, self.agents, self.options, runs)
        await runs.start()
        stack.push_async_callback(runs.close)
        self.webhooks = Webhooks(store, clock, self.schedules)
        stack.push_async_callback((await Triggers(store, clock, self.events).start()).close)
        self.watches = Watches(store, clock, config, self.repos, worktrees)
        await self.watches.start()
        stack.push_async_callback(self.watches.close)
        self.planner = Planner(store, clock, self.events)
        await self.planner.start()
        stack.push_async_callback(self.planner.close)

    async def _open_notifications(self, stack: AsyncExitStack) -> None:
        store, clock, config, variables = self.store, self.clock, self.config, self.variables
        notifier = Notifier(config.notify_timeout.total_seconds())
        self.destinations = Destinations(store, clock, config, variables, self.boards, notifier)
        self.outbox = Outbox(store, clock, config, self.events, self.agents, variables, self.destinations)
        await self.outbox.start()
        stack.push_async_callback(self.outbox.close)

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

    async def _open_repos(self, stack: AsyncExitStack) -> None:
        self._layouts = Layouts(self.store, self.config)
        self.repos = Repos(self.store, self.config, self.clock, self._layouts.filtering_in)
        stack.push_async_callback(self.repos.close)
        await self.repos.start()

    async def _open_worktrees(self, stack: AsyncExitStack) -> None:
        store, config, clock = self.store, self.config, self.clock
        self.attachments = Attachments(config, self.events)
        stack.push_async_callback((await self.attachments.start()).close)
        self.boards = Boards(config, clock, store, self._rooms, self._list_agents)
        self.board_templates = BoardTemplates(self.boards)
        stack.push_async_callback(self.boards.watches.close)
        self.sandboxes = Sandboxes(store, config, clock, self.repos, self._layouts, hide=self.variables.hide)
        tenants = AgentTenants(store, self.runner, self.variables, self.sandboxes, self.environments, self._databases)
        self.issues = Issues(store, clock, config.issue_providers, config.issue_max_age)
        await self.issues.start()
        self.worktrees = Worktrees(store, config, clock, self.repos, self.boards, tenants, self.issues)
        self.card_worktrees = CardWorktrees(self.boards, self.repos, self.worktrees)
        stack.push_async_callback(self.worktrees.close)
        stack.push_async_callback(self.sandboxes.close)
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
            environments=self.environments,
            data=self.data,
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
        return AgentDelegation(await self.sessions.get(session_id), self._means(), mask)

    def represent(self, token: Token, role: Role) -> Delegation:
        """The engine as this person's own client sees it; `role` is the most that the person may do now."""
        return PersonDelegation(token, lesser(role, token.role), self._means())

    def _means(self) -> Means:
        return Means(
            store=self.store,
            clock=self.clock,
            sessions=self.sessions,
            turns=self.turns,
            trees=self.trees,
            worktrees=self.worktrees,
            kernels=self.kernels,
            notebooks=self.notebooks,
            runs=self._cell_runs,
            permissions=self.permissions,
            search=self.search,
            boards=self.boards,
            agents=self.agents,
            ledger=self.ledger,
            budgets=self.budgets,
            refusals=self.refusals,
            cards=self.zones,
            environments=self.environments,
            firings=self.firings,
            schedules=self.schedules,
            data=self.data,
            limits=self._limits,
            tasks=self._notes,
        )

    def _fold(self, session: Session) -> None:
        """A side question that was answered gives up its process."""
        if session.is_side and session.archived_at is not None:
            self.runner.stop_soon(session.id)

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
