"""What refs of ours keep for one worktree's agents, told for a person: what it is, what of it the branch has not, how to have it."""

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain.work import count, shown
from agor_jupyter.domain.worktrees import Kept, KeptKind
from agor_jupyter.git.inspection.snapshots import BACKUPS
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.sandbox.keeping import KEPT

_MOST, _MOST_COUNTED, _MAX_COMMITS = 100, 40, 1000
_AT_ONCE = 4
_SUBJECT = 72
_OURS = re.compile(r"base/.*|incoming")
_BACKUP = re.compile(r"\.(?:staged-)?[0-9a-f]{12}")
_FORMAT = "%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(contents:subject)"
_NEVER_TAKEN = {KeptKind.NOTES, KeptKind.STASH, KeptKind.STAGED, KeptKind.BEFORE}


@dataclass(frozen=True, kw_only=True)
class _Ref:
    name: str
    kind: KeptKind
    short: str
    """What it is called inside, where it has a name."""
    is_commit: bool
    """It is one, or a tag of one."""
    sha: str
    subject: str


async def find(repository: Repository, worktree: Path, name: str) -> list[Kept]:
    """For the worktree with the id `name`, the newest first; at most a hundred."""
    head = await repository.git("read the branch", "symbolic-ref", "--quiet", "--short", "HEAD", worktree=worktree, ok=(0, 1))
    branch = head.text.strip() or None
    patterns = (f"{KEPT}/{name}/", f"{BACKUPS}/{name}.*")
    listed = await repository.git("list what is kept", "for-each-ref", "--sort=-creatordate", f"--format={_FORMAT}", *patterns)
    refs = [ref for line in listed.text.split("\n") if (ref := _parse(line, name)) is not None][:_MOST]
    if not refs:
        return []
    ahead = await _ahead(repository, worktree, [ref for ref in refs if ref.is_commit])
    return [_told(ref, branch, ahead.get(ref.name, 0)) for ref in refs]


def kind_of(ref: str, name: str) -> KeptKind | None:
    """`None`: it is none of this worktree's, or what a sandbox borrows."""
    named = _named(ref, name)
    return named[0] if named is not None else None


def line_of(ref: str, name: str) -> str:
    """The command of plain git that makes a stash or notes a person's own."""
    named = _named(ref, name)
    return _line(_Ref(name=ref, kind=named[0], short=named[1], is_commit=True, sha="", subject=""), None) if named is not None else ""


def _parse(line: str, name: str) -> _Ref | None:
    ref, *fields = line.split("\0")
    named = _named(ref, name)
    if named is None or len(fields) != 4:
        return None
    kind, sha, inner, subject = fields
    return _Ref(name=ref, kind=named[0], short=named[1], is_commit="commit" in {kind, inner}, sha=sha, subject=shown(subject))


def _named(ref: str, name: str) -> tuple[KeptKind, str] | None:
    backup = ref.removeprefix(f"{BACKUPS}/{name}")
    if backup != ref:
        is_staged = backup.startswith(".staged-")
        return (KeptKind.STAGED if is_staged else KeptKind.BEFORE, "") if _BACKUP.fullmatch(backup) else None
    inner = ref.removeprefix(f"{KEPT}/{name}/")
    if inner == ref or _OURS.fullmatch(inner):
        return None
    top, _, rest = inner.partition("/")
    kinds = {"heads": KeptKind.BRANCH, "tags": KeptKind.TAG, "notes": KeptKind.NOTES, "stash": KeptKind.STASH, "stashes": KeptKind.STASH}
    kinds |= {"HEAD": KeptKind.HEAD, "worktrees": KeptKind.HEAD, "lost": KeptKind.LOST, "apart": KeptKind.APART}
    return kinds.get(top, KeptKind.OTHER), rest.removesuffix("/HEAD") if top == "worktrees" else rest


