"""Bring commits that were kept apart onto a worktree's branch.

The worktree's folder is the agent's too, so most of the files are there already, as untracked or changed ones: `git merge` would refuse to
overwrite them. Here the branch and the index move, and only files that nobody changed since the branch's last commit are written.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.work import MAX_NAMES
from agor_jupyter.git.inspection.snapshots import writing_to
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.sandbox import index, inside

_GONE = "0"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """`commit` is where the branch is now. `left` are files that differ from it: they stayed as they were."""

    branch: str
    commit: str
    left: list[str]
    staged_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What taking a ref means, as things are now. `merged` is the tree or commit that both sides come to."""

    branch: str
    """A full name."""
    ours: str
    theirs: str
    merged: str
    is_merge: bool
    written: list[str]
    """Files to write."""
    there: list[str]
    """Files that are as they should be."""
    left: list[str]
    subjects: list[str]
    commits: int


async def preview(repository: Repository, worktree: Path, ref: str) -> Plan:
    """Look what `take` would do. Nothing is changed, and nothing is left in the repository.

    Errors:
        Conflict: as `take`.
    """
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="taking-", dir=repository.view))
    try:
        return await _plan(repository, worktree, ref, writing_to(repository, scratch))
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def _plan(repository: Repository, worktree: Path, ref: str, place: dict[str, str]) -> Plan:
    """`place` says where new objects are written, as variables of git."""
    head = await repository.git("read the branch", "symbolic-ref", "--quiet", "HEAD", worktree=worktree, ok=(0, 1))
    branch = head.text.strip()
    if not branch:
        raise errors.Conflict("The worktree is on no branch. Run `git switch <branch>` in it, then try again.")
    if (under_way := inside.operation(repository.worktree_dir(worktree))) is not None:
        raise errors.Conflict(f"A {under_way} is under way in the worktree. Finish it, or abort it with `git {under_way} --abort`.")
    output = await repository.git("read both sides", "rev-parse", f"{branch}^{{commit}}", f"{ref}^{{commit}}", "--", ok=(0, 128))
    found = output.text.split()[:2] if output.code == 0 else []
    ours, theirs = found if len(found) == 2 else ("", "")
    if not theirs:
        raise errors.Conflict(f"There is no {ref} in the repository.")
    merged, is_merge = await _merged(repository, ours, theirs, ref, place)
    written, there, left = await _compare(repository, worktree, ours, merged, place) if merged != ours else ([], [], [])
    listed = await repository.git("list the commits", "log", "--format=%s", "-z", f"{ours}..{theirs}", "--")
    subjects = [one for one in listed.text.split("\0") if one] if listed.text else []
    return Plan(
        branch=branch,
        ours=ours,
        theirs=theirs,
        merged=merged,
        is_merge=is_merge,
        written=written,
        there=there,
        left=left,
        subjects=subjects[:MAX_NAMES],
        commits=listed.text.count("\0") + bool(listed.text and not listed.text.endswith("\0")),
    )


async def take(repository: Repository, worktree: Path, ref: str, identity: dict[str, str], name: str) -> Taken:
    """Merge `ref` into the worktree's branch.

    Errors:
        Conflict: the worktree is on no branch, something is under way in it, or both sides changed the same lines. Nothing was changed.
    """
    found = await _plan(repository, worktree, ref, {})
    branch, ours, merged = found.branch, found.ours, found.merged
    if merged == ours:
        return Taken(branch=branch.removeprefix("refs/heads/"), commit=ours, left=[])
    if found.is_merge:
        text = f"Merge what was made in the sandbox into {branch.removeprefix('refs/heads/')}\n"
        made = await repository.git(
            "merge both sides", "commit-tree", merged, "-p", ours, "-p", found.theirs, environment=identity, stdin=os.fsencode(text)
        )
        merged = made.text.strip()
    if found.written:
        await repository.git(
            "write the files",
            *("restore", f"--source={merged}", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul"),
            worktree=worktree,
            stdin=b"".join(os.fsencode(path) + b"\0" for path in found.written),
        )
    await repository.git("move the branch", "update-ref", "-m", f"agor: take {ref}", branch, merged, ours)
    kept = await index.follow(repository, worktree, ours, name)
    return Taken(branch=branch.removeprefix("refs/heads/"), commit=merged, left=found.left, staged_ref=kept)


async def _merged(repository: Repository, ours: str, theirs: str, ref: str, place: dict[str, str]) -> tuple[str, bool]:
    """The commit of the two that has all of the other; else the tree of both, and that a merge is needed."""
    for one, other in ((theirs, ours), (ours, theirs)):
        behind = await repository.git("compare both sides", "merge-base", "--is-ancestor", one, other, ok=(0, 1))
        if behind.code == 0:
            return other, False
    output = await repository.git(
        "merge both sides", "merge-tree", "--write-tree", "--name-only", "-z", ours, theirs, environment=place, ok=(0, 1, 128)
    )
    if output.code not in {0, 1}:
        raise errors.Conflict(f"{ref} has no commit in common with the branch, so they are not merged. `git log {ref}` shows it.")
    tree, *listed = output.text.split("\0")
    if output.code:
        names = ", ".join(sorted({path for path in listed[: listed.index("")] if path})[:10])
        raise errors.Conflict(
            f"Both sides changed the same lines of {names}. In the worktree, stash uncommitted changes with `git stash -u`, run "
            f"`git merge {ref}`, resolve the conflicts and commit. What you stashed stays in the stash."
        )
    return tree, True


async def _compare(
    repository: Repository, worktree: Path, ours: str, merged: str, place: dict[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """Of the files that differ between both: those that are as in `ours`, as in `merged`, and as in neither."""
    output = await repository.git(
        "compare both sides",
        *("diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all", ours, merged, "--"),
        environment=place,
    )
    fields = output.text.split("\0")
    wanted = {path: (_blob(line.split()[2]), _blob(line.split()[3])) for line, path in zip(fields[::2], fields[1::2], strict=False)}
    now = await _there(repository, worktree, list(wanted))
    written = [path for path, (before, _) in wanted.items() if now.get(path) == before]
    there = [path for path, (before, after) in wanted.items() if now.get(path) == after != before]
    left = [path for path, both in wanted.items() if now.get(path) not in both]
    return written, there, left


def _blob(sha: str) -> str:
    return _GONE if not sha.strip("0") else sha


async def _there(repository: Repository, worktree: Path, paths: list[str]) -> dict[str, str]:
    """What git would name the content of each file, as it is now. A path without an entry is something else than a file."""
    kinds = await asyncio.to_thread(lambda: {path: _kind(worktree / path) for path in paths})
    found = {path: kind for path, kind in kinds.items() if kind}
    regular = [path for path, kind in kinds.items() if kind is None and "\n" not in path]
    if regular:
        output = await repository.git(
            "read the files",
            "hash-object",
            "--stdin-paths",
            worktree=worktree,
            stdin=b"".join(os.fsencode(path) + b"\n" for path in regular),
        )
        found |= dict(zip(regular, output.text.split(), strict=True))
    return found


def _kind(path: Path) -> str | None:
    """`None`: a regular file. Else the name of a link's content, or what says that there is nothing."""
    try:
        if path.is_symlink():
            content = os.fsencode(path.readlink())
            return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()
        return None if path.is_file() else "folder" if path.is_dir() else _GONE
    except OSError:
        return _GONE
