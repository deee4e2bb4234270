"""The start of an agent's process, until it can open a conversation."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from agor_jupyter.agents.protocol import sign_in
from agor_jupyter.agents.protocol.conversation import AgentConversation
from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.mask import Mask
from agor_jupyter.agents.protocol.process import Executor, Process, Timeouts
from agor_jupyter.agents.protocol.results import LastError, Obstructed, OnEvent, OnOptions, OnPermission
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.errors import AgentFailed


async def start(
    agent: AgentType,
    *,
    cwd: Path,
    env: Mapping[str, str],
    executor: Executor,
    run_id: str,
    on_event: OnEvent,
    on_permission: OnPermission,
    on_options: OnOptions = lambda _options: None,
    on_spawned: Callable[[Process], Awaitable[None]] | None = None,
    limits: Limits | None = None,
    timeouts: Timeouts | None = None,
    mask: Mask | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    last_error: LastError | None = None,
) -> AgentConversation:
    """Start the process and shake hands. `on_spawned` is where its identity is recorded.

    `mask` takes secrets out of all that the agent says, also those that are added to it later.

    Nothing of it runs when it raises:
        Obstructed: it can be tried again.
        AgentFailed: with what the agent wrote to stderr.

    """
    try:
        process = await executor.spawn(agent.command, cwd, env, run_id)
    except OSError as error:
        raise AgentFailed(agent.name, f"it could not be started ({error.strerror})") from error
    conversation = AgentConversation(
        agent,
        process,
        cwd=cwd,
        on_event=on_event,
        on_permission=on_permission,
        on_options=on_options,
        limits=limits or Limits(),
        timeouts=timeouts or Timeouts(),
        mask=Mask() if mask is None else mask,
        now=now,
        authenticate=sign_in.request(agent, env),
        last_error=last_error,
    )
    try:
        if on_spawned:
            await on_spawned(process)
        await conversation.initialize()
    except BaseException as error:
        has_ended, sign = process.exited.is_set(), agent.failures.starts_again
        await conversation.stop()
        if isinstance(error, AgentFailed) and has_ended and sign and re.search(sign, process.stderr_tail()):
            raise Obstructed(error) from error
        raise
    return conversation
