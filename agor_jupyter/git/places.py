"""Says where another program finds a checkout or a worktree, so that its git obeys nothing that an agent wrote."""

from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import GitPlace
from agor_jupyter.git import run
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.repository import Repository

_ACTION = "open the repository"


async def of(repository: Repository, worktree: Path | None = None) -> GitPlace:
    """Errors:
    GitFailed: what git keeps for the worktree, or its `.git` file, is not what it was.
    """
    await repository.refresh()
    pins = repository.pins(_ACTION, worktree)
    if worktree is not None:
        own = repository.worktree_dir(worktree)
        if (read_beneath(worktree, ".git", 4096) or b"").strip() != f"gitdir: {own}".encode():
            why = f"{worktree}/.git is not the file that git made. Run `git worktree repair {worktree}` in the repository"
            raise errors.GitFailed(_ACTION, why)
    elif not repository.is_bare:
        pins |= {"GIT_WORK_TREE": str(repository.path), "GIT_INDEX_FILE": str(repository.common_dir / "index")}
    return GitPlace(
        path=str(worktree or repository.path),
        git_dir=str(repository.worktree_dir(worktree) if worktree else repository.common_dir),
        common_dir=str(repository.common_dir),
        view=str(repository.view),
        environment=run.quiet(pins),
    )
