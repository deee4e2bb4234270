"""What environments cost beside their services: to start one, to follow its log, to know how fifty are, and to have them."""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator

from agor_jupyter.domain.environments import EnvironmentCommand
from agor_jupyter.domain.events import EnvironmentChanged
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.processes import table
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.server import row
from benchmarks.worktrees import OWNER, git

STARTS, LINES, FIFTY, REST_S, FLOOD_S = 8, 100, 50, 30.0, 5.0
_LISTEN = "import os, socket, time; s = socket.socket(); s.bind(('127.0.0.1', int(os.environ['PORT']))); s.listen(); "
_STAMP = f"import time\nfor _ in range({LINES}):\n    time.sleep(0.05)\n    print(time.time(), flush=True)\ntime.sleep(600)"
_FLOOD = "import time\nwhile True:\n    print('\\n'.join(['x' * 80] * 100), flush=True)\n    time.sleep(0.01)"
_PAIR = {
    "one": {"command": [sys.executable, "-I", "-S", "-c", f"{_LISTEN}time.sleep(6000)"], "ports": ["one"]},
    "two": {"command": [sys.executable, "-I", "-S", "-c", f"{_LISTEN}time.sleep(6000)"], "ports": ["two"], "depends_on": ["one"]},
}


def key() -> str:
    return uuid.uuid4().hex


@contextlib.asynccontextmanager
async def until(app: Agor, worktree_id: str, state: str) -> AsyncIterator[None]:
    """At its end the environment has come to this state."""
    there = asyncio.Event()

    def note(change: EnvironmentChanged, _: object) -> None:
        if change.environment.worktree_id == worktree_id and change.environment.state.value == state:
            there.set()

    end = app.events.subscribe(EnvironmentChanged, note)
    yield
    await there.wait()
    end()


async def started(app: Agor, worktree_id: str, *services: str) -> float:
    """Seconds until it is healthy."""
    began = time.perf_counter()
    async with until(app, worktree_id, "healthy"):
        await app.environments.start(OWNER, worktree_id, EnvironmentCommand(services=list(services)), key())
    return time.perf_counter() - began


async def stopped(app: Agor, worktree_id: str) -> None:
    async with until(app, worktree_id, "stopped"):
        await app.environments.stop(OWNER, worktree_id, EnvironmentCommand(), key())


async def alone() -> float:
    """Seconds until the same program listens when it is started by itself."""
    before = time.perf_counter()
    command = f"{_LISTEN}print('listens', flush=True)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", command, env={**os.environ, "PORT": "0"}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    taken = time.perf_counter() - before
    await process.wait()
    return taken


async def lines(app: Agor, worktree_id: str) -> list[float]:
    """Seconds from the print of each line to the answer that has it."""
    await started(app, worktree_id, "stamp")
    after, found, rest = 0, [], ""
    while len(found) < LINES - 1:
        chunk = await app.environments.log(OWNER, worktree_id, "stamp", after, 10)
        now, after = time.time(), chunk.next
        whole, _, rest = (rest + chunk.text).rpartition("\n")
        found += [now - float(line) for line in whole.split("\n") if line]
    await stopped(app, worktree_id)
    return found


async def flood(app: Agor, worktree_id: str) -> float:
    """Percent of a core that this server needs to follow 10,000 lines a second."""
    await started(app, worktree_id, "flood")
    after, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < FLOOD_S:
        after = (await app.environments.log(OWNER, worktree_id, "flood", after, 10)).next
        await asyncio.sleep(0.05)  # as a panel asks again
    percent = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
    await stopped(app, worktree_id)
    return percent


async def rows() -> list[dict]:
    folder = scratch.folder()
    root = folder / "root"
    (root / "repo").mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=root / "repo")
    services = {
        **_PAIR,
        "stamp": {"command": [sys.executable, "-I", "-S", "-c", _STAMP]},
        "flood": {"command": [sys.executable, "-I", "-S", "-c", _FLOOD]},
    }
    (root / "repo" / ".agor.yml").write_text(json.dumps({"environment": {"services": services}}))
    git("add", "-A", cwd=root / "repo")
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "-m", "first", cwd=root / "repo")
    async with Agor(Config(data_dir=folder / "data", root_dir=root, allowed_roots=(root,), sandbox="off")) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(root / "repo")), key())
        trees = []
        for number in range(FIFTY):
            made = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name=f"card-{number}"), key())
            trees.append((await app.worktrees.wait_ready(made.id)).id)
        starts, bare = [], []
        for _ in range(STARTS):
            bare.append(await alone())
            starts.append(await started(app, trees[0], "one"))
            await stopped(app, trees[0])
        delays, percent = await lines(app, trees[0]), await flood(app, trees[0])
        for tree in trees:
            await started(app, tree, "two")
        ports = [port for tree in trees for name, port in (await app.environments.get(OWNER, tree)).ports.items()]
        assert len(set(ports)) == len(ports)
        asked = []
        for _ in range(20):
            began = time.perf_counter()
            answer = json.loads(await app.environments.list(OWNER))
            asked.append(time.perf_counter() - began)
            assert [one["state"] for one in answer] == ["healthy"] * FIFTY
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(REST_S)
        rest = (time.process_time() - cpu) / (time.perf_counter() - began) * 100
        await asyncio.gather(*(stopped(app, tree) for tree in trees))
        assert not [pid for tree in trees for pid in _of(tree)]
    beyond = (statistics.median(starts) - statistics.median(bare)) * 1000
    return [
        row(
            "env_start_ms", beyond, "ms", 100, f"start to healthy beyond the {statistics.median(bare) * 1000:.0f} ms of the program itself"
        ),
        row("log_line_ms", statistics.median(delays) * 1000, "ms", 20, f"p90 {statistics.quantiles(delays, n=10)[-1] * 1000:.0f} ms"),
        row("log_cpu_percent", percent, "%", 30, "of a core of the server, following 10,000 lines a second"),
        row("env_fifty_status_ms", statistics.median(asked) * 1000, "ms", 20, "all of fifty environments of two services"),
        row("env_rest_cpu_percent", rest, "%", 0.5, "of a core of the server, with fifty environments up and nobody looking"),
    ]


def _of(worktree_id: str) -> set[int]:
    mark, found = f"AGOR_WORKTREE_ID={worktree_id}".encode(), set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.add(int(name))
        except OSError:
            continue
    return {one.pid for one in table.identify(found)}
