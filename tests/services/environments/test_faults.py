"""Services that behave badly, and ports that others take: nothing is left, nothing is believed that is not so."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

import pytest

from tests.services.environments.conftest import service

BAD = {
    "ignores SIGTERM": ("deaf",),
    "leaves a daemon": ("daemon",),
    "forks for ever": ("forks",),
    "all of it": ("deaf", "daemon", "forks"),
}


@pytest.mark.parametrize("what", BAD)
async def test_however_it_behaves_a_stop_leaves_nothing(stage_of, what):
    stage = await stage_of(services={"web": service(*BAD[what])})
    await stage.start()
    await stage.until_state("healthy")

    await stage.stop()
    await stage.until_state("stopped")

    assert stage.processes() == set()


async def test_what_forks_for_ever_is_stopped_and_not_started_again(stage_of, monkeypatch):
    stage = await stage_of(services={"web": service("forks", restart="always")})
    means = stage.agor.environments._means
    monkeypatch.setattr(means.health, "_every_s", 0.1)
    monkeypatch.setitem(means.config.__dict__, "environment_processes", 30)
    await stage.start()

    record = await stage.until_state("failed")

    assert re.fullmatch(r"It was stopped because it had \d+ processes; 30 are allowed\.", record.services[0].reason)
    assert stage.processes() == set()


async def test_a_stop_in_the_middle_of_a_start_stops_it(stage_of):
    stage = await stage_of(setup=["sleep 600"], services={"web": service()})
    await stage.start()
    await stage.eventually(lambda: len(stage.processes()) >= 2)

    await stage.stop()
    await stage.until_state("stopped")

    assert stage.processes() == set()


async def test_a_service_that_waits_for_another_is_stopped_with_it(stage_of):
    stage = await stage_of(services={"api": service("sleep=600", ports=["api"]), "web": service(depends_on=["api"])})
    await stage.start()
    await stage.eventually(lambda: len(stage.processes()) >= 2)

    await stage.stop()
    found = await stage.until_state("stopped")

    assert {one.state.value for one in found.services} == {"stopped"}
    assert stage.processes() == set()


async def test_what_becomes_ready_and_dies_is_started_again_and_fails_at_its_limit(stage_of):
    stage = await stage_of(services={"web": service("dies", max_restarts=1)})

    await stage.start()
    failed = await stage.until_state("failed")

    assert (failed.services[0].restarts, failed.services[0].exit_code) == (1, 7)
    assert "ended with code 7 after 1 restarts" in failed.services[0].reason
    assert (await stage.log()).count("listens") == 2
    assert stage.processes() == set()


async def test_what_is_killed_is_started_again(stage_of):
    stage = await stage_of(services={"web": service()})
    await stage.start()
    pid = (await stage.until_state("healthy")).services[0].pid

    os.kill(pid, signal.SIGKILL)
    await stage.until_state("starting")
    again = await stage.until_state("healthy")

    assert (again.services[0].restarts, again.services[0].pid != pid) == (1, True)


async def test_a_log_that_never_ends_takes_no_more_than_its_bound(stage_of, config):
    stage = await stage_of(services={"web": service("flood=200000")})

    await stage.start()
    await stage.until_state("healthy")

    folder = config.data_dir / "environments" / stage.worktree.id
    assert sum(path.stat().st_size for path in folder.iterdir()) <= config.environment_log_bytes + 1000
    assert "line 199999 " in await stage.log()


async def test_a_log_that_fills_its_disk_stops_nobody_and_goes_on_when_there_is_room(stage_of, config):
    """What cannot be written is dropped, and the program never waits for it."""
    folder = config.data_dir / "environments"
    folder.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        stage = await stage_of(services={"web": service("flood=200000")})
        await stage.start()
        healthy = await stage.until_state("healthy")  # it comes to listen after 20 MB
        assert shutil.disk_usage(folder).free < 64 << 10, "the disk is full"

        subprocess.run(["mount", "-o", "remount,size=32m", folder], check=True)
        port = healthy.ports["web"]
        await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/again").read())
        await stage.eventually_async(lambda: has(stage, "asked for /again"), True)
        await stage.stop()
        await stage.until_state("stopped")
        assert stage.processes() == set()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


async def has(stage, text):
    return text in await stage.log()


async def test_a_port_that_another_program_took_meanwhile_is_replaced_and_it_says_so(stage_of):
    stage = await stage_of(services={"web": service()})
    await stage.start()
    before = (await stage.until_state("healthy")).ports["web"]
    await stage.stop()
    await stage.until_state("stopped")

    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", before))
        thief.listen()
        await stage.start()
        after = await stage.until_state("healthy")

    assert after.ports["web"] != before
    assert f"Port web is {after.ports['web']} now, because another program uses {before}." in after.reason


async def test_an_answer_of_another_program_is_not_health(stage_of):
    """It takes the port after the service was started, and before the service listens."""
    stage = await stage_of(services={"web": service("sleep=1.5")})
    begun = await stage.start()
    before = begun.ports["web"]

    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        await stage.eventually(lambda: len(stage.processes()) >= 2)
        thief.bind(("127.0.0.1", before))
        thief.listen()
        healthy = await stage.until_state("healthy")

    assert healthy.ports["web"] != before


async def test_what_listens_no_more_is_unhealthy(stage_of, monkeypatch):
    program = (
        "import os,signal,socket,time\n"
        "s=socket.socket(); s.bind(('127.0.0.1',int(os.environ['PORT']))); s.listen()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: s.close())\n"
        "while True: time.sleep(1)\n"
    )
    stage = await stage_of(services={"web": {"command": ["python", "-I", "-c", program], "ports": ["web"]}})
    monkeypatch.setattr(stage.agor.environments._means.health, "_every_s", 0.1)
    await stage.start()
    pid = (await stage.until_state("healthy")).services[0].pid

    os.kill(pid, signal.SIGUSR1)
    found = await stage.until_state("failed")

    assert found.services[0].state.value == "unhealthy"
    assert "does not listen on port" in found.services[0].reason


async def test_an_archive_stops_it_first_and_gives_its_ports_back(stage_of):
    stage = await stage_of(services={"web": service()})
    await stage.start()
    await stage.until_state("healthy")

    await stage.agor.worktrees.archive(stage.caller, stage.worktree.id, stage.key())

    assert stage.processes() == set()
    assert await stage.agor.environments._means.ports.of(stage.worktree.id) == {}
