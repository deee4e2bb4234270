"""Make, fill and list worktrees, and resolve what they start from. Nothing here forces, and nothing deletes a folder that was ready."""

import contextlib
import difflib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.text import quoted
from agor_jupyter.git import links, names, partial, sparse, upstream
from agor_jupyter.git.files import read_beneath
from agor_jupyter.git.repository import Repository

LOCK_REASON = "agor-jupyter"
_MAX_REASON_BYTES = 64 * 1024
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One worktree as git lists it."""

    path: str
    head: str | None = None
    branch: str | None = None


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a new worktree starts from. `branch_sha` is set when the branch exists."""

    sha: str
    branch_sha: str | None


async def resolve(repository: Repository, repo: str, base: str, branch: str) -> Start:
    """The commit that `base` names now, and the one of `branch` if there is such a branch. Two processes.

    Errors:
        RefNotFound: with the names that are near.
        BranchInTheWay: `branch` is new, and git cannot keep it beside one that is there.
    """
    branch_sha = await _tip(repository, branch)
    candidates = [f"refs/heads/{base}", f"refs/tags/{base}", f"refs/remotes/{base}", f"refs/remotes/origin/{base}"]
    if re.fullmatch(r"[0-9a-fA-F]{7,64}", base):
        candidates.append(base)
    output = await repository.git(
        "look up the base",
        "cat-file",
        "--batch-check=%(objectname) %(objecttype)",
        stdin=os.fsencode("".join(f"{name}^{{commit}}\n" for name in candidates)),
    )
    found = [line.split(" ") for line in output.text.split("\n")]
    base_sha = next((line[0] for line in found if len(line) == 2 and line[1] == "commit" and _SHA.fullmatch(line[0])), None)
    if base_sha is None:
        known = [name for name, *_ in await refs(repository)]
        if not known:
            raise errors.GitFailed("make a worktree", f"repo {repo!r} has no commit yet. Make a first commit in it, then try again")
        short = [names.shown(re.sub(r"refs/(heads|tags|remotes)/", "", name)) for name in known]
        raise errors.RefNotFound(base, repo, difflib.get_close_matches(base, short, n=3, cutoff=0.5) or short[:3])
    return Start(sha=base_sha, branch_sha=branch_sha)


async def _tip(repository: Repository, branch: str) -> str | None:
    """The commit of `branch`. `None`: there is no such branch, and nothing is in the way of it.

    Errors:
        BranchInTheWay, and AlreadyExists when branches that differ in case only are one here and such a one is there.
    """
    full = f"refs/heads/{branch}"
    await repository.refresh()
    above = [f"refs/heads/{name}" for name in names.parents(branch)]
    found = await refs(repository, *(["refs/heads"] if repository.ignores_case else [full, *above]))  # also all below `full`
    if known := dict(found).get(full):
        return known
    fold = repository.fold
    for name, _ in found:
        other = names.shown(name.removeprefix("refs/heads/"))
        if fold(name) == fold(full):
            raise errors.AlreadyExists("Branch", other, f"In this repository {branch!r} is the same name. Choose another one.")
        if fold(name) in map(fold, above) or fold(name).startswith(f"{fold(full)}/"):
            raise errors.BranchInTheWay(branch, other, names.beside(branch))
    return None


async def check_room(repository: Repository, branch: str) -> None:
    """Raises `BranchInTheWay` when `branch` is not there and git could not make it."""
    await _tip(repository, branch)


async def fork_point(repository: Repository, repo: str, branch: str, start: Start) -> str:
    """The commit where the existing `branch`, or the one of this name that a remote has, left the base.

    Errors:
        RefNotFound: there is no such branch; with the names that are near.
        BranchTaken: it is checked out.
        Conflict: several remotes have it.
    """
    tip = start.branch_sha
    if tip is None:
        on_remote = await upstream.find(repository, branch)
        if on_remote is None:
            await resolve(repository, repo, branch, branch)  # says which names are near
            raise errors.RefNotFound(branch, repo)
        tip = on_remote.sha
    else:
        await check_free(repository, branch)
    output = await repository.git("compare with the base", "merge-base", tip, start.sha, ok=(0, 1))
    return output.text.split()[0] if output.code == 0 else start.sha


