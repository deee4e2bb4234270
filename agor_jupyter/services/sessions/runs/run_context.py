"""What all sessions at work share: the store, the limits, and those they ask. Wired in `app.py`; a test hands in its own agents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.process import Executor
from agor_jupyter.services.agents.agents import Agents
from agor_jupyter.services.agents.options import Options
from agor_jupyter.services.agents.variables import Variables
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.services.consent.grants import Grants
from agor_jupyter.services.consent.permissions import Permissions
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.environments.data import Data
from agor_jupyter.services.environments.environments import Environments
from agor_jupyter.services.money.budgets import Budgets
from agor_jupyter.services.sessions.runs.collector import Collector
from agor_jupyter.services.sessions.runs.first_start import FirstStartLock
from agor_jupyter.services.sessions.runs.slots import Slots
from agor_jupyter.services.worktrees.attachments import Attachments
from agor_jupyter.services.worktrees.sandboxes import Sandboxes
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class RunContext:
    store: Store
    clock: Clock
    config: Config
    collector: Collector
    permissions: Permissions
    agents: Agents
    options: Options
    worktrees: Worktrees
    grants: Grants
    attachments: Attachments
    variables: Variables
    sandboxes: Sandboxes
    environments: Environments
    data: Data
    trusts: Trusts
    executor: Executor
    start_agent: Callable[..., Awaitable[AgentConversation]]
    """`agents.protocol.starting.start`, whose keyword arguments it takes."""
    starting: Slots
    running: Slots
    make_room: Callable[[], None]
    """Ends a process that rests, if as many live as may work."""
    budgets: Budgets
    first_start: FirstStartLock = field(default_factory=FirstStartLock)
