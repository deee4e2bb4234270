"""Bring the two sides of a worktree together: what agents committed in their sandbox, and what happened outside of it.

Both are compared with what they last agreed on, so a commit that a person made meanwhile is never overwritten. The worktree's branch
moves, and no other ref of anybody's.
"""

import contextlib
import os
import re
import shlex
from collections.abc import Awaitable, Callable, Sequence

from agor_jupyter.domain import errors
from agor_jupyter.git import private as places
from agor_jupyter.git import run
from agor_jupyter.git.private import (
    Finding,
    Inside,
    Known,
    Private,
    Refs,
    Side,
    inside_of,
    make,
    outside_of,
    read_known,
    remake,
    run_inside,
    write_known,
)
from agor_jupyter.git.snapshots import BACKUPS

KEPT = "refs/agor/sandbox"
"""Below it, by the worktree's id, lies what agents committed elsewhere than on the worktree's branch."""
_MOST_KEPT = 200
_NAME = re.compile(r"refs/(?:heads/|tags/|stash$)[^\x00-\x20~^:?*\[\\\x7f]*")


async def prepare(private: Private) -> bool:
    """Make it, if there is none yet. Says whether it did: then both sides agree."""
    if private.git_dir.is_dir() and read_known(private) is not None:
        return False
    await make(private, await outside_of(private))
    return True


async def sync(private: Private, look: Callable[[], Awaitable[Inside]], *, is_quick: bool = False, is_new: bool = False) -> list[Finding]:
    """Bring both sides together. If it `is_quick`, it takes one process when nothing happened outside, and inside is not looked at.

    `look` says how to get inside; it is asked only when that is needed.

    If it `is_new` no process runs inside: then a private side that cannot be read is put aside and made again.

    Errors:
        GitFailed: one side could not be read or written; nothing was lost, and the next time it is tried again.
    """
    outside, known = await outside_of(private), read_known(private)
    if known is None or not private.git_dir.is_dir():
        await make(private, outside)
        return []
    if is_quick and outside.digest == known.seen and known.is_aligned:
        return []
    inside = await look()
    try:
        there = await inside_of(private, inside)
    except errors.GitFailed as error:
        if not is_new:
            raise
        if isinstance(error.__cause__, TimeoutError):  # or the machine is only slow
            with contextlib.suppress(errors.GitFailed):
                return await _Meeting(private, inside, known, outside, await inside_of(private, inside, places.PATIENCE_S)).hold()
        return [await remake(private, outside, error.message)]
    return await _Meeting(private, inside, known, outside, there).hold()


