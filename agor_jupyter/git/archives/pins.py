"""Hold what only one worktree holds, so that git does not tidy it away while that worktree is put away.

Objects that a worktree's index, reflog or unfinished operation names are safe as long as git knows of the worktree. Refs of our own take
over from then on. No object is written for a file that git has not got already.
"""

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.archives import Pins
from agor_jupyter.git.archives.moves import opened
from agor_jupyter.git.repository import Repository

REFS = "refs/agor/archive"
STAGES = ("index", "base", "ours", "theirs")
"""The trees of an index: what is staged, and the sides of what is in conflict."""
_MOST_READ = 64 * 1024 * 1024
_TODO = ("git-rebase-todo", "done", "todo")
"""Lists of commits in which git shortens names."""
_SKIPPED = frozenset({"index", "modules", "config.worktree", "gitdir", "commondir", "locked"})
_FULL = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_SHORT = re.compile(rb"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-f])")


async def pin(repository: Repository, worktree: Path, name: str) -> Pins:
    """Refs below `refs/agor/archive/<name>`: `head`; what is staged, as commits on top of it; and `others`, a commit that has all else that
    the worktree's own part of the repository names as its parents or its files.

    Errors:
        GitFailed, StorageFull: no ref was made.
    """
    admin = repository.worktree_dir(worktree)
    head, tree, named = await _look_up(repository, worktree, list(_names(admin)))
    lines: list[str] = []
    if head is not None:
        lines.append(f"update {REFS}/{name}/head {head}")
    for stage, side in await _staged(repository, worktree):
        if side == tree:
            continue
        commit = await _commit(repository, side, [head] if head else [], f"{stage}, kept by Agor")
        lines.append(f"update {REFS}/{name}/{stage} {commit}")
    others = await _others(repository, head, named)
    if others is not None:
        lines.append(f"update {REFS}/{name}/others {others}")
    await unpin(repository, name)
    if lines:
        await repository.git("keep what the worktree holds", "update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())
    return Pins(head=head, refs=[line.split(" ")[1] for line in lines])


async def unpin(repository: Repository, name: str) -> None:
    """Drop them all. Silent when there are none."""
    output = await repository.git("list what was kept", "for-each-ref", "--format=delete %(refname)", f"{REFS}/{name}/")
    if output.out:
        await repository.git("drop what was kept", "update-ref", "--stdin", stdin=output.out)


def _names(admin: Path) -> Iterator[bytes]:
    """All that could be the name of an object, in the files of git's folder for a worktree."""
    found: set[bytes] = set()
    left = _MOST_READ
    for folder, folders, files in os.walk(admin):
        folders[:] = [one for one in folders if one not in _SKIPPED]
        for name in files:
            if name in _SKIPPED or name.endswith(".lock") or name.startswith("sharedindex."):
                continue
            text = _read(Path(folder, name), left)
            left -= len(text)
            found.update((_SHORT if name in _TODO else _FULL).findall(text))
    return (one for one in sorted(found) if one.strip(b"0"))


def _read(path: Path, limit: int) -> bytes:
    with contextlib.suppress(OSError), opened(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file.read(max(limit, 0))
    return b""


async def _look_up(repository: Repository, worktree: Path, names: Sequence[bytes]) -> tuple[str | None, str | None, dict[str, str]]:
    """HEAD's commit and its tree, and the kind of each named object that there is."""
    output = await repository.git(
        "look up what the worktree holds",
        *("cat-file", "--buffer", "--batch-check=%(objectname) %(objecttype)"),
        worktree=worktree,
        cwd=repository.view,  # its folder may be what is gone
        stdin=b"\n".join((b"HEAD^{commit}", b"HEAD^{tree}", *names)) + b"\n",
    )
    found = [(one, kind) if kind in {"commit", "tree", "blob", "tag"} else None for one, _, kind in map(_pair, output.text.splitlines())]
    (head, tree), named = (one and one[0] for one in found[:2]), dict(filter(None, found[2:]))
    return head, tree, named


def _pair(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


async def _staged(repository: Repository, worktree: Path) -> list[tuple[str, str]]:
    """The trees of the index. An index that git cannot read holds nothing for it to tidy away."""
    source = repository.worktree_dir(worktree) / "index"
    folder = Path(tempfile.mkdtemp(prefix="index-", dir=repository.view))
    try:
        index = folder / "index"
        try:
            shutil.copy2(source, index)
        except OSError:
            return []
        try:
            unmerged = await repository.git("read the index", "ls-files", "-u", "-z", worktree=worktree, index=index, cwd=repository.view)
        except errors.GitFailed:
            return []
        if not unmerged.out:
            return [(STAGES[0], await _tree(repository, worktree, index))]
        listed = await repository.git("read the index", "ls-files", "-s", "-z", worktree=worktree, index=index, cwd=repository.view)
        sides: dict[bytes, list[bytes]] = {}
        for entry in listed.out.split(b"\0"):
            what, _, path = entry.partition(b"\t")
            if path:
                mode, sha, number = what.split(b" ")
                sides.setdefault(number, []).append(mode + b" " + sha + b" 0\t" + path + b"\0")
        found = []
        for number, entries in sorted(sides.items()):
            side = folder / f"side-{int(number)}"
            await repository.git("read the index", "update-index", "-z", "--index-info", index=side, stdin=b"".join(entries))
            found.append((STAGES[int(number)], await _tree(repository, None, side)))
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _tree(repository: Repository, worktree: Path | None, index: Path) -> str:
    output = await repository.git("keep what is staged", "write-tree", "--missing-ok", worktree=worktree, index=index, cwd=repository.view)
    return output.text.strip()


async def _others(repository: Repository, head: str | None, named: dict[str, str]) -> str | None:
    """A commit with all of `named` that HEAD does not have."""
    commits = [one for one, kind in named.items() if kind in {"commit", "tag"} and one != head]
    tips: list[str] = []
    if commits:
        lines = "".join(f"{one}\n" for one in [*commits, *([f"^{head}"] if head else [])])
        output = await repository.git(
            "look for commits that would be lost", "rev-list", "--parents", "--stdin", stdin=lines.encode(), ok=(0, 128)
        )
        if output.code or output.is_cut:  # too many to tell, or their history is not whole
            tips = [one for one in commits if named[one] == "commit"]
        else:
            rows = [line.split(" ") for line in output.text.splitlines()]
            parents = {parent for row in rows for parent in row[1:]}
            tips = [row[0] for row in rows if row[0] not in parents]
    entries = sorted((one, kind) for one, kind in named.items() if kind in {"tree", "blob"})
    if not tips and not entries:
        return None
    listed = "".join(f"{'040000 tree' if kind == 'tree' else '100644 blob'} {one}\t{one}\n" for one, kind in entries)
    output = await repository.git("keep what the worktree names", "mktree", stdin=listed.encode())
    return await _commit(repository, output.text.strip(), tips, "What else the worktree names, kept by Agor")


async def _commit(repository: Repository, tree: str, parents: Iterable[str], message: str) -> str:
    """Written as an object, because there may be more parents than a command line can hold."""
    who = f"Agor <agor@localhost> {int(time.time())} +0000"
    lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}", "", message, ""]
    output = await repository.git(
        "keep what the worktree holds", "hash-object", "-t", "commit", "-w", "--stdin", stdin="\n".join(lines).encode()
    )
    return output.text.strip()
