"""What a zone costs beside the turns that it starts: from a drop to its accepted prompt, and for many cards behind a limit."""

import asyncio
import statistics
import time
import uuid

from agor_jupyter.domain.boards import BoardOpen, ZoneAdd
from agor_jupyter.domain.events import FiringChanged, TurnChanged
from agor_jupyter.domain.ids import ObjectId, TurnId
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.domain.zones import LIVE, ZoneChange, ZoneDrop, ZonePolicy
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import scratch
from benchmarks.server import row
from benchmarks.worktrees import OWNER, git

BOARD = "flow.agor"
DROPS, CARDS, LIMIT, SECONDS = 40, 200, 4, 2.0
AUTO = {"agent": "script", "options": {"mode": "auto"}}


def key() -> str:
    return uuid.uuid4().hex


async def zone(app: Agor, name: str, **policy: object) -> ObjectId:
    entry = await app.boards.add_zone(OWNER, BOARD, ZoneAdd(name=name), key())
    await app.zones.change(OWNER, BOARD, entry.id, ZoneChange(policy=ZonePolicy(**AUTO, **policy)))
    return entry.id


async def accepted(app: Agor, worktree: Worktree, zones: list[ObjectId]) -> list[float]:
    """Seconds from each drop to its prompt in the queue of a session that is busy."""
    await app.sessions.create(
        OWNER, SessionCreate(worktree_id=worktree.id, prompt="```sh\nsleep 600\n```", options={"mode": "auto"}), key()
    )
    taken = []
    for number in range(DROPS + 5):
        queued = asyncio.get_running_loop().create_future()
        end = app.events.subscribe(
            TurnChanged,
            lambda change, _, queued=queued: (
                change.turn.firing_id and change.turn.state == "queued" and (queued.done() or queued.set_result(None))
            ),
        )
        began = time.perf_counter()
        drop = asyncio.create_task(app.zones.drop(OWNER, worktree.id, ZoneDrop(zone_id=zones[number % 2]), key()))
        await queued
        taken.append(time.perf_counter() - began)
        end()
        await drop
    return taken[5:]


async def many(app: Agor, cards: list[Worktree], one: ObjectId) -> tuple[float, float]:
    """Seconds until all cards are through, and those of their turns, from the accepted prompt to the end."""
    turns: list[TurnId] = []
    left, over = set(), asyncio.Event()

    def note(change: FiringChanged, _: object) -> None:
        if change.firing.zone_id == one and change.firing.state not in LIVE:
            turns.extend(run.turn_id for run in change.firing.runs if run.turn_id)
            left.discard(change.firing.worktree_id)
            if not left:
                over.set()

    left.update(card.id for card in cards)
    end = app.events.subscribe(FiringChanged, note)
    began = time.perf_counter()
    for card in cards:
        await app.zones.drop(OWNER, card.id, ZoneDrop(zone_id=one), key())
    await over.wait()
    taken = time.perf_counter() - began
    end()
    found = [await app.turns.get(turn) for turn in turns]
    assert len(found) == len(cards)
    assert {turn.state.value for turn in found} == {"done"}
    return taken, sum((turn.ended_at - turn.created_at).total_seconds() for turn in found if turn.ended_at)


async def rows() -> list[dict]:
    folder = scratch.folder()
    root = folder / "root"
    (root / "repo").mkdir(parents=True)
    git("init", "-q", "-b", "main", cwd=root / "repo")
    git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "--allow-empty", "-m", "first", cwd=root / "repo")
    async with Agor(Config(data_dir=folder / "data", root_dir=root, allowed_roots=(root,), sandbox="off")) as app:
        await app.boards.open(OWNER, BoardOpen(path=BOARD))
        repo = await app.repos.add(OWNER, RepoAdd(path=str(root / "repo")), key())
        cards = []
        for number in range(CARDS):
            made = await app.worktrees.create(OWNER, WorktreeCreate(repo=repo.id, name=f"card-{number}", board=BOARD), key())
            cards.append(await app.worktrees.wait_ready(made.id))
        queueing = [await zone(app, name, prompt="Look at {{ worktree.name }}", target="latest") for name in ("Left", "Right")]
        accepting = await accepted(app, cards[0], queueing)
        through = await zone(app, "Through", prompt=f"```sh\nsleep {SECONDS}\n```", limit=LIMIT)
        taken, own = await many(app, cards[1:], through)
    overhead = max(0.0, taken / (own / LIMIT) - 1) * 100
    between = (taken - own / LIMIT) / (len(cards) / LIMIT) * 1000
    ninety = statistics.quantiles(accepting, n=10)[-1]
    return [
        row("drop_accept_ms", statistics.median(accepting) * 1000, "ms", 20, f"a board of {CARDS} cards; p90 {ninety * 1000:.0f} ms"),
        row(
            "zone_overhead_percent",
            overhead,
            "%",
            2,
            f"{CARDS - 1} cards, {LIMIT} at once, turns of {SECONDS:g} s: {taken:.0f} s, {between:.0f} ms between two",
        ),
    ]