async def _ahead(repository: Repository, worktree: Path, refs: Sequence[_Ref]) -> dict[str, int]:
    """How many commits each has that HEAD has not. Of the last ones it is only known that there are some."""
    if not refs:
        return {}
    merged = await repository.git(
        "compare with the branch",
        *("for-each-ref", "--no-merged=HEAD", "--format=%(refname)"),
        *(ref.name for ref in refs),
        worktree=worktree,
        ok=(0, 128, 129),
    )
    not_here = set(merged.text.split("\n"))
    slots = asyncio.Semaphore(_AT_ONCE)

    async def number(ref: _Ref) -> int:
        async with slots:
            options = ("--count", f"--max-count={_MAX_COMMITS + 1}", f"{ref.sha}^{{commit}}")
            output = await repository.git("count commits", "rev-list", *options, "--not", "HEAD", "--", worktree=worktree, ok=(0, 128))
        return int(output.text or 0) if output.code == 0 else 0

    wanted = [ref for ref in refs if ref.name in not_here]
    numbers = await asyncio.gather(*(number(ref) for ref in wanted[:_MOST_COUNTED]))
    return {ref.name: 1 for ref in wanted} | {ref.name: one for ref, one in zip(wanted, numbers, strict=False)}


def _told(ref: _Ref, branch: str | None, commits: int) -> Kept:
    is_more = commits > _MAX_COMMITS
    return Kept(
        ref=ref.name,
        kind=ref.kind,
        text=_text(ref, branch, min(commits, _MAX_COMMITS), is_more=is_more),
        commit=ref.sha,
        commits=min(commits, _MAX_COMMITS),
        is_more=is_more,
        can_take=ref.is_commit and bool(commits) and ref.kind not in _NEVER_TAKEN,
        line=_line(ref, branch),
    )


def _text(ref: _Ref, branch: str | None, commits: int, *, is_more: bool) -> str:
    where = f"branch {shown(branch)}" if branch else "the worktree"
    what = _what(ref, branch)
    last = f"“{ref.subject[:_SUBJECT]}{'…' if len(ref.subject) > _SUBJECT else ''}”"
    if ref.kind in {KeptKind.STASH, KeptKind.STAGED, KeptKind.NOTES} or not ref.is_commit:
        return f"{what}: {last}" if ref.subject and ref.kind is KeptKind.STASH else what
    if not commits:
        return f"{what}; {where} has all of it"
    number = count(commits, "commit", is_more=is_more)
    return f"{what}: {number} that {where} has not, {last}" if commits == 1 else f"{what}: {number} that {where} has not, the last {last}"


_WORDS = {
    KeptKind.BRANCH: "The agent's branch {}",
    KeptKind.TAG: "The agent's tag {}",
    KeptKind.NOTES: "The agent's notes ({})",
    KeptKind.HEAD: "Commits in the agent's own worktree {}, on no branch",
    KeptKind.LOST: "Commits that the agent left behind",
    KeptKind.APART: "Commits that the agent made while you went elsewhere",
    KeptKind.BEFORE: "The branch as it was before the agent rewrote it",
    KeptKind.STAGED: "What you had staged of files that the agent committed",
    KeptKind.STASH: "An older stash of the agent",
    KeptKind.OTHER: "The agent's ref {}",
}
_OTHER_WORDS = {KeptKind.HEAD: "Commits of the agent on no branch", KeptKind.STASH: "The agent's stash"}


def _what(ref: _Ref, branch: str | None) -> str:
    if ref.kind is KeptKind.BRANCH and ref.short == branch:
        return f"Branch {shown(branch)} as the agent has it"
    if ref.kind is KeptKind.LOST and not ref.is_commit:
        return "A tag that the agent deleted"
    if not ref.short and ref.kind in _OTHER_WORDS:
        return _OTHER_WORDS[ref.kind]
    return _WORDS[ref.kind].format(shown(ref.short))


def _line(ref: _Ref, branch: str | None) -> str:
    words = {
        KeptKind.TAG: ["tag", ref.short],
        KeptKind.NOTES: ["notes", f"--ref={ref.short}", "merge"],
        KeptKind.STASH: ["stash", "apply"],
        KeptKind.STAGED: ["show"],
    }.get(ref.kind)
    if words is None and ref.kind is KeptKind.BRANCH and ref.short != branch:
        words = ["branch", ref.short]
    if words is None:
        words = ["branch" if ref.is_commit else "tag", f"kept-{ref.sha[:8]}"]
    return shlex.join(["git", *words, ref.name])
