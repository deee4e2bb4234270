"""What ten thousand schedules cost: a look at what is due, and how late a slot is at work when each of them comes once an hour."""

import asyncio
import json
import statistics
import time
import uuid
from datetime import datetime, timedelta

from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.events import SlotChanged
from agor_jupyter.domain.ids import ScheduleId
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.schedules import Once, Schedule, ScheduleCreate
from agor_jupyter.domain.slots import AT_WORK, LIVE_SLOTS
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from agor_jupyter.storage import schedules
from agor_jupyter.storage.store import Transaction
from benchmarks import scratch
from benchmarks.server import row
from benchmarks.worktrees import OWNER, git

BOARD = "flow.agor"
MANY, PER_BATCH, LOOKS, COME = 10_000, 1000, 300, 100
HOUR_S = 3600.0


def key() -> str:
    return uuid.uuid4().hex


async def add(app: Agor, first: Schedule) -> None:
    """Ten thousand of its kind, of which `COME` come soon, as often as when all came once an hour; the others tomorrow."""

    def insert(transaction: Transaction, start: datetime, step_s: float, count: int) -> None:
        for number in range(count):
            at = start + timedelta(seconds=number * step_s)
            made = ScheduleId(app.clock.new_id("schedule"))
            one = first.replace(id=made, name=f"each-{made}", when=Once(at=at), next_at=at)
            schedules.insert(transaction, one, app.clock.now(), None)

    tomorrow, left = app.clock.now() + timedelta(days=1), MANY - COME
    while left > 0:
        await app.store.write(insert, tomorrow, 1.0, min(PER_BATCH, left))
        left -= PER_BATCH
    await app.store.write(insert, app.clock.now() + timedelta(seconds=3), HOUR_S / MANY, COME)


async def late(app: Agor) -> list[float]:
    """Seconds from each moment until its slot was stored as at work."""
    found: dict[str, float] = {}
    ended: set[str] = set()
    over = asyncio.Event()

    def note(change: SlotChanged, _: object) -> None:
        slot = change.slot
        if slot.state in AT_WORK:
            found.setdefault(slot.id, time.time() - slot.planned_at.timestamp())
        if slot.state not in LIVE_SLOTS:
            ended.add(slot.id)
            assert slot.state.value == "passed", slot
        if len(ended) == COME:
            over.set()

    end = app.events.subscribe(SlotChanged, note)
    app.planner._timer.wake()  # they were put into the table behind its back
    async with asyncio.timeout(COME * HOUR_S / MANY + 120):
        await over.wait()
    end()
    return list(found.values())


async def rows() -> list[dict]:
    folder = scratch.folder()
    root = folder / "root"
    (root / "repo").mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=root / "repo")
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "--allow-empty", "-m", "first", cwd=root / "repo")
    async with Agor(Config(data_dir=folder / "data", root_dir=root, allowed_roots=(root,), sandbox="off")) as app:
        repo = await app.repos.add(OWNER, RepoAdd(path=str(root / "repo")), key())
        await app.boards.open(OWNER, BoardOpen(path=BOARD))
        made = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name="card", board=BOARD), key())
        target = {"kind": "worktree", "worktree_id": (await app.worktrees.wait_ready(made.id)).id}
        what = {"when": {"kind": "interval", "seconds": 86_400}, "target": target, "script": "true", "allow": True, "overlap": "allow"}
        request = ScheduleCreate.model_validate({"name": "first", "board": BOARD, **what})
        first = (await app.schedules.create(OWNER, request, key())).schedule
        await add(app, first)
        assert len(json.loads(await app.schedules.list(BOARD))) == MANY + 1
        delays = sorted(await late(app))
        ticks, cpu = [], time.process_time()
        for _ in range(LOOKS):
            began = time.perf_counter()
            await app.planner.look()
            ticks.append(time.perf_counter() - began)
        cpu = (time.process_time() - cpu) / LOOKS
    p99 = delays[min(len(delays) - 1, round(0.99 * len(delays)))]
    return [
        row(
            "schedule_tick_ms", statistics.median(ticks) * 1000, "ms", 5, f"a look at {MANY:,} schedules; {cpu * 1000:.2f} ms of processor"
        ),
        row(
            "slot_late_ms",
            p99 * 1000,
            "ms",
            250,
            f"p99 of {COME} slots, from the moment to its prompt in a queue; p50 {statistics.median(delays) * 1000:.0f} ms",
        ),
    ]
