"""A worktree's kernel beside a bare `uv venv` with the same packages, in the same run: `python -m benchmarks kernels`."""

import asyncio
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

from agor_jupyter.domain.kernels import KernelMake, KernelState
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.executors import environment, packages
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.worktrees import OWNER, git

ROUNDS = 5
PACKAGES = ("ipykernel", "pyyaml", "typer")


def bare(uv: str, folder: Path) -> float:
    started = time.perf_counter()
    env = environment.for_installer() | {"UV_NO_PROGRESS": "1"}
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True, env=env)
    subprocess.run([uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *PACKAGES], check=True, env=env)
    return time.perf_counter() - started


async def ours(app: Agor, worktree_id: str) -> float:
    started = time.perf_counter()
    await app.kernels.make(OWNER, worktree_id, KernelMake())
    while (found := await app.kernels.get(OWNER, worktree_id)).state is KernelState.MAKING:
        await asyncio.sleep(0.01)
    assert found.state is KernelState.READY, found.reason
    return time.perf_counter() - started


async def rows() -> list[dict]:
    folder, uv = scratch.folder(), packages.find_uv()
    assert uv is not None
    source = folder / "root" / "repo"
    source.mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=source)
    (source / "requirements.txt").write_text("\n".join(PACKAGES[1:]) + "\n")
    git("add", "-A", cwd=source)
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "first", cwd=source)
    config = Config(data_dir=folder / "data", root_dir=folder / "root", allowed_roots=(folder / "root",), sandbox="off")
    pairs: list[tuple[float, float]] = []
    async with Agor(config) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(source)), uuid.uuid4().hex)
        for number in range(ROUNDS + 1):
            made = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name=f"k{number}"), uuid.uuid4().hex)
            await app.worktrees.wait_ready(made.id)
            other = await asyncio.to_thread(bare, uv, folder / f"bare-{number}")
            pairs.append((other, await ours(app, made.id)))
    alone, with_us = (statistics.median(found) for found in zip(*pairs[1:], strict=True))  # the first fills the cache
    text = (
        f"bare `uv venv` and `uv pip install` of the same packages from a warm cache: {alone * 1000:.0f} ms, ours {with_us * 1000:.0f} ms"
    )
    value = with_us / alone
    return [{"name": "kernel_ready_ratio", "value": value, "unit": "", "bar": "≤ 1.1", "reference": text, "met": value <= 1.1}]
