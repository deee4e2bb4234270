"""“A repository made inside a worktree is destroyed”: `create-next-app`, `cargo init` or `git clone` leave a `.git` of their own."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import Work, WorkKind
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def make_inside(path: Path) -> None:
    path.mkdir(parents=True)
    git("init", "-q", cwd=path)
    (path / "app.js").write_text("work\n")
    git("add", "-A", cwd=path)
    git("commit", "-qm", "inner", cwd=path)
    (path / "more.js").write_text("more\n")


async def pieces(bench: Bench, worktree, kind: WorkKind) -> list[Work]:
    return [one for one in await bench.worktrees.losses(worktree.id) if one.kind is kind]


async def test_it_is_counted_on_the_card_and_named_before_anything_is_removed(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    make_inside(Path(worktree.path) / "frontend")

    [status] = await bench.worktrees.status([worktree.id], 0)
    with pytest.raises(errors.WouldLoseWork, match="frontend") as caught:
        await bench.worktrees.remove(OWNER, worktree.id, key())

    assert status.dirty
    [card] = status.work
    assert (card.kind, card.path, card.commits, card.files) == (WorkKind.REPOSITORY, "frontend", 1, 1)
    assert card.text.startswith("1 repository inside (frontend): 1 commit on no remote, 1 file not committed (")
    assert caught.value.details["losses"] == [card.text]
    assert (Path(worktree.path) / "frontend" / "more.js").read_text() == "more\n"


async def test_one_in_a_folder_that_git_tracks_is_found_though_git_shows_nothing(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    models = Path(worktree.path) / "models"
    git("init", "-q", cwd=models)
    git("add", "-A", cwd=models)
    git("commit", "-qm", "inner", cwd=models)

    [status] = await bench.worktrees.status([worktree.id], 0)

    assert (status.untracked, status.staged, status.unstaged) == (0, 0, 0)
    assert [(one.kind, one.path, one.commits) for one in status.work] == [(WorkKind.REPOSITORY, "models", 1)]


async def test_stashes_branches_and_operations_of_it_are_told(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    inner = Path(worktree.path) / "lib"
    make_inside(inner)
    git("switch", "-qc", "other", cwd=inner)
    (inner / "app.js").write_text("theirs\n")
    git("commit", "-qam", "theirs", cwd=inner)
    git("switch", "-q", "main", cwd=inner)
    (inner / "app.js").write_text("ours\n")
    git("stash", "-q", cwd=inner)
    (inner / "app.js").write_text("mine\n")
    git("commit", "-qam", "mine", cwd=inner)
    with pytest.raises(Exception, match="merge"):
        git("merge", "other", cwd=inner)

    [found] = await pieces(bench, worktree, WorkKind.REPOSITORY)

    assert (found.commits, found.stashes, found.files) == (3, 1, 2)
    assert "3 commits on no remote, 2 files not committed, 1 stash, merge of other under way, 1 file in conflict" in found.text


async def test_what_a_remote_has_is_no_commit_to_lose_but_the_folder_still_is(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    git("clone", "-q", str(checkout), "copy", cwd=worktree.path)

    [found] = await pieces(bench, worktree, WorkKind.REPOSITORY)

    assert (found.commits, found.files) == (0, 0)
    assert "nothing that its remote lacks" in found.text


async def test_those_inside_of_those_inside_are_found(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    make_inside(Path(worktree.path) / "a")
    make_inside(Path(worktree.path) / "a" / "b")
    make_inside(Path(worktree.path) / "x" / "y" / "z")

    found = await pieces(bench, worktree, WorkKind.REPOSITORY)

    assert [one.path for one in found] == ["a", "a/b", "x/y/z"]


async def test_ignored_bare_and_broken_ones_are_found_before_a_removal(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / ".git-exclude").write_text("")
    make_inside(path / "broken")
    (path / "broken" / ".git" / "HEAD").unlink()
    for file in ("app.js", "more.js"):
        (path / "broken" / file).unlink()
    git("init", "-q", "--bare", "bare.git", cwd=path)
    make_inside(path / "data.env" / "clone")

    found = {one.path: one.text for one in await pieces(bench, worktree, WorkKind.REPOSITORY)}

    assert set(found) == {"broken", "bare.git", "data.env/clone"}
    assert "its HEAD is gone or damaged" in found["broken"]


async def test_a_worktree_that_lies_below_is_told_as_one(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    git("worktree", "add", "-q", "-b", "helper", ".claude/worktrees/helper", cwd=worktree.path)
    below = Path(worktree.path) / ".claude" / "worktrees" / "helper"
    (below / "a.txt").write_text("changed\n")

    [found] = await pieces(bench, worktree, WorkKind.LINKED_WORKTREE)

    assert (found.path, found.files) == (".claude/worktrees/helper", 1)
    assert "a worktree of this repository below (.claude/worktrees/helper): on branch helper, 1 file not committed" in found.text


async def test_one_whose_git_folder_lies_elsewhere_is_named_and_not_followed(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    make_inside(tmp_path / "secret")
    outside = Path(worktree.path) / "outside"
    outside.mkdir()
    (outside / ".git").write_text(f"gitdir: {tmp_path}/secret/.git\n")
    linked = Path(worktree.path) / "linked"
    linked.mkdir()
    (linked / ".git").symlink_to(tmp_path / "secret" / ".git")

    found = await pieces(bench, worktree, WorkKind.REPOSITORY)

    assert [(one.path, one.commits) for one in found] == [("linked", 0), ("outside", 0)]
    assert "its repository is elsewhere" in found[1].text


async def test_its_own_settings_and_hooks_are_not_obeyed(bench: Bench, checkout: Path, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    inner = Path(worktree.path) / "trap"
    make_inside(inner)
    pwned = tmp_path / "pwned"
    script = inner / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch {pwned}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.external", "filter.x.clean", "filter.x.smudge", "filter.x.process"):
        git("config", name, str(script), cwd=inner)
    (inner / ".gitattributes").write_text("* filter=x diff=x\n")
    (inner / "app.js").write_text("touched\n")
    for hook in ("post-index-change", "reference-transaction"):
        (inner / ".git" / "hooks" / hook).write_text(script.read_text())
        (inner / ".git" / "hooks" / hook).chmod(0o755)
    (inner / ".git" / "objects" / "info" / "alternates").write_text("/nonexistent\n")

    [status] = await bench.worktrees.status([worktree.id], 0)
    [found] = await pieces(bench, worktree, WorkKind.REPOSITORY)

    assert not pwned.exists()
    assert (found.commits, found.files) == (1, 4)
    assert status.work[0].files == 4


async def test_a_change_in_it_is_seen_at_the_next_look(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    inner = Path(worktree.path) / "frontend"
    make_inside(inner)

    async def look() -> tuple[int, int]:
        [status] = await bench.worktrees.status([worktree.id], 0)
        return status.work[0].commits, status.work[0].files

    first = await look()
    (inner / "third.js").write_text("3\n")
    second = await look()
    git("add", "-A", cwd=inner)
    git("commit", "-qm", "all", cwd=inner)
    third = await look()

    assert (first, second, third) == ((1, 1), (1, 2), (2, 0))
