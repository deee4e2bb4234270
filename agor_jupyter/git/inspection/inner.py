"""Looks into repositories that lie below a worktree, without obeying them.

Whoever works in the worktree wrote their settings, hooks and links. As with the outer one (`repository.py`), git is given a folder of
the server's own, with links to their objects and refs, copies of `HEAD` and the index, and settings that only the server wrote. A
`.git` that names a place outside is never followed.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.git import run
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.inspection import operations
from agor_jupyter.git.inspection.operations import Operation
from agor_jupyter.git.inspection.status import STATUS, Changes, parse
from agor_jupyter.git.repository import Repository

MAX_COMMITS = 10_000
_MAX_LINK_BYTES = 4096
_MAX_INDEX_BYTES = 256 * 1024 * 1024
_MAX_SETTINGS_BYTES = 1024 * 1024
_MAX_STASHES_BYTES = 4 * 1024 * 1024
_TIMEOUT_S = 20.0
_PREFIX = "inner-"
_LINKED = ("objects", "refs", "packed-refs", "info", "shallow")
_HEAD = re.compile(rb"(ref: refs/[^\x00-\x20~^:?*\[\\\x7f]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")
_IS_SHA256 = re.compile(rb"^\s*objectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)
_HAS_TABLES = re.compile(rb"^\s*refstorage\s*=\s*\"?reftable", re.IGNORECASE | re.MULTILINE)
_ZEROS = re.compile("0+")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A repository below a worktree, by real paths. `git_dir` is `None` when it must not or cannot be looked into: `problem` says why."""

    path: str
    """Below the outer worktree."""
    folder: Path | None
    """Where its files are; `None`: it has none."""
    git_dir: Path | None
    common_dir: Path | None = None
    """Where objects and refs are; another than `git_dir` for a linked worktree."""
    target: str = ""
    """Where its `.git` leads, when that is outside."""
    problem: str = ""
    whose: str = ""
    """Of a linked worktree: “this” repository's or “another” one's."""
    is_left: bool = False
    """Its submodule is not in the folder any more; `path` is its name."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is in it that a person would call work."""

    branch: str | None = None
    head: str = ""
    changes: Changes = field(default_factory=Changes)
    commits: int = 0
    """On no remote, as far as it knows."""
    stashes: int = 0
    under_way: tuple[Operation, ...] = ()
    problem: str = ""


def locate(root: Path, path: str, own: Path) -> Place | None:
    """The repository whose `.git` is in the folder `path` below `root`; `None` when there is none. `own` is where git keeps what
    belongs to the outer worktree, its submodules' repositories too.
    """
    folder = root / path
    if os.path.realpath(folder) != str(folder):  # a link is in the way: what lies there is elsewhere
        return None
    link = folder / ".git"
    try:
        mode = link.lstat().st_mode
    except OSError:
        return _bare(folder, path)
    if stat.S_ISDIR(mode):
        return _checked(Place(path=path, folder=folder, git_dir=link))
    content = read_beneath(folder, ".git", _MAX_LINK_BYTES)
    if content is None or not content.startswith(b"gitdir: "):
        target = os.path.realpath(link) if stat.S_ISLNK(mode) else ""
        return Place(path=path, folder=folder, git_dir=None, target=target, problem="its .git is not one that git makes")
    return _followed(folder, path, os.path.realpath(folder / os.fsdecode(content[8:].rstrip(b"\n"))), (f"{root}/", f"{own}/modules/"))


def _followed(folder: Path, path: str, target: str, allowed: tuple[str, ...]) -> Place:
    """The place that a `.git` file names, if it lies where it is looked into."""
    git_dir, common_dir = Path(target), None
    whose = "another" if git_dir.parent.name == "worktrees" else ""
    elsewhere = Place(path=path, folder=folder, git_dir=None, target=target, problem="its repository is elsewhere", whose=whose)
    if not target.startswith(allowed):
        return elsewhere
    if not git_dir.is_dir():
        return Place(path=path, folder=folder, git_dir=None, target=target, problem="its repository is gone")
    common = read_beneath(git_dir, "commondir", _MAX_LINK_BYTES)
    if common is not None:
        common_dir = Path(os.path.realpath(git_dir / os.fsdecode(common.strip())))
        if not f"{common_dir}/".startswith(allowed):
            return elsewhere
    return _checked(Place(path=path, folder=folder, git_dir=git_dir, common_dir=common_dir, whose=whose))


def _bare(folder: Path, path: str) -> Place | None:
    if not all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs", "config")):
        return None
    return _checked(Place(path=path, folder=None, git_dir=folder))


