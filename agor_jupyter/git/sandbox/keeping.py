"""What is kept in the real repository for a worktree's sandbox: all that agents commit beside its branch, and all that their side borrows.

Below `refs/agor/sandbox/<worktree>/`. A name there holds exactly the commit that was seen inside: it is fetched by its hash.
"""

import asyncio
import hashlib
import os
import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from agor_jupyter.domain import errors
from agor_jupyter.git.private import Finding, Inside, Known, Private, Refs, Side, run_inside
from agor_jupyter.git.repository import Repository
from agor_jupyter.git.sandbox import inside as files

KEPT = "refs/agor/sandbox"
_BASE = "base"
"""What the sandbox borrows: git collects no garbage that a live agent's repository needs."""
_LOST, _APART = "lost/", "apart/"
_MOST_KEPT, _MOST_LOST, _MOST_JUDGED, _MOST_BORROWED = 200, 100, 4000, 2000
_MOST_SINGLY = 20
_NAME = re.compile(r"refs/(?!remotes/|bisect/|worktree/|rewritten/|agor/)[^\x00-\x20~^:?*\[\\\x7f]+")
_PLAIN = ("refs/heads/", "refs/tags/", "refs/notes/", "refs/stash")
_OURS = "Agor <agor@localhost> 0 +0000"


def ref_of(private: Private, name: str) -> str:
    """Where outside lies what is `name` inside."""
    if name.startswith("refs/"):
        name = name.removeprefix("refs/") if name.startswith(_PLAIN) else f"other/{name.removeprefix('refs/')}"
    return f"{KEPT}/{private.name}/{name}"


def apart(sha: str) -> str:
    """A name for commits that people decided against, so far."""
    return f"{_APART}{sha[:12]}"


async def fetch(private: Private, inside: Inside, wanted: Refs) -> None:
    """Bring the objects `wanted` out, each to the ref that it is named for. The other end runs in the sandbox; nothing is stored that
    git's own check refuses.
    """
    serve = shlex.join([*inside.serving, "git", "-c", "uploadpack.allowAnySHA1InWant=true", "upload-pack"])
    await private.repository.git(
        "bring the agent's commits out of its sandbox",
        *("-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true", "-c", "protocol.version=2"),
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"),
        *("--refmap=", f"--upload-pack={serve}", "--", str(private.repository.common_dir)),
        *(f"+{sha}:{ref}" for ref, sha in wanted.items()),
        protocols=("file",),
    )


async def kept_refs(private: Private) -> list[str]:
    """The refs that hold what agents of this worktree committed."""
    below = f"{KEPT}/{private.name}/"
    output = await private.repository.git("list what is kept", "for-each-ref", "--sort=-creatordate", "--format=%(refname)", below)
    return [ref for ref in output.text.splitlines() if not ref.startswith(f"{below}{_BASE}/")]


# What the private side borrows


async def protect(private: Private, outside: Side, known: Known) -> None:
    """Let refs of ours hold what the private side may reach of the real objects, whatever becomes of people's branches meanwhile."""
    repository, lines = private.repository, []
    branch = outside.head if outside.head.startswith("refs/") else None
    head = outside.refs.get(branch) if branch else outside.head
    if head is not None and head != known.held_head:
        lines.append(f"update {ref_of(private, _BASE)}/head {head}")
    others = hashlib.sha256(repr(sorted({sha for name, sha in outside.refs.items() if name != branch})).encode()).hexdigest()
    if others != known.held_others:
        lines.append(f"update {ref_of(private, _BASE)}/others {await _bundle(repository, branch)}")
    if lines:
        await repository.git("protect what the sandbox borrows", "update-ref", "--stdin", stdin=_stdin(lines))
    known.held_head, known.held_others = head or "", others


async def protect_index(private: Private, index: os.PathLike[str]) -> None:
    """Hold what `index` names, of which some may be in no commit. It is a copy of ours."""
    repository, worktree = private.repository, private.worktree
    try:
        output = await repository.git("read what is staged", "write-tree", worktree=worktree, index=index)  # type: ignore[arg-type]
    except errors.GitFailed:  # there are conflicts in it
        listed = await repository.git("read what is staged", "ls-files", "--stage", "-z", worktree=worktree, index=index)  # type: ignore[arg-type]
        blobs = {line.split()[1] for line in listed.text.split("\0") if line.startswith("100")}
        content = "".join(f"100644 blob {sha}\t{sha}\n" for sha in sorted(blobs))
        output = await repository.git("read what is staged", "mktree", stdin=content.encode())
    await repository.git("protect what is staged", "update-ref", f"{ref_of(private, _BASE)}/index", output.text.strip())


