"""Worktrees that other tools or `git worktree add` made are taken in where they lie."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeAdopt, WorktreeState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def add(checkout: Path, path: Path, *options: str) -> Path:
    git("worktree", "add", "-q", *options, str(path), cwd=checkout)
    return path


async def test_those_that_git_lists_and_we_do_not_have_are_offered(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    repo = await bench.repo(checkout)
    await bench.make(repo)
    add(checkout, checkout.parent / "theirs", "-b", "theirs")
    add(checkout, tmp_path / "outside", "-b", "far")
    gone = add(checkout, checkout.parent / "gone", "-b", "gone")
    gone.rename(tmp_path / "gone")

    found = {Path(one.path).name: one for one in await bench.worktrees.adoption.adoptable(repo.id)}

    assert set(found) == {"theirs", "outside", "gone"}
    assert (found["theirs"].branch, found["theirs"].reason) == ("theirs", None)
    assert "outside the folders" in (found["outside"].reason or "")
    assert "no such folder" in (found["gone"].reason or "")


async def test_an_adopted_one_works_where_it_lies(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    path = add(checkout, checkout.parent / "theirs", "-b", "theirs")
    (path / "a.txt").write_text("second\n")
    git("commit", "-qam", "second", cwd=path)
    (path / "new.txt").write_text("new\n")

    adopted = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path)), key())
    [status] = await bench.worktrees.status([adopted.id], 0)

    assert (adopted.name, adopted.branch, adopted.path, adopted.state) == ("theirs", "theirs", str(path), WorktreeState.READY)
    assert adopted.base_sha == git("rev-parse", "main", cwd=checkout)
    assert (status.ahead, status.untracked) == (1, 1)
    assert await bench.worktrees.adoption.adoptable(repo.id) == []
    with pytest.raises(errors.AlreadyExists, match="is its folder"):
        await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path), name="again"), key())


async def test_two_folders_of_one_name_are_told_apart_also_after_a_restart(bench: Bench, checkout: Path) -> None:
    """git names the entry of the second one `x1`."""
    repo = await bench.repo(checkout)
    paths = [add(checkout, checkout.parent / above / "x", "-b", above) for above in ("one", "two")]
    adopted = [
        await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path), name=path.parent.name), key())
        for path in paths
    ]
    (paths[1] / "new.txt").write_text("new\n")

    repos = Repos(bench.store, bench.config, Clock())
    after = Worktrees(bench.store, bench.config, Clock(), repos)
    await after.start()
    statuses = await after.status([one.id for one in adopted], 0)
    await after.close()

    assert [one.entry for one in adopted] == [None, "x1"]
    assert [(status.branch, status.untracked) for status in statuses] == [("one", 0), ("two", 1)]


async def test_an_adopted_one_is_archived_and_comes_back_to_its_place(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    paths = [add(checkout, checkout.parent / above / "x", "-b", above) for above in ("one", "two")]
    second = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(paths[1]), name="two"), key())
    (paths[1] / "new.txt").write_text("new\n")

    await bench.worktrees.archive(OWNER, second.id, key())
    is_gone = not paths[1].exists()
    await bench.worktrees.restore(OWNER, second.id, key())
    back = await bench.worktrees.wait_ready(second.id)
    [status] = await bench.worktrees.status([second.id], 0)

    assert (is_gone, back.state, back.reason) == (True, WorktreeState.READY, None)
    assert (status.branch, status.untracked) == ("two", 1)
    assert git("status", "--porcelain", cwd=paths[1]) == "?? new.txt"
    assert git("status", "--porcelain", cwd=paths[0]) == ""


async def test_one_on_no_branch_is_taken_as_it_is(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    path = add(checkout, checkout.parent / "theirs", "--detach")

    adopted = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path)), key())

    assert adopted.branch == git("rev-parse", "main", cwd=checkout)[:12]


async def test_a_release_forgets_it_and_leaves_everything(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    path = add(checkout, checkout.parent / "theirs", "-b", "theirs")
    adopted = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path)), key())
    (path / "new.txt").write_text("new\n")

    await bench.worktrees.adoption.release(OWNER, adopted.id, key())

    assert await bench.worktrees.list() == []
    assert git("status", "--porcelain", "--branch", cwd=path).splitlines() == ["## theirs", "?? new.txt"]
    assert [one.path for one in await bench.worktrees.adoption.adoptable(repo.id)] == [str(path)]


async def test_what_only_claims_to_be_a_worktree_is_refused(bench: Bench, checkout: Path) -> None:
    """Both ends are files that an agent can write."""
    repo = await bench.repo(checkout)
    path = add(checkout, checkout.parent / "theirs", "-b", "theirs")
    fake = checkout.parent / "fake"
    fake.mkdir()
    (fake / ".git").write_text(f"gitdir: {checkout}/.git/worktrees/theirs\n")
    up = checkout.parent / "up"
    up.mkdir()
    (up / ".git").write_text(f"gitdir: {checkout}/.git/worktrees/..\n")
    linked = checkout.parent / "linked"
    linked.mkdir()
    (linked / ".git").symlink_to(path / ".git")

    for one in (fake, up, linked, checkout):
        with pytest.raises(errors.Conflict, match="is not a worktree of this repository"):
            await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(one)), key())
    (checkout / ".git" / "worktrees" / "theirs" / "commondir").write_text("../../../../evil/.git\n")
    with pytest.raises(errors.Conflict, match="is not a worktree of this repository"):
        await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path)), key())


async def test_a_git_file_that_was_rewritten_later_is_not_obeyed(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    path = add(checkout, checkout.parent / "theirs", "-b", "theirs")
    adopted = await bench.worktrees.adoption.adopt(OWNER, WorktreeAdopt(repo=repo.id, path=str(path)), key())
    evil = checkout.parent / "evil"
    evil.mkdir()
    git("init", "-q", cwd=evil)
    git("config", "core.fsmonitor", f"touch {checkout.parent}/pwned", cwd=evil)
    (path / ".git").write_text(f"gitdir: {evil}/.git\n")

    [status] = await bench.worktrees.status([adopted.id], 0)

    assert status.branch == "theirs"
    assert not (checkout.parent / "pwned").exists()
