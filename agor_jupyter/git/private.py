"""A worktree's repository as its agents see it in their sandbox, and how the two sides are brought together.

Inside, the repository's common directory is a private one: settings, hooks, refs, index and new objects are all the agents' own, and the
objects of the real repository are there to be read only. The server never runs git on it: what is inside is read by a git that runs in the
sandbox, and commits come out as a pack that is checked before anything is stored. Then the worktree's branch moves, and no other ref.

Both sides are compared with what they last agreed on, so a commit that a person made meanwhile is never overwritten.
`docs/decisions/agents-in-a-sandbox.md` tells the rest.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import run
from agor_jupyter.git.files import opened_file, read_beneath
from agor_jupyter.git.repository import Repository, render
from agor_jupyter.git.snapshots import BACKUPS

KEPT = "refs/agor/sandbox"
"""Below it, by the worktree's id, lies what agents committed elsewhere than on the worktree's branch."""
INSIDE_S, PATIENCE_S = 10.0, 60.0
"""What a call of git inside may take: a pipe in the place of a file would keep it for ever. The second counts before all is made anew."""
_MOST_KEPT = 200
_HEAD = re.compile(rb"(?:ref: (refs/heads/[^\x00-\x20~^:?*\[\\\x7f]+)|([0-9a-f]{40}|[0-9a-f]{64}))\n?")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WHO = rb"user\.(name|email)|init\.defaultbranch|pull\.(rebase|ff)|push\.default|core\.(autocrlf|eol)"
_OWN_KEYS = re.compile(
    rb"%b|core\.(safecrlf|filemode|ignorecase|symlinks|precomposeunicode|repositoryformatversion)|extensions\.objectformat"
    rb"|remote\..+\.(url|fetch)|branch\..+\.(remote|merge)" % _WHO
)
_PERSONAL_KEYS = re.compile(_WHO)
_EXCLUDES, _NOTHING = re.compile(rb"core\.excludesfile"), re.compile(rb"(?!)")
_EXCLUDE_BYTES = 256 * 1024
_NAME = re.compile(r"refs/(?:heads/|tags/|stash$)[^\x00-\x20~^:?*\[\\\x7f]*")

Refs = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Inside:
    """Command lines that put git into the sandbox: to look only, to serve objects, and to change what is inside."""

    looking: Sequence[str]
    serving: Sequence[str]
    changing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Private:
    """`folder` is the server's own for this worktree; in it `git` is mounted over the common directory."""

    repository: Repository
    worktree: Path
    folder: Path
    name: str
    """For refs: the worktree's id."""
    objects: Path
    """Where the real objects are mounted, inside."""

    @property
    def git_dir(self) -> Path:
        return self.folder / "git"

    @property
    def link(self) -> Path:
        """What is mounted over the worktree's `.git` file."""
        return self.folder / "dotgit"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a person has to know of how the two sides were brought together."""

    code: str
    text: str


@dataclass(kw_only=True)
class _Known:
    """What both sides agreed on, and what was seen last."""

    head: str
    agreed: Refs
    kept: Refs = field(default_factory=dict)
    seen: str = ""
    is_aligned: bool = True


@dataclass(frozen=True, kw_only=True)
class _Side:
    head: str
    """A full name, or a commit."""
    refs: Refs

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.head, sorted(self.refs.items())]).encode()).hexdigest()


def borrowed(private: Private) -> list[tuple[Path, Path]]:
    """The folders of objects that are mounted, read-only: where they are, and where they are inside."""
    first = private.objects
    return [(source, first.with_name(f"{first.name}-{at}") if at else first) for at, source in enumerate(alternates(private.repository))]


def alternates(repository: Repository) -> list[Path]:
    """The folders that hold the repository's objects: its own, then those it borrows from."""
    found = [repository.common_dir / "objects"]
    for folder in found:
        listed = read_beneath(folder, "info/alternates", 65_536) or b""
        for line in listed.decode("utf-8", "surrogateescape").splitlines():
            path = Path(os.path.normpath(folder / line)) if line and not line.startswith("#") else None
            if path is not None and path.name == "objects" and (path / "pack").is_dir() and path not in found and len(found) < 20:
                found.append(path)
    return found


