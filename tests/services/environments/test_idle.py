"""What nobody uses is stopped, and what somebody is connected to is not."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from tests.services.environments.conftest import service


@pytest.fixture
def config(config):
    return dataclasses.replace(config, environment_idle_timeout=timedelta(seconds=2))


async def test_an_environment_that_nobody_uses_is_stopped_and_one_that_is_open_is_not(stage_of):
    stage = await stage_of(services={"web": service()}, links={"site": {"port": "web"}})
    await stage.start()
    port = (await stage.until_state("healthy")).ports["web"]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    supervisor = stage.agor.environments._supervisors[stage.worktree.id]

    supervisor.used_at -= 100
    await stage.agor.environments._idle.look()
    assert await stage.state() == "healthy"

    writer.close()
    await stage.stop()
    await stage.until_state("stopped")


async def test_nobody_has_to_ask_for_it(stage_of):
    stage = await stage_of(services={"web": {"command": "sleep 600"}})

    await stage.start()
    await stage.until_state("healthy")
    stopped = await stage.until_state("stopped")

    assert stopped.reason == "It was stopped because nobody had used it for 2 s. Start it again."
    assert stage.processes() == set()
