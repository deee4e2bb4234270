"""What a delegation goes through."""

from dataclasses import dataclass
from typing import Protocol

from agor_jupyter.domain.ids import ObjectId, SessionId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.schedules import Schedule, ScheduleCreate, ScheduleMade
from agor_jupyter.domain.slots import Slot
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import ZoneDrop, ZoneDropped
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.consent.permissions import Permissions
from agor_jupyter.services.consent.refusals import Refusals
from agor_jupyter.services.environments.data import Data
from agor_jupyter.services.environments.environments import Environments
from agor_jupyter.services.kernels.kernels import Kernels
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.money.ledger import Ledger
from agor_jupyter.services.notebooks.notebooks import Notebooks
from agor_jupyter.services.notebooks.runs import Runs
from agor_jupyter.services.sessions.search import Search
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.sessions.trees import TreeLimits, Trees
from agor_jupyter.services.sessions.turns import Turns
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage.store import Store


class Cards(Protocol):
    """How cards are brought to zones; zones lie above sessions."""

    async def drop(self, caller: Caller, name: str, request: ZoneDrop, key: str) -> ZoneDropped: ...

    async def drop_as_agent(self, caller: Caller, worktree: Worktree, zone_id: ObjectId | None, key: str) -> ZoneDropped: ...


class Firings(Protocol):
    """What zones did and do."""

    async def list(self, *, board: str | None = None, worktree: str | None = None, limit: int = 50) -> bytes:
        """A JSON array of firings, the newest first."""


class Schedules(Protocol):
    """What starts by itself; schedules lie above sessions."""

    async def list(self, board: str | None = None) -> bytes:
        """A JSON array of schedules, by name."""

    async def create(self, caller: Caller, request: ScheduleCreate, key: str) -> ScheduleMade: ...

    async def create_as_agent(self, caller: Caller, session_id: SessionId, request: ScheduleCreate, key: str) -> Schedule: ...

    async def run(self, caller: Caller, schedule_id: str, key: str) -> Slot: ...

    async def pause(self, caller: Caller, schedule_id: str) -> Schedule: ...


@dataclass(frozen=True, kw_only=True)
class Means:
    """The services that a delegation goes through."""

    store: Store
    clock: Clock
    sessions: Sessions
    turns: Turns
    trees: Trees
    worktrees: Worktrees
    kernels: Kernels
    notebooks: Notebooks
    runs: Runs
    permissions: Permissions
    search: Search
    boards: Boards
    agents: Agents
    ledger: Ledger
    budgets: Budgets
    refusals: Refusals
    cards: Cards
    environments: Environments
    firings: Firings
    schedules: Schedules
    data: Data
    limits: TreeLimits
    tasks: Tasks
    """What nobody waits for."""
