"""A worktree's real index, brought to a commit that its branch moved to, while the files stay as they are."""

from pathlib import Path

from agor_jupyter.git.repository import Repository
from agor_jupyter.git.snapshots import BACKUPS

_ACTION = "update the index"
_IDENTITY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Agor"), ("EMAIL", "agor@localhost"))
}


async def follow(repository: Repository, worktree: Path, before: str, name: str) -> str | None:
    """From the commit `before` to HEAD. What a person staged stays staged.

    Where a file that changed in between is staged too, what was staged is kept under the ref that is returned.

    Errors:
        GitFailed: somebody has it locked, or resolves conflicts.
    """
    kept, code = None, 1
    if before:
        code = (await repository.git(_ACTION, "read-tree", "-i", "-m", before, "HEAD", worktree=worktree, ok=(0, 128))).code
    if code:
        staged = (await repository.git(_ACTION, "write-tree", worktree=worktree)).text.strip()
        parent = ("-p", before) if before else ()
        text = b"What was staged, kept by Agor\n"
        commit = await repository.git("keep what was staged", "commit-tree", staged, *parent, environment=_IDENTITY, stdin=text)
        kept = f"{BACKUPS}/{name}.staged-{staged[:12]}"
        await repository.git("keep what was staged", "update-ref", kept, commit.text.strip())
        await repository.git(_ACTION, "read-tree", "--reset", "HEAD", worktree=worktree)
    await repository.git(_ACTION, "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1))
    return kept
