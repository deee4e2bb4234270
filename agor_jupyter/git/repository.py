"""A repository as the server's git sees it: the real objects and refs, and settings that only the server wrote.

An agent can write `.git/config`, hooks, `.git/worktrees/*/commondir`, `config.worktree` and the worktree's own `.git` file, and
each of them makes the next git command execute what it says. A list of dangerous keys is never complete and is read a moment
before git reads the file again. So git is given a common directory of the server's own, the view: its `objects`, `refs` and so on
are symbolic links to the real ones, its `config` is written here from an allow-list of keys whose values cannot execute
anything, and it has no hooks. `docs/decisions/git-through-a-view.md` tells the rest.
"""

import asyncio
import contextlib
import functools
import os
import re
import stat
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import formats, run
from agor_jupyter.git.blobs import Blobs
from agor_jupyter.processes.once import MAX_OUTPUT, Output

_LINKED = (
    *("objects", "refs", "packed-refs", "reftable", "logs", "worktrees", "info", "shallow"),
    *("rebase-merge", "rebase-apply", "BISECT_LOG", "BISECT_START"),
)
_TIPS_AGE_S = 1.0
TRUE = frozenset({b"true", b"yes", b"on", b"1"})
_ALLOWED_KEYS = re.compile(
    rb"core\.(autocrlf|eol|safecrlf|filemode|ignorecase|symlinks|precomposeunicode|repositoryformatversion)"
    rb"|extensions\.(objectformat|refstorage)"
    rb"|remote\..+\.fetch"
    rb"|branch\..+\.(remote|merge)"
)
_PROMISED = re.compile(rb"remote\..+\.(promisor|partialclonefilter)|extensions\.partialclone")
_ALLOWED_PERSONAL_KEYS = re.compile(rb"core\.(excludesfile|autocrlf|eol)")
_HEAD = re.compile(rb"(ref: refs/heads/[^\x00-\x20~^:?*\[\\\x7f]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")

_MACHINE_SETTINGS = "/etc/gitconfig"
_CONVERTING = {b"core.autocrlf", b"core.eol"}
_OFF = {b"false", b"no", b"off", b"0", b""}

Setting = tuple[bytes, bytes]
Filtering = Callable[[Path], Awaitable[Sequence[str] | None]]
"""The command line of a sandbox for git, in which only a folder can be written, that holds `files` and `git`. `None`: there is none."""


