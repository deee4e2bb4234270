"""Environments: services start in order, are seen healthy, say what they write, and are stopped without a trace."""

import urllib.request

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import EnvironmentCommand
from tests.services.environments.conftest import service


def fetch(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.read().decode()


async def test_it_starts_becomes_healthy_says_what_it_writes_and_leaves_nothing(stage_of):
    stage = await stage_of(services={"web": service("say=hello", ready={"http": "/"})}, links={"site": {"port": "web", "path": "/home"}})

    begun = await stage.start()
    healthy = await stage.until_state("healthy")
    port = healthy.ports["web"]
    answer = fetch(port)
    log = await stage.log()
    await stage.stop()
    stopped = await stage.until_state("stopped")

    assert (begun.state.value, begun.by.username) == ("starting", "ann")
    assert answer == f"/ on {port}\n"
    assert log.startswith("hello\nlistens\n")
    assert "\x1b[32masked for /\x1b[0m\n" in log
    assert (healthy.services[0].state.value, healthy.services[0].pid in stage.processes()) == ("healthy", False)
    assert [(link.url, link.is_open) for link in healthy.links] == [(f"/proxy/{port}/home", True)]
    assert [(link.is_open) for link in stopped.links] == [False]
    assert stage.processes() == set()


async def test_a_service_starts_when_what_it_needs_is_healthy_and_ends_before_it(stage_of):
    stage = await stage_of(
        services={
            "api": service("sleep=0.3", ports=["api"]),
            "web": service("show=PORT_API", depends_on=["api"]),
            "other": service(ports=["other"]),
        }
    )

    await stage.start("web")
    healthy = await stage.until_state("healthy")

    states = {one.name: one for one in healthy.services}
    assert {name: one.state.value for name, one in states.items()} == {"api": "healthy", "web": "healthy", "other": "stopped"}
    assert states["api"].healthy_at < states["web"].started_at
    assert f"PORT_API is {healthy.ports['api']}" in await stage.log()


async def test_the_same_command_starts_it_once(stage_of):
    stage = await stage_of(services={"web": service()})
    key = stage.key()

    first = await stage.agor.environments.start(stage.caller, stage.worktree.id, EnvironmentCommand(), key)
    again = await stage.agor.environments.start(stage.caller, stage.worktree.id, EnvironmentCommand(), key)
    healthy = await stage.until_state("healthy")

    assert first == again
    assert healthy.services[0].restarts == 0
    assert (await stage.log()).count("listens") == 1


async def test_only_an_owner_starts_and_stops_it(stage_of, steerer):
    stage = await stage_of(services={"web": service()})

    for action in (stage.agor.environments.start, stage.agor.environments.stop, stage.agor.environments.restart):
        with pytest.raises(errors.NotAllowed):
            await action(steerer, stage.worktree.id, EnvironmentCommand(), stage.key())
    assert (await stage.agor.environments.get(steerer, stage.worktree.id)).state.value == "stopped"
