"""No process outlives its run, whoever dies first."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agor_jupyter.executors import reaper
from agor_jupyter.executors.local import LocalExecutor
from agor_jupyter.executors.reaper import RunIdentity
from agor_jupyter.processes import table
from agor_jupyter.processes.table import Identity

ENV = {"PATH": os.environ["PATH"]}
ESCAPES = (
    "setsid sleep {0} >/dev/null & nohup sleep {0} >/dev/null 2>&1 & (setsid sh -c 'sleep {0} & sleep {0}' >/dev/null &) ;"
    "env -i setsid sleep {0} >/dev/null & sleep 0.3; echo ready; sleep {0}"
)


@pytest.fixture
def token() -> str:
    return f"{random.randint(10_000, 99_999)}.{random.randint(1000, 9999)}"


def sleeping(token: str) -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(f"sleep\0{token}".encode()):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


async def spawn(command: str, run_id: str = "ru_local", cwd: Path = Path("/")):
    return await LocalExecutor().spawn(["sh", "-c", command], cwd, ENV, run_id)


async def test_the_command_gets_its_folder_and_exactly_its_environment(tmp_path):
    process = await spawn("pwd; env", "ru_env", tmp_path)

    told = (await process.stdout.read()).decode().splitlines()

    assert told[0] == str(tmp_path)
    names = {line.split("=")[0] for line in told[1:]} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names == {"PATH", "AGOR_RUN_ID", "LC_CTYPE"} - ({"LC_CTYPE"} - names)
    await process.exited.wait()
    assert process.exit_code == 0
    assert not await process.stop()


async def test_the_agent_ignores_no_signal_though_the_server_was_started_in_the_background():
    ours = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    known = {number: signal.signal(number, signal.SIG_IGN) for number in ours}
    try:
        process = await spawn("grep SigIgn /proc/self/status")
    finally:
        for number, handler in known.items():
            signal.signal(number, handler)

    ignored = int((await process.stdout.read()).split()[1], 16)
    assert [number.name for number in (*ours, signal.SIGPIPE, signal.SIGXFSZ) if ignored >> (number - 1) & 1] == []
    await process.stop()


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
async def test_the_exit_code_is_the_agents(command, code):
    process = await spawn(command)

    await process.exited.wait()

    assert process.exit_code == code
    await process.stop()


async def test_an_agent_that_ends_leaves_none_of_its_children(token):
    process = await spawn(ESCAPES.format(token).rpartition(";")[0])
    assert await process.stdout.readline() == b"ready\n"

    await process.exited.wait()

    assert sleeping(token) == set()
    await process.stop()


async def test_stop_ends_what_ignores_everything(token):
    process = await spawn("trap '' TERM HUP INT;" + ESCAPES.format(token))
    assert await process.stdout.readline() == b"ready\n"
    assert len(sleeping(token)) >= 5

    left = await process.stop(grace_s=0.1)

    assert left == set()
    assert sleeping(token) == set()


async def test_stop_ends_what_is_below_a_stopped_shim(token):
    process = await spawn(ESCAPES.format(token))
    assert await process.stdout.readline() == b"ready\n"
    os.kill(process.pid, signal.SIGSTOP)

    left = await process.stop(grace_s=0.1)

    assert left == set()
    assert sleeping(token) == set()


async def test_after_a_cancel_only_what_was_there_before_stays(token):
    process = await spawn(f"sleep {token}0 & echo up; read line; " + ESCAPES.format(token + "1") + "; read line")
    assert await process.stdout.readline() == b"up\n"
    baseline = await process.baseline()
    process.stdin.write(b"go\n")
    assert await process.stdout.readline() == b"ready\n"

    left = await process.after_cancel(baseline)

    assert left == set()
    assert sleeping(token + "1") == set()
    assert len(sleeping(token + "0")) == 1
    await process.stop()
    assert sleeping(token) == set()


async def test_the_loop_is_never_blocked_by_a_sweep(token):
    process = await spawn(ESCAPES.format(token))
    await process.stdout.readline()
    stopping = asyncio.create_task(process.stop(grace_s=0.05))
    lags = []

    while not stopping.done():
        begun = time.thread_time()  # what the loop's thread worked: the machine may have others at work
        await asyncio.sleep(0.005)
        lags.append(time.thread_time() - begun)

    await stopping
    assert max(lags) < 0.1


async def test_stop_works_when_nobody_read_and_nothing_was_taken():
    process = await spawn("yes | head -c 20000000; sleep 100")
    process.stdin.write(b"x" * 10_000_000)
    await asyncio.sleep(0.2)

    left = await process.stop(grace_s=0.1)

    assert left == set()
    assert process.exited.is_set()


async def test_many_at_once_leave_no_thread_and_no_descriptor():
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()

    running = await asyncio.gather(*(spawn("cat", f"ru_many{number}") for number in range(8)))
    left = await asyncio.gather(*(process.stop() for process in running))

    assert not any(left)
    async with asyncio.timeout(50):
        while len(os.listdir("/proc/self/fd")) > descriptors + 1:
            await asyncio.sleep(0.01)
    assert threading.active_count() <= threads + 32  # the pool of to_thread


@pytest.mark.parametrize("first", ["server", "server and shim"])
def test_nothing_outlives_a_killed_server(token, first):
    run_id = f"ru_killed{token}"
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("run_and_wait.py")), ESCAPES.format(token), run_id], stdout=subprocess.PIPE
    )
    pid, ticks = map(int, server.stdout.readline().split())
    assert len(sleeping(token)) >= 5

    if first == "server and shim":
        os.kill(pid, signal.SIGSTOP)  # so that only the next server can do it
    server.kill()
    server.wait()
    server.stdout.close()

    if first == "server":
        end = time.monotonic() + 50
        while (sleeping(token) or table.identify({pid})) and time.monotonic() < end:
            time.sleep(0.01)
    else:
        reaped = asyncio.run(reaper.reap([RunIdentity(run_id, table.boot_id(), pid, ticks)]))
        assert reaped[run_id] >= 5
    assert sleeping(token) == set()
    assert Identity(pid, ticks) not in table.identify({pid})


async def test_a_run_recorded_before_its_fork_is_found_by_its_mark(token):
    run_id = f"ru_mark{token}"
    child = subprocess.Popen(["setsid", "sleep", token], env={**ENV, "AGOR_RUN_ID": run_id})
    reaping = asyncio.create_task(reaper.reap([RunIdentity(run_id, table.boot_id())]))
    while child.poll() is None:
        await asyncio.sleep(0.01)

    assert (await reaping)[run_id] == 1
    assert sleeping(token) == set()


async def test_a_pid_that_belongs_to_another_process_is_left_alone(token):
    child = subprocess.Popen(["sleep", token])
    ticks = table.start_ticks(child.pid)

    reaped = await reaper.reap(
        [RunIdentity("ru_other", table.boot_id(), child.pid, ticks - 1), RunIdentity("ru_boot", "another boot", child.pid, ticks)]
    )
    table.kill(Identity(child.pid, ticks - 1))

    assert reaped == {"ru_other": 0, "ru_boot": 0}
    assert child.poll() is None
    table.kill(Identity(child.pid, ticks))
    assert child.wait(50) == -9