def modules(own: Path) -> list[Path]:
    """The repositories of submodules that git keeps for the worktree. The name of one may hold slashes."""
    found, waiting = list[Path](), [(own / "modules", 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                below = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue
        for one in below:
            if os.path.lexists(one / "objects") and os.path.lexists(one / "HEAD"):
                found.append(one)
                waiting.append((one / "modules", depth + 1))
            elif depth < 6 and len(found) < 1000:
                waiting.append((one, depth + 1))
    return found


def _checked(place: Place) -> Place:
    assert place.git_dir is not None
    head = read_beneath(place.git_dir, "HEAD", _MAX_LINK_BYTES)
    settings = read_beneath(place.common_dir or place.git_dir, "config", _MAX_SETTINGS_BYTES) or b""
    problem = ""
    if head is None or not _HEAD.fullmatch(head):
        problem = "its HEAD is gone or damaged"
    elif _HAS_TABLES.search(settings):
        problem = "it stores its refs in tables, which are not supported here"
    if not problem:
        return place
    return dataclasses.replace(place, git_dir=None, target=str(place.git_dir), problem=problem)


async def look(repository: Repository, place: Place, known: tuple[str, ...] = ()) -> Found:
    """What is in it. `known` are commits that are kept elsewhere. Two processes."""
    if place.git_dir is None:
        return Found(problem=place.problem)
    try:
        with _viewed(repository, place) as view:
            found = await _status(view, place) if place.folder is not None else Changes()
            return Found(
                branch=found.branch,
                head=found.head,
                changes=found,
                commits=await _count(view, found.head, known),
                stashes=_stashes(place.common_dir or place.git_dir),
                under_way=tuple(operations.under_way(place.git_dir)),
            )
    except errors.GitFailed as error:
        return Found(problem=_problem(error))
    except _Unreadable as error:
        return Found(problem=str(error))


class View:
    """One that stays for further looks, until nobody holds it any more or the program ends. It is made when it is first asked for."""

    def __init__(self, repository: Repository, place: Place) -> None:
        self._repository, self._place = repository, place
        self._path: Path | None = None

    def path(self) -> Path:
        if self._path is None or not self._path.is_dir():
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._repository.view))
            weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
            if problem := _build(path, self._place, self._repository):
                raise _Unreadable(problem)
            self._path = path
        return self._path


def drop_left_views(view: Path) -> None:
    """Those that a server left which did not end by itself."""
    for path in view.glob(f"{_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


async def look_again(place: Place, before: Found, view: View) -> Found:
    """As `look`, when nothing changed of what git keeps for it since `view` was made: only its files are compared. One process."""
    try:
        return dataclasses.replace(before, changes=await _status(view.path(), place))
    except errors.GitFailed as error:
        return Found(problem=_problem(error))
    except _Unreadable as error:
        return Found(problem=str(error))


class _Unreadable(Exception):
    pass


@contextlib.contextmanager
def _viewed(repository: Repository, place: Place) -> Iterator[Path]:
    view = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=repository.view))
    try:
        problem = _build(view, place, repository)
        if problem:
            raise _Unreadable(problem)
        yield view
    finally:
        shutil.rmtree(view, ignore_errors=True)


def _problem(error: errors.GitFailed) -> str:
    return f"git could not read it ({_first(error.message)})"


def _build(view: Path, place: Place, repository: Repository) -> str:
    assert place.git_dir is not None
    common = place.common_dir or place.git_dir
    for name in _LINKED:
        (view / name).symlink_to(common / name)
    head = read_beneath(place.git_dir, "HEAD", _MAX_LINK_BYTES)
    if head is None or not _HEAD.fullmatch(head):
        return "its HEAD is gone or damaged"
    (view / "HEAD").write_bytes(head)
    is_long = _IS_SHA256.search(read_beneath(common, "config", _MAX_SETTINGS_BYTES) or b"") is not None
    outer = str(repository.view / "config").replace("\\", "\\\\").replace('"', '\\"')
    (view / "config").write_text(
        f'[include]\n\tpath = "{outer}"\n[core]\n\tbare = false\n\trepositoryformatversion = {1 if is_long else 0}\n'
        + ("[extensions]\n\tobjectformat = sha256\n" if is_long else "")
    )
    if os.path.lexists(place.git_dir / "index"):
        index = read_beneath(place.git_dir, "index", _MAX_INDEX_BYTES)
        if index is None:
            return "its index cannot be read"
        (view / "index").write_bytes(index)
        state = (place.git_dir / "index").lstat()
        os.utime(view / "index", ns=(state.st_atime_ns, state.st_mtime_ns))  # its time tells git which entries to doubt
    return ""


async def _status(view: Path, place: Place) -> Changes:
    assert place.folder is not None
    pins = {"GIT_DIR": str(view), "GIT_COMMON_DIR": str(view), "GIT_WORK_TREE": str(place.folder), "GIT_INDEX_FILE": str(view / "index")}
    output = await run.run("read a repository inside", STATUS, cwd=place.folder, pins=pins, timeout_s=_TIMEOUT_S)
    return parse(output.text)


async def _count(view: Path, head: str, known: tuple[str, ...]) -> int:
    tips = [head] if head else []
    output = await run.run(
        "count the commits of a repository inside",
        [
            *("rev-list", "--count", f"--max-count={MAX_COMMITS + 1}", "--ignore-missing"),
            *(*tips, "--branches", "--tags", "--not", "--remotes", *(sha for sha in known if not _ZEROS.fullmatch(sha))),
        ],
        cwd=view,
        pins={"GIT_DIR": str(view), "GIT_COMMON_DIR": str(view)},
        timeout_s=_TIMEOUT_S,
    )
    return int(output.text or 0)


def _stashes(common_dir: Path) -> int:
    return (read_beneath(common_dir, "logs/refs/stash", _MAX_STASHES_BYTES) or b"").count(b"\n")


def _first(message: str) -> str:
    line = message.strip().partition("\n")[0]
    return "".join(letter for letter in line if letter.isprintable())[:200]
