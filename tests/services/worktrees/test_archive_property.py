"""Whatever state a worktree is in: put away, tidied up by git, and brought back, it is what it was.

`AGOR_EXAMPLES` says how many states are tried, `AGOR_SEED` which is the first.
"""

from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.worktrees import WorktreeState
from tests import repositories
from tests.services.conftest import OWNER, Bench, key
from tests.whole import differences, whole

CHUNK = 10
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
FIRST = range(repositories.SEED, repositories.SEED + repositories.EXAMPLES, CHUNK)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return repositories.checkout(tmp_path / "root" / "repo")


def tidy_up(checkout: Path) -> None:
    """As `git gc` does after a long time, in a fraction of its. The reflog of stashes is what holds them."""
    branches = repositories.git("for-each-ref", "--format=%(refname)", "refs/heads", cwd=checkout).split("\n")
    repositories.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "HEAD", *branches, cwd=checkout)
    repositories.git("prune", "--expire=now", cwd=checkout)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", FIRST)
async def test_what_was_put_away_comes_back_as_it_was(bench: Bench, checkout: Path, first: int) -> None:
    repo = await bench.repo(checkout)
    for seed in range(first, min(first + CHUNK, FIRST.stop)):
        worktree = await bench.make(repo, f"w{seed}")
        path = Path(worktree.path)
        made = repositories.fill(path, seed)
        before = whole(path, checkout / ".git", CACHES)
        try:
            archived = await bench.worktrees.archive(OWNER, worktree.id, key())
        except errors.Conflict as error:
            assert "is a worktree of" in str(error), made  # one that lies inside is named, and nothing was touched
            assert differences(before, whole(path, checkout / ".git", CACHES)) == [], made
            for below in path.glob(".claude/worktrees/*"):
                repositories.git("worktree", "remove", "--force", str(below), cwd=checkout)
            before = whole(path, checkout / ".git", CACHES)
            archived = await bench.worktrees.archive(OWNER, worktree.id, key())
        await bench.worktrees.archives._shelf.settled()
        assert archived.state is WorktreeState.ARCHIVED, made
        assert not path.exists(), made
        tidy_up(checkout)

        restored = await bench.worktrees.restore(OWNER, worktree.id, key())

        assert (restored.state, restored.reason) == (WorktreeState.READY, None), made
        assert differences(before, whole(path, checkout / ".git", CACHES)) == [], made
    repositories.git("fsck", "--connectivity-only", cwd=checkout)
    assert list((bench.config.data_dir / "archives").iterdir()) == []
    assert repositories.git("for-each-ref", "refs/agor/archive", cwd=checkout) == ""
