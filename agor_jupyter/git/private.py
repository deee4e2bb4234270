"""A worktree's repository as its agents see it in their sandbox: how it is made, and how the server looks into it.

Inside, the repository's common directory is a private one: settings, hooks, refs, index and new objects are all the agents' own, and the
objects of the real repository are there to be read only. The server never runs git on it: what is inside is read by a git that runs in the
sandbox. `sandbox/sync.py` brings both sides together.

`docs/decisions/agents-in-a-sandbox.md` tells the rest.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import identity, run, shallow, sparse
from agor_jupyter.git.files import opened_file, read_beneath
from agor_jupyter.git.identity import Identity
from agor_jupyter.git.repository import Repository, Setting, render
from agor_jupyter.processes.once import Output

INSIDE_S, PATIENCE_S = 10.0, 60.0
"""What a call of git inside may take: a pipe in the place of a file would keep it for ever. The second counts before all is made anew."""
_HEAD = re.compile(rb"(?:ref: (refs/heads/[^\x00-\x20~^:?*\[\\\x7f]+)|([0-9a-f]{40}|[0-9a-f]{64}))\n?")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FILTERS = rb"filter\..+\.(clean|smudge|process|required)"
"""Inside, they have no more power than an agent has anyway."""
_HABITS = rb"init\.defaultbranch|pull\.(rebase|ff)|push\.default|core\.(autocrlf|eol)"
_SHARED = ("refs/heads", "refs/tags", "refs/remotes", "refs/notes")
"""What both sides have: an agent sees what people have there."""
_OWN_KEYS = re.compile(
    rb"%b|core\.(safecrlf|filemode|ignorecase|symlinks|precomposeunicode|repositoryformatversion)|extensions\.objectformat"
    rb"|remote\..+\.(url|fetch|promisor|partialclonefilter)|branch\..+\.(remote|merge)|submodule\..+\.(url|active|update)|%b"
    % (_HABITS, _FILTERS)
)
_PERSONAL_KEYS = re.compile(rb"%b|%b" % (_HABITS, _FILTERS))
_EXCLUDES, _NOTHING = re.compile(rb"core\.excludesfile"), re.compile(rb"(?!)")
_EXCLUDE_BYTES = 256 * 1024

Refs = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Inside:
    """Command lines that put git into the sandbox: to look only, to serve objects, and to change what is inside."""

    looking: Sequence[str]
    serving: Sequence[str]
    changing: Sequence[str]
    filtering: Sequence[str] = ()
    """To try a filter, on the files that lie in `check` in the worktree's folder of the server."""


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
    def entry(self) -> str:
        """The name of the worktree's folder below `worktrees`, inside as outside: its files name it."""
        return self.repository.worktree_dir(self.worktree).name

    @property
    def index(self) -> Path:
        """A copy of the real index, as it was when the private side was made."""
        return self.folder / "index"

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
class Known:
    """What both sides agreed on, and what was seen last."""

    head: str
    agreed: Refs
    kept: Refs = field(default_factory=dict)
    """What refs of ours hold of it, by its name inside."""
    seen: str = ""
    is_aligned: bool = True
    aligned_to: str = ""
    """While it is not aligned: the commit that the index outside was last read from."""
    judged: list[str] = field(default_factory=list)
    """Entries of reflogs that were looked at."""
    held_head: str = ""
    held_others: str = ""
    """What is protected from garbage collection: a commit, and the digest of others."""
    shallow: list[str] | None = None
    """Where history ended outside, when it was looked at last; `None` where that was not written down yet."""
    told: str = ""
    """What was said last of an operation that is under way inside."""


@dataclass(frozen=True, kw_only=True)
class Side:
    head: str
    """A full name, or a commit."""
    refs: Refs
    shallow: list[str] = field(default_factory=list)
    """Of the real one: where its history ends."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.head, sorted(self.refs.items()), self.shallow]).encode()).hexdigest()


def borrowed(private: Private) -> list[tuple[Path, Path]]:
    """The folders of objects that are mounted, read-only: where they are, and where they are inside."""
    first = private.objects
    return [(source, first.with_name(f"{first.name}-{at}") if at else first) for at, source in enumerate(alternates(private.repository))]


def alternates(repository: Repository) -> list[Path]:
    """The folders that hold the repository's objects: its own, then those it borrows from."""
    return folders_of_objects(repository.common_dir)


def folders_of_objects(common_dir: Path) -> list[Path]:
    """As `alternates`, of the repository with this common directory."""
    found = [common_dir / "objects"]
    for folder in found:
        listed = read_beneath(folder, "info/alternates", 65_536) or b""
        for line in listed.decode("utf-8", "surrogateescape").split("\n"):
            path = Path(os.path.normpath(folder / line)) if line and not line.startswith("#") else None
            if path is not None and path.name == "objects" and (path / "pack").is_dir() and path not in found and len(found) < 20:
                found.append(path)
    return found


async def outside_of(private: Private) -> Side:
    repository = private.repository
    output = await repository.git("list the branches", "for-each-ref", "--format=%(refname)%00%(objectname)", *_SHARED)
    raw = read_beneath(repository.worktree_dir(private.worktree), "HEAD", 4096)
    head = _head(raw)
    if head is None:
        raise errors.GitFailed("read the worktree", f"what git keeps for {private.worktree} is gone or was changed by another program")
    return Side(head=head, refs=_refs(output.text), shallow=shallow.read(repository.common_dir))


