"""Commits that a branch was moved away from and that no ref has: found, told, and kept, made a branch of, or let go."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.ways import Way, WayKind
from agor_jupyter.domain.work import Work, WorkKind, count, shown
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.git import branches
from agor_jupyter.git.inspection import reflogs
from agor_jupyter.git.inspection.reflogs import Move
from agor_jupyter.git.repository import Repository

KEPT = "refs/agor/kept"
"""Where commits are that a person wanted kept, by worktree."""
KINDS = frozenset({WayKind.BRANCH_COMMITS, WayKind.KEEP_COMMITS, WayKind.LET_GO})
_MOST_LET_GO = 50
_MOST_CLEAR = 5000
_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Stray:
    """What `move` left behind: so many commits that are on no ref."""

    move: Move
    commits: int

    @property
    def told(self) -> str:
        """“3 commits”."""
        is_more = self.commits >= branches.MAX_STRAY
        return count(self.commits - is_more, "commit", is_more=is_more)


async def find(repository: Repository, worktree: Worktree, branch: str | None, head: str) -> Stray | None:
    """The latest such move since the worktree was made that nobody has let go. No process where no log tells of one."""
    path, known = Path(worktree.path), [way.of for way in worktree.ways if way.kind in KINDS and way.of]
    logged = await asyncio.to_thread(reflogs.moves, repository.common_dir, repository.worktree_dir(path), branch, worktree.created_at)
    told = [Move(old=sha, new=head) for sha in dict.fromkeys(known) if sha not in {move.old for move in logged}]
    for move in (*logged, *told):
        if move.old not in worktree.let_go and (commits := await branches.stray(repository, path, move.old)):
            return Stray(move=move, commits=commits)
    return None


def work(stray: Stray, branch: str | None) -> Work:
    """As what would be lost with the worktree, whose log alone may tell of them."""
    whose = f"branch {shown(branch)} was moved away from" if branch and not stray.move.is_detached else "HEAD left behind"
    text = f"{stray.told} that {whose} at {stray.move.old[:10]}, on no branch"
    return Work(kind=WorkKind.DETACHED, text=text, commits=stray.commits, is_more=stray.commits >= branches.MAX_STRAY)


class Strays:
    """`was_at_work` says whether a turn ran in a worktree at a moment."""

    def __init__(self, was_at_work: Callable[[WorktreeId, datetime], Awaitable[bool]]) -> None:
        self._was_at_work = was_at_work
        self._clear: dict[WorktreeId, object] = {}
        """For what state of its logs nothing was found in a worktree."""

    async def ways(self, worktree: Worktree, repository: Repository, branch: str | None, head: str, now: datetime) -> list[Way]:
        """What can be done about commits that were left behind, if there are any. Nothing while a turn runs: it may be at it."""
        logs = reflogs.signature(repository.common_dir, repository.worktree_dir(Path(worktree.path)), branch)
        mark = (logs, head, tuple(worktree.let_go))
        if self._clear.get(worktree.id) == mark:
            return []
        stray = await find(repository, worktree, branch, head)
        if stray is None:
            if len(self._clear) >= _MOST_CLEAR:
                self._clear.clear()
            self._clear[worktree.id] = mark
            return []
        self._clear.pop(worktree.id, None)
        if await self._was_at_work(worktree.id, now):
            return []
        at = stray.move.at
        where = "while a turn ran" if at is not None and await self._was_at_work(worktree.id, at) else "outside of Agor"
        return await _ways(repository, worktree, branch, stray, where)


async def _ways(repository: Repository, worktree: Worktree, branch: str | None, stray: Stray, where: str) -> list[Way]:
    move = stray.move
    commit = await branches.first_known(repository, [move.old])
    subject = f" “{commit.subject}”" if commit is not None else ""
    are = "is" if stray.commits == 1 else "are"
    if branch is None or move.is_detached:
        why = f"HEAD left {move.old[:7]} {where} ({stray.told} {are} on no branch)."
    else:
        why = f"Branch “{shown(branch)}” was moved from {move.old[:7]} to {move.new[:7]} {where} ({stray.told} {are} on no branch)."
    ref = ref_of(worktree, move.old)
    made = {"why": why, "of": move.old, "is_blocking": False}
    return [
        Way(
            kind=WayKind.BRANCH_COMMITS,
            label="Make a branch",
            what=f"Makes branch “{shown(await _free_name(repository, branch, move.old))}” at {move.old[:10]}{subject}. Nothing else moves.",
            **made,
        ),
        Way(
            kind=WayKind.KEEP_COMMITS,
            label="Keep",
            what=f"Keeps {move.old[:10]}{subject} as {ref}. “git branch <name> {ref}” makes it a branch later.",
            **made,
        ),
        Way(kind=WayKind.LET_GO, label="Let go", what="Stops reporting them. git drops them when it cleans up, in a few weeks.", **made),
    ]


def is_same(one: Way, other: Way) -> bool:
    """About the same commits: what was done about them once is done."""
    return one.kind in KINDS and other.kind in KINDS and one.of == other.of


def ref_of(worktree: Worktree, sha: str) -> str:
    return f"{KEPT}/{worktree.id}/{sha[:12]}"


async def settle(repository: Repository, worktree: Worktree, way: Way) -> dict[str, object]:
    """Do it. What changes in the record.

    Errors:
        Conflict: the commits are gone.
    """
    sha = way.of or ""
    if way.kind is WayKind.LET_GO:
        return {"let_go": [*worktree.let_go, sha][-_MOST_LET_GO:]}
    if await branches.first_known(repository, [sha]) is None:
        raise errors.Conflict(f"Commit {sha[:10]} is no longer in the repository: git has pruned it.", subject=worktree.name)
    if way.kind is WayKind.KEEP_COMMITS:
        await branches.keep(repository, ref_of(worktree, sha), sha)
    else:
        branch = worktree.status.branch if worktree.status is not None else worktree.branch
        await branches.make(repository, await _free_name(repository, branch, sha), sha)
    return {}


async def _free_name(repository: Repository, branch: str | None, sha: str) -> str:
    """“fix-at-abc1234”, beside the branch."""
    wanted = f"{branch}-at-{sha[:7]}" if branch is not None and len(branch.encode()) <= _LONGEST else f"at-{sha[:12]}"
    taken = {repository.fold(name.removeprefix("refs/heads/")) for name in await repository.tips() if name.startswith("refs/heads/")}
    tries = (wanted, *(f"{wanted}-{number}" for number in range(2, 1000)))
    return next(name for name in tries if repository.fold(name) not in taken)