@dataclass(kw_only=True)
class Repository:
    """`common_dir` and `path` are what was recorded when the repo was registered."""

    path: Path
    """The main checkout; for a bare repository, the same as `common_dir`."""
    common_dir: Path
    view: Path
    """A folder of the server's own for this repository."""
    timeout_s: float = run.TIMEOUT_S
    promisor: str | None = None
    """Where the missing objects of a partial clone come from, as it was when an owner registered the repository."""
    protocols: Sequence[str] = ()
    """Which may be used for that."""
    own: Mapping[bytes, bytes] = field(default_factory=dict, init=False)
    """Its settings as they were when they were read last, without what they include. Of them nothing is obeyed but switches."""
    entries: dict[str, str] = field(default_factory=dict)
    """Names of git's entries for worktrees whose folder has another name, by their paths, as they were recorded."""
    filtering: Filtering | None = None
    """How filters of people are tried, where they can be."""
    filters: tuple[object, dict[str, list[Setting]]] | None = field(default=None, init=False)
    """Those that were found last, and in which state of the settings."""
    _converts: bool = field(default=True, init=False)
    _signature: object = field(default=None, init=False)
    _tips: "asyncio.Future[dict[str, str]] | None" = field(default=None, init=False)
    _tips_at: float = field(default=0.0, init=False)
    _worktree_dirs: dict[str, Path] = field(default_factory=dict, init=False)

    def fold(self, branch: str) -> str:
        """The same for names that are one name to this repository."""
        return branch.lower() if self.ignores_case else branch

    @property
    def ignores_case(self) -> bool:
        """Names that differ in case only are one."""
        return is_set(self.own, b"core.ignorecase")

    @property
    def is_partial(self) -> bool:
        """Objects may be missing that a server has promised."""
        return any(_PROMISED.fullmatch(key) for key in self.own)

    @functools.cached_property
    def blobs(self) -> Blobs:
        """What files held at a commit."""

        async def read(asked: bytes) -> bytes:
            return (await self.git("read what files were", "cat-file", "--batch", stdin=asked)).out

        return Blobs(read)

    @property
    def converts(self) -> bool:
        """A setting, or attributes of the server's user, may make git compare something else than the bytes of files."""
        settings = os.environ.get("XDG_CONFIG_HOME") or Path(os.environ.get("HOME", "/")) / ".config"
        return self._converts or os.path.lexists(Path(settings) / "git" / "attributes")

    def worktree_dir(self, worktree: Path) -> Path:
        """Where git keeps what belongs to the worktree at that path: named as its folder, unless it is recorded otherwise."""
        name = self.entries.get(str(worktree)) or worktree.name
        known = self._worktree_dirs.get(name)
        if known is None:
            known = self._worktree_dirs[name] = self.common_dir / "worktrees" / name
        return known

    @property
    def is_bare(self) -> bool:
        return self.path == self.common_dir

    def is_own(self, worktree: Path) -> bool:
        """Git reads this file for refs even when the common directory is pinned: it could show another repository's branch."""
        return _read_small(f"{self.worktree_dir(worktree)}/commondir") in {b"../..\n", b"../.."}

    def pins(self, action: str, worktree: Path | None) -> dict[str, str]:
        """Which repository, as variables of git. `action` completes “git could not …”.

        Errors:
            GitFailed: the worktree is not what it was.
        """
        pins = {"GIT_DIR": str(self.view), "GIT_COMMON_DIR": str(self.view)}
        if worktree is None:
            return pins
        if not self.is_own(worktree):
            raise errors.GitFailed(action, f"what git keeps for {worktree} is gone or was changed by another program")
        return pins | {"GIT_DIR": str(self.worktree_dir(worktree)), "GIT_WORK_TREE": str(worktree)}

    async def git(
        self,
        action: str,
        *arguments: str,
        worktree: Path | None = None,
        index: Path | None = None,
        environment: dict[str, str] | None = None,
        protocols: Sequence[str] = (),
        is_personal: bool = False,
        cwd: Path | None = None,
        stdin: bytes = b"",
        ok: Collection[int] = (0,),
        cap: int = MAX_OUTPUT,
        timeout_s: float | None = None,
        on_progress: Callable[[bytes], None] | None = None,
    ) -> Output:
        """Run git on the repository, or on one of its worktrees."""
        await self.refresh()
        pins = self.pins(action, worktree)
        if index is not None:
            pins["GIT_INDEX_FILE"] = str(index)
        return await run.run(
            action,
            arguments,
            cwd=cwd or worktree or self.view,
            pins=pins | (environment or {}),
            protocols=protocols,
            is_personal=is_personal,
            stdin=stdin,
            ok=ok,
            cap=cap,
            timeout_s=timeout_s or self.timeout_s,
            on_progress=on_progress,
        )

    def settings_mark(self) -> object:
        """Changes with the repository's settings, its person's and the machine's, but for what they include."""
        return tuple(_signature(path) for path in (f"{self.common_dir}/config", *_personal_settings(), _MACHINE_SETTINGS))

    async def refresh(self) -> None:
        """Bring the view up to date with the settings that matter to it and with the main checkout's HEAD. Cheap when nothing changed."""
        head = _read_small(f"{self.common_dir}/HEAD")
        if head is None or not _HEAD.fullmatch(head):
            raise errors.NotARepository(str(self.path))
        signature = (_signature(f"{self.common_dir}/config"), *(_signature(path) for path in _personal_settings()))
        if signature != self._signature or not os.path.isdir(self.view):  # noqa: PTH112 as fast as it gets: this runs before each command
            await self._build()
            self._signature = signature
        if _read_small(f"{self.view}/HEAD") != head:
            _replace(self.view / "HEAD", head)

    async def tip(self, ref: str) -> str | None:
        """The commit that a branch points to, at most a second old. `None`: there is no such ref, or `ref` is a commit."""
        tips = await self.tips()
        return next(
            (tips[name] for name in (f"refs/heads/{ref}", f"refs/remotes/{ref}", f"refs/remotes/origin/{ref}") if name in tips), None
        )

    async def tips(self) -> dict[str, str]:
        """What all branches, local and remote ones, point to, at most a second old."""
        now = time.monotonic()
        if (
            self._tips is None
            or self._tips.cancelled()
            or now - self._tips_at > _TIPS_AGE_S
            or (self._tips.done() and self._tips.exception())
        ):
            self._tips, self._tips_at = asyncio.ensure_future(self._read_tips()), now
        return await asyncio.shield(self._tips)

    async def _read_tips(self) -> dict[str, str]:
        output = await self.git("list the branches", "for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads", "refs/remotes")
        return {name: sha for name, _, sha in (line.partition("\0") for line in output.text.split("\n"))}

    async def _build(self) -> None:
        self.view.mkdir(parents=True, exist_ok=True)
        for name in _LINKED:
            link, target = self.view / name, self.common_dir / name
            if not link.is_symlink() or link.readlink() != target:
                link.unlink(missing_ok=True)
                link.symlink_to(target)
        for name in ("logs", "worktrees"):
            (self.common_dir / name).mkdir(exist_ok=True)
        settings = [(b"core.bare", b"false"), (b"core.logallrefupdates", b"true"), (b"core.repositoryformatversion", b"0")]
        own = await read_settings(self.common_dir / "config")
        if refusal := formats.refusal(self.path, own):
            raise refusal
        self.own = dict(own)
        settings += select(own, _ALLOWED_KEYS, await self._personal(), _ALLOWED_PERSONAL_KEYS)
        self._converts = any(key in _CONVERTING and value.lower() not in _OFF for key, value in settings)
        _replace(self.view / "config", render(settings))

    async def settings(self, own: "re.Pattern[bytes]", personal: "re.Pattern[bytes]") -> list[Setting]:
        """Those of the repository whose keys are `own`, and those of the server's user whose keys are `personal`.

        Reading settings executes nothing. A value is data here and stays data.
        """
        return select(await read_settings(self.common_dir / "config"), own, await self._personal(), personal)

    async def _personal(self) -> list[Setting]:
        output = await run.run(
            "read the settings",
            ["config", "--global", "--includes", "-z", "--list"],
            cwd=self.view,
            pins={"GIT_DIR": os.devnull},
            is_personal=True,
            ok=(0, 1, 128),
        )
        return parse_settings(output.out)


