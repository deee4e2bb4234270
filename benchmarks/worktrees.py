"""Worktrees and their status beside bare git, in the same run: `python -m benchmarks.worktrees`."""

import asyncio
import shutil
import statistics
import subprocess
import time
import uuid
from pathlib import Path

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import Repo, RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate, WorktreeState
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch

OWNER = Caller(person=Person(username="bench", name="Bench"), role=Role.OWNER)
FOLDERS, FILES = 40, 50
ONES, TENS, FIFTIES = 11, 3, 5


def git(*arguments: str, cwd: Path) -> None:
    subprocess.run(["git", *arguments], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_repository(path: Path) -> None:
    """2,000 files of some kilobytes."""
    path.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=path)
    for folder in range(FOLDERS):
        (path / f"d{folder:02}").mkdir()
        for file in range(FILES):
            lines = (f"{folder} {file} {line} {hash((folder, file, line)) & 0xFFFFFF:x}" for line in range(60))
            (path / f"d{folder:02}" / f"f{file:02}.txt").write_text("\n".join(lines) + "\n")
    git("add", "-A", cwd=path)
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "first", cwd=path)


class Bench:
    def __init__(self, folder: Path, app: Agor, repo: Repo) -> None:
        self.folder, self.app, self.repo, self.number = folder, app, repo, 0
        self.source = Path(repo.path)

    def bare(self) -> float:
        self.number += 1
        started = time.perf_counter()
        git("worktree", "add", "-q", "-b", f"bare-{self.number}", str(self.folder / f"bare-{self.number}"), "main", cwd=self.source)
        return time.perf_counter() - started

    async def ours(self, count: int = 1) -> float:
        names = [uuid.uuid4().hex[:12] for _ in range(count)]
        started = time.perf_counter()
        await asyncio.gather(*(self._one(name) for name in names))
        return time.perf_counter() - started

    async def _one(self, name: str) -> str:
        made = await self.app.worktrees.create(OWNER, WorktreeCreate(repo=self.repo.id, name=name), uuid.uuid4().hex)
        ready = await self.app.worktrees.wait_ready(made.id)
        assert ready.state is WorktreeState.READY, ready.reason
        return made.id


async def create_rows(bench: Bench) -> list[dict]:
    ones: list[tuple[float, float]] = []
    bench.bare()
    await bench.ours()
    for turn in range(ONES):
        if turn % 2:
            bare, ours = bench.bare(), await bench.ours()
        else:
            ours, bare = await bench.ours(), bench.bare()
        ones.append((bare, ours))
    tens: list[tuple[float, float]] = []
    for _ in range(TENS):
        tens.append((sum(bench.bare() for _ in range(10)), await bench.ours(10)))
    return [
        row("worktree_create_ratio", ones, 1.10, "bare `git worktree add`, 2,000 files, interleaved"),
        row("worktree_ten_ratio", tens, 0.60, "ten bare `git worktree add` one after the other"),
    ]


async def status_rows(bench: Bench) -> list[dict]:
    ids = [await bench._one(f"status-{number}") for number in range(50)]
    paths = [Path((await bench.app.worktrees.get(one)).path) for one in ids]
    for path in paths:
        for folder in range(3):
            (path / f"d{folder:02}" / "f01.txt").write_text("changed\n" * 70)
        (path / "d05" / "f02.txt").write_text("staged\n")
        git("add", "d05/f02.txt", cwd=path)
        (path / "new.txt").write_text("new\n")
    await asyncio.sleep(1)
    started = time.perf_counter()
    for path in paths:
        git("status", cwd=path)  # git reads all from the disk's cache now, as ours does
    warm = time.perf_counter() - started
    first = await timed_status(bench, ids)
    found: list[tuple[float, float]] = []
    for _ in range(FIFTIES):
        started = time.perf_counter()
        for path in paths:
            git("status", cwd=path)
        found.append((time.perf_counter() - started, await timed_status(bench, ids)))
    bare = statistics.median([warm, *(pair[0] for pair in found)])
    reference = "50 bare `git status` one after the other"
    return [
        row("status_fifty_ratio", found, 0.65, reference),
        row("status_first_ratio", [(bare, first)], 0.65, f"{reference}; the very first reading of ours"),
    ]


async def nested_rows(bench: Bench) -> list[dict]:
    """Ten repositories inside, with changes and commits of their own, and five submodules, of which two have work in them."""
    library, source = bench.folder / "library", bench.folder / "nested"
    make_repository(library)
    shutil.copytree(bench.source, source)
    for number in range(5):
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), f"vendor/lib{number}", cwd=source)
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "submodules", cwd=source)
    repo = await bench.app.repos.add(OWNER, RepoAdd(path=str(source)), uuid.uuid4().hex)
    made = await bench.app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="nested"), uuid.uuid4().hex)
    path = Path((await bench.app.worktrees.wait_ready(made.id)).path)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", cwd=path)
    (path / "vendor" / "lib0" / "d00" / "f00.txt").write_text("changed\n")
    (path / "vendor" / "lib1" / "new.txt").write_text("new\n")
    for number in range(10):
        inner = path / f"inner{number}"
        inner.mkdir()
        git("init", "-q", "-b", "main", cwd=inner)
        for file in range(50):
            (inner / f"f{file:02}.py").write_text(f"print({file})\n" * 20)
        git("add", "-A", cwd=inner)
        git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "inner", cwd=inner)
        (inner / "more.py").write_text("more\n")
    await asyncio.sleep(1)
    found: list[tuple[float, float]] = []
    for _ in range(ONES + 1):
        started = time.perf_counter()
        git("status", cwd=path)
        bare = time.perf_counter() - started
        started = time.perf_counter()
        [answer] = await bench.app.worktrees.status([made.id], 0)
        found.append((bare, time.perf_counter() - started))
        assert len(answer.work) == 12, answer.work
    first = found.pop(0)
    reference = f"bare `git status` of it; the very first reading took {first[1] / first[0]:.2f} of it"
    return [row("status_nested_ratio", found, 1.3, reference)]


async def timed_status(bench: Bench, ids: list[str]) -> float:
    started = time.perf_counter()
    answers = await bench.app.worktrees.status(ids, 0)
    taken = time.perf_counter() - started
    assert all((one.files, one.untracked, one.staged) == (5, 1, 1) for one in answers)
    return taken


def row(name: str, pairs: list[tuple[float, float]], bar: float, reference: str) -> dict:
    bare, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    value = statistics.median(ours / bare for bare, ours in pairs)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "ratio",
        "bar": f"≤ {bar}",
        "reference": f"{reference}: {bare * 1000:.0f} ms, ours {ours * 1000:.0f} ms",
        "met": value <= bar,
    }


async def rows() -> list[dict]:
    folder = scratch.folder()
    make_repository(folder / "repo")
    config = Config(data_dir=folder / "data", root_dir=folder, allowed_roots=(folder,))
    async with Agor(config) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(folder / "repo")), uuid.uuid4().hex)
        bench = Bench(folder, app, repo)
        return [*await create_rows(bench), *await status_rows(bench), *await nested_rows(bench)]


if __name__ == "__main__":
    for one in asyncio.run(rows()):
        print(one)
