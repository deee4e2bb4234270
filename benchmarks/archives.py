"""Archive and restore beside `tar` of the same folder, in the same run: `python -m benchmarks archives`."""

import asyncio
import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.worktrees import OWNER, Bench, make_repository, row

ROUNDS = 5
MANY = 20_000
DATA_BYTES = 100_000_000


async def away(bench: Bench, worktree: Worktree) -> float:
    """With the tracked files taken out, which follows in the background."""
    started = time.perf_counter()
    await bench.app.worktrees.archive(OWNER, worktree.id, uuid.uuid4().hex)
    await bench.app.worktrees.archives._shelf.settled()
    return time.perf_counter() - started


async def back(bench: Bench, worktree: Worktree) -> float:
    started = time.perf_counter()
    await bench.app.worktrees.restore(OWNER, worktree.id, uuid.uuid4().hex)
    return time.perf_counter() - started


def tar(bench: Bench, path: Path) -> tuple[float, float]:
    """Seconds to pack and to unpack."""
    packed, unpacked = bench.folder / "packed.tar", bench.folder / "unpacked"
    unpacked.mkdir()
    started = time.perf_counter()
    subprocess.run(["tar", "-cf", packed, "-C", path, "."], check=True)
    between = time.perf_counter()
    subprocess.run(["tar", "-xf", packed, "-C", unpacked], check=True)
    ended = time.perf_counter()
    packed.unlink()
    shutil.rmtree(unpacked)
    return between - started, ended - between


async def rounds(bench: Bench, worktree: Worktree) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Of each round, the seconds of `tar` there and back, and ours."""
    found = []
    for _ in range(ROUNDS):
        theirs = await asyncio.to_thread(tar, bench, Path(worktree.path))
        found.append((theirs, (await away(bench, worktree), await back(bench, worktree))))
    return found


async def ratio_rows(bench: Bench) -> list[dict]:
    worktree = await made(bench, "data")
    for number in range(5):
        (Path(worktree.path) / f"data{number}.parquet").write_bytes(os.urandom(10_000_000))
    large = await rounds(bench, worktree)
    worktree = await made(bench, "many")
    for number in range(MANY):
        folder = Path(worktree.path) / f"out{number // 500}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}.csv").write_text(f"{number}\n" * 20)
    many = await rounds(bench, worktree)
    return [
        row(
            "archive_restore_ratio",
            [(sum(theirs), sum(ours)) for theirs, ours in large],
            1.2,
            "`tar` there and back of 2,000 files and 50 MB untracked",
        ),
        row(
            "restore_untracked_ratio", [(theirs[1], ours[1]) for theirs, ours in many], 1.5, "`tar -x` of the same, 20,000 untracked files"
        ),
    ]


async def data_row(bench: Bench) -> dict:
    worktree = await made(bench, "large")
    (Path(worktree.path) / "data.parquet").write_bytes(os.urandom(DATA_BYTES))
    before = size(bench.source / ".git")
    await away(bench, worktree)
    added = (size(bench.source / ".git") - before) / 2**20
    return {
        "name": "archive_data_mib",
        "value": round(added, 3),
        "unit": "MiB",
        "bar": "≤ 1",
        "reference": "what an archive of an untracked file of 100 MB adds to the repository's folder",
        "met": added <= 1,
    }


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


async def made(bench: Bench, name: str) -> Worktree:
    return await bench.app.worktrees.get(await bench._one(name))


async def rows() -> list[dict]:
    folder = scratch.folder()
    make_repository(folder / "repo")
    config = Config(data_dir=folder / "data", root_dir=folder, allowed_roots=(folder,))
    async with Agor(config) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(folder / "repo")), uuid.uuid4().hex)
        bench = Bench(folder, app, repo)
        return [*await ratio_rows(bench), await data_row(bench)]


if __name__ == "__main__":
    for one in asyncio.run(rows()):
        print(one)