async def prepare(private: Private) -> None:
    """Make it, if there is none yet."""
    if not private.git_dir.is_dir() or _read(private) is None:
        await _make(private, await _outside(private))


async def sync(private: Private, inside: Inside, *, is_quick: bool = False, is_new: bool = False) -> list[Finding]:
    """Bring both sides together. If it `is_quick`, it takes one process when nothing happened outside, and inside is not looked at.

    If it `is_new` no process runs inside: then a private side that cannot be read is put aside and made again.

    Errors:
        GitFailed: one side could not be read or written; nothing was lost, and the next time it is tried again.
    """
    outside, known = await _outside(private), _read(private)
    if known is None or not private.git_dir.is_dir():
        await _make(private, outside)
        return []
    if is_quick and outside.digest == known.seen and known.is_aligned:
        return []
    try:
        there = await _inside(private, inside)
    except errors.GitFailed as error:
        if not is_new:
            raise
        if isinstance(error.__cause__, TimeoutError):  # or the machine is only slow
            with contextlib.suppress(errors.GitFailed):
                return await _Meeting(private, inside, known, outside, await _inside(private, inside, PATIENCE_S)).hold()
        return [await _remake(private, outside, error.message)]
    return await _Meeting(private, inside, known, outside, there).hold()


class _Meeting:
    """One time that both sides are brought together."""

    def __init__(self, private: Private, inside: Inside, known: _Known, outside: _Side, there: _Side) -> None:
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
        known.seen = _Side(head=outside.head, refs=self._outside.refs).digest
        _write(self._private, known)
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
        return await _run_inside(self._private, self._inside.changing, action, *arguments, stdin=stdin, ok=ok)

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


async def _outside(private: Private) -> _Side:
    repository = private.repository
    output = await repository.git(
        "list the branches", "for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads", "refs/tags", "refs/remotes"
    )
    raw = read_beneath(repository.worktree_dir(private.worktree), "HEAD", 4096)
    head = _head(raw)
    if head is None:
        raise errors.GitFailed("read the worktree", f"what git keeps for {private.worktree} is gone or was changed by another program")
    return _Side(head=head, refs=_refs(output.text))


async def _inside(private: Private, inside: Inside, timeout_s: float | None = None) -> _Side:
    """What the agents have now: nothing of it can be trusted but that it has this form."""
    output = await _run_inside(
        private,
        inside.looking,
        "look into the sandbox",
        *("for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads", "refs/tags", "refs/remotes", "refs/stash"),
        timeout_s=timeout_s,
    )
    head = _head(read_beneath(private.git_dir, f"worktrees/{private.worktree.name}/HEAD", 4096))
    if head is None:
        raise errors.GitFailed("look into the sandbox", "it has no HEAD")
    return _Side(head=head, refs=_refs(output.text))


async def _run_inside(
    private: Private,
    inside: Sequence[str],
    action: str,
    *arguments: str,
    stdin: bytes = b"",
    ok: Sequence[int] = (0,),
    timeout_s: float | None = None,
) -> run.Output:
    return await run.run(action, arguments, cwd=private.folder, inside=inside, stdin=stdin, ok=ok, timeout_s=timeout_s or INSIDE_S)


def _head(raw: bytes | None) -> str | None:
    match = _HEAD.fullmatch(raw or b"")
    return (match[1] or match[2]).decode("utf-8", "surrogateescape") if match else None


def _refs(text: str) -> Refs:
    pairs = (line.partition("\0")[::2] for line in text.splitlines())
    return {name: commit for name, commit in pairs if name.startswith("refs/") and _SHA.fullmatch(commit)}


def _short(branch: str) -> str:
    return branch.removeprefix("refs/heads/")


def _agree(agreed: Refs, name: str, commit: str | None) -> None:
    if commit is None:
        agreed.pop(name, None)
    else:
        agreed[name] = commit


# What both sides agreed on


