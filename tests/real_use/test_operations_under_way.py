"""A merge, rebase, cherry-pick, revert, bisect or am that is not finished is work: it is told on the card, and nothing is removed over it."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import WorkKind
from tests import repositories
from tests.services.conftest import OWNER, Bench, key

STEPS = {
    "merge": (repositories.merge, "merge of theirs under way"),
    "rebase": (repositories.rebase, "rebase of fix under way"),
    "cherry-pick": (repositories.cherry_pick, "cherry-pick of "),
    "revert": (repositories.revert, "revert of "),
    "am": (repositories.am, "am under way"),
    "bisect": (repositories.bisect, "bisect of fix under way"),
}


@pytest.mark.parametrize("name", STEPS)
async def test_it_is_told_and_nothing_is_removed_over_it(bench: Bench, tmp_path: Path, name: str) -> None:
    worktree = await bench.make(await bench.repo(repositories.checkout(tmp_path / "root" / "source")))
    step, words = STEPS[name]
    repositories.do(Path(worktree.path), step)

    [status] = await bench.worktrees.status([worktree.id], 0)
    with pytest.raises(errors.WouldLoseWork, match="under way"):
        await bench.worktrees.remove(OWNER, worktree.id, key())

    [told] = [one for one in status.work if one.kind is WorkKind.OPERATION]
    assert (status.operation, status.dirty) == (name, True)
    assert told.text.startswith(words)
    assert ("1 file in conflict" in told.text) is (name != "bisect")
    assert (await bench.worktrees.get(worktree.id)).branch == "fix"


async def test_what_git_set_aside_for_it_is_told(bench: Bench, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(repositories.checkout(tmp_path / "root" / "source")))
    path = Path(worktree.path)
    (path / "conflict.txt").write_text("ours\n")
    repositories.git("commit", "-qam", "ours", cwd=path)
    (path / "run.sh").write_text("changed\n")
    repositories.git("rebase", "-q", "--autostash", "theirs", cwd=path, ok=(1,))

    [told] = [one for one in await bench.worktrees.losses(worktree.id) if one.kind is WorkKind.OPERATION]

    assert told.stashes == 1
    assert told.text.endswith("with changes that git set aside for it")


async def test_stashes_of_the_branch_are_told_and_stay(bench: Bench, tmp_path: Path) -> None:
    worktree = await bench.make(await bench.repo(repositories.checkout(tmp_path / "root" / "source")))
    repositories.do(Path(worktree.path), repositories.stash)

    [told] = await bench.worktrees.losses(worktree.id)
    await bench.worktrees.remove(OWNER, worktree.id, key())

    assert (told.text, told.stays) == ("1 stash made on branch fix", True)
    assert repositories.git("stash", "list", cwd=tmp_path / "root" / "source").startswith("stash@{0}: WIP on fix")
