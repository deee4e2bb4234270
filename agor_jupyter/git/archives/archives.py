"""A worktree that is put away: its folder and what git kept of it, moved as they are into a folder of the server's own.

Nothing is copied and no object is written for a file, so all comes back as it was: ignored files, modes, times, links, repositories
inside, the index, an unfinished merge, the reflog.
"""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.archives import Archive
from agor_jupyter.git import links
from agor_jupyter.git.archives import moves
from agor_jupyter.git.archives.pins import REFS
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.worktrees import entries, foreign_lock

_MANIFEST = "archive.json"
_ON_BRANCH = re.compile(r"ref: refs/heads/([^\x00-\x20~^:?*\[\\\x7f]+)")


@dataclass(frozen=True)
class Box:
    """The folder of one archive."""

    folder: Path

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def admin(self) -> Path:
        return self.folder / "admin"

    @property
    def head(self) -> str:
        """What git's HEAD file said when it was put away: `ref: refs/heads/<branch>`, or a commit."""
        return _text(self.folder / "HEAD")

    @property
    def is_empty(self) -> bool:
        return not os.path.lexists(self.files) and not os.path.lexists(self.admin)

    def write(self, archive: Archive) -> None:
        """On the disk when it returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{_MANIFEST}.new"
        with temporary.open("wb") as file:
            file.write(json.dumps(archive.model_dump(mode="json", by_alias=True), indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / _MANIFEST)
        moves.sync(self.folder)

    def read(self) -> Archive | None:
        """`None`: there is no archive here that this version can read."""
        try:
            return Archive.model_validate_json((self.folder / _MANIFEST).read_bytes())
        except (OSError, ValueError):
            return None

    def empty(self) -> None:
        """Remove what lies in it, and leave what tells of it for last."""
        for part in (self.files, self.admin):
            moves.remove(part)

    def remove(self) -> None:
        self.empty()
        moves.remove(self.folder)


def branch_of(repository: Repository, worktree: Path) -> str | None:
    """The branch that a worktree is on, as it can be shown."""
    branch = _branch_in(_text(repository.worktree_dir(worktree) / "HEAD"))
    return None if branch is None else _shown(branch)


def _branch_in(head: str) -> str | None:
    found = _ON_BRANCH.fullmatch(head)
    return found[1] if found else None


def _shown(name: str) -> str:
    """A name that is not UTF-8 cannot go into JSON."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_lock(repository: Repository, worktree: Path, action: str) -> None:
    """Somebody else's lock says that git must not take it away."""
    reason = foreign_lock(repository, worktree)
    if reason is not None:
        said = f", with the reason “{reason}”" if reason else ""
        raise errors.GitFailed(
            f"{action} the worktree",
            f"another tool locked it{said}. “Unlock” on its card removes that lock, and so does `git worktree unlock {worktree}`",
        )


# Away


def put_away(box: Box, worktree: Path) -> None:
    """The folder. What git keeps follows with `put_admin_away`, so that a crash in between is seen."""
    if os.path.lexists(worktree):
        moves.move(worktree, box.files)


def keep_head(box: Box, repository: Repository, worktree: Path) -> None:
    """What HEAD said, beside the file itself, which has to say something else when its branch has moved."""
    text = _text(repository.worktree_dir(worktree) / "HEAD")
    box.folder.mkdir(parents=True, exist_ok=True)
    (box.folder / "HEAD").write_text(f"{text}\n" if text else "", encoding="utf-8", errors="surrogateescape")


def put_admin_away(box: Box, admin: Path) -> None:
    if os.path.lexists(admin):
        moves.finish(admin, box.admin)


def roll_back(box: Box, worktree: Path, admin: Path) -> None:
    """Back to where all was before. May be repeated."""
    for source, target in ((box.admin, admin), (box.files, worktree)):
        if os.path.lexists(source):
            moves.finish(source, target)


# Back


async def check_back(box: Box, repository: Repository, archive: Archive) -> None:
    """Raises when it cannot be brought back just now; nothing was touched.

    Errors:
        BranchTaken, Conflict.
    """
    worktree = archive.worktree
    if os.path.lexists(worktree.path):
        raise errors.Conflict(f"Something else is at {worktree.path}. Move it elsewhere, then restore {worktree.name!r}.")
    if not box.files.is_dir() or not box.admin.is_dir():
        raise errors.Conflict(
            f"Worktree {worktree.name!r} stays archived: {box.files if not box.files.is_dir() else box.admin} is gone. "
            f"{_where(box, archive)}"
        )
    held = {_branch_in(box.head), _rebased(box.admin)} - {None}
    for entry in await entries(repository):
        if entry.branch in held:
            raise errors.BranchTaken(_shown(entry.branch or ""), entry.path)
    if archive.pins.head is not None:
        output = await repository.git("look up its commit", "cat-file", "-e", f"{archive.pins.head}^{{tree}}", ok=(0, 1, 128))
        if output.code:
            raise errors.Conflict(
                f"Worktree {worktree.name!r} stays archived: commit {archive.pins.head[:12]}, which it was at, is no longer in the "
                f"repository. {_where(box, archive)}"
            )


