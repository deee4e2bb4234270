"""A repository that a newer git made is fine, and is told as what it is."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeState
from agor_jupyter.git import formats
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key

OLD = pytest.mark.skipif(formats.version() >= (2, 48), reason="this git reads it")


@OLD
@pytest.mark.parametrize(
    ("version", "extension", "value", "says", "needs"),
    [
        ("1", "relativeWorktrees", "true", "relativeworktrees", "2.48"),
        ("1", "refStorage", "reftable", "ref", "2.45"),
        ("1", "fromTheFuture", "yes", "fromthefuture", "newer git"),
        ("7", None, None, "version 7", "newer git"),
    ],
)
async def test_it_is_refused_with_the_reason_of_git(  # noqa: PLR0917 a row of a table
    bench: Bench, checkout: Path, version: str, extension: str | None, value: str | None, says: str, needs: str
) -> None:
    if extension:
        git("config", f"extensions.{extension}", value, cwd=checkout)
    git("config", "core.repositoryFormatVersion", version, cwd=checkout)

    for path in (checkout, checkout / "models"):
        with pytest.raises(errors.UnreadableRepository) as caught:
            await bench.repos.add(OWNER, RepoAdd(path=str(path)), key())

        assert says in str(caught.value)
        assert needs in str(caught.value)
        assert "git init" not in str(caught.value)
    assert await bench.repos.list() == []


@OLD
async def test_one_that_became_newer_says_the_same_and_works_again_afterwards(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    worktree = await bench.make(repo)
    git("config", "extensions.relativeWorktrees", "true", cwd=checkout)
    git("config", "core.repositoryFormatVersion", "1", cwd=checkout)

    with pytest.raises(errors.UnreadableRepository, match=r"2\.48"):
        await bench.worktrees.status([worktree.id], 0)
    (checkout / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n")

    assert not (await bench.worktrees.status([worktree.id], 0))[0].dirty


async def test_longer_object_names_work(bench: Bench, tmp_path: Path) -> None:
    long = tmp_path / "root" / "long"
    long.mkdir()
    git("init", "-q", "--object-format=sha256", cwd=long)
    (long / "a.txt").write_text("one\n")
    git("add", "-A", cwd=long)
    git("commit", "-qm", "first", cwd=long)
    repo = await bench.repo(long)

    worktree = await bench.make(repo)
    (Path(worktree.path) / "a.txt").write_text("two\n")
    patch = await bench.worktrees.diff(worktree.id)
    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    await bench.worktrees.restore(OWNER, worktree.id, key())
    back = await bench.worktrees.wait_ready(worktree.id)

    assert len(worktree.base_sha) == 64
    assert [file.path for file in patch.files] == ["a.txt"]
    assert (archived.state, back.state) == (WorktreeState.ARCHIVED, WorktreeState.READY)
    assert (Path(back.path) / "a.txt").read_text() == "two\n"


async def test_a_plain_folder_is_still_told_to_be_none(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "root" / "plain").mkdir()

    with pytest.raises(errors.NotARepository, match="git init"):
        await bench.repos.add(OWNER, RepoAdd(path="plain"), key())