class _Meeting:
    """One time that both sides are brought together."""

    def __init__(self, private: Private, inside: Inside, known: Known, outside: Side, there: Side) -> None:
        self._private, self._inside, self._known = private, inside, known
        self._outside, self._there = outside, there
        self._repository = private.repository
        self._findings: list[Finding] = []
        self._inward: list[tuple[str, str | None, str]] = []
        self._must_align = False

    async def hold(self) -> list[Finding]:
        known, outside = self._known, self._outside
        branch = outside.head if outside.head.startswith("refs/") else None
        if branch is not None:
            await self._meet_on(branch)
        await self._keep_others(branch)
        self._hand_others_in(branch)
        await self._change_inside(branch)
        if not known.is_aligned:
            known.is_aligned = await self._align()
        known.seen = Side(head=outside.head, refs=self._outside.refs).digest
        write_known(self._private, known)
        return self._findings

    # The worktree's branch

    async def _meet_on(self, branch: str) -> None:
        known = self._known
        ours, theirs, last = self._outside.refs.get(branch), self._there.refs.get(branch), known.agreed.get(branch)
        if ours is None or theirs == ours:
            if ours is not None:
                known.agreed[branch] = ours
            return
        if theirs is None or theirs == last:
            self._hand_in(branch, ours, theirs)
            return
        incoming = f"{KEPT}/{self._private.name}/incoming"
        await self._fetch([f"+{branch}:{incoming}"])
        lost, gained = await self._distance(ours, incoming)
        theirs = (await self._repository.git("read what came", "rev-parse", "--verify", f"{incoming}^{{commit}}")).text.strip()
        if ours == last or lost == 0:
            await self._move(branch, ours, theirs, incoming, is_forced=lost > 0)
        elif gained == 0:
            await self._repository.git("tidy up", "update-ref", "-d", incoming)
            self._hand_in(branch, ours, theirs)
        else:
            await self._keep_apart(branch, theirs, incoming)

    async def _distance(self, ours: str, theirs: str) -> tuple[int, int]:
        """Commits that only `ours` has, and that only `theirs` has."""
        output = await self._repository.git("compare both sides", "rev-list", "--left-right", "--count", f"{ours}...{theirs}", "--")
        lost, gained = output.text.split()
        return int(lost), int(gained)

    async def _move(self, branch: str, ours: str, theirs: str, incoming: str, *, is_forced: bool) -> None:
        """Move the real branch, unless somebody moved it just now."""
        lines = [f"update {branch} {theirs} {ours}", f"delete {incoming}"]
        if is_forced and await self._is_only_here(branch, ours):
            backup = f"{BACKUPS}/{self._private.name}.{ours[:12]}"
            lines.append(f"update {backup} {ours}")
            text = f"The agent rewrote commits of {_short(branch)!r}. What the branch was before is kept as {backup}."
            self._findings.append(Finding(code="rewritten", text=text))
        await self._repository.git(
            "move the branch",
            *("update-ref", "-m", "agor: from the sandbox", "--create-reflog", "--stdin"),
            stdin=os.fsencode("".join(f"{line}\n" for line in lines)),
        )
        self._outside.refs[branch] = self._known.agreed[branch] = theirs
        self._known.is_aligned = False
        await self._drop_kept(branch)

    async def _is_only_here(self, branch: str, commit: str) -> bool:
        others = ("--not", f"--exclude={branch}", "--glob=refs/heads", "--glob=refs/remotes", "--glob=refs/tags")
        output = await self._repository.git(
            "look for commits that would be lost", "rev-list", "-n", "1", commit, *others, f"{KEPT}/{self._private.name}/incoming", "--"
        )
        return bool(output.text.strip())

    async def _keep_apart(self, branch: str, theirs: str, incoming: str) -> None:
        ref = self._ref(branch)
        await self._repository.git(
            "keep both sides", "update-ref", "--stdin", stdin=os.fsencode(f"update {ref} {theirs}\ndelete {incoming}\n")
        )
        if self._known.kept.get(branch) != theirs:
            text = (
                f"Branch {_short(branch)!r} got commits here while the agent made others in its sandbox. Both are kept: the agent's are "
                f"{ref}. Bring them together in the worktree, with: git merge {ref}"
            )
            self._findings.append(Finding(code="diverged", text=text))
        self._known.kept[branch] = theirs

    async def _align(self) -> bool:
        """Let the outside index hold what the branch holds, so that work that is not committed shows as such."""
        worktree = self._private.worktree
        try:
            await self._repository.git("update the index", "read-tree", "--reset", "HEAD", worktree=worktree)
            await self._repository.git("update the index", "update-index", "-q", "--refresh", worktree=worktree, ok=(0, 1))
        except errors.GitFailed:
            return False  # somebody has it locked: next time
        return True

    # What else is inside

    async def _keep_others(self, branch: str | None) -> None:
        known, there, outside = self._known, self._there, self._outside
        own: Refs = {}
        for name, commit in there.refs.items():
            if name != branch and _NAME.fullmatch(name) and commit not in {known.agreed.get(name), outside.refs.get(name)}:
                own[name] = commit
        if not there.head.startswith("refs/") and there.head not in {*outside.refs.values(), outside.head}:
            own["HEAD"] = there.head
        if len(own) > _MOST_KEPT:
            text = f"The agent made {len(own)} branches and tags in its sandbox. Only the first {_MOST_KEPT} are kept outside of it."
            self._findings.append(Finding(code="many_refs", text=text))
            own = dict(sorted(own.items())[:_MOST_KEPT])
        new = [name for name, commit in own.items() if known.kept.get(name) != commit]
        if new:
            try:
                await self._fetch([f"+{name}:{self._ref(name)}" for name in new])
            except errors.GitFailed as error:
                text = f"What the agent committed beside its branch could not be brought out of its sandbox. {error}"
                self._findings.append(Finding(code="not_collected", text=text))
                return
            known.kept |= {name: own[name] for name in new}
        for name in [name for name in known.kept if name not in own and name != branch]:
            await self._drop_kept(name)
        at = there.head if there.head.startswith("refs/") else "HEAD"
        if branch is not None and at != branch and at in new:
            where = f"on branch {_short(at)!r}" if at != "HEAD" else "on no branch"
            text = (
                f"The agent is {where} in its sandbox, and committed there. Branch {_short(branch)!r} stays as it is; "
                f"the commits are kept as {self._ref(at)}."
            )
            self._findings.append(Finding(code="other_branch", text=text))

    async def _drop_kept(self, name: str) -> None:
        if self._known.kept.pop(name, None) is not None:
            await self._repository.git("tidy up", "update-ref", "-d", self._ref(name))

    def _hand_others_in(self, branch: str | None) -> None:
        """Other refs as they are outside now, where the agent did not touch them."""
        known, there, outside = self._known, self._there.refs, self._outside.refs
        for name in {*outside, *known.agreed}:
            if name == branch:
                continue
            ours, last, theirs = outside.get(name), known.agreed.get(name), there.get(name)
            if ours == theirs:
                _agree(known.agreed, name, ours)
            elif ours != last and theirs == last:
                self._hand_in(name, ours, theirs)

    def _hand_in(self, name: str, ours: str | None, theirs: str | None) -> None:
        zero = "0" * len(ours or theirs or "")
        self._inward.append((name, ours, f"update {name} {ours} {theirs or zero}\n" if ours else f"delete {name} {theirs}\n"))
        self._must_align = self._must_align or name == self._there.head

    async def _change_inside(self, branch: str | None) -> None:
        head = self._outside.head
        await self._update([one for one in self._inward if one[0] == branch])
        others = [one for one in self._inward if one[0] != branch]
        try:
            await self._update(others)
        except errors.GitFailed:  # one of them stands in the way of another: those that can be
            for one in others:
                with contextlib.suppress(errors.GitFailed):
                    await self._update([one])
        if head != self._known.head:  # a person switched, and the files with it
            if self._there.head != head:
                command = ["symbolic-ref", "HEAD", head] if branch else ["update-ref", "--no-deref", "HEAD", head]
                await self._git("bring the sandbox up to date", *command)
                self._must_align = True
            self._known.head = head
        if self._must_align:
            with contextlib.suppress(errors.GitFailed):  # an agent has it locked; its own git sorts that out
                await self._git("bring the sandbox up to date", "read-tree", "--reset", "HEAD")
                await self._git("bring the sandbox up to date", "update-index", "-q", "--refresh", ok=(0, 1))

    async def _update(self, inward: Sequence[tuple[str, str | None, str]]) -> None:
        if inward:
            lines = os.fsencode("".join(line for _, _, line in inward))
            await self._git("bring the sandbox up to date", "update-ref", "--stdin", stdin=lines)
            for name, ours, _ in inward:
                _agree(self._known.agreed, name, ours)

    # How

    def _ref(self, name: str) -> str:
        return f"{KEPT}/{self._private.name}/{name.removeprefix('refs/')}"

    async def _git(self, action: str, *arguments: str, stdin: bytes = b"", ok: Sequence[int] = (0,)) -> run.Output:
        return await run_inside(self._private, self._inside.changing, action, *arguments, stdin=stdin, ok=ok)

    async def _fetch(self, refspecs: Sequence[str]) -> None:
        """Bring commits out. The other end runs in the sandbox; nothing is stored that git's own check refuses."""
        serve = shlex.join([*self._inside.serving, "git", "upload-pack"])
        await self._repository.git(
            "bring the agent's commits out of its sandbox",
            *("-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true", "-c", "protocol.version=2"),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"),
            *("--refmap=", f"--upload-pack={serve}", "--", str(self._repository.common_dir), *refspecs),
            protocols=("file",),
        )


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/")


def _agree(agreed: Refs, name: str, commit: str | None) -> None:
    if commit is None:
        agreed.pop(name, None)
    else:
        agreed[name] = commit