def _read(private: Private) -> _Known | None:
    try:
        return _Known(**json.loads((private.folder / "known.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(private: Private, known: _Known) -> None:
    path = private.folder / "known.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(vars(known)))
    temporary.replace(path)


# Making one


async def _remake(private: Private, outside: _Side, why: str) -> Finding:
    """Put aside what an agent has made unreadable, and begin again with what is outside."""
    broken = next(path for number in itertools.count(1) if not (path := private.folder / f"git.broken-{number}").exists())
    private.git_dir.rename(broken)
    await _make(private, outside)
    return Finding(
        code="remade",
        text=f"The agent's own repository in its sandbox could not be read and was made again. What it was is kept in {broken}. {why}",
    )


async def _make(private: Private, outside: _Side) -> None:
    """Written by the server into a folder that no agent has seen, then put in its place."""
    repository, worktree = private.repository, private.worktree
    private.folder.mkdir(parents=True, exist_ok=True)
    private.folder.chmod(0o700)
    new = private.folder / "git.new"
    for leftover in (new, private.git_dir):
        shutil.rmtree(leftover, ignore_errors=True)
    own = new / "worktrees" / worktree.name
    for folder in (own, new / "objects" / "info", new / "objects" / "pack", new / "refs" / "heads", new / "refs" / "tags", new / "info"):
        folder.mkdir(parents=True)
    settings = await _settings(repository)
    (new / "config").write_bytes(settings)
    (new / "HEAD").write_bytes(read_beneath(repository.view, "HEAD", 4096) or b"ref: refs/heads/main\n")
    (new / "packed-refs").write_bytes(
        b"".join(os.fsencode(f"{commit} {name}\n") for name, commit in sorted(outside.refs.items())),
    )
    (new / "objects" / "info" / "alternates").write_text("".join(f"{inner}\n" for _, inner in borrowed(private)))
    (new / "info" / "exclude").write_bytes(await _excluded(repository))
    if (shallow := read_beneath(repository.common_dir, "shallow", 1 << 20)) is not None:
        (new / "shallow").write_bytes(shallow)
    (own / "HEAD").write_bytes(os.fsencode(f"ref: {outside.head}\n" if outside.head.startswith("refs/") else f"{outside.head}\n"))
    (own / "commondir").write_text("../..\n")
    (own / "gitdir").write_text(f"{worktree / '.git'}\n")
    with contextlib.suppress(OSError):
        _copy_index(repository.worktree_dir(worktree), own / "index")
    private.link.write_text(f"gitdir: {repository.worktree_dir(worktree)}\n")
    new.rename(private.git_dir)
    known = _Known(head=outside.head, agreed=dict(outside.refs), seen=outside.digest)
    _write(private, known)


def _copy_index(source: Path, target: Path) -> None:
    with opened_file(source, "index") as descriptor, target.open("wb") as index:
        while piece := os.read(descriptor, 1 << 20):
            index.write(piece)


async def _settings(repository: Repository) -> bytes:
    """What the view has, each key once, so that an agent's git can change it; who commits; and where the remotes are, unless a password
    stands there.
    """
    once: dict[bytes, bytes] = {b"core.bare": b"false", b"core.logallrefupdates": b"true", b"core.repositoryformatversion": b"0"}
    many = []
    for key, value in await repository.settings(_OWN_KEYS, _PERSONAL_KEYS):
        if key.endswith(b".fetch"):
            many.append((key, value))
        elif not (key.endswith(b".url") and b"@" in value and b"://" in value):
            once[key] = value
    return render([*once.items(), *many])


async def _excluded(repository: Repository) -> bytes:
    """What git ignores for the repository and for its person, since the person's own file is hidden inside."""
    settings = dict(await repository.settings(_NOTHING, _EXCLUDES))
    home = os.environ.get("XDG_CONFIG_HOME") or f"{os.environ.get('HOME', '')}/.config"
    personal = Path(os.fsdecode(settings.get(b"core.excludesfile", os.fsencode(f"{home}/git/ignore"))))
    found = [read_beneath(repository.common_dir, "info/exclude", _EXCLUDE_BYTES) or b""]
    with contextlib.suppress(OSError):
        found.append(personal.read_bytes()[:_EXCLUDE_BYTES])
    return b"\n".join(found)