async def let_go(repository: Repository, name: str) -> None:
    """The sandbox of this worktree is gone, so it borrows nothing. What agents committed stays."""
    refs = [f"{KEPT}/{name}/{_BASE}/{part}" for part in ("head", "others", "index")]
    await repository.git("tidy up", "update-ref", "--stdin", stdin=_stdin([f"delete {ref}" for ref in refs]))


async def _bundle(repository: Repository, branch: str | None) -> str:
    """A commit whose parents are the tips of all other branches, tags and so on: one ref is enough to hold them."""
    output = await repository.git(
        "list the branches",
        "for-each-ref",
        f"--count={2 * _MOST_BORROWED}",
        "--sort=-creatordate",
        "--format=%(refname)%00%(objecttype) %(objectname)%00%(*objecttype) %(*objectname)",
        *("refs/heads", "refs/remotes", "refs/tags", "refs/notes"),
    )
    tips: dict[str, None] = {}
    for line in output.text.splitlines():
        name, *objects = line.split("\0")
        if name != branch:
            tips |= {one.removeprefix("commit "): None for one in objects if one.startswith("commit ")}
    tree = (await repository.git("protect what the sandbox borrows", "hash-object", "-w", "-t", "tree", "--stdin")).text.strip()
    parents = "".join(f"parent {sha}\n" for sha in sorted([*tips][:_MOST_BORROWED]))
    text = f"tree {tree}\n{parents}author {_OURS}\ncommitter {_OURS}\n\nWhat sandboxes of this repository borrow, kept by Agor\n"
    output = await repository.git("protect what the sandbox borrows", "hash-object", "-w", "-t", "commit", "--stdin", stdin=text.encode())
    return output.text.strip()


# What agents commit beside the branch


