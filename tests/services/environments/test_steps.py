"""The lines of shell around services, the variables that they get, and what one service's trouble does to others."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import EnvironmentCommand
from tests.services.environments.conftest import service


async def test_a_setup_line_that_fails_starts_nothing_and_says_how_it_ended(stage_of):
    stage = await stage_of(setup=["echo fine", "echo the port is $PORT_WEB; exit 3"], services={"web": service()})

    await stage.start()
    failed = await stage.until_state("failed")

    assert "failed with code 3" in failed.reason
    assert f"the port is {failed.ports['web']}" in failed.reason
    assert stage.processes() == set()
    assert [one.state.value for one in failed.services] == ["stopped"]


async def test_values_are_rendered_once_and_reach_the_service_as_variables(stage_of):
    stage = await stage_of(
        env={"API": "http://127.0.0.1:{{ ports.web }}/{{ worktree.name }}", "PLAIN": "$(exit 1) {% raw %}{{ x }}{% endraw %}"},
        services={"web": service("show=API", "show=PLAIN", env={"EXTRA": "{{ repo.slug }}"})},
    )

    await stage.start()
    healthy = await stage.until_state("healthy")

    assert f"API is http://127.0.0.1:{healthy.ports['web']}/{stage.worktree.name}\nPLAIN is $(exit 1) {{{{ x }}}}\n" in await stage.log()


async def test_a_wrong_template_is_refused_before_anything_starts(stage_of):
    stage = await stage_of(services={"web": service(env={"API": "{{ ports.nothing }}"})})

    with pytest.raises(errors.BadTemplate):
        await stage.start()
    assert (await stage.get()).state.value == "stopped"


async def test_a_service_that_is_not_ready_in_time_is_stopped_and_what_needs_it_fails(stage_of):
    stage = await stage_of(
        services={
            "api": service(ports=["api"], ready={"http": "/broken", "timeout_s": 8}),
            "web": service(depends_on=["api"]),
        }
    )

    await stage.start()
    failed = await stage.until_state("failed")

    reasons = {one.name: one.reason for one in failed.services}
    assert "/broken answers with status 500" in reasons["api"]
    assert reasons["web"] == "It needs api, which is not up."
    assert stage.processes() == set()


async def test_a_line_of_its_log_shows_that_it_is_ready(stage_of):
    command = "echo begins; sleep 0.3; echo now serving; sleep 600"
    stage = await stage_of(services={"web": {"command": command, "ready": {"log": "now serving"}}})

    await stage.start()
    await stage.until_state("healthy")

    assert await stage.log() == "begins\nnow serving\n"


async def test_a_service_that_is_not_there_is_refused(stage_of):
    stage = await stage_of(services={"web": service()})

    with pytest.raises(errors.ServiceNotFound, match="web"):
        await stage.start("nothing")


async def test_stop_and_reset_lines_run_with_nothing_up(stage_of):
    stage = await stage_of(services={"web": service()}, stop=["echo over > stopped.txt"], reset=["echo again > reset.txt"])
    folder = Path(stage.worktree.path)

    await stage.start()
    await stage.until_state("healthy")
    await stage.agor.environments.reset(stage.caller, stage.worktree.id, stage.key())
    await stage.until_state("stopped")

    assert stage.processes() == set()
    assert (folder / "reset.txt").read_text() == "again\n"


async def test_one_service_is_restarted_and_the_others_go_on(stage_of):
    stage = await stage_of(services={"api": service(ports=["api"]), "web": service()})
    await stage.start()
    before = await stage.until_state("healthy")

    request = EnvironmentCommand(services=["web"])
    await stage.agor.environments.restart(stage.caller, stage.worktree.id, request, stage.key())
    await stage.eventually_async(lambda: stage_pid(stage, "web", before), True)
    after = await stage.until_state("healthy")

    pids = [{one.name: one.pid for one in found.services} for found in (before, after)]
    assert pids[0]["api"] == pids[1]["api"]
    assert after.ports == before.ports


async def stage_pid(stage, name, before):
    """Whether it runs as another process than before."""
    now = next(one for one in (await stage.get()).services if one.name == name)
    return now.state.value == "healthy" and now.pid != next(one.pid for one in before.services if one.name == name)
