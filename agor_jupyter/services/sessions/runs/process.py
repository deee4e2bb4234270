"""The process of an agent, and the run by which it is recorded from the claim of its first turn until nothing of it is left."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.options import in_order
from agor_jupyter.agents.protocol.questions import Question
from agor_jupyter.agents.protocol.results import OnEvent
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import RunId, SessionId
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.agents.options import Reporter
from agor_jupyter.services.sessions.runs import continuations
from agor_jupyter.services.sessions.runs.continuations import Left
from agor_jupyter.services.sessions.runs.pending_checkpoint import PendingCheckpoint
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.worktrees.keepers import Making
from agor_jupyter.services.worktrees.sandboxes import Launch
from agor_jupyter.storage import runs as kept_runs

log = logging.getLogger(__name__)

_COLLECT_S = 10.0
"""A process that goes is not kept by commits that can come out before the next turn as well."""


class AgentProcess:
    """Made when the agent has opened its conversation. Its run stops it."""

    def __init__(
        self,
        context: RunContext,
        session_id: SessionId,
        agent: AgentConversation,
        *,
        worktree: Worktree,
        mask: Mask,
        conversation: Mapping[str, object],
        prologue: str | None,
        making: Making | None,
        is_restricted: bool,
    ) -> None:
        self._context, self._session_id, self._mask = context, session_id, mask
        self.agent = agent
        self.worktree = worktree
        self.conversation = conversation
        """The session's fields about it."""
        self.prologue = prologue
        """What its next prompt has to be accompanied by."""
        self.making = making
        """Until the end of its first turn."""
        self.left: Left | None = None
        """What the worktree held at the end of its last turn, for one that follows by itself."""
        self._is_restricted = is_restricted
        """It does not obey the worktree's files."""
        self._told: list[str] = []

    @property
    def is_alive(self) -> bool:
        return self.agent.is_alive

    @property
    def is_detained(self) -> bool:
        """Something goes on in the background, for which it is kept."""
        return bool(self.agent.background)

    @property
    def died_at_work(self) -> bool:
        """It is gone, and with it what it did in the background."""
        return self.is_detained and not self.is_alive

    @property
    def idle_limit_s(self) -> float:
        """For how long from now it is kept without a turn."""
        config = self._context.config
        limit_s = config.idle_timeout.total_seconds()
        if self.is_detained:
            limit_s = max(limit_s, config.background_timeout.total_seconds() - self.agent.heard_ago_s)
        return limit_s

    async def obeys_otherwise(self) -> bool:
        """It obeys other files than it may by now."""
        sight = await self._context.trusts.look(self.worktree, self.agent.agent.name)
        return bool(sight.open) or bool(sight.untrusted) is not self._is_restricted

    async def tell_background(self) -> None:
        """Show on the session what goes on between two turns."""
        await self._tell_background([self._mask.text(one) for one in self.agent.background])

    async def _tell_background(self, background: list[str]) -> None:
        if background != self._told:
            self._told = background
            write, now = self._context.store.write, self._context.clock.now()
            with contextlib.suppress(errors.Unavailable):  # the next turn tells it again, and the next start that nothing runs
                await asyncio.shield(write(continuations.tell, self._session_id, background, now))

    async def give_up(self) -> None:
        """Say that nobody waits any more for what it does in the background."""
        what, minutes = ", ".join(self.agent.background), self._context.config.background_timeout.total_seconds() / 60
        text = f"Nothing was heard for {minutes:.0f} minutes from the agent's background work ({what}). Its process was stopped."
        turn_id = self.left.turn_id if self.left else None
        await self._context.collector.add(self._session_id, turn_id, Notice(code="given_up", text=text))

    async def leave(self, left: Left | None) -> None:
        """Keep what the worktree held at the end of a turn instead of what was kept before."""
        before, self.left = self.left, left
        if before is not None and (left is None or before.checkpoint.store != left.checkpoint.store):
            await self._context.worktrees.checkpoints.drop(before.checkpoint)

    async def release(self) -> None:
        """It has been stopped."""
        await self._tell_background([])
        await self.leave(None)