async def settle_head(box: Box, repository: Repository, archive: Archive) -> str | None:
    """Let HEAD, still in the box, name the commit that the files belong to, whatever became of its branch. What differs from before, in
    words; `None` when nothing does. May be repeated.
    """
    head, commit = box.head, archive.pins.head
    branch = _branch_in(head)
    notice = None
    if branch is not None:
        name = f"refs/heads/{branch}"
        output = await repository.git("look at its branch", "for-each-ref", "--format=%(refname) %(objectname)", name)
        tip = dict(line.split(" ") for line in output.text.splitlines()).get(name)
        if commit is None and tip is not None:
            notice = f"Branch {_shown(branch)!r} had no commit when this was archived, and has {tip[:12]} now. The files are as they were."
        elif commit is not None and tip is None:
            made = await repository.git("make its branch again", "update-ref", name, commit, "0" * len(commit), ok=(0, 1, 128))
            if made.code == 0:
                notice = f"Branch {_shown(branch)!r} was gone, and was made again at {commit[:12]}, where this worktree left it."
            else:
                head = commit
                notice = (
                    f"Branch {_shown(branch)!r} is gone, and another one has a name that does not let it be made again. "
                    f"The worktree is at {commit[:12]}, on no branch. Give it one with `git switch -c <name>`."
                )
        elif tip != commit and commit is not None:
            head = commit
            notice = (
                f"Branch {_shown(branch)!r} was moved to {(tip or '')[:12]} meanwhile. The worktree is at {commit[:12]}, where it was, "
                f"on no branch. `git switch {_shown(branch)}` goes to where the branch is now; `git switch -c <name>` keeps this place."
            )
    if _text(box.admin / "HEAD") != head:
        temporary = box.admin / "HEAD.agor"
        temporary.unlink(missing_ok=True)
        temporary.write_text(f"{head}\n", encoding="utf-8", errors="surrogateescape")
        temporary.replace(box.admin / "HEAD")
    return notice


def settle_entry(box: Box, repository: Repository, archive: Archive) -> str:
    """The name that git will know it by again: the one that it had, or one near it where another worktree has that now. The files, still in
    the box, name it afterwards, and so do those of its submodules. May be repeated.
    """
    above = repository.common_dir / "worktrees"
    entry = links.free_entry(above, archive.admin)
    if entry != archive.admin or links.entry_of(repository.common_dir, box.files) not in {entry, None}:
        links.name_modules(box.files, box.admin, Path(archive.worktree.path), above, entry)
        links.write(box.files / ".git", f"gitdir: {above / entry}\n")
    return entry


def bring_admin_back(box: Box, repository: Repository, archive: Archive) -> None:
    moves.move(box.admin, repository.common_dir / "worktrees" / archive.admin)


def bring_back(box: Box, archive: Archive) -> None:
    moves.move(box.files, Path(archive.worktree.path))


async def refresh_index(repository: Repository, worktree: Path) -> None:
    """Let git's index know the files that were written again. What it cannot, it looks at again when somebody asks."""
    with contextlib.suppress(errors.GitFailed):
        await repository.git("refresh the index", "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1, 128))


def _where(box: Box, archive: Archive) -> str:
    """Where what is left can be found."""
    refs = f" Its commits are below {REFS}/{archive.worktree.id}." if archive.pins.refs else ""
    return f"What was kept lies in {box.folder}.{refs}"


def _rebased(admin: Path) -> str | None:
    """The branch that a rebase, when it ends, will move."""
    for folder in ("rebase-merge", "rebase-apply"):
        name = _text(admin / folder / "head-name")
        if name.startswith("refs/heads/"):
            return name.removeprefix("refs/heads/")
    return None


def _text(path: Path, limit: int = 4096) -> str:
    """What a small file says, without the line's end. Nothing is followed. `""`: there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, limit).decode("utf-8", "surrogateescape").rstrip("\r\n")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
