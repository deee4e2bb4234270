"""Work: what a person would call theirs in a worktree's folder, one record for each piece, with the sentence that names it."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from agor_jupyter.domain.records import Record

MAX_NAMES = 20
_UNITS = ("kB", "MB", "GB", "TB")


class WorkKind(StrEnum):
    CHANGES = "changes"
    """Changed files that git tracks, staged or not."""
    UNTRACKED = "untracked"
    HIDDEN = "hidden"
    """Changed files that git was told not to look at (`assume-unchanged`, `skip-worktree`)."""
    COMMITS = "commits"
    """Commits of the branch that no other branch, no tag and no remote has."""
    DETACHED = "detached"
    """Commits that no branch, no tag and no remote has: no branch was checked out, or it was moved away from them."""
    STASH = "stash"
    """Changes set aside: by git itself during an operation, or by `git stash`."""
    OPERATION = "operation"
    """A merge, rebase, cherry-pick, revert, bisect or am that is not finished."""
    SANDBOX = "sandbox"
    """The same, or files in conflict, in the repository of their own that agents work in behind the sandbox."""
    REPOSITORY = "repository"
    """A repository of its own below the worktree."""
    LINKED_WORKTREE = "linked_worktree"
    """A worktree of this or another repository that lies below."""
    SUBMODULE = "submodule"
    IGNORED = "ignored"
    """Ignored files that are no cache and differ from the main checkout's."""
    FILTERED = "filtered"
    """What a filter leaves out of what git stores, and so is in no commit: the outputs of notebooks under nbstripout."""
    MOUNT = "mount"
    """Another file system that is mounted below."""
    OWN = "own"
    """Files that an agent keeps for itself. They are no work of anybody's; an archive and a removal keep them."""
    UNKNOWN = "unknown"
    """What could not be looked at, and so is not called clean."""


class Work(Record):
    """One piece of work. Its counts are at least so many when `is_more` is true."""

    kind: WorkKind
    path: str = ""
    """Below the worktree; empty for the worktree as a whole."""
    text: str
    """For a person: “1 repository inside (frontend): 1 commit on no remote, 1 file not committed”."""
    files: int = 0
    """Not committed, conflicted or ignored ones, as the kind says."""
    commits: int = 0
    stashes: int = 0
    bytes: int = 0
    names: list[str] = Field(default_factory=list, max_length=MAX_NAMES)
    """The first files that it is about, by their paths below the worktree."""
    is_more: bool = False
    """A bound was reached while it was counted."""
    stays: bool = False
    """It lies in the repository, and is still there when the worktree's folder is gone."""


_NOT_SHOWN = {
    WorkKind.REPOSITORY: "a repository inside",
    WorkKind.LINKED_WORKTREE: "a worktree inside",
    WorkKind.SUBMODULE: "a submodule with work of its own",
}


def not_shown(found: Sequence[Work]) -> list[str]:
    """What a diff of the worktree cannot show, a sentence each."""
    return [f"{one.path}: {_NOT_SHOWN[one.kind]}, not shown" for one in found if one.kind in _NOT_SHOWN]


def lost(found: Sequence[Work]) -> list[Work]:
    """Those that go with the worktree's folder."""
    return [one for one in found if not one.stays and one.kind is not WorkKind.OWN]


def own(found: Sequence[Work]) -> list[Work]:
    """What agents keep for themselves there."""
    return [one for one in found if one.kind is WorkKind.OWN]


def count(number: int, what: str, *, is_more: bool = False) -> str:
    """“1 file”, “more than 2,000 files”."""
    return f"{'more than ' if is_more else ''}{number:,} {what}{'' if number == 1 and not is_more else 's'}"


def size(number: int) -> str:
    """“41 MB”, in decimal units, as a file manager shows it."""
    if number < 1000:
        return f"{number} bytes" if number != 1 else "1 byte"
    value = float(number)
    for unit in _UNITS:
        value /= 1000
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    raise AssertionError(number)


def shown(path: str) -> str:
    """A path as it can be shown and sent: what is not UTF-8 or does not print is replaced."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
