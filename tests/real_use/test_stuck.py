"""What people do by hand to a branch, a lock or git's entry, and the way on that is offered."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from tests.git.conftest import git
from tests.real_use.test_folder_moved import missing
from tests.services.conftest import OWNER, Bench, key


async def looked_at(bench: Bench, worktree: Worktree) -> Worktree:
    await bench.worktrees.status([worktree.id], 0)
    return await bench.worktrees.get(worktree.id)


def left(lock: Path) -> Path:
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))
    return lock


async def test_a_deleted_branch_is_made_again_at_its_last_commit(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "a.txt").write_text("second\n")
    git("commit", "-qam", "my work", cwd=worktree.path)
    tip = git("rev-parse", "HEAD", cwd=worktree.path)
    git("update-ref", "-d", "refs/heads/fix", cwd=checkout)

    told = await looked_at(bench, worktree)
    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.REMAKE_BRANCH, key())
    after = await looked_at(bench, worktree)

    [way] = told.ways
    assert way.why == "The branch “fix” was deleted while it was checked out here. The files are as they were."
    assert f"{tip[:10]} “my work”" in way.what
    assert git("rev-parse", "fix", cwd=checkout) == tip
    assert git("status", "--porcelain", cwd=worktree.path) == ""
    assert after.ways == []


async def test_an_index_lock_that_a_dead_process_left_is_removed(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    lock = left(checkout / ".git" / "worktrees" / Path(worktree.path).name / "index.lock")

    told = await looked_at(bench, worktree)
    after = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.REMOVE_LOCK, key())

    assert [way.kind for way in told.ways] == [WayKind.REMOVE_LOCK]
    assert "A git process that is gone left index.lock behind 60 s ago" in told.ways[0].why
    assert not lock.exists()
    assert after.ways == []


async def test_a_lock_of_a_branch_is_seen_too(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    left(checkout / ".git" / "refs" / "heads" / "fix.lock")

    told = await looked_at(bench, worktree)

    assert [Path(way.of or "").name for way in told.ways] == ["fix.lock"]


async def test_a_lock_that_is_held_says_by_whom_and_stays(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    lock = left(checkout / ".git" / "worktrees" / Path(worktree.path).name / "index.lock")
    with lock.open() as held, subprocess.Popen(["sleep", "600"], stdin=held) as holder:
        held.close()

        told = await looked_at(bench, worktree)
        await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.WAIT, key())

        holder.kill()

    [way] = told.ways
    assert way.kind is WayKind.WAIT
    assert f"“sleep 600 (process {holder.pid})” is working here and has held index.lock" in way.why
    assert lock.exists()


async def test_an_entry_that_was_pruned_is_made_again_and_no_file_is_touched(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    (Path(worktree.path) / "a.txt").write_text("mine\n")
    (Path(worktree.path) / "new.txt").write_text("new\n")
    shutil.rmtree(checkout / ".git" / "worktrees" / Path(worktree.path).name)

    lost = await missing(bench, worktree)
    again = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.REPAIR, key())
    [status] = await bench.worktrees.status([worktree.id], 0)

    assert "git forgot this worktree" in (lost.reason or "")
    assert [way.kind for way in lost.ways] == [WayKind.REPAIR]
    assert (again.state, again.ways) == (WorktreeState.READY, [])
    assert (status.branch, status.unstaged, status.untracked) == ("fix", 1, 1)
    assert git("status", "--porcelain", cwd=worktree.path).split() == ["M", "a.txt", "??", "new.txt"]


async def test_a_folder_that_is_gone_is_made_again(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    shutil.rmtree(worktree.path)

    lost = await missing(bench, worktree)
    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.RETRY, key())
    again = await bench.worktrees.wait_ready(worktree.id)

    assert lost.reason == f"Its folder {worktree.path} is gone."
    assert [way.kind for way in lost.ways] == [WayKind.RETRY]
    assert (again.state, again.ways) == (WorktreeState.READY, [])


@pytest.mark.parametrize(
    ("reason", "said"), [("on a stick\x1b[31m\n of mine", "with the reason “on a stick of mine”"), ("", "without a reason")]
)
async def test_a_lock_of_another_tool_is_told_before_it_is_in_the_way(bench: Bench, checkout: Path, reason: str, said: str) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    lock = checkout / ".git" / "worktrees" / Path(worktree.path).name / "locked"
    git("worktree", "unlock", worktree.path, cwd=checkout)
    git("worktree", "lock", *(["--reason", reason] if reason else []), worktree.path, cwd=checkout)

    told = await looked_at(bench, worktree)
    with pytest.raises(errors.GitFailed, match="another tool locked it.*Unlock"):
        await bench.worktrees.archive(OWNER, worktree.id, key())
    after = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.UNLOCK, key())
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())

    [way] = told.ways
    assert (way.kind, way.is_blocking) == (WayKind.UNLOCK, False)
    assert said in way.why
    assert after.ways == []
    assert archived.state is WorktreeState.ARCHIVED
    assert not lock.exists()


async def test_unlocking_leaves_our_own_lock_so_that_git_does_not_prune_it(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    lock = checkout / ".git" / "worktrees" / Path(worktree.path).name / "locked"
    lock.write_text("theirs\n")
    await looked_at(bench, worktree)

    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.UNLOCK, key())

    assert lock.read_text() == "agor-jupyter\n"


async def test_a_lock_that_is_a_link_is_taken_off_and_not_followed(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    lock, victim = checkout / ".git" / "worktrees" / Path(worktree.path).name / "locked", tmp_path / "victim"
    victim.write_text("precious\n")
    lock.unlink()
    lock.symlink_to(victim)
    await looked_at(bench, worktree)

    await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.UNLOCK, key())

    assert victim.read_text() == "precious\n"
    assert not lock.is_symlink()
