"""Worktrees of large repositories beside bare git, in the same run: `python -m benchmarks large`."""

import asyncio
import random
import subprocess
import uuid
from pathlib import Path

from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.worktrees import OWNER, Bench, git, row

LARGE_FILES = 30_000
LAB_FILES, LAB_COMMITS = 10_000, 30_000
ONES, TENS = 5, 3


def make_repository(path: Path, files: int, commits: int) -> None:
    """Text files of some kilobytes, three folders deep, in one pack; each commit after the first changes one."""
    path.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=path)
    chance = random.Random(7)
    names = [f"d{number // 1000:02}/s{number // 50 % 20:02}/f{number:05}.txt" for number in range(files)]
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for commit in range(commits):
            process.stdin.write(b"commit refs/heads/main\ncommitter b <b@b> %d +0000\ndata 4\nnext\n" % (1_600_000_000 + commit))
            for name in names if commit == 0 else [chance.choice(names)]:
                lines = (f"{name} {commit} {line} {chance.getrandbits(48):x}" for line in range(chance.randint(5, 100)))
                content = "\n".join(lines).encode() + b"\n"
                process.stdin.write(f"M 100644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n")
        process.stdin.close()
        assert process.wait() == 0
    git("gc", "-q", cwd=path)
    git("reset", "-q", "--hard", "main", cwd=path)


async def measure(folder: Path, files: int, commits: int, count: int, rounds: int) -> list[tuple[float, float]]:
    """Bare git one after the other, and ours `count` at once, in turns."""
    make_repository(folder / "repo", files, commits)
    config = Config(data_dir=folder / "data", root_dir=folder, allowed_roots=(folder,))
    pairs: list[tuple[float, float]] = []
    async with Agor(config) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(folder / "repo")), uuid.uuid4().hex)
        bench = Bench(folder, app, repo)
        bench.bare()
        await bench.ours()
        for turn in range(rounds):
            if turn % 2:
                bare = sum(bench.bare() for _ in range(count))
                ours = await bench.ours(count)
            else:
                ours = await bench.ours(count)
                bare = sum(bench.bare() for _ in range(count))
            pairs.append((bare, ours))
    return pairs


async def rows() -> list[dict]:
    folder = scratch.folder()
    ones = await measure(folder / "large", LARGE_FILES, 1, 1, ONES)
    tens = await measure(folder / "lab", LAB_FILES, LAB_COMMITS, 10, TENS)
    return [
        row("create_large_ratio", ones, 1.05, "bare `git worktree add`, 30,000 files, in turns"),
        row("create_ten_large_ratio", tens, 0.60, "ten bare `git worktree add` one after the other, 10,000 files and 30,000 commits"),
    ]


if __name__ == "__main__":
    for one in asyncio.run(rows()):
        print(one)
