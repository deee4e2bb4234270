"""However a session's process ends, nothing of it is alive ten seconds later."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack

import pytest

from agor_jupyter.services.app import Agor
from harness.process_table import escapes
from tests.real_agents.stage import PATIENCE_S


@pytest.fixture
async def agor(config):
    """An engine that a test may stop."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(Agor(config))
        app.stop = stack.aclose
        yield app


async def busy(stage):
    """A turn whose command tries to get away in four ways, at work."""
    session = await stage.begin()
    turn = await stage.say(session, {"do": "shell", "cmd": escapes(stage.table.mark), "asks": True}, {"text": "Never said."})
    answering = asyncio.create_task(stage.see_through(turn))
    await stage.wait_for_escapes(turn)
    return session, turn, answering


async def test_an_archived_session_leaves_no_process(stage):
    session = await stage.begin()
    await stage.play(session, {"do": "shell", "cmd": f"(setsid bash -c 'sleep 400; : {stage.table.mark}' >/dev/null 2>&1 &)", "asks": True})
    assert stage.table.ours()

    await stage.agor.sessions.archive(stage.caller, session.id)

    assert await asyncio.to_thread(stage.table.survivors, 10) == []


async def test_a_stopped_server_leaves_no_process(stage):
    _, _, answering = await busy(stage)
    answering.cancel()

    await stage.agor.stop()

    assert await asyncio.to_thread(stage.table.survivors, 10) == []


async def test_a_crashed_agent_leaves_no_process(stage):
    session, turn, answering = await busy(stage)
    tops = stage.table.agents()
    assert tops

    for top in tops:
        os.kill(top.pid, signal.SIGKILL)
    turn = await stage.ended(turn, timeout=PATIENCE_S)

    await answering
    assert (turn.state, turn.error_code) == ("failed", "agent_failed")
    assert await asyncio.to_thread(stage.table.survivors, 10) == []
    assert (await stage.play(session, {"text": "Here again."})).state == "done"