class Run:
    """`end` always, as soon as it is recorded. The callbacks get what the agent says and asks in a turn."""

    def __init__(
        self,
        context: RunContext,
        session_id: SessionId,
        run_id: RunId,
        *,
        on_event: OnEvent,
        on_permission: Callable[[Question], Awaitable[str | None]],
    ) -> None:
        self._context = context
        self.id = run_id
        self.on_event, self.on_permission = on_event, on_permission
        self.mask = Mask()
        self.reporter = Reporter(context.options, session_id)
        self.process: AgentProcess | None = None
        """`None` before it has opened its conversation, and after its end."""
        self._launch: Launch | None = None
        self._account: str | None = None
        self._is_outdated = False
        self._is_recorded = True

    @property
    def is_sandboxed(self) -> bool:
        return self._launch is not None and self._launch.is_on

    def launched(self, launch: Launch) -> None:
        """From now on it holds this sandbox."""
        self._launch = launch

    async def read_variables(self, session: Session, worktree: Worktree) -> dict[str, str]:
        """Of the person whose session it is, and masked. If they change later, the process does not outlive its turn. What the worktree
        has for itself comes before a variable of this name.
        """
        self._account = await self._context.variables.account_of(session)
        values = await self._context.variables.values(self._account)
        self.mask.add(values)
        provided = await self._context.data.provide(worktree)
        self.mask.add({name: provided.values[name] for name in provided.secrets})
        return {name: value for name, value in values.items() if name not in provided.withheld} | provided.values

    def invalidate_environment(self, account: str) -> None:
        """The variables of `account` changed."""
        self._is_outdated = self._is_outdated or account == self._account

    async def is_stale(self, process: AgentProcess) -> bool:
        """Its process cannot take the next turn: it is dead, has old variables, or obeys other files than it may."""
        return self._is_outdated or not process.is_alive or await process.obeys_otherwise()

    def checkpoint(self, process: AgentProcess) -> PendingCheckpoint:
        """Begin to read what its worktree holds."""
        return PendingCheckpoint(self._context, process.worktree.id, is_sandboxed=self.is_sandboxed)

    async def set_options(self, agent: AgentConversation, chosen: Mapping[str, str]) -> None:
        """Set them now, if the agent is ready. Raises as it does."""
        for option_id in in_order(chosen):
            if agent.is_alive and agent.agent_session_id and chosen[option_id]:
                await agent.set_option(option_id, chosen[option_id])

    async def end(self, *, in_turn: bool = True) -> None:
        """Stop the process and all that it started. `in_turn`: what it committed in the sandbox is collected by the turn's end."""
        process, self.process = self.process, None
        await self.forget(set(await process.agent.stop()) if process is not None else set(), in_turn=in_turn)
        if process is not None:
            await process.release()
        await self.reporter.close()

    async def forget(self, left: set[tuple[int, int]], *, in_turn: bool = True) -> None:
        """Drop the record, if nothing of it is left."""
        is_recorded, self._is_recorded = self._is_recorded, False
        launch, self._launch = self._launch, None
        if launch is not None:
            await self._context.sandboxes.release(launch)
            if launch.is_on and not in_turn:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_COLLECT_S):
                        await self._context.sandboxes.collect(launch.worktree_id)
        if is_recorded:
            with contextlib.suppress(errors.Unavailable):  # the next start revokes them all
                await asyncio.shield(self._context.grants.revoke(self.id))
        if left:
            log.error("Processes of run %s could not be ended: %s", self.id, sorted(pid for pid, _ in left))
        elif is_recorded:
            with contextlib.suppress(errors.Unavailable):  # the next start finds it gone
                await asyncio.shield(self._context.store.write(kept_runs.delete, self.id))
