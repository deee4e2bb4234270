"""What a copy of data into a worktree costs beside `cp`: the same gigabyte, in the same folder, by turns."""

import json
import os
import statistics
import subprocess
import time
import uuid

from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.server import row
from benchmarks.worktrees import OWNER, git

SIZE, PIECE, TURNS = 1 << 30, 1 << 24, 5


def key() -> str:
    return uuid.uuid4().hex


async def rows() -> list[dict]:
    folder = scratch.folder()
    root = folder / "root"
    (root / "repo").mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=root / "repo")
    section = {"environment": {"data": {"big": {"kind": "folder", "source": "big"}}}}
    (root / "repo" / ".agor.yml").write_text(json.dumps(section))
    git("add", "-A", cwd=root / "repo")
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "-m", "first", cwd=root / "repo")
    (root / "repo" / "big").mkdir()
    with (root / "repo" / "big" / "file").open("wb") as file:
        for _ in range(SIZE // PIECE):
            file.write(os.urandom(PIECE))
        os.fsync(file.fileno())
    async with Agor(Config(data_dir=folder / "data", root_dir=root, allowed_roots=(root,), sandbox="off")) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(root / "repo")), key())
        begun = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="card"), key())
        tree = await app.worktrees.wait_ready(begun.id)
        taken: dict[str, list[float]] = {"cp": [], "ours": []}
        place = f"{tree.path}/.agor"
        await app.data.provide(tree)
        source = str(root / "repo" / "big")
        for number in range(TURNS + 1):
            for who, times in taken.items():
                subprocess.run(["rm", "-rf", f"{place}/data/big", f"{place}/big"], check=True)
                os.sync()  # neither pays for what the other wrote
                began = time.perf_counter()
                if who == "ours":
                    await app.data.provide(tree)
                else:
                    subprocess.run(["cp", "-r", source, f"{place}/big"], check=True)
                if number:  # the first time makes folders, and reads into memory
                    times.append(time.perf_counter() - began)
                made = f"{place}/data/big/file" if who == "ours" else f"{place}/big/file"
                assert os.stat(made).st_size == SIZE
    copied, plain = statistics.median(taken["ours"]), statistics.median(taken["cp"])
    return [
        row(
            "data_copy_ratio",
            copied / plain,
            "times",
            1.1,
            f"1 GB made in {copied:.2f} s, with all that is looked at first; `cp -r` takes {plain:.2f} s",
        )
    ]
