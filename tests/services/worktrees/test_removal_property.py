"""A worktree in any state is removed without force only when nothing in it would be lost, and else the refusal names every piece."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from tests.repositories import CACHES, EXAMPLES, SEED, Made, checkout, fill, git
from tests.services.conftest import OWNER, Bench, key

CHUNK = 10
CHUNKS = -(-EXAMPLES // CHUNK)

Files = dict[str, tuple[int, str]]


def _mode(mode: int) -> int:
    """What git keeps of it."""
    return mode & 0o170000 if stat.S_ISLNK(mode) else mode & 0o170111


def inventory(folder: Path) -> Files:
    """Mode and content of every file, those of repositories inside too. Caches excepted."""
    found: Files = {}
    for place, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in CACHES]
        for name in (*files, *(name for name in names if (Path(place) / name).is_symlink())):
            path = Path(place) / name
            mode = path.lstat().st_mode
            content = os.fsencode(os.readlink(path)) if stat.S_ISLNK(mode) else path.read_bytes()
            found[str(path.relative_to(folder))] = (_mode(mode), sha256(content).hexdigest())
    return found


def tracked(repository: Path, commit: str) -> Files:
    """The files of a commit."""
    found: Files = {}
    for line in git("ls-tree", "-r", "-z", commit, cwd=repository).split("\0"):
        head, _, path = line.partition("\t")
        mode, kind, oid = head.split(" ") if head else ("", "", "")
        if kind == "blob":
            bits = _mode(int(mode, 8))
            content = git("cat-file", "blob", oid, cwd=repository) if bits & 0o170000 == stat.S_IFLNK else None
            found[path] = (bits, sha256(os.fsencode(content)).hexdigest() if content is not None else oid)
    return found


def own_commits(worktree: Path) -> set[str]:
    """The commits of its HEAD, its own refs and its submodules' repositories."""
    own = Path(git("rev-parse", "--absolute-git-dir", cwd=worktree))
    found = set(git("rev-list", "HEAD", cwd=worktree).split())
    modules = [path.parent for path in (own / "modules").rglob("HEAD") if (path.parent / "objects").is_dir() and "logs" not in path.parts]
    return found.union(*(git("rev-list", "--all", cwd=path).split() for path in modules))


def known_commits(repository: Path) -> set[str]:
    library = git("config", "-f", ".gitmodules", "submodule.vendor/lib.url", cwd=repository)
    return {*git("rev-list", "--all", cwd=repository).split(), *git("rev-list", "--all", cwd=Path(library)).split()}


def nothing_was_lost(repository: Path, made: Made, before: Files, head: str, commits: set[str]) -> None:
    kept = tracked(repository, head)
    library = {f"vendor/lib/{name}": 0 for name in ("lib.py", ".git")}
    for path, (mode, digest) in before.items():
        if path == ".git" or path in library:
            continue
        if path in kept:
            kept_mode, oid = kept[path]
            assert mode == kept_mode, (made, path)
            if mode & 0o170000 == stat.S_IFREG:
                content = git("cat-file", "blob", oid, cwd=repository)
                assert digest in {sha256(os.fsencode(content + end)).hexdigest() for end in ("", "\n")}, (made, path)
            else:
                assert digest == oid, (made, path)
        else:
            there = repository / path
            assert there.is_file(), (made, path)
            assert sha256(there.read_bytes()).hexdigest() == digest, (made, path)
    assert commits <= known_commits(repository), made


def is_named(piece: tuple[str, str], losses: list[str]) -> bool:
    kind, path = piece
    signs = {
        "changes": lambda line: "changed file" in line and "not committed" in line,
        "untracked": lambda line: "untracked file" in line,
        "commits": lambda line: " of branch " in line and "commit" in line,
        "detached": lambda line: "on no branch" in line,
        "operation": lambda line: "under way" in line,
        "hidden": lambda line: "told to ignore" in line,
        "repository": lambda line: f"repository inside ({path})" in line,
        "linked_worktree": lambda line: f"repository below ({path})" in line,
        "submodule": lambda line: f"submodule {path}" in line,
        "ignored": lambda line: "ignored file" in line,
    }
    return any(signs[kind](line) for line in losses)


@pytest.mark.timeout(20 * max(1, CHUNK))
@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_nothing_is_lost_that_was_not_listed(bench: Bench, tmp_path: Path, chunk: int) -> None:
    source = checkout(tmp_path / "root" / "source")
    repo = await bench.repo(source)
    for seed in range(SEED + chunk * CHUNK, SEED + min((chunk + 1) * CHUNK, EXAMPLES)):
        worktree = await bench.make(repo, f"work-{seed}")
        path = Path(worktree.path)
        made = fill(path, seed)
        before, head, commits = inventory(path), git("rev-parse", "HEAD", cwd=path), own_commits(path)
        is_clean = not made.pieces

        try:
            await bench.worktrees.remove(OWNER, worktree.id, key())
        except errors.WouldLoseWork as refusal:
            losses = refusal.details["losses"]
            assert not is_clean, (str(made), losses)
            assert [piece for piece in made.pieces if not is_named(piece, losses)] == [], (str(made), losses)
            assert inventory(path) == before, str(made)
        else:
            assert is_clean, str(made)
            assert not path.exists(), str(made)
            nothing_was_lost(source, made, before, head, commits)
