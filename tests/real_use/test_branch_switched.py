"""“The branch is renamed or switched in the worktree”: the record follows what is checked out, and no branch of somebody's is dropped."""

from pathlib import Path

from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key


async def test_a_renamed_branch_is_recorded_and_shown(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    git("branch", "-m", "fix", "JIRA-12-fix", cwd=worktree.path)

    [status] = await bench.worktrees.status([worktree.id], 0)
    record = await bench.worktrees.get(worktree.id)

    assert status.branch == record.branch == "JIRA-12-fix"


async def test_a_branch_that_was_there_before_is_not_dropped_with_the_worktree(bench: Bench, checkout: Path) -> None:
    git("branch", "theirs", cwd=checkout)
    worktree = await bench.make(await bench.repo(checkout))
    git("switch", "-q", "theirs", cwd=worktree.path)

    await bench.worktrees.remove(OWNER, worktree.id, key())

    assert set(git("for-each-ref", "--format=%(refname:short)", "refs/heads", cwd=checkout).split()) == {"fix", "main", "theirs"}


async def test_a_detached_head_leaves_the_record_and_its_commits_are_told(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    git("checkout", "-q", "--detach", cwd=worktree.path)
    git("commit", "-q", "--allow-empty", "-m", "found by bisecting", cwd=worktree.path)

    [status] = await bench.worktrees.status([worktree.id], 0)
    record = await bench.worktrees.get(worktree.id)
    [lost] = await bench.worktrees.losses(worktree.id)

    assert (status.branch, record.branch) == (None, "fix")
    assert [one.text for one in status.work] == [lost.text]
    assert lost.text == f"1 commit on no branch and on no remote (HEAD is detached at {status.head[:10]})"


async def test_a_renamed_branch_comes_back_from_the_archive(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git("branch", "-m", "fix", "JIRA-12-fix", cwd=path)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=path)

    archived = await bench.worktrees.archive(OWNER, worktree.id, key())
    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert (archived.branch, restored.branch, restored.reason) == ("JIRA-12-fix", "JIRA-12-fix", None)
    assert git("branch", "--show-current", cwd=path) == "JIRA-12-fix"
    assert git("log", "-1", "--format=%s", cwd=path) == "mine"
    assert git("branch", "--list", "fix", cwd=checkout) == ""


async def test_a_branch_that_was_switched_to_comes_back_with_what_was_not_committed(bench: Bench, checkout: Path) -> None:
    worktree = await bench.make(await bench.repo(checkout))
    path = Path(worktree.path)
    git("switch", "-qc", "better-name", cwd=path)
    git("commit", "-q", "--allow-empty", "-m", "mine", cwd=path)
    (path / "u.txt").write_text("not committed\n")

    await bench.worktrees.archive(OWNER, worktree.id, key())
    restored = await bench.worktrees.restore(OWNER, worktree.id, key())

    assert (restored.branch, restored.reason, restored.backup_ref) == ("better-name", None, None)
    assert git("log", "-1", "--format=%s", cwd=path) == "mine"
    assert (path / "u.txt").read_text() == "not committed\n"
