"""A service goes on without its server, and the next one finds and ends it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agor_jupyter.processes import lasting, table
from agor_jupyter.processes.table import Identity
from tests.processes.conftest import ENV, Runner, sleeping, until
from tests.processes.test_contract import ESCAPES, STAYS, WITHOUT_A_MARK

LINE = "echo up; " + ESCAPES + WITHOUT_A_MARK + STAYS


async def orphaned(runner: Runner, line: str) -> str:
    """The identity of a service whose server was killed."""
    program = str(Path(__file__).with_name("start_and_wait.py"))
    server = await asyncio.create_subprocess_exec(
        sys.executable, program, line, runner.run_id, str(runner.log), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    identity = (await server.stdout.readline()).decode().strip()
    server.kill()
    await server.wait()
    return identity


@pytest.fixture(autouse=True)
async def swept(runner: Runner) -> AsyncIterator[None]:
    yield
    assert await lasting.end(runner.run_id) == set()


@pytest.mark.parametrize("knows", ["its identity", "its mark alone"])
async def test_it_outlives_a_killed_server_and_the_next_one_ends_it(knows: str, runner: Runner, token: str) -> None:
    identity = await orphaned(runner, LINE.format(token))
    await until(lambda: len(sleeping(token)) >= 6)

    service = await lasting.adopt(runner.run_id, identity if knows == "its identity" else None, log=runner.log)
    assert service is not None
    assert (service.identity, service.tail(), service.exit_code) == (identity, "up\n", None)
    left = await service.stop(grace_s=0.1)

    assert left == set()
    assert sleeping(token) == set()
    assert service.exited.is_set()


async def test_it_is_told_to_end_before_it_must_and_its_last_words_are_kept(runner: Runner) -> None:
    identity = await orphaned(runner, "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done")
    service = await lasting.adopt(runner.run_id, identity, log=runner.log)
    assert service is not None
    await until(lambda: service.tail() == "up\n")

    left = await service.stop()

    assert left == set()
    assert service.tail().endswith("bye\n")
    assert service.exit_code == 7


async def test_all_of_it_is_told_and_waited_for_also_what_left_its_group(runner: Runner) -> None:
    far = "setsid sh -c 'trap \"echo far; exit\" TERM; echo up; while :; do sleep 0.05; done' &"
    service = await lasting.start(["sh", "-c", f"{far} wait"], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log)
    await until(lambda: service.tail() == "up\n")

    await service.stop()

    assert service.tail().endswith("far\n")
    assert service.exit_code == 143


async def test_one_that_ended_meanwhile_is_not_adopted_and_nothing_of_it_is_left(runner: Runner, token: str) -> None:
    identity = await orphaned(runner, (ESCAPES + STAYS).format(token))
    await until(lambda: len(sleeping(token)) >= 5)
    shim = Identity.living(identity)
    assert shim is not None
    table.kill(shim)
    await until(lambda: Identity.living(identity) is None)

    assert await lasting.adopt(runner.run_id, identity, log=runner.log) is None
    assert sleeping(token) == set()
    assert table.marked(runner.run_id) == set()


async def test_a_pid_that_is_anothers_is_not_adopted_and_not_harmed(runner: Runner, token: str) -> None:
    other = await asyncio.create_subprocess_exec("sleep", token)
    ticks = table.start_ticks(other.pid)
    assert ticks is not None

    adopted = await lasting.adopt(runner.run_id, Identity(other.pid, ticks - 1).text(), log=runner.log)

    assert adopted is None
    assert other.returncode is None
    assert sleeping(token) == {other.pid}
    other.kill()
    await other.wait()


async def test_it_ends_by_itself_and_says_its_code_to_whoever_adopted_it(runner: Runner) -> None:
    identity = await orphaned(
        runner, "read x < /dev/null; while [ ! -e go ]; do sleep 0.02; done; exit 9".replace("go", str(runner.folder / "go"))
    )
    service = await lasting.adopt(runner.run_id, identity, log=runner.log)
    assert service is not None

    (runner.folder / "go").touch()
    await service.exited.wait()

    assert service.exit_code == 9
    assert await service.stop() == set()


async def test_a_stopped_shim_hides_nothing(runner: Runner, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "_KILL_S", 0.2)
    service = await lasting.start(["sh", "-c", LINE.format(token)], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log)
    await until(lambda: len(sleeping(token)) >= 6)
    os.kill(int(service.identity.split(":")[1]), signal.SIGSTOP)

    left = await service.stop(grace_s=0.1)

    assert left == set()
    assert sleeping(token) == set()


async def test_a_server_that_ends_in_order_lets_it_go(runner: Runner, token: str) -> None:
    service = await lasting.start(["sleep", token], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log)
    await until(lambda: sleeping(token))

    service.let_go()

    assert len(sleeping(token)) == 1
    again = await lasting.adopt(runner.run_id, service.identity, log=runner.log)
    assert again is not None
    assert await again.stop() == set()
    os.waitpid(int(service.identity.split(":")[1]), 0)  # in truth it would be init's