async def inside_of(private: Private, inside: Inside, timeout_s: float | None = None) -> Side:
    """What the agents have now: nothing of it can be trusted but that it has this form."""
    output = await run_inside(
        private,
        inside.looking,
        "look into the sandbox",
        *("for-each-ref", "--format=%(refname)%00%(objectname)"),
        timeout_s=timeout_s,
    )
    head = _head(read_beneath(private.git_dir, f"worktrees/{private.entry}/HEAD", 4096))
    if head is None:
        raise errors.GitFailed("look into the sandbox", "it has no HEAD")
    return Side(head=head, refs=_refs(output.text))


async def run_inside(
    private: Private,
    inside: Sequence[str],
    action: str,
    *arguments: str,
    stdin: bytes = b"",
    ok: Sequence[int] = (0,),
    timeout_s: float | None = None,
) -> Output:
    return await run.run(action, arguments, cwd=private.folder, inside=inside, stdin=stdin, ok=ok, timeout_s=timeout_s or INSIDE_S)


def _head(raw: bytes | None) -> str | None:
    match = _HEAD.fullmatch(raw or b"")
    return (match[1] or match[2]).decode("utf-8", "surrogateescape") if match else None


def _refs(text: str) -> Refs:
    pairs = (line.partition("\0")[::2] for line in text.split("\n"))
    return {name: commit for name, commit in pairs if name.startswith("refs/") and _SHA.fullmatch(commit)}


# What both sides agreed on


def read_known(private: Private) -> Known | None:
    try:
        return Known(**json.loads((private.folder / "known.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_known(private: Private, known: Known) -> None:
    path = private.folder / "known.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(vars(known)))
    temporary.replace(path)


# Making one


async def remake(private: Private, why: str) -> Finding:
    """Put aside what cannot be used any more, so that another one can be made."""
    broken = put_aside(private)
    return Finding(
        code="remade",
        text=f"The agent's own repository in its sandbox could not be read and was made again. What it was is kept in {broken}. {why}",
    )


def put_aside(private: Private) -> Path:
    broken = next(path for number in itertools.count(1) if not (path := private.folder / f"git.broken-{number}").exists())
    private.git_dir.rename(broken)
    return broken


async def make(private: Private, outside: Side) -> Known:
    """Written by the server into a folder that no agent has seen, then put in its place. What both sides agree on is not written yet."""
    repository, worktree = private.repository, private.worktree
    private.folder.mkdir(parents=True, exist_ok=True)
    private.folder.chmod(0o700)
    new = private.folder / "git.new"
    shutil.rmtree(new, ignore_errors=True)
    if private.git_dir.is_dir():  # nobody knows what of it is outside
        put_aside(private)
    own = new / "worktrees" / private.entry
    for folder in (own, new / "objects" / "info", new / "objects" / "pack", new / "refs" / "heads", new / "refs" / "tags", new / "info"):
        folder.mkdir(parents=True)
    who = await identity.of(repository, worktree)
    settings = await _settings(repository, worktree, who)
    (new / "config").write_bytes(settings)
    (new / "HEAD").write_bytes(read_beneath(repository.view, "HEAD", 4096) or b"ref: refs/heads/main\n")
    (new / "packed-refs").write_bytes(
        b"".join(os.fsencode(f"{commit} {name}\n") for name, commit in sorted(outside.refs.items())),
    )
    (new / "objects" / "info" / "alternates").write_text("".join(f"{inner}\n" for _, inner in borrowed(private)))
    (new / "info" / "exclude").write_bytes(await _excluded(repository))
    if outside.shallow:
        (new / "shallow").write_bytes(shallow.render(outside.shallow))
    (own / "HEAD").write_bytes(os.fsencode(f"ref: {outside.head}\n" if outside.head.startswith("refs/") else f"{outside.head}\n"))
    (own / "commondir").write_text("../..\n")
    sparse.copy(repository, worktree, own)
    (own / "gitdir").write_text(f"{worktree / '.git'}\n")
    with contextlib.suppress(OSError):
        copy_index(repository.worktree_dir(worktree), private.index)
        shutil.copy2(private.index, own / "index")
    private.link.write_text(f"gitdir: {repository.worktree_dir(worktree)}\n")
    identity.note(private.folder, who)
    new.rename(private.git_dir)
    return Known(head=outside.head, agreed=dict(outside.refs), seen=outside.digest, shallow=outside.shallow)


def copy_index(source: Path, target: Path) -> None:
    with opened_file(source, "index") as descriptor, target.open("wb") as index:
        found = os.fstat(descriptor)
        while piece := os.read(descriptor, 1 << 20):
            index.write(piece)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))  # by its time git knows which entries to doubt


async def _settings(repository: Repository, worktree: Path, who: Identity) -> bytes:
    """What the view has, each key once, so that an agent's git can change it; who commits; and where the remotes are, unless a password
    stands there.
    """
    return await settings_inside(repository, [*who.settings, *sparse.settings(repository, worktree)])


async def settings_inside(repository: Repository, more: Iterable[Setting]) -> bytes:
    """As `_settings`, with `more`."""
    once: dict[bytes, bytes] = {b"core.bare": b"false", b"core.logallrefupdates": b"true", b"core.repositoryformatversion": b"0"}
    once |= dict(more)
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