def select(own: Iterable[Setting], own_keys: "re.Pattern[bytes]", personal: Iterable[Setting], keys: "re.Pattern[bytes]") -> list[Setting]:
    """Personal settings first, so that those of the repository count."""
    return [
        (key, os.fsencode(Path(os.fsdecode(value)).expanduser()) if key == b"core.excludesfile" else value)
        for allowed, settings in ((keys, personal), (own_keys, own))
        for key, value in settings
        if allowed.fullmatch(key) and b"\n" not in key
    ]


def is_set(settings: Mapping[bytes, bytes], key: bytes) -> bool:
    return settings.get(key, b"").lower() in TRUE


def promisor_url(known: Mapping[bytes, bytes]) -> str | None:
    """Where a partial clone with these settings gets what it lacks."""
    names = [known[b"extensions.partialclone"]] if b"extensions.partialclone" in known else []
    names += [
        key[len(b"remote.") : -len(b".promisor")] for key, value in known.items() if key.endswith(b".promisor") and value.lower() in TRUE
    ]
    urls = [known[b"remote." + name + b".url"] for name in names if b"remote." + name + b".url" in known]
    return os.fsdecode(urls[0]) if urls else None


def parse_settings(listed: bytes) -> list[Setting]:
    """Of `git config -z --list`. A key alone means that it is true."""
    return [
        (key, value if has_value else b"true") for key, has_value, value in (one.partition(b"\n") for one in listed.split(b"\0")) if key
    ]