class Keeper:
    """One time that what is inside, beside the worktree's branch, is looked at."""

    def __init__(self, private: Private, inside: Inside, known: Known, outside: Side, there: Side) -> None:
        self._private, self._inside, self._known, self._outside, self._there = private, inside, known, outside, there
        self._repository = private.repository
        self.findings: list[Finding] = []

    async def keep(self, branch: str | None) -> None:
        known = self._known
        own = await asyncio.to_thread(self._own, branch)
        stale = {
            name: sha for name, sha in known.kept.items() if name not in own and name != branch and not name.startswith((_LOST, _APART))
        }
        new = {name: sha for name, sha in own.items() if known.kept.get(name) != sha}
        replaced = [known.kept[name] for name in new if name in known.kept]
        await self._keep_tags([*stale.values(), *replaced])
        if new:
            new = await self._bring(new, stale)
        await self._keep_lost(own, stale, replaced)
        await self.drop(stale)
        self._tell(branch, new)

    async def drop(self, names: Collection[str]) -> None:
        found = [name for name in names if self._known.kept.pop(name, None) is not None]
        try:
            if found:
                await self._repository.git(
                    "tidy up", "update-ref", "--stdin", stdin=_stdin([f"delete {self._ref(name)}" for name in found])
                )
        except errors.GitFailed:
            for name in found:  # one of them is gone, and another has its place
                await self._repository.git("tidy up", "update-ref", "-d", self._ref(name), ok=(0, 1, 128))

    def _own(self, branch: str | None) -> Refs:
        known, there, outside = self._known, self._there, self._outside
        own = {
            name: sha
            for name, sha in there.refs.items()
            if name != branch and _NAME.fullmatch(name) and sha not in {known.agreed.get(name), outside.refs.get(name)}
        }
        stash, *more = files.stashed(self._private) or [""]
        if own.get("refs/stash") == stash:
            own |= {f"stashes/{sha[:12]}": sha for sha in more}
        if not there.head.startswith("refs/") and there.head not in {*outside.refs.values(), outside.head}:
            own["HEAD"] = there.head
        own |= {name: sha for name, sha in files.other_heads(self._private).items() if sha not in outside.refs.values()}
        if len(own) > _MOST_KEPT:
            text = f"The agent made {len(own)} branches and tags in its sandbox. Only the first {_MOST_KEPT} are kept outside of it."
            self.findings.append(Finding(code="many_refs", text=text))
            own = dict(sorted(own.items())[:_MOST_KEPT])
        return own

    async def _bring(self, new: Refs, stale: Refs) -> Refs:
        """Those of `new` that could be brought out: all at once, else one by one, since one that is broken keeps no other back."""
        try:
            await fetch(self._private, self._inside, {self._ref(name): sha for name, sha in new.items()})
        except errors.GitFailed:
            await self.drop(stale)  # an old name may stand in the way of a new one
            new = await self._bring_singly(new)
        self._known.kept |= new
        return new

    async def _bring_singly(self, new: Refs) -> Refs:
        done: Refs = {}
        failed: dict[str, str] = {}
        for name, sha in new.items():
            try:
                if len(failed) < _MOST_SINGLY:
                    await fetch(self._private, self._inside, {self._ref(name): sha})
                    done[name] = sha
            except errors.GitFailed as error:
                failed[name] = error.message
        if failed:
            names = ", ".join(sorted(failed)[:5])
            text = f"What the agent committed as {names} could not be brought out of its sandbox. {next(iter(failed.values()))}"
            self.findings.append(Finding(code="not_collected", text=text))
        return done

    async def _keep_tags(self, gone: Sequence[str]) -> None:
        """Of what a name held that is gone, or that holds something else now: annotated tags, which no reflog and no commit names."""
        if not gone:
            return
        checked = await self._repository.git(
            "look for tags", "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=_stdin(dict.fromkeys(gone))
        )
        at = {*self._there.refs.values(), *self._outside.refs.values()}
        tags = [line.split()[0] for line in checked.text.splitlines() if line.endswith(" tag")]
        found = {f"{_LOST}{sha[:12]}": sha for sha in tags if sha not in at}
        if found:
            lines = [f"update {self._ref(name)} {sha}" for name, sha in found.items()]
            await self._repository.git("keep tags", "update-ref", "--stdin", stdin=_stdin(lines))
            self._known.kept |= found

    async def _keep_lost(self, own: Refs, stale: Refs, replaced: Sequence[str]) -> None:
        """Commits that only a reflog inside names, or a name that is gone: of an amend, a rebase, a reset, a branch that was deleted."""
        known = self._known
        at = {
            *(sha for name, sha in known.kept.items() if name not in stale),
            *own.values(),
            *self._there.refs.values(),
            *self._outside.refs.values(),
            self._there.head,
        }
        judged = {*known.judged, *(known.kept[name] for name in known.kept if name.startswith(_LOST))}
        candidates = [sha for sha in await asyncio.to_thread(files.remembered, self._private) if sha not in at and sha not in judged]
        candidates += [sha for sha in (*stale.values(), *replaced) if sha not in at]
        if not candidates:
            return
        try:
            lost = await self._lost(candidates[:_MOST_JUDGED], stale)
            if lost:
                found = {f"{_LOST}{sha[:12]}": sha for sha in lost[:_MOST_LOST]}
                await fetch(self._private, self._inside, {self._ref(name): sha for name, sha in found.items()})
                known.kept |= found
        except errors.GitFailed:
            pass  # of what nobody names any more, that which can be read is kept; the reflog inside has it still
        known.judged = [*known.judged, *candidates][-_MOST_JUDGED:]
        await self.drop([name for name in known.kept if name.startswith(_LOST)][:-_MOST_LOST])

    async def _lost(self, candidates: Sequence[str], stale: Refs) -> list[str]:
        checked = await self._repository.git(
            "look for commits", "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=_stdin(candidates)
        )
        here = [line.split()[0] for line in checked.text.splitlines() if line.endswith(" commit")]
        missing = [line.split()[0] for line in checked.text.splitlines() if line.endswith(" missing")]
        found = ""
        if here:
            without = [f"--exclude={self._ref(name)}" for name in stale]
            kept = (*without, f"--exclude={KEPT}/*/{_BASE}/*", "--glob=refs/agor")
            held = ("--not", *kept, "--branches", "--tags", "--remotes", "--glob=refs/notes", "--")
            output = await self._repository.git(
                "look for commits that would be lost", "rev-list", "--parents", "-n", str(_MOST_JUDGED), *here, *held
            )
            found += output.text
        if missing:
            held = tuple(f"^{sha}" for sha in {*self._there.refs.values()})
            output = await run_inside(
                self._private,
                self._inside.looking,
                "look into the sandbox",
                *("rev-list", "--ignore-missing", "--parents", "-n", str(_MOST_JUDGED), "--stdin"),
                stdin=_stdin([*missing, *held]),
            )
            found += output.text
        lines = [line.split() for line in found.splitlines()]
        above = {parent for _, *parents in lines for parent in parents}
        return [sha for sha, *_ in lines if sha not in above]

    def _tell(self, branch: str | None, new: Refs) -> None:
        there = self._there
        at = there.head if there.head.startswith("refs/") else "HEAD"
        if at == branch or at not in new:
            return
        where = f"on branch {short(at)!r}" if at != "HEAD" else "on no branch"
        stays = f"Branch {short(branch)!r} stays as it is" if branch else "The worktree stays where it is"
        text = f"The agent is {where} in its sandbox. {stays}; what the agent committed there is kept as {self._ref(at)}."
        self.findings.append(Finding(code="other_branch", text=text))

    def _ref(self, name: str) -> str:
        return ref_of(self._private, name)


def short(branch: str) -> str:
    return branch.removeprefix("refs/heads/")


def _stdin(lines: Iterable[str]) -> bytes:
    return os.fsencode("".join(f"{line}\n" for line in lines))
