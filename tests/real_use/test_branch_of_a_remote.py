"""“The branch is on GitHub, not here”: a colleague's branch is worked on as `git switch` would take it."""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeState
from tests.git.conftest import git
from tests.services.conftest import OWNER, Bench, key

_NAMES = ["feature/login", "dependabot/npm/@types/node-20", "größe", 'it"s;$(touch${IFS}x)', "a=b.c]"]


@pytest.fixture
def remote(checkout: Path, tmp_path: Path) -> Path:
    """The checkout's origin, with what it had at first."""
    path = tmp_path / "origin.git"
    git("clone", "-q", "--bare", str(checkout), str(path), cwd=tmp_path)
    git("remote", "add", "origin", str(path), cwd=checkout)
    git("fetch", "-q", "origin", cwd=checkout)
    return path


def pushed(checkout: Path, remote: Path, branch: str, name: str = "origin") -> str:
    """A commit that only the remote has as a branch."""
    sha = git("commit-tree", "main^{tree}", "-p", "main", "-m", "a colleague's", cwd=checkout)
    git("push", "-q", str(remote), f"{sha}:refs/heads/{branch}", cwd=checkout)
    git("fetch", "-q", name, cwd=checkout)
    return sha


@pytest.mark.parametrize("name", _NAMES)
async def test_a_branch_that_only_the_remote_has_is_made_here_and_tracks_it(bench: Bench, checkout: Path, remote: Path, name: str) -> None:
    sha = pushed(checkout, remote, name)

    worktree = await bench.make(await bench.repo(checkout), branch=name, existing_branch=True)

    assert (worktree.state, worktree.branch, worktree.has_own_branch) == (WorktreeState.READY, name, False)
    assert git("rev-parse", "HEAD", cwd=worktree.path) == sha
    assert git("rev-parse", "--symbolic-full-name", "@{upstream}", cwd=worktree.path) == f"refs/remotes/origin/{name}"
    assert git("status", "--porcelain", cwd=worktree.path) == ""
    (status,) = await bench.worktrees.status([worktree.id], 0)
    assert (status.branch, status.ahead) == (name, 1)


async def test_of_several_remotes_nobody_guesses(bench: Bench, checkout: Path, remote: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.git"
    git("clone", "-q", "--bare", str(checkout), str(other), cwd=tmp_path)
    git("remote", "add", "fork", str(other), cwd=checkout)
    pushed(checkout, remote, "shared")
    theirs = pushed(checkout, other, "shared", "fork")
    repo = await bench.repo(checkout)

    with pytest.raises(errors.Conflict, match=r"on several remotes: .*fork/shared.*git branch --track"):
        await bench.make(repo, branch="shared", existing_branch=True)
    assert git("branch", "--list", "shared", cwd=checkout) == ""
    git("config", "checkout.defaultRemote", "fork", cwd=checkout)
    worktree = await bench.make(repo, branch="shared", existing_branch=True)

    assert git("rev-parse", "HEAD", cwd=worktree.path) == theirs


async def test_a_branch_that_nobody_has_says_which_are_near(bench: Bench, checkout: Path, remote: Path) -> None:
    pushed(checkout, remote, "feature/login")

    with pytest.raises(errors.RefNotFound, match="Did you mean .*feature/login"):
        await bench.make(await bench.repo(checkout), branch="feature/logni", existing_branch=True)


async def test_what_cannot_be_made_leaves_no_branch(bench: Bench, checkout: Path, remote: Path) -> None:
    pushed(checkout, remote, "feature")
    repo = await bench.repo(checkout)
    folder = bench.config.data_dir / "worktrees"
    folder.write_text("in the way")

    worktree = await bench.make(repo, branch="feature", existing_branch=True)
    folder.unlink()

    assert worktree.state is WorktreeState.FAILED
    assert git("branch", "--list", "feature", cwd=checkout) == ""
    assert "[branch" not in (checkout / ".git" / "config").read_text()
    again = await bench.worktrees.retry(OWNER, worktree.id, key())
    assert (await bench.worktrees.wait_ready(again.id)).state is WorktreeState.READY


async def test_settings_that_are_a_link_are_not_written_through(bench: Bench, checkout: Path, remote: Path, tmp_path: Path) -> None:
    pushed(checkout, remote, "feature")
    config, elsewhere = checkout / ".git" / "config", tmp_path / "settings"
    elsewhere.write_bytes(config.read_bytes())
    config.unlink()
    config.symlink_to(elsewhere)
    before = elsewhere.read_bytes()

    worktree = await bench.make(await bench.repo(checkout), branch="feature", existing_branch=True)

    assert worktree.state is WorktreeState.READY
    assert elsewhere.read_bytes() == before
