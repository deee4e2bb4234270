"""Bring the two sides of a worktree together: what agents committed in their sandbox, and what happened outside of it.

Both are compared with what they last agreed on, so a commit that a person made meanwhile is never overwritten. The worktree's branch
moves, and no other ref of anybody's. `keeping.py` keeps all else.

It is long because one `_Sync` is one decision: each of its steps rests on what those before it found, and none can be read alone.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence

from agor_jupyter.domain import errors
from agor_jupyter.git import private as places
from agor_jupyter.git import shallow
from agor_jupyter.git.inspection import filters
from agor_jupyter.git.inspection.snapshots import BACKUPS
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
from agor_jupyter.git.sandbox import index, lfs
from agor_jupyter.git.sandbox import inside as files
from agor_jupyter.git.sandbox.keeping import KEPT, Keeper, apart, fetch, protect, protect_index, ref_of, short
from agor_jupyter.processes.once import Output

_FOLLOWS = ("reset", "switched")
"""A person decided where the worktree is: the agent's commits are kept, and its sandbox goes there too."""


async def prepare(private: Private) -> bool:
    """Make it, if there is none yet. Says whether it did: then both sides agree."""
    if private.git_dir.is_dir() and read_known(private) is not None:
        return False
    await _begin(private, await outside_of(private))
    return True


Reached = Callable[[str], None]
"""Is told each step after which a kill would leave something to be brought to its end."""


def _nowhere(step: str) -> None:
    """Nobody wants to know."""


async def sync(
    private: Private,
    look: Callable[[], Awaitable[Inside]],
    *,
    is_quick: bool = False,
    is_new: bool = False,
    reached: Reached = _nowhere,
) -> list[Finding]:
    """Bring both sides together. If it `is_quick`, it takes one process when nothing happened outside, and inside is not looked at.

    `look` says how to get inside; it is asked only when that is needed.

    If it `is_new` no process runs inside: then a private side that cannot be read is put aside and made again, with all that can be saved
    of it.

    Errors:
        GitFailed: one side could not be read or written; nothing was lost, and the next time it is tried again.
    """
    if is_new:
        await asyncio.to_thread(files.clear_locks, private)
    outside, known = await outside_of(private), read_known(private)
    if known is None or not private.git_dir.is_dir():
        await _begin(private, outside)
        return []
    if is_quick and outside.digest == known.seen and known.is_aligned:
        return []
    inside = await look()
    is_between = is_quick or is_new
    try:
        there = await inside_of(private, inside)
    except errors.GitFailed as error:
        if not is_new:
            raise
        if isinstance(error.__cause__, TimeoutError):  # or the machine is only slow
            with contextlib.suppress(errors.GitFailed):
                slow = await inside_of(private, inside, places.PATIENCE_S)
                return await _Sync(private, inside, known, outside, slow, is_between=is_between, reached=reached).hold()
        return [await _begin_again(private, outside, error.message)]
    try:
        return await _Sync(private, inside, known, outside, there, is_between=is_between, reached=reached).hold()
    except errors.GitFailed as error:
        if not is_new or await _is_whole(private, inside, there):
            raise
        saved = await _save(private, inside, known, there)
        return [await _begin_again(private, await outside_of(private), f"{saved} {error.message}")]


async def _begin(private: Private, outside: Side) -> None:
    known = await make(private, outside)
    await protect(private, outside, known)
    if private.index.exists():
        await protect_index(private, private.index)
        private.index.unlink()
    write_known(private, known)


async def _begin_again(private: Private, outside: Side, why: str) -> Finding:
    finding = await remake(private, why)
    await _begin(private, outside)
    return finding


async def _is_whole(private: Private, inside: Inside, there: Side) -> bool:
    """Whether all that its refs name is there. What is only outside is not looked at."""
    tips = sorted({*there.refs.values(), *([] if there.head.startswith("refs/") else [there.head])})
    lines = "".join(f"{sha}\n" for sha in tips).encode()
    try:
        await run_inside(
            private, inside.looking, "look into the sandbox", "rev-list", "--quiet", "--stdin", stdin=lines, timeout_s=places.PATIENCE_S
        )
    except errors.GitFailed:
        return False
    return True


