"""A setup command that never ends is stopped at any moment, with all that it started, and the worktree can be used."""

import asyncio
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate, WorktreeState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.worktrees.worktrees import Worktrees
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def commit_setup(checkout: Path, line: str) -> None:
    (checkout / ".agor.yml").write_text(f"setup: {line}\n")
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "setup", cwd=checkout)


async def begun(bench: Bench, checkout: Path, tmp_path: Path) -> Worktree:
    """One whose setup hangs in two processes, one of which left its group. Their ids are in two files."""
    commit_setup(checkout, f"touch half.env; (setsid sh -c 'echo $$ > {tmp_path}/far; sleep 600' &); echo $$ > {tmp_path}/near; sleep 600")
    made = await bench.worktrees.create(OWNER, WorktreeCreate(repo=(await bench.repo(checkout)).id, name="slow"), key())
    while not ((tmp_path / "far").exists() and (tmp_path / "near").exists() and (tmp_path / "far").read_text()):
        await asyncio.sleep(0.01)
    return await bench.worktrees.get(made.id)


def is_alive(pid_file: Path) -> bool:
    stat = Path("/proc") / pid_file.read_text().strip() / "stat"
    return stat.exists() and not stat.read_text().rpartition(") ")[2].startswith("Z")


async def test_it_is_stopped_with_all_its_processes(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    running = await begun(bench, checkout, tmp_path)

    stopped = await bench.worktrees.ways.take(OWNER, running.id, WayKind.STOP_SETUP, key())

    assert [way.kind for way in running.ways] == [WayKind.STOP_SETUP]
    assert stopped.state is WorktreeState.FAILED
    assert "was stopped by Ann" in (stopped.reason or "")
    assert not is_alive(tmp_path / "far")
    assert not is_alive(tmp_path / "near")
    assert (Path(stopped.path) / "half.env").exists()
    assert [way.kind for way in stopped.ways] == [WayKind.RETRY, WayKind.USE]


async def test_it_is_used_as_it_is(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    running = await begun(bench, checkout, tmp_path)
    await bench.worktrees.ways.stop_setup(OWNER, running.id)

    used = await bench.worktrees.ways.take(OWNER, running.id, WayKind.USE, key())
    [status] = await bench.worktrees.status([used.id], 0)

    assert (used.state, used.reason, used.ways) == (WorktreeState.READY, None, [])
    assert not status.dirty


async def test_there_is_nothing_to_stop_when_none_runs(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    with pytest.raises(errors.Conflict, match=r"No setup of worktree 'fix' runs"):
        await bench.worktrees.ways.stop_setup(OWNER, worktree.id)
    with pytest.raises(errors.NoSuchWay, match="Nothing is wrong with it"):
        await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.STOP_SETUP, key())


async def test_a_server_that_stopped_meanwhile_leaves_the_files_and_says_so(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    running = await begun(bench, checkout, tmp_path)
    await bench.worktrees.close()  # as a server that is told to stop

    after = Worktrees(bench.store, bench.config, Clock(), bench.repos)
    await after.start()
    found = await after.get(running.id)
    await after.close()

    assert (found.state, found.reason) == (WorktreeState.FAILED, "the server stopped while its setup ran")
    assert (Path(found.path) / "a.txt").exists()
    assert not is_alive(tmp_path / "far")


async def test_one_that_cannot_be_started_is_a_setup_that_failed(bench: Bench, checkout: Path) -> None:
    (checkout / ".agor.yml").write_text('setup:\n  - rm -rf "$AGOR_WORKTREE_PATH"\n  - make all\n')
    git("add", "-A", cwd=checkout)
    git("commit", "-qm", "setup", cwd=checkout)

    worktree = await bench.make(await bench.repo(checkout))

    assert worktree.state is WorktreeState.FAILED
    assert worktree.reason == "The setup command “make all” could not be started: no such file or directory."
