"""Commits that a branch has no longer: which of them are still there, on what, and the branch made again or another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain.text import quoted
from agor_jupyter.git.repository import Repository

MAX_STRAY = 1000


@dataclass(frozen=True, kw_only=True)
class Commit:
    sha: str
    subject: str


async def first_known(repository: Repository, shas: Sequence[str]) -> Commit | None:
    """The first of `shas` that is a commit of this repository."""
    if not shas:
        return None
    asked = "".join(f"{sha}^{{commit}}\n" for sha in shas).encode()
    output = await repository.git("look for its commits", "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
    for sha, line in zip(shas, output.text.split("\n"), strict=False):
        if line == f"{sha} commit":
            told = await repository.git("read the commit", "log", "-1", "--format=%s", sha, "--")
            return Commit(sha=sha, subject=quoted(told.text.strip())[:72])
    return None


async def make(repository: Repository, branch: str, sha: str) -> None:
    """Make `branch` at `sha`, if there is none of that name."""
    zeros = "0" * len(sha)
    await repository.git("make the branch", "update-ref", "-m", "made by Agor", f"refs/heads/{branch}", sha, zeros)


async def stray(repository: Repository, worktree: Path, sha: str) -> int:
    """How many commits that `sha` leads to are on no ref and not below the worktree's HEAD, as far as `MAX_STRAY`. 0: it is no commit here.

    What a sandbox borrows just now is no place to find them again, so that it does not count.
    """
    output = await repository.git(
        "count what is on no branch",
        *("rev-list", "--count", f"--max-count={MAX_STRAY}", f"{sha}^{{commit}}"),
        *("--not", "HEAD", "--exclude=refs/agor/sandbox/*/base/*", "--glob=refs/*", "--"),
        worktree=worktree,
        ok=(0, 128),
    )
    return int(output.text or 0) if output.code == 0 else 0


async def keep(repository: Repository, ref: str, sha: str) -> None:
    """Let `ref`, which is none of git's own, name `sha`."""
    await repository.git("keep the commits", "update-ref", "-m", "kept by Agor", ref, sha)
