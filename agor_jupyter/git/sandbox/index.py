"""A worktree's real index, brought to a commit that its branch moved to, while the files stay as they are."""

import os
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git.inspection.snapshots import BACKUPS
from agor_jupyter.git.repository import Repository

_ACTION = "update the index"
_IDENTITY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Agor"), ("EMAIL", "agor@localhost"))
}
_MOST_PATHS = 500
"""With more, git looks at the whole index instead."""
_GONE = ("000000", "0")

_Entry = tuple[str, str]


async def follow(repository: Repository, worktree: Path, before: str, name: str) -> str | None:
    """From the commit `before` to HEAD. What a person staged stays staged. Only entries that differ between both are looked at.

    Where a file that changed in between is staged too, what was staged is kept under the ref that is returned.

    Errors:
        GitFailed: somebody has it locked, or resolves conflicts.
    """
    if before:
        changed = await _changed(repository, worktree, before)
        if len(changed) <= _MOST_PATHS:
            if await _set(repository, worktree, changed):
                return None
        elif (await repository.git(_ACTION, "read-tree", "-i", "-m", before, "HEAD", worktree=worktree, ok=(0, 128))).code == 0:
            await repository.git(_ACTION, "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1))
            return None
    staged = (await repository.git(_ACTION, "write-tree", worktree=worktree)).text.strip()
    parent = ("-p", before) if before else ()
    text = b"What was staged, kept by Agor\n"
    commit = await repository.git("keep what was staged", "commit-tree", staged, *parent, environment=_IDENTITY, stdin=text)
    kept = f"{BACKUPS}/{name}.staged-{staged[:12]}"
    await repository.git("keep what was staged", "update-ref", kept, commit.text.strip())
    await repository.git(_ACTION, "read-tree", "--reset", "HEAD", worktree=worktree)
    await repository.git(_ACTION, "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1))
    return kept


async def _changed(repository: Repository, worktree: Path, before: str) -> dict[str, tuple[_Entry, _Entry]]:
    """By path: its entry in `before`, and in HEAD."""
    output = await repository.git(
        _ACTION, "diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none", before, "HEAD", "--", worktree=worktree
    )
    fields = output.text.split("\0")
    found = {}
    for line, path in zip(fields[::2], fields[1::2], strict=False):
        old_mode, new_mode, old, new = line[1:].split(" ")[:4]
        found[path] = (_entry(old_mode, old), _entry(new_mode, new))
    return found


async def _set(repository: Repository, worktree: Path, changed: dict[str, tuple[_Entry, _Entry]]) -> bool:
    """Whether all entries could be: one that is neither the old nor the new one is a person's."""
    if not changed:
        return True
    listed = await repository.git(_ACTION, "ls-files", "--stage", "-z", "--", *changed, worktree=worktree)
    there: dict[str, _Entry] = {}
    for line in listed.text.split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, sha, stage = facts.split(" ")
        if stage != "0":
            raise errors.GitFailed(_ACTION, f"there is a conflict in {path}")
        if path in changed:
            there[path] = (mode, sha)
    wanted = {}
    for path, (old, new) in changed.items():
        now = there.get(path, _GONE)
        if now not in {old, new}:
            return False
        if now != new:
            wanted[path] = new
    if not wanted:
        return True
    zero = "0" * max(len(sha) for pair in changed.values() for _, sha in pair)
    lines = [f"{mode} {zero if sha == '0' else sha}\t{path}\0" for path, (mode, sha) in sorted(wanted.items(), key=lambda one: one[1])]
    await repository.git(
        _ACTION,
        *("update-index", "--add", "--remove", "--replace", "-z", "--index-info"),
        worktree=worktree,
        stdin=os.fsencode("".join(lines)),
    )
    paths = b"".join(os.fsencode(path) + b"\0" for path, entry in wanted.items() if entry != _GONE)
    if paths:
        await repository.git(
            _ACTION,
            *("add", "--refresh", "--pathspec-from-file=-", "--pathspec-file-nul"),
            worktree=worktree,
            stdin=paths,
            ok=(0, 1, 128),
        )
    return True


def _entry(mode: str, sha: str) -> _Entry:
    return (mode, sha) if sha.strip("0") else _GONE
