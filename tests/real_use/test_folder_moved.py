"""A worktree's folder, or the one above it, or the whole checkout, was moved or renamed by hand."""

import shutil
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ways import WayKind
from agor_jupyter.domain.worktrees import Worktree, WorktreeAdopt, WorktreeState
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


async def missing(bench: Bench, worktree: Worktree) -> Worktree:
    with pytest.raises(errors.WorktreeNotReady):
        await bench.worktrees.status([worktree.id], 0)
    return await bench.worktrees.get(worktree.id)


async def test_a_folder_moved_with_mv_is_found_and_followed(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    old, new = Path(worktree.path), Path(worktree.path).with_name("renamed")
    (old / "a.txt").write_text("mine\n")
    old.rename(new)

    lost = await missing(bench, worktree)
    found = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.RELOCATE, key())
    [status] = await bench.worktrees.status([worktree.id], 0)

    assert lost.reason == f"Its folder was moved: {old} is gone, and its files are in {new}."
    assert [(way.kind, way.of) for way in lost.ways] == [(WayKind.RELOCATE, str(new))]
    assert (found.state, found.path, found.reason, found.ways) == (WorktreeState.READY, str(new), None, [])
    assert (status.branch, status.unstaged) == ("fix", 1)
    assert git("status", "--porcelain", cwd=new) == "M a.txt"
    assert f"worktree {new}" in git("worktree", "list", "--porcelain", cwd=checkout).splitlines()


async def test_a_followed_one_is_archived_restored_and_removed_like_any_other(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    Path(worktree.path).rename(new := Path(worktree.path).with_name("renamed"))
    await bench.worktrees.relocation.relocate(OWNER, worktree.id, None, key())
    (new / "new.txt").write_text("new\n")

    await bench.worktrees.archive(OWNER, worktree.id, key())
    is_gone = not new.exists()
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.wait_ready(worktree.id)
    text = (new / "new.txt").read_text()
    await bench.worktrees.remove(OWNER, worktree.id, key(), force=True)

    assert (is_gone, back.state, back.path, text) == (True, WorktreeState.READY, str(new), "new\n")
    assert not new.exists()
    assert "renamed" not in git("worktree", "list", cwd=checkout)


async def test_a_folder_above_it_that_was_renamed_is_found(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    above = checkout.parent / "trees"
    git("worktree", "add", "-q", "-b", "theirs", str(above / "deep" / "theirs"), cwd=checkout)
    worktree = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(above / "deep" / "theirs")), key())
    above.rename(checkout.parent / "forest")

    lost = await missing(bench, worktree)

    assert [(way.kind, way.of) for way in lost.ways] == [(WayKind.RELOCATE, str(checkout.parent / "forest" / "deep" / "theirs"))]


async def test_git_worktree_move_is_followed_by_gits_own_list(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    git("worktree", "add", "-q", "-b", "theirs", str(checkout.parent / "theirs"), cwd=checkout)
    worktree = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(checkout.parent / "theirs")), key())
    (checkout.parent / "far" / "away").mkdir(parents=True)
    git("worktree", "move", str(checkout.parent / "theirs"), str(checkout.parent / "far" / "away" / "x"), cwd=checkout)

    lost = await missing(bench, worktree)
    found = await bench.worktrees.ways.take(OWNER, worktree.id, WayKind.RELOCATE, key())

    assert [way.of for way in lost.ways] == [found.path]
    assert found.path == str(checkout.parent / "far" / "away" / "x")


async def test_another_folder_is_not_taken_for_it(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    copy = checkout.parent / "copy"
    shutil.copytree(worktree.path, copy)
    outside = tmp_path / "outside"

    with pytest.raises(errors.Conflict, match="is where it was"):
        await bench.worktrees.relocation.relocate(OWNER, worktree.id, str(copy), key())
    Path(worktree.path).rename(outside)
    with pytest.raises(errors.BadPath, match="outside the folders"):
        await bench.worktrees.relocation.relocate(OWNER, worktree.id, str(outside), key())
    with pytest.raises(errors.Conflict, match="is not the folder of worktree 'fix'"):
        await bench.worktrees.relocation.relocate(OWNER, worktree.id, str(checkout), key())
    shutil.rmtree(copy)
    lost = await missing(bench, worktree)

    assert [way.kind for way in lost.ways] == [WayKind.RETRY]


async def test_a_folder_that_comes_back_is_ready_again(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    Path(worktree.path).rename(tmp_path / "away")
    await missing(bench, worktree)
    (tmp_path / "away").rename(worktree.path)

    await bench.worktrees.status([worktree.id], 0)

    assert (await bench.worktrees.get(worktree.id)).state is WorktreeState.READY


async def test_a_checkout_that_was_moved_is_followed_with_its_worktrees(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    worktree = await bench.make(repo)
    git("worktree", "add", "-q", "-b", "within", str(checkout / "trees" / "within"), cwd=checkout)
    within = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(checkout / "trees" / "within")), key())
    checkout.rename(new := checkout.parent / "elsewhere")

    lost = await missing(bench, worktree)
    moved = await bench.worktrees.relocation.repo(OWNER, repo.id, str(new), key())
    statuses = await bench.worktrees.status([worktree.id, within.id], 0)

    assert "The repository" in (lost.reason or "")
    assert "is gone. If it was moved" in (lost.reason or "")
    assert (moved.path, moved.git_dir) == (str(new), str(new / ".git"))
    assert [status.branch for status in statuses] == ["fix", "within"]
    assert git("log", "-1", "--format=%s", cwd=worktree.path) == "first"


async def test_another_repository_is_not_taken_for_it(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    await bench.make(repo)
    other = checkout.parent / "other"
    other.mkdir()
    git("init", "-q", cwd=other)

    with pytest.raises(errors.Conflict, match="is where it was"):
        await bench.worktrees.relocation.repo(OWNER, repo.id, str(other), key())
    checkout.rename(checkout.parent / "elsewhere")
    with pytest.raises(errors.Conflict, match="is a different one: it does not have the commit"):
        await bench.worktrees.relocation.repo(OWNER, repo.id, str(other), key())