async def check_free(repository: Repository, branch: str) -> None:
    """Raises `BranchTaken` when it is checked out anywhere, and what `check_room` raises."""
    await check_room(repository, branch)
    await _check_not_out(repository, branch)


async def _check_not_out(repository: Repository, branch: str) -> None:
    for entry in await entries(repository):
        if entry.branch is not None and repository.fold(entry.branch) == repository.fold(branch):
            raise errors.BranchTaken(branch, entry.path)


async def refs(repository: Repository, *patterns: str) -> list[tuple[str, str]]:
    """Full names and what they point to."""
    output = await repository.git(
        "list the branches",
        "for-each-ref",
        "--format=%(refname)%00%(objectname)",
        *(patterns or ("refs/heads", "refs/remotes", "refs/tags")),
    )
    return [(name, sha) for name, _, sha in (line.partition("\0") for line in output.text.split("\n")) if sha]


async def entries(repository: Repository) -> list[Entry]:
    """The main checkout first, as `git worktree list` has it."""
    output = await repository.git("list the worktrees", "worktree", "list", "--porcelain", "-z")
    found: list[Entry] = []
    for block in output.text.split("\0\0"):
        fields = dict(line.partition(" ")[::2] for line in block.split("\0") if line)
        if "worktree" in fields:
            found.append(
                Entry(
                    path=fields["worktree"] if found else str(repository.path),
                    head=fields.get("HEAD"),
                    branch=fields["branch"].removeprefix("refs/heads/")
                    if "branch" in fields and (found or not repository.is_bare)
                    else None,
                )
            )
    return found


async def add(repository: Repository, path: Path, branch: str, start: str | None) -> None:
    """Register an empty worktree at `path`: on a new branch at commit `start`, or on the existing `branch` when that is `None`.

    The caller holds the repository's lock. Files come with `populate`.

    Errors:
        BranchTaken: the existing branch is checked out. Nothing was made.
    """
    if start is None:
        await _check_not_out(repository, branch)
    path.parent.mkdir(parents=True, exist_ok=True)
    repository.entries.pop(str(path), None)
    target = ["--no-track", "-b", branch, "--", str(path), start] if start else ["--detach", "--", str(path), f"refs/heads/{branch}"]
    options = ("--quiet", "--no-checkout", "--no-guess-remote", "--lock", "--reason", LOCK_REASON)
    for attempt in range(3):
        for name in ("worktrees", "logs"):  # git drops an empty one
            (repository.common_dir / name).mkdir(exist_ok=True)
        try:
            await repository.git("make the worktree", "worktree", "add", *options, *target)
            break
        except errors.GitFailed:  # a person's `git gc` may do so in between
            if attempt == 2 or (repository.common_dir / "worktrees").is_dir():
                raise
            if start:
                await drop_branch(repository, branch, start)
    link = path / ".git"  # git wrote the path of the view; the agent's git and an editor need the real one
    entry = link.read_text().rstrip("\n").rpartition("/")[2]
    if entry != path.name:  # another worktree's folder has the same name
        repository.entries[str(path)] = entry
    link.write_text(f"gitdir: {repository.worktree_dir(path)}\n")
    if start is None:  # git takes a full name only for a commit, and a short one may be meant otherwise
        await repository.git(
            "switch to the branch", "symbolic-ref", "-m", "agor: worktree", "HEAD", f"refs/heads/{branch}", worktree=path, cwd=path.parent
        )


async def populate(repository: Repository, path: Path, workers: int) -> None:
    """Write the files of HEAD into a worktree that has none, or those of its cone. Filters and hooks do not run.

    Errors:
        MissingObjects: the repository is a partial clone.
    """
    await sparse.adopt(repository, path)
    await partial.complete_checkout(repository, path)
    await repository.git(
        "check the files out",
        *sparse.options(repository, path),
        *("-c", f"checkout.workers={workers}", "-c", "checkout.thresholdForParallelism=100", "-c", "index.threads=1"),
        *("read-tree", "-m", "-u", "--no-recurse-submodules", "HEAD"),
        worktree=path,
    )


