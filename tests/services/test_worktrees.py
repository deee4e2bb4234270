import asyncio
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeCreate, WorktreeState
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


def listed(checkout: Path) -> set[str]:
    lines = git("worktree", "list", "--porcelain", cwd=checkout).splitlines()
    return {line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")} - {str(checkout)}


def on_disk(bench: Bench) -> set[str]:
    folder = bench.config.data_dir / "worktrees"
    return {str(path) for path in folder.iterdir()} if folder.exists() else set()


def branches(checkout: Path) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname:short)", "refs/heads", cwd=checkout).split())


async def test_a_worktree_is_made_on_a_new_branch_from_a_recorded_commit(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    worktree = await bench.make(repo, "Fix null keys", issue_url="https://example.org/1", context={"a": [1]})

    assert (worktree.state, worktree.reason, worktree.step) == (WorktreeState.READY, None, None)
    assert worktree.branch == "fix-null-keys"
    assert worktree.base_ref == "main"
    assert worktree.base_sha == git("rev-parse", "main", cwd=checkout)
    assert (Path(worktree.path) / "models" / "orders.sql").read_text() == "select 1\n"
    assert git("status", "--porcelain", "--branch", cwd=worktree.path) == "## fix-null-keys"
    assert listed(checkout) == on_disk(bench) == {worktree.path}
    assert worktree.status is not None
    assert not worktree.status.dirty


async def test_the_agents_git_uses_the_real_repository(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    (Path(worktree.path) / "a.txt").write_text("new\n")
    git("commit", "-qam", "second", cwd=worktree.path)

    assert git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=worktree.path) == str(checkout / ".git")
    assert git("log", "-1", "--format=%s", worktree.branch, cwd=checkout) == "second"


async def test_the_same_key_makes_one_worktree(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    once, request = key(), WorktreeCreate(repo=repo.id, name="fix")

    made = await asyncio.gather(*(bench.worktrees.create(OWNER, request, once) for _ in range(5)), return_exceptions=True)
    await bench.worktrees.wait_ready("fix")
    again = await bench.worktrees.create(OWNER, request, once)

    assert {one.id for one in made} == {again.id}
    with pytest.raises(errors.KeyReused):
        await bench.worktrees.create(OWNER, request.replace(name="other"), once)


async def test_a_misspelt_base_names_what_is_near(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.RefNotFound, match="Did you mean main") as caught:
        await bench.make(repo, base="mian")

    assert caught.value.details["near"] == ["main"]
    assert on_disk(bench) == set()
    assert await bench.worktrees.list() == []


async def test_a_branch_that_exists_is_not_moved(bench: Bench, checkout: Path) -> None:
    git("branch", "fix", cwd=checkout)
    repo = await bench.repo(checkout)

    with pytest.raises(errors.AlreadyExists):
        await bench.make(repo, "fix")


async def test_an_existing_branch_is_taken_as_it_is(bench: Bench, checkout: Path) -> None:
    git("checkout", "-q", "-b", "work", cwd=checkout)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=checkout)
    git("checkout", "-q", "main", cwd=checkout)
    repo = await bench.repo(checkout)

    worktree = await bench.make(repo, "work", existing_branch=True)
    [status] = await bench.worktrees.status([worktree.id])

    assert worktree.state is WorktreeState.READY
    assert git("rev-parse", "HEAD", cwd=worktree.path) == git("rev-parse", "work", cwd=checkout)
    assert status.ahead == 1


async def test_a_branch_checked_out_elsewhere_says_where(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.BranchTaken) as caught:
        await bench.make(repo, "again", branch="main", existing_branch=True)

    assert caught.value.details["where"] == str(checkout)


async def test_a_repo_without_a_commit_says_so(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "root" / "empty"
    path.mkdir()
    git("init", "-q", "-b", "main", cwd=path)
    repo = await bench.repo(path)

    with pytest.raises(errors.GitFailed, match="no commit yet"):
        await bench.make(repo)


@pytest.mark.parametrize(
    "branch", ["-x", "--force", "a..b", "a;b", "$(id)", "a\nb", "a.lock", "HEAD", "@{-1}", "a\0b", "a\u202eb", "mаin", "x" * 300, "CON"]
)
async def test_a_hostile_branch_or_base_is_refused_before_git_starts(bench: Bench, checkout: Path, branch: str) -> None:
    repo = await bench.repo(checkout)

    with pytest.raises(errors.BadName):
        await bench.make(repo, branch=branch)
    with pytest.raises(errors.BadName):
        await bench.make(repo, base=branch)

    assert branches(checkout) == {"main"}


async def test_twenty_at_once_on_one_repository_all_succeed(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)

    made = await asyncio.gather(*(bench.make(repo, f"work-{number}") for number in range(20)))

    assert {worktree.reason for worktree in made} == {None}
    assert listed(checkout) == on_disk(bench) == {worktree.path for worktree in made}


async def test_names_that_differ_in_case_only_are_one_name(bench: Bench, checkout: Path) -> None:
    repo = await bench.repo(checkout)
    await bench.make(repo, "Fix")

    with pytest.raises(errors.AlreadyExists):
        await bench.make(repo, "fIX", branch="other")


async def test_status_counts_commits_lines_and_untracked_files(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    (path / "a.txt").write_text("one\n2\nthree\n")
    git("commit", "-qam", "x", cwd=path)
    (path / "models" / "orders.sql").write_text("select 2\n")
    (path / "new file.txt").write_text("1\n2\n3")
    git("commit", "-q", "--allow-empty", "-m", "later", cwd=checkout)

    [status] = await bench.worktrees.status([worktree.id], 0)

    assert (status.ahead, status.behind, status.dirty, status.untracked, status.unstaged) == (1, 1, True, 1, 1)
    assert (status.files, status.added, status.deleted) == (3, 6, 2)
    assert (await bench.worktrees.get(worktree.id)).status == status
    patch = await bench.worktrees.diff(worktree.id)
    assert [(file.path, file.added, file.deleted) for file in patch.files] == [
        ("a.txt", 2, 1),
        ("models/orders.sql", 1, 1),
        ("new file.txt", 3, 0),
    ]


async def test_status_is_shared_by_those_who_ask_together(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))

    answers = await asyncio.gather(*(bench.worktrees.status([worktree.id]) for _ in range(10)))

    assert len({id(answer[0]) for answer in answers}) == 1


async def test_checkpoints_see_uncommitted_and_untracked_work_and_touch_nothing(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    before = await bench.worktrees.checkpoint(worktree.id)
    (path / "a.txt").write_text("one\nTWO\n")
    (path / "new.bin").write_bytes(b"\0\1")
    (path / "secret.env").write_text("ignored")
    shown = git("status", "--porcelain", cwd=path)

    after = await bench.worktrees.checkpoint(worktree.id)
    patch = await bench.worktrees.patch(worktree.id, before, after)

    assert (before.dirty, after.dirty, before.commit) == (False, True, after.commit)
    assert [(file.path, file.status, file.added, file.deleted) for file in patch.files] == [
        ("a.txt", "modified", 1, 1),
        ("new.bin", "added", None, None),
    ]
    assert "+TWO" in patch.text
    assert git("status", "--porcelain", cwd=path) == shown


async def test_a_large_patch_is_cut(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    before = await bench.worktrees.checkpoint(worktree.id)
    (Path(worktree.path) / "big.txt").write_text("a line of text\n" * 300_000)

    patch = await bench.worktrees.patch(worktree.id, before, await bench.worktrees.checkpoint(worktree.id))

    assert patch.is_cut
    assert len(patch.text) <= 2_000_000
    assert patch.files[0].added == 300_000