async def _save(private: Private, inside: Inside, known: Known, there: Side) -> str:
    """Bring out what is whole of a side that is not. Says what was saved."""
    saved = []
    for name, sha in there.refs.items():
        if known.agreed.get(name) != sha and name.startswith(("refs/heads/", "refs/tags/", "refs/stash")):
            with contextlib.suppress(errors.GitFailed):
                await fetch(private, inside, {ref_of(private, name): sha})
                saved.append(ref_of(private, name))
    return f"What was intact of it is kept as {', '.join(saved[:20])}." if saved else ""


class _Sync:
    """One time that both sides are brought together."""

    def __init__(
        self, private: Private, inside: Inside, known: Known, outside: Side, there: Side, *, is_between: bool, reached: Reached
    ) -> None:
        self._reached = reached
        self._private, self._inside, self._known = private, inside, known
        self._outside, self._there = outside, there
        self._is_between = is_between
        self._repository = private.repository
        self._findings: list[Finding] = []
        self._inward: list[tuple[str, str | None, str]] = []
        self._align_inside: tuple[str, str] | None = None
        self._keeper = Keeper(private, inside, known, outside, there)

    async def hold(self) -> list[Finding]:
        known, outside = self._known, self._outside
        branch = outside.head if outside.head.startswith("refs/") else None
        await self._follow_shallow()
        if branch is not None:
            await self._meet_on(branch)
        await self._keeper.keep(branch)
        self._hand_others_in(branch)
        await protect(self._private, outside, known)
        await self._change_inside(branch)
        if not known.is_aligned:
            known.is_aligned = await self._align()
            self._reached("sandbox.aligned")
        await self._tell_operation()
        known.seen = outside.digest if known.shallow == outside.shallow else ""
        write_known(self._private, known)
        return [*self._findings, *self._keeper.findings]

    async def _follow_shallow(self) -> None:
        """Before anything else: objects that a person fetched may end where the private side does not know of."""
        known, ours, git_dir = self._known, set(self._outside.shallow), self._private.git_dir
        theirs = set(await asyncio.to_thread(shallow.read, git_dir))
        last = theirs if known.shallow is None else set(known.shallow)
        ends = ours - last
        if ends and theirs != last:  # the agent's own git fetched: it may have what lies behind
            ends -= await self._that_go_on(ends)
        wanted = (theirs | ends) - (last - ours)
        if wanted == theirs or await asyncio.to_thread(shallow.write, git_dir, wanted):
            known.shallow = self._outside.shallow

    async def _that_go_on(self, commits: Iterable[str]) -> set[str]:
        """Those whose parents are all there inside."""
        action, looking = "look into the sandbox", self._inside.looking
        listed = await run_inside(
            self._private, looking, action, "rev-list", "--no-walk", "--parents", "--stdin", stdin=_lines(commits), ok=(0, 128)
        )
        parents = {commit: above for commit, *above in (line.split() for line in listed.text.splitlines()) if above}
        wanted = {one for above in parents.values() for one in above}
        checked = await run_inside(self._private, looking, action, "cat-file", "--batch-check=%(objectname)", stdin=_lines(wanted))
        there = set(checked.text.split())  # of one that is not, git says the name and "missing" in its line
        missing = {line.split()[0] for line in checked.text.splitlines() if line.endswith(" missing")}
        return {commit for commit, above in parents.items() if set(above) <= there - missing}

    # The worktree's branch

    async def _meet_on(self, branch: str) -> None:
        known = self._known
        ours, theirs, last = self._outside.refs.get(branch), self._there.refs.get(branch), known.agreed.get(branch)
        if ours is None or theirs == ours:
            if ours is not None:
                known.agreed[branch] = ours
            return
        if theirs is None or theirs == last:
            if theirs is not None and not self._is_between:
                text = f"Branch {short(branch)!r} was moved to {ours[:10]} here while the agent worked. Its sandbox follows."
                self._findings.append(Finding(code="followed", text=text))
            self._hand_in(branch, ours, theirs)
            return
        incoming = f"{KEPT}/{self._private.name}/incoming"
        await fetch(self._private, self._inside, {incoming: theirs})
        self._reached("sandbox.fetched")
        lost, gained = await self._distance(ours, incoming)
        if gained == 0 and ours != last and not await self._is_behind(ours, last):
            await self._repository.git("tidy up", "update-ref", "-d", incoming)
            self._hand_in(branch, ours, theirs)
        elif why := await self._why_apart(branch, ours, last, lost) or await self._why_unfiltered(ours, theirs):
            await self._keep_apart(branch, theirs, incoming, why)
            if why[0] in _FOLLOWS:
                self._hand_in(branch, ours, theirs)
        else:
            await self._move(branch, ours, theirs, incoming, is_forced=lost > 0)

    async def _why_apart(self, branch: str, ours: str, last: str | None, lost: int) -> tuple[str, str] | None:
        """Why the branch must not follow the agent now, if so: a code, and what happened."""
        worktree_dir = self._repository.worktree_dir(self._private.worktree)
        under_way = files.operation(worktree_dir)
        if under_way is not None and under_way != "bisect":
            return "under_way", f"A {under_way} of yours is under way in the worktree, on branch {short(branch)!r}"
        if self._known.head != branch:
            return (
                "switched",
                f"The worktree was switched to branch {short(branch)!r} here, while the agent made commits on it in its sandbox",
            )
        if ours == last:
            return None
        if await self._is_behind(ours, last):
            return "reset", f"Branch {short(branch)!r} was reset to {ours[:10]} here while the agent continued from its old commit"
        if lost:
            return "diverged", f"Branch {short(branch)!r} got commits here while the agent made others in its sandbox"
        return None

    async def _why_unfiltered(self, ours: str, theirs: str) -> tuple[str, str] | None:
        """What would come out past a filter that people have, if anything would. What went through Git LFS is brought out."""
        checked = await filters.check(self._private, self._inside, ours, theirs)
        if checked.pointers and (missing := await asyncio.to_thread(lfs.bring_out, self._private, checked.pointers)):
            text = f"The contents of {len(missing)} files of Git LFS are neither in the sandbox nor in the repository: run `git lfs fetch`."
            self._findings.append(Finding(code="lfs_missing", text=text))
        if not checked.unfiltered:
            return None
        return "unfiltered", f"On branch {short(self._outside.head)!r}, {filters.sentence(checked.unfiltered)}"

    async def _is_behind(self, ours: str, last: str | None) -> bool:
        """Whether a person set the branch back: to something that `last` had."""
        if last is None or ours == last:
            return False
        output = await self._repository.git("compare both sides", "merge-base", "--is-ancestor", ours, last, ok=(0, 1, 128))
        return output.code == 0

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
            text = f"The agent rewrote commits of {short(branch)!r}. What the branch was before is kept as {backup}."
            self._findings.append(Finding(code="rewritten", text=text))
        if self._known.is_aligned:
            self._known.is_aligned, self._known.aligned_to = False, ours
            write_known(self._private, self._known)  # if the server is killed after the next line, the index is still brought up to date
        await self._repository.git(
            "move the branch",
            *("update-ref", "-m", "agor: from the sandbox", "--create-reflog", "--stdin"),
            stdin=os.fsencode("".join(f"{line}\n" for line in lines)),
        )
        self._reached("sandbox.moved")
        self._outside.refs[branch] = self._known.agreed[branch] = theirs
        await self._keeper.drop([branch])

    async def _is_only_here(self, branch: str, commit: str) -> bool:
        others = ("--not", f"--exclude={branch}", "--glob=refs/heads", "--glob=refs/remotes", "--glob=refs/tags")
        output = await self._repository.git(
            "look for commits that would be lost", "rev-list", "-n", "1", commit, *others, f"{KEPT}/{self._private.name}/incoming", "--"
        )
        return bool(output.text.strip())

    async def _keep_apart(self, branch: str, theirs: str, incoming: str, why: tuple[str, str]) -> None:
        code, what = why
        name = apart(theirs) if code in _FOLLOWS else branch
        ref = ref_of(self._private, name)
        await self._repository.git(
            "keep both sides", "update-ref", "--stdin", stdin=os.fsencode(f"update {ref} {theirs}\ndelete {incoming}\n")
        )
        if self._known.kept.get(name) != theirs:
            how = "Both are kept: the branch stays as you have it, and the agent's commits are"
            if code == "unfiltered":
                how = "So the branch stays as it was, and the commits are kept as"
            text = f"{what}. {how} {ref}. To get them onto the branch anyway: jupyter agor worktree take {self._private.name} {ref}"
            self._findings.append(Finding(code=code, text=text))
        self._known.kept[name] = theirs

    async def _align(self) -> bool:
        """Let the outside index hold what the branch holds, so that work that is not committed shows as such. What a person staged stays
        staged; where the agent committed the same file, it is kept as a backup.
        """
        known, private = self._known, self._private
        try:
            kept = await index.follow(self._repository, private.worktree, known.aligned_to, private.name)
        except errors.GitFailed:
            return False  # next time
        if kept is not None:
            text = f"The agent committed files of which another version was staged. That is kept as {kept}; the files stay as they are."
            self._findings.append(Finding(code="staged", text=text))
        return True

    # What else is inside

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
        if name == self._there.head:
            self._align_inside = (theirs or "", ours or "")

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
                before = self._there.refs.get(self._there.head, self._there.head)
                command = ["symbolic-ref", "HEAD", head] if branch else ["update-ref", "--no-deref", "HEAD", head]
                await self._git("bring the sandbox up to date", *command)
                self._align_inside = (before, self._outside.refs.get(head, head))
            self._known.head = head
        if self._align_inside is not None:
            with contextlib.suppress(errors.GitFailed):  # an agent has it locked; its own git sorts that out
                await self._read_inside(*self._align_inside)

    async def _read_inside(self, before: str, now: str) -> None:
        """The index inside follows; what the agent staged stays staged, as far as that can be."""
        action = "bring the sandbox up to date"
        code = 1
        if before and now:
            code = (await self._git(action, "read-tree", "-i", "-m", before, "HEAD", ok=(0, 1, 128))).code
        if code and files.operation(self._private.git_dir, f"worktrees/{self._private.entry}") is None:
            await self._git(action, "read-tree", "--reset", "HEAD")
        await self._git(action, "update-index", "-q", "--refresh", ok=(0, 1))

    async def _update(self, inward: Sequence[tuple[str, str | None, str]]) -> None:
        if inward:
            lines = os.fsencode("".join(line for _, _, line in inward))
            await self._git("bring the sandbox up to date", "update-ref", "--stdin", stdin=lines)
            for name, ours, _ in inward:
                _agree(self._known.agreed, name, ours)

    async def _tell_operation(self) -> None:
        """Say once that a merge or the like is under way inside, and with how many conflicts."""
        word, said = files.operation(self._private.git_dir, f"worktrees/{self._private.entry}"), ""
        if word is not None:
            listed = await run_inside(self._private, self._inside.looking, "look into the sandbox", "ls-files", "--unmerged", "-z")
            paths = sorted({line.partition("\t")[2] for line in listed.text.split("\0") if line})
            conflicts = f", {len(paths)} {'file' if len(paths) == 1 else 'files'} in conflict: {', '.join(paths[:5])}" if paths else ""
            said = f"A {word} is under way in the agent's sandbox{conflicts}."
        if said and said != self._known.told:
            text = f"{said} Its result reaches the branch when it is finished: the agent can continue it or abort it."
            self._findings.append(Finding(code="inside_under_way", text=text))
        self._known.told = said

    # How

    async def _git(self, action: str, *arguments: str, stdin: bytes = b"", ok: Sequence[int] = (0,)) -> Output:
        return await run_inside(self._private, self._inside.changing, action, *arguments, stdin=stdin, ok=ok)


def _lines(values: Iterable[str]) -> bytes:
    return "".join(f"{value}\n" for value in values).encode()


def _agree(agreed: Refs, name: str, commit: str | None) -> None:
    if commit is None:
        agreed.pop(name, None)
    else:
        agreed[name] = commit
