"""What holds for every program that is started here, whoever starts it."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from agor_jupyter.processes import guarded, once, table
from agor_jupyter.processes.starting import Limits
from agor_jupyter.processes.table import Identity
from tests.processes.conftest import ALL, BELOW_A_SHIM, ENV, LATE, RUN_TO_THE_END, Runner, sleeping, until

ESCAPES = "setsid sleep {0} >/dev/null 2>&1 & nohup sleep {0} >/dev/null 2>&1 & (setsid sh -c 'sleep {0} & sleep {0}' >/dev/null 2>&1 &); "
WITHOUT_A_MARK = "env -i setsid sleep {0} >/dev/null 2>&1 & "
STAYS = "sleep {0}; sleep {0}"


def hostile(kind: str, token: str) -> tuple[str, int]:
    """A line that ignores SIGTERM and leaves its group in every way, and how many sleep in it at least."""
    escapes = ESCAPES + (WITHOUT_A_MARK if kind in BELOW_A_SHIM else "")
    return "trap '' TERM HUP INT; " + (escapes + STAYS).format(token), 6 if kind in BELOW_A_SHIM else 5


@pytest.mark.parametrize("kind", ALL)
async def test_what_is_stopped_has_no_survivor(kind: str, runner: Runner, token: str) -> None:
    line, count = hostile(kind, token)
    begun = await runner.begin(kind, line)
    await until(lambda: len(sleeping(token)) >= count)

    left = await begun.stop()

    assert not left
    assert sleeping(token) == set()
    assert table.marked(runner.run_id) == set()


@pytest.mark.parametrize("kind", RUN_TO_THE_END)
async def test_a_deadline_leaves_no_survivor(kind: str, runner: Runner, token: str) -> None:
    line, _ = hostile(kind, token)

    result = await (await runner.begin(kind, line, timeout_s=0.5)).result()

    assert result == LATE
    assert sleeping(token) == set()


@pytest.mark.parametrize("kind", BELOW_A_SHIM)
async def test_what_ends_by_itself_leaves_nothing(kind: str, runner: Runner, token: str) -> None:
    line, _ = hostile(kind, token)
    begun = await runner.begin(kind, line.removesuffix(STAYS.format(token)) + "sleep 0.3")

    await begun.result()

    await until(lambda: not sleeping(token))
    await begun.stop() if kind not in RUN_TO_THE_END else None


@pytest.mark.parametrize("kind", RUN_TO_THE_END)
async def test_a_cancel_at_any_moment_leaves_no_survivor_though_it_comes_twice(kind: str, runner: Runner, token: str) -> None:
    for pause_s in (None, 0, 0.001, 0.005, 0.02, 0.05):
        begun = await runner.begin(kind, STAYS.format(token))
        if pause_s is not None:
            await asyncio.sleep(pause_s)
        first = asyncio.create_task(begun.stop())
        for _ in range(3):  # it is being ended when the second one comes
            await asyncio.sleep(0)
        await begun.stop()
        await first

        assert table.marked(runner.run_id) == set()
        assert sleeping(token) == set()


@pytest.mark.parametrize("kind", RUN_TO_THE_END)
async def test_of_endless_output_a_bounded_part_is_kept(kind: str, runner: Runner) -> None:
    begun = await runner.begin(kind, "yes 0123456789 | head -c 30000000; exit 3" if kind in BELOW_A_SHIM else "yes", cap=100_000)

    kept = await begun.result()

    assert isinstance(kept, str)
    assert 1000 < len(kept) <= 100_000


async def test_a_services_output_is_kept_in_bounded_files(runner: Runner) -> None:
    begun = await runner.begin("lasting", "yes 0123456789 | head -c 30000000; echo; echo last words", cap=200_000)

    await begun.result()

    sizes = [path.stat().st_size for path in (runner.log, runner.log.with_name("service.log.1"))]
    assert 50_000 < sum(sizes) <= 200_000
    assert runner.log.read_text().endswith("last words\n")
    await begun.stop()


async def test_many_at_once_leave_no_descriptor_and_no_thread_of_their_own() -> None:
    await asyncio.gather(*(once.run(["true"], cwd=Path("/"), env=ENV, timeout_s=60) for _ in range(40)))
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()

    ended = await asyncio.gather(*(once.run(["cat"], cwd=Path("/"), env=ENV, stdin=b"x" * 200_000, timeout_s=60) for _ in range(40)))

    assert {(one.code, len(one.out)) for one in ended} == {(0, 200_000)}
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert threading.active_count() <= threads


async def test_a_program_that_is_not_there_or_has_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await once.run(["no-such-program"], cwd=tmp_path, env=ENV, timeout_s=60)
    with pytest.raises(FileNotFoundError):
        await once.run(["true"], cwd=tmp_path / "gone", env=ENV, timeout_s=60)
    with pytest.raises(FileNotFoundError):
        await guarded.run(["true"], cwd=tmp_path / "gone", env=ENV, run_id="ru_gone", timeout_s=60)
    ended = await guarded.run(["no-such-program"], cwd=tmp_path, env=ENV, run_id="ru_gone", timeout_s=60)
    assert (ended.code, ended.output) == (127, "no-such-program: No such file or directory")


async def test_a_program_that_moved_is_found_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    env = {"PATH": f"{one}:{two}:{ENV['PATH']}"}
    (one / "moving").write_text("#!/bin/sh\necho one\n")
    (one / "moving").chmod(0o755)
    first = await once.run(["moving"], cwd=tmp_path, env=env, timeout_s=60)
    (one / "moving").rename(two / "moving")

    second = await once.run(["moving"], cwd=tmp_path, env=env, timeout_s=60)

    assert first.text == second.text == "one\n"


async def test_limits_hold_for_the_program_and_its_children(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=512 << 20, cpu_s=1, open_files=50, core_bytes=0)
    line = "sh -c 'ulimit -v; ulimit -n; ulimit -c; ulimit -n 60 || echo no'; while :; do :; done"

    ended = await guarded.run(["sh", "-c", line], cwd=tmp_path, env=ENV, run_id="ru_limits", timeout_s=60, limits=limits)

    assert ended.output.splitlines()[:3] == [str(512 << 10), "50", "0"]
    assert "60" not in ended.output.splitlines()
    assert ended.code in {128 + 24, 128 + 9}  # SIGXCPU, or SIGKILL at the hard limit


async def test_an_identity_is_read_again_and_is_never_another_process(token: str) -> None:
    process = await guarded.spawn(["sleep", token], Path("/"), ENV, "ru_identity")
    boot, pid, ticks = process.identity.split(":")

    assert Identity.living(process.identity) == (process.pid, process.start_ticks)
    for other in (f"{boot}:{pid}:{int(ticks) - 1}", f"another-boot:{pid}:{ticks}", f"{boot}:4194303:{ticks}"):
        assert Identity.living(other) is None
    assert table.pin(Identity(int(pid), int(ticks) - 1)) is None
    table.kill(Identity(int(pid), int(ticks) - 1))
    assert not process.exited.is_set()
    await process.stop(grace_s=0)
    assert Identity.living(process.identity) is None
    for wrong in ("", "1", "a:b:c", str(process.pid)):
        with pytest.raises(ValueError):  # noqa: PT011  # int()'s own, or that of unpacking
            Identity.living(wrong)
