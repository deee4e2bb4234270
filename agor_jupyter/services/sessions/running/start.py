"""The start of an agent's process in the first turn that it serves: people are asked, the sandbox is made, the conversation opened."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from agor_jupyter.agents.history.readers import reader
from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.mask import secrets
from agor_jupyter.agents.protocol.process import Process
from agor_jupyter.agents.protocol.results import ConversationLost, Obstructed, Opened
from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.options import MODE
from agor_jupyter.domain.sessions import Session
from agor_jupyter.domain.trust import Sight, lies_in
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.executors import environment
from agor_jupyter.services.agents import options
from agor_jupyter.services.consent.trusts import WITHOUT, question
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.sessions.conversations import forks
from agor_jupyter.services.sessions.conversations.forks import Plan
from agor_jupyter.services.sessions.running.attempt import Attempt, Cancelled
from agor_jupyter.services.sessions.runs.process import AgentProcess
from agor_jupyter.services.sessions.runs.run_context import RunContext
from agor_jupyter.services.tasks import end
from agor_jupyter.services.worktrees.keepers import Making
from agor_jupyter.services.worktrees.sandboxes import Launch, gpu_notice, mode_notice
from agor_jupyter.storage import runs as kept_runs

_BROUGHT_BACK = ("resumed", "loaded")
_AGAIN_S = (0.5, 2.0, 5.0)
"""How long to wait before each further start of an agent that another of its processes was in the way of."""


class Start:
    """`slot` holds one of the places of those that may start at the same time."""

    def __init__(
        self, context: RunContext, attempt: Attempt, session: Session, worktree: Worktree, slot: contextlib.AsyncExitStack
    ) -> None:
        self._context, self._attempt, self._run = context, attempt, attempt.run
        self._session, self._worktree, self._slot = session, worktree, slot

    async def process(self) -> AgentProcess:
        """Start it; it is the run's from then on.

        Errors:
            Cancelled: the turn was, meanwhile.
            AgorError: it could not be started.
        """
        attempt = self._attempt
        await self._await_minute()
        agent, sight = await attempt.unless_cancelled(self._consent())
        self._context.make_room()
        process, notices = await attempt.unless_cancelled(self._start_in_turn(agent, sight))
        for notice in notices:
            await attempt.tell(notice)
        return process

    async def _await_minute(self) -> None:
        """For an agent that would lose a conversation which it loads in the minute in which it began. Others may start meanwhile."""
        since, now = self._session.agent_session_since, self._context.clock.now()
        is_safe = (
            since is None
            or self._session.agent_session_id is None
            or since.replace(second=0, microsecond=0) != now.replace(second=0, microsecond=0)
        )
        if is_safe or not self._context.agents.get(self._session.agent).quirks.loads_next_minute:
            return
        wait_s = 60.5 - now.second - now.microsecond / 1e6
        text = f"This agent can restore its conversation from the next minute on. It starts in {wait_s:.0f} s."
        await self._attempt.tell(Notice(code="waits_to_load", text=text))
        await self._slot.aclose()
        await self._attempt.unless_cancelled(asyncio.sleep(wait_s))
        await self._slot.enter_async_context(self._context.starting.held())

    async def _consent(self) -> tuple[AgentType, Sight]:
        """The agent as it may start there: it obeys the worktree's files only if an owner trusts them all.

        Whoever may is asked about those that nobody has decided about. Raises `Untrusted`: it cannot be kept from one of them.
        """
        worktree, agent = self._worktree, self._context.agents.require_installed(self._session.agent)
        is_answered = False
        while (sight := await self._context.trusts.look(worktree, agent.name)).open and not is_answered:
            await self._slot.aclose()  # people think for long; others may start meanwhile
            answer = await self._attempt.ask(question(agent, sight))
            if answer is None:
                raise Cancelled
            is_answered = answer == WITHOUT
            await self._slot.enter_async_context(self._context.starting.held(self._session.id))
        if not sight.untrusted:
            return agent, sight
        how, paths = agent.files.without_project, [file.path for file in sight.untrusted]
        if obeyed := [path for path in paths if how is None or lies_in(path, how.except_files)]:
            raise errors.Untrusted(agent.label, worktree.name, obeyed)
        text = f"{agent.label} was started without loading {', '.join(paths)[:1000]}, which nobody trusts."
        await self._attempt.tell(Notice(code="untrusted", text=text))
        return agent.restricted(), sight

    async def _start_in_turn(self, agent: AgentType, sight: Sight) -> tuple[AgentProcess, list[Notice]]:
        if agent.is_builtin:
            return await self._start(agent, sight)
        async with self._context.first_start.held(agent.name):
            now = await self._context.trusts.look(self._worktree, agent.name)
            if changed := sight.differences(now):  # while it waited
                raise errors.ProjectFileChanged(self._worktree.name, changed)
            return await self._start(agent, sight)

    async def _start(self, agent: AgentType, sight: Sight) -> tuple[AgentProcess, list[Notice]]:
        """Start the agent and open the conversation. With what a reader should know about it."""
        context, session, worktree, run = self._context, self._session, self._worktree, self._run
        variables = await run.read_variables(session, worktree)
        kept = reader(agent.history) if agent.history else None
        env = environment.build(agent, run.id, pass_env=context.config.pass_env, variables=variables)
        env = {**await context.environments.variables_in(worktree, session.created_by), **env}
        run.mask.add(secrets(env))
        await context.variables.hide(run.mask, worktree.id)
        looking = asyncio.create_task(self._begin_making(agent))
        try:
            launch = await self._prepare(agent, env)
            making = await looking
        except BaseException:
            await run.forget(set())
            raise
        finally:
            await end(looking)
        crash_point("run.recorded")
        plan = await context.store.read(forks.plan, session, agent)
        spawn = partial(
            context.start_agent,
            agent,
            cwd=Path(worktree.path),
            env=launch.env,
            executor=launch.executor,
            run_id=run.id,
            on_event=run.on_event,
            on_permission=run.on_permission,
            on_options=run.reporter.note,
            on_spawned=self._spawned,
            mask=run.mask,
            now=context.clock.now,
            last_error=partial(kept.last_error, env) if kept else None,
        )
        started, opened, lost = await self._open(agent, spawn, plan)
        beginning = forks.begin(plan, opened.how, agent)
        conversation: dict[str, object] = {"agent_session_id": opened.agent_session_id}
        if opened.how not in _BROUGHT_BACK:
            conversation["agent_session_since"] = context.clock.now()
        if beginning.fork is not None:
            conversation["fork"] = beginning.fork
        run.process = process = AgentProcess(
            context,
            session.id,
            started,
            worktree=worktree,
            mask=run.mask,
            conversation=conversation,
            prologue=beginning.context,
            making=making,
            is_restricted=bool(sight.untrusted),
        )
        if opened.how == "loaded" and kept:
            await asyncio.to_thread(kept.tidy, env, opened.agent_session_id)
        notices = [notice.replace(run_id=run.id) for notice in (*lost, *beginning.notices)]
        return process, [*notices, *left_out(opened.left)]

    async def _begin_making(self, agent: AgentType) -> Making | None:
        if agent.is_builtin:
            return None
        since = self._context.clock.now()
        return Making(agent.name, await self._context.worktrees.untracked(self._worktree.id), since)

    async def _prepare(self, agent: AgentType, env: Mapping[str, str]) -> Launch:
        context, session, run = self._context, self._session, self._run
        launch = await context.sandboxes.prepare(self._worktree, agent, env, run.id, context.executor)
        run.launched(launch)
        await context.store.write(context.sandboxes.tell, session.id, launch)
        is_unasked = launch.is_on and agent.permissions.sandbox_mode is not None and MODE not in session.chosen
        hides_gpu = await asyncio.to_thread(gpu_notice, launch) if session.sandbox is None else None
        for notice in [*launch.notices, *([hides_gpu] if hides_gpu else []), *([mode_notice(agent)] if is_unasked else [])]:
            await self._attempt.tell(notice)
        return launch

    async def _open(
        self, agent: AgentType, spawn: Callable[[], Awaitable[AgentConversation]], plan: Plan
    ) -> tuple[AgentConversation, Opened, list[Notice]]:
        """With one process after another, each without the method that was the end of the one before."""
        session, run = self._session, self._run
        lost: list[Notice] = []
        skip: list[str] = []
        while True:
            self._attempt.agent = started = await self._spawn(spawn)
            try:
                opened = await started.open(
                    plan.previous,
                    fork_of=plan.fork_of,
                    wanted=options.wanted(agent, session, is_sandboxed=run.is_sandboxed),
                    spent_usd=session.usage.cost_usd if plan.previous else None,
                    spent=session.usage if plan.previous else None,
                    tools=lambda: self._context.grants.offer(session.id, run.id, run.mask),
                    skip=skip,
                )
            except ConversationLost as error:
                if left := await started.stop():
                    await run.forget(set(left))
                    raise error.failure from error
                skip.append(error.method)
                lost.append(Notice(code="lost", text=f"{error.failure.message} It is started once more, without {error.method}."))
            except BaseException:
                await run.forget(set(await started.stop()))
                raise
            else:
                return started, opened, lost

    async def _spawn(self, spawn: Callable[[], Awaitable[AgentConversation]]) -> AgentConversation:
        """Start it, after a while once more if another process of the agent was in its way."""
        waits = iter(_AGAIN_S)
        try:
            while True:
                try:
                    return await spawn()
                except Obstructed as error:
                    if (wait_s := next(waits, None)) is None:
                        raise error.failure from error
                    text = f"{error.failure.message} It is started again in {wait_s:g} s."
                    await self._attempt.tell(Notice(code="obstructed", text=text))
                    await asyncio.sleep(wait_s)
        except BaseException:
            await self._run.forget(set())
            raise

    async def _spawned(self, process: Process) -> None:
        crash_point("run.spawned")
        await self._context.store.write(kept_runs.started, self._run.id, process.pid, process.start_ticks)


def left_out(option_ids: list[str]) -> list[Notice]:
    text = "The agent has no option {!r} now, perhaps because of its model. It was ignored."
    return [Notice(code="option_left_out", text=text.format(option_id[:80])) for option_id in option_ids]
