"""Branches that somebody deleted: which of their commits are still there, and the branch made again."""

from collections.abc import Sequence
from dataclasses import dataclass

from agor_jupyter.domain.text import quoted
from agor_jupyter.git.repository import Repository


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
    await repository.git("make the branch again", "update-ref", "-m", "made again by Agor", f"refs/heads/{branch}", sha, zeros)
