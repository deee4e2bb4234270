"""Uncommitted work on its way from one worktree to a new one, as a commit that no branch has."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git.repository import Repository

REFS = "refs/agor/carried"
IDENTITY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Agor"), ("EMAIL", "agor@localhost"))
}


async def commit(repository: Repository, tree: str, base: str) -> str:
    """All that a worktree held, on top of the commit that it was at."""
    text = b"Uncommitted work, carried along by Agor\n"
    output = await repository.git("keep the uncommitted work", "commit-tree", tree, "-p", base, environment=IDENTITY, stdin=text)
    return output.text.strip()


async def rebuild(repository: Repository, start: str, patches: Sequence[str]) -> str | None:
    """The tree that follows from the commit or tree `start` by these patches, in order. `None`: they do not apply."""
    folder = Path(tempfile.mkdtemp(prefix="index-", dir=repository.view))
    index = folder / "index"
    try:
        await repository.git("restore an earlier state", "read-tree", start, index=index)
        for text in patches:
            stdin = text.encode()
            if not stdin:
                continue
            output = await repository.git(
                "restore an earlier state", "apply", "--cached", "--whitespace=nowarn", "-", index=index, stdin=stdin, ok=(0, 1, 128)
            )
            if output.code != 0:
                return None
        return (await repository.git("restore an earlier state", "write-tree", index=index)).text.strip()
    except errors.GitFailed:
        return None  # objects that are gone
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def hold(repository: Repository, name: str, commit_id: str) -> None:
    """Until it is in its worktree, git does not tidy it away."""
    await repository.git("keep the uncommitted work", "update-ref", f"{REFS}/{name}", commit_id)


async def let_go(repository: Repository, name: str) -> None:
    """Silent when it is not held."""
    await repository.git("drop what was carried", "update-ref", "-d", f"{REFS}/{name}", ok=(0, 1))