async def head(repository: Repository, path: Path) -> tuple[str, str | None]:
    """The commit and the branch that the worktree at `path` is on. `None`: on no branch.

    Errors:
        GitFailed: there is no commit.
    """
    output = await repository.git("read its commit", "rev-parse", "--verify", "--quiet", "HEAD^{commit}", worktree=path, ok=(0, 1))
    if output.code:
        raise errors.GitFailed("read its commit", "its branch has none yet. Make a first commit there, then try again")
    name = await repository.git("read its branch", "symbolic-ref", "--quiet", "HEAD", worktree=path, ok=(0, 1))
    branch = names.shown(name.text.strip("\n"))
    return output.text.strip(), branch.removeprefix("refs/heads/") if name.code == 0 and branch.startswith("refs/heads/") else None


async def merge_base(repository: Repository, one: str, other: str) -> str:
    """Where the two parted; `one` where they never met."""
    output = await repository.git("compare with the base", "merge-base", one, other, ok=(0, 1))
    return output.text.split()[0] if output.code == 0 else one


async def read_index(repository: Repository, path: Path) -> None:
    """Give a worktree that has files an index that holds its HEAD. What its files have of their own shows as changes."""
    await repository.git("read its branch", "read-tree", "HEAD", worktree=path)
    await repository.git("compare its files", "update-index", "-q", "--refresh", worktree=path, ok=(0, 1))


def foreign_lock(repository: Repository, path: Path) -> str | None:
    """The reason with which another tool locked it, in one line; `""` when that gave none. `None`: nobody but us did."""
    admin = repository.worktree_dir(path)
    if not os.path.lexists(f"{admin}/locked"):
        return None
    reason = quoted((read_beneath(admin, "locked", _MAX_REASON_BYTES) or b"").decode("utf-8", "replace"))
    return None if reason == LOCK_REASON else " ".join(reason.split())[:200]


def unlock(repository: Repository, path: Path) -> None:
    """Take our own lock off. Another's stays."""
    if foreign_lock(repository, path) is None:
        with contextlib.suppress(OSError):
            (repository.worktree_dir(path) / "locked").unlink()


def take_lock_off(repository: Repository, path: Path, *, is_ours: bool) -> None:
    """Take off whatever lock it has. One that `is_ours` is locked by us then, so that git does not prune it.

    Errors:
        Conflict: the system does not let us.
    """
    lock = repository.worktree_dir(path) / "locked"
    try:
        lock.unlink(missing_ok=True)
        if is_ours:
            with lock.open("x") as file:
                file.write(f"{LOCK_REASON}\n")
    except OSError as error:
        raise errors.Conflict(f"The lock {lock} could not be removed: the system says “{error.strerror}”.") from error


def forget(repository: Repository, path: Path) -> None:
    """Undo a half-made `add`: drop what git keeps for this one path and the folder, both of which only the server has touched.

    Not for a worktree that was ever ready.
    """
    entry = repository.worktree_dir(path)
    listed = links.folder_of(repository.common_dir, entry.name)
    if listed is None or os.path.realpath(listed) == os.path.realpath(path):  # else it is another worktree's, of the same name
        shutil.rmtree(entry, ignore_errors=True)
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


async def drop_branch(repository: Repository, branch: str, sha: str) -> None:
    """Delete `branch` if it still points to `sha`, so that no commit can be lost. Silent when it does not."""
    await repository.git("drop the branch", "update-ref", "-d", f"refs/heads/{branch}", sha, ok=(0, 1, 128))


def is_present(repository: Repository, path: Path) -> bool:
    """The folder and git's entry for it are both there."""
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
    return is_folder and os.path.lexists(f"{repository.worktree_dir(path)}/HEAD")
