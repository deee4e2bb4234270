"""A place in a service's log stays the same, however much of what came before was dropped."""

import asyncio
from pathlib import Path

from agor_jupyter.processes import lasting, rings
from tests.processes.conftest import ENV, Runner

_RING = 256 << 10


async def test_what_is_asked_for_by_its_place_is_the_same_after_the_files_were_exchanged(runner: Runner) -> None:
    wanted = "".join(f"{number}\n" for number in range(1, 100_001)).encode()
    service = await lasting.start(["seq", "100000"], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log, log_bytes=_RING)
    await service.exited.wait()

    part = rings.read(runner.log, 0, 1 << 20)

    assert rings.end(runner.log) == len(wanted) == part.end
    assert wanted[part.start :] == part.content
    assert _RING // 2 <= len(part.content) <= _RING
    assert rings.read(runner.log, len(wanted) - 5, 100) == (b"0000\n", len(wanted) - 5)
    assert rings.read(runner.log, len(wanted), 100) == (b"", len(wanted))
    assert sum(path.stat().st_size for path in (runner.log, runner.log.with_name(f"{runner.log.name}.1"))) <= _RING


async def test_a_reader_that_follows_misses_and_doubles_nothing_while_the_files_are_exchanged(runner: Runner) -> None:
    line = "i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.01; done"
    service = await lasting.start(["sh", "-c", line], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log, log_bytes=8192)
    wanted = "".join(f"line-{number}\n" for number in range(3000)).encode()
    place = 0
    while not service.exited.is_set() or place < rings.end(runner.log):
        part = rings.read(runner.log, place, 512)
        assert part.start >= place
        assert part.content == wanted[part.start : part.end]
        place = part.end
        if not part.content:
            await asyncio.sleep(0)

    assert place == len(wanted)


async def test_a_second_run_goes_on_in_the_log_of_the_first(runner: Runner) -> None:
    for word in ("one", "two"):
        service = await lasting.start(
            ["sh", "-c", f"echo {word}; exit 3"], cwd=runner.folder, env=ENV, run_id=runner.run_id, log=runner.log, keeps_log=True
        )
        await service.exited.wait()

    assert rings.read(runner.log, 0, 100).content == b"one\ntwo\n"
    assert lasting.exit_code(runner.log) == 3


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert (rings.end(tmp_path / "log"), rings.read(tmp_path / "log", 5, 10)) == (0, (b"", 5))


def test_a_reader_far_behind_reads_on_in_the_older_file_part_by_part(tmp_path: Path) -> None:
    log, older = tmp_path / "x.log", tmp_path / "x.log.1"
    text = "".join(f"line {number}\n" for number in range(400)).encode()
    older.write_bytes(text[:3000])
    log.write_bytes(text[3000:])
    (tmp_path / "x.log.at").write_text(f"{older.stat().st_ino} 7000\n{log.stat().st_ino} 10000\n")

    parts = [rings.read(log, 0, 100)]
    while parts[-1].content:
        parts.append(rings.read(log, parts[-1].end, 100))

    assert parts[0].start == 7000
    assert b"".join(part.content for part in parts) == text
