"""What the server's owner allows services: the kernel holds them to it, and the environment says so."""

import dataclasses

import pytest

from agor_jupyter.services.environments.means import limits_in_words
from tests.services.environments.conftest import service


@pytest.fixture
def config(config):
    return dataclasses.replace(config, environment_memory_bytes=2 << 30, environment_open_files=100, environment_cpu_s=3)


async def test_each_process_of_a_service_has_the_limits_and_the_environment_says_which(stage_of):
    burns = {"command": "ulimit -v; ulimit -n; ulimit -t; sh -c 'ulimit -n 200 || echo no; while :; do :; done'", "restart": "never"}
    stage = await stage_of(services={"web": service(), "burns": burns})
    before = (await stage.get()).notices

    await stage.start()
    found = await stage.until_state("degraded")

    states = {one.name: one for one in found.services}
    assert (states["web"].state.value, states["burns"].state.value) == ("healthy", "failed")
    assert states["burns"].exit_code in {128 + 24, 128 + 9}, states["burns"]  # the kernel ended it
    lines = (await stage.log("burns")).splitlines()
    assert lines[:3] == [str(2 << 20), "100", "3"]
    assert "no" in lines
    said = (
        "The kernel holds each process of a service, by rlimits, to 2,048 MiB of addresses, 100 open files, 3 s of processor; a service as "
        "a whole has no limit of these. A service with more than 512 processes is stopped."
    )
    assert before == found.notices == [said]


def test_where_nothing_is_set_nothing_is_said(config):
    free = dataclasses.replace(config, environment_memory_bytes=None, environment_open_files=None, environment_cpu_s=None)

    assert limits_in_words(free) is None