def render(settings: Iterable[Setting]) -> bytes:
    """A settings file of git."""
    lines = bytearray()
    for key, value in settings:
        section, _, rest = key.partition(b".")
        subsection, _, variable = rest.rpartition(b".")
        quoted = b' "' + subsection.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' if subsection else b""
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\t", b"\\t")
        lines += b"[" + section + quoted + b"]\n\t" + variable + b' = "' + escaped + b'"\n'
    return bytes(lines)


async def discover(path: Path) -> tuple[Path, Path]:
    """The main checkout and the common directory of the repository that `path` belongs to; for a bare one, the same twice.

    They are the same for each of its linked worktrees, for the folder around a `.bare`, and for the repository's own folder.

    Errors:
        NotARepository: there is none.
        UnreadableRepository: there is one that git does not take.
        BadPath: it belongs to another user, and the person did not declare it safe.
    """
    output = await run.run(
        "look at the folder",
        ["rev-parse", "--path-format=absolute", "--is-bare-repository", "--git-common-dir", "--git-dir", "--show-cdup"],
        cwd=path,
        is_personal=True,
        ok=(0, 128),
    )
    if output.code:
        owner = _foreign_owner(path)
        if owner is not None:
            raise errors.BadPath(
                str(path),
                f"it belongs to another user (id {owner}), whose settings git would obey. If you trust it, run "
                f"`git config --global --add safe.directory {path}`",
            )
        await _tell_format(path, output.err.decode("utf-8", "replace"))
        raise errors.NotARepository(str(path))
    is_bare, common, git_dir, *up = output.text.split("\n")
    common_dir, own = Path(os.path.realpath(common)), Path(os.path.realpath(git_dir))
    if is_bare == "true":
        return common_dir, common_dir
    top = Path(os.path.realpath(path / (up[0] if up else "")))
    is_main = own == common_dir and not top.is_relative_to(common_dir)
    return top if is_main else await _main_checkout(common_dir), common_dir


async def _main_checkout(common_dir: Path) -> Path:
    """Of a repository that was reached otherwise. One whose checkout is nowhere said is taken as bare."""
    settings = dict(await read_settings(common_dir / "config"))
    if named := settings.get(b"core.worktree"):
        return Path(os.path.realpath(common_dir / os.fsdecode(named)))
    return common_dir.parent if common_dir.name == ".git" and not is_set(settings, b"core.bare") else common_dir


async def _tell_format(path: Path, said: str) -> None:
    """Raises when there is a repository all the same, with git's own reason for not taking it."""
    git_dir = formats.git_dir_at(path)
    if git_dir is not None:
        refusal = formats.refusal(path, await read_settings(git_dir / "config"), said.removeprefix("fatal: "))
        if refusal is not None:
            raise refusal


async def read_settings(file: Path) -> list[Setting]:
    """All that a settings file says, without what it includes. Reading executes nothing."""
    output = await run.run(
        "read the settings",
        ["config", "--file", str(file), "--no-includes", "-z", "--list"],
        cwd=Path("/"),
        pins={"GIT_DIR": os.devnull},
        ok=(0, 1, 128),
    )
    return parse_settings(output.out)


def _foreign_owner(path: Path) -> int | None:
    for folder in (path, *path.parents):
        for name in (folder / ".git", folder / "objects"):
            with contextlib.suppress(OSError):
                owners = {folder.lstat().st_uid, name.lstat().st_uid} - {os.geteuid()}
                return next(iter(owners), None)
    return None


def _personal_settings() -> Sequence[str]:
    home = os.environ.get("HOME")
    settings = os.environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    paths = [f"{home}/.gitconfig"] if home else []
    return [*paths, f"{settings}/git/config"] if settings else paths


def _signature(path: str) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116 as above
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _read_small(path: Path | str, limit: int = 4096) -> bytes | None:
    """What a small regular file holds. No link is followed and nothing that could block is opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
