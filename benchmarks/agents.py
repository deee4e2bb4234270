"""Real agents: what our engine costs on top of the barest client, one agent after the other, with a model that answers from this machine.

Both sides start the same program in the same home folder, and take turns. `make bench-agents` installs the agents first.
"""

import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Prompt, Session, SessionCreate
from agor_jupyter.domain.turns import ENDED, Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.executors import environment
from agor_jupyter.services.agents.installs import Installs
from agor_jupyter.services.app import Agor
from agor_jupyter.services.config import Config
from benchmarks import server
from benchmarks.raw_acp import RawAgent
from benchmarks.server import row
from harness.kits import CACHE, KITS, Kit
from harness.model_server.script import script
from harness.process_table import ProcessTable

PROMPTS, ANSWERS, EIGHT, ROUNDS = 61, 5, 8, 5
REST_S = 0.3
WORDS = script({"text": "".join(f"{number:04} " for number in range(2000)), "chunk": 5, "delay": 0.001})
"""No word twice: Gemini breaks off what looks like a loop."""
ANN = Caller(person=Person(username="ann", name="Ann"), role=Role.OWNER)


async def rows() -> list[dict]:
    found: list[dict] = []
    for kit in KITS.values():
        if kit.name == "script":
            continue
        print(f"{kit.name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="agor-bench-") as folder, _model() as url:
            measured = await _of(kit, Path(folder), url)
        for one in measured:
            print(f"  {one['name']} {one['value']:.3g} {one['unit']}", file=sys.stderr, flush=True)
        found += measured
    return found + await asyncio.to_thread(_at_rest)


@contextlib.contextmanager
def _model():
    """In a process of its own, so that what it does costs neither side."""
    process = subprocess.Popen([sys.executable, "-m", "harness.model_server"], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _of(kit: Kit, folder: Path, url: str) -> list[dict]:
    os.environ.update(kit.prepare(folder / "home", url))
    async with Ours(kit, folder).opened() as ours:
        raw = RawAgent()
        await raw.start(*ours.bare())
        session = await ours.session()
        for one in (raw.prompt(script({"text": "Hello."})), ours.prompt(session, script({"text": "Hello."}))):
            await one  # both are warm
        first, whole = await _first(ours, session, raw), await _whole(ours, session, raw)
        await raw.stop()
        processes = await ours.rest()
        eight = await _eight(ours)
    return [
        row(f"{kit.name}_first_event_ms", first[0], "ms", 30, first[1]),
        row(f"{kit.name}_2000_chunks_ratio", whole[0], "×", 1.10, whole[1]),
        row(f"{kit.name}_eight_at_once_ratio", eight[0], "×", 1.15, eight[1]),
        row(f"{kit.name}_at_rest_processes", processes, "processes", 0, "the session was let go"),
    ]


async def _first(ours: "Ours", session: Session, raw: RawAgent) -> tuple[float, str]:
    """An agent goes on for a while after it has answered: without a rest each side would measure the end of the other."""
    bare, engine = [], []
    for number in range(PROMPTS):
        text = script({"text": f"Answer {number}."})
        await asyncio.sleep(REST_S)
        bare.append(await raw.prompt(text) * 1000)
        await asyncio.sleep(REST_S)
        engine.append((await ours.prompt(session, text))[0] * 1000)
    more = [with_us - without for with_us, without in zip(engine, bare, strict=True)]
    reference = (
        f"from the prompt to the first word; raw {statistics.median(bare):.0f} ms; median of {PROMPTS} pairs, ±{_doubt(more):.0f} ms"
    )
    return statistics.median(more), reference


def _doubt(values: list[float]) -> float:
    """Half of the interval in which their median lies with 95 %, by the bootstrap (Efron 1979, percentiles)."""
    dice = random.Random(0)
    again = sorted(statistics.median(dice.choices(values, k=len(values))) for _ in range(2000))
    return (again[1949] - again[50]) / 2


def _ratio(engine: list[float], bare: list[float]) -> float:
    """The median of pairs, each of which ran one after the other: the speed of a shared machine changes within minutes."""
    return statistics.median(ours / raw for ours, raw in zip(engine, bare, strict=True))


async def _whole(ours: "Ours", session: Session, raw: RawAgent) -> tuple[float, str]:
    bare, engine = [], []
    for _ in range(ANSWERS):
        began = time.perf_counter()
        await raw.prompt(WORDS)
        bare.append(time.perf_counter() - began)
        engine.append((await ours.prompt(session, WORDS))[1])
    reference = (
        f"one each millisecond; raw {statistics.median(bare):.2f} s; to the end of the turn, its patch included; median of {ANSWERS} pairs"
    )
    return _ratio(engine, bare), reference


async def _eight(ours: "Ours") -> tuple[float, str]:
    """From nothing to eight answers, processes started and all. Not more than two start at once, here as there."""
    text = script(
        {"do": "read", "path": "README.md"}, {"text": "".join(f"{number:04} " for number in range(200)), "chunk": 5, "delay": 0.002}
    )
    command, _, env = ours.bare()
    starting = asyncio.Semaphore(ours.app.config.max_starting)

    async def alone(worktree: Worktree) -> None:
        agent = RawAgent()
        async with starting:
            try:
                await agent.start(command, Path(worktree.path), env)
            except ConnectionResetError:  # another process of it was in its way; our engine begins again as well
                await asyncio.sleep(0.5)
                await agent.start(command, Path(worktree.path), env)
        await agent.prompt(text)
        stopping.append(agent)

    async def engine(worktree: Worktree) -> None:
        session = await ours.session(worktree)
        await ours.prompt(session, text)

    took: dict[str, list[float]] = {"raw": [], "ours": []}
    sides = [("raw", alone), ("ours", engine)]
    for turn in range(ROUNDS):
        worktrees = [await ours.worktree(f"eight-{turn}-{number}") for number in range(EIGHT)]
        for name, one in sides if turn % 2 == 0 else reversed(sides):
            stopping: list[RawAgent] = []
            began = time.perf_counter()
            await asyncio.gather(*(one(worktree) for worktree in worktrees))
            took[name].append(time.perf_counter() - began)
            await asyncio.gather(*(agent.stop() for agent in stopping))
            await ours.rest()
    raw, engines = statistics.median(took["raw"]), statistics.median(took["ours"])
    return _ratio(took["ours"], took["raw"]), f"{EIGHT} worktrees; raw {raw:.1f} s, ours {engines:.1f} s; median of {ROUNDS} pairs"


class Ours:
    """An engine of its own with one agent's sessions."""

    app: Agor

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit, self._folder = kit, folder
        self._table = ProcessTable(folder)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator["Ours"]:
        root, data = self._folder / "root", self._folder / "data"
        repository = root / "repo"
        repository.mkdir(parents=True)
        data.mkdir()
        (data / "agents").symlink_to(CACHE / "agents")
        (repository / "README.md").write_text("# Repo\n")
        for words in ("init -q -b main", "add -A", "-c user.name=x -c user.email=x@y commit -qm first"):
            subprocess.run(["git", *words.split()], cwd=repository, check=True)
        async with Agor(Config(data_dir=data, root_dir=root, allowed_roots=(root,), idle_timeout=timedelta(minutes=5))) as app:
            self.app = app
            self._repo = (await app.repos.add(ANN, RepoAdd(path=str(repository)), _key())).id
            self._first = await self.worktree("first")
            yield self

    async def worktree(self, name: str) -> Worktree:
        made = await self.app.worktrees.create(ANN, WorktreeCreate(repo=self._repo, name=name), _key())
        return await self.app.worktrees.wait_ready(made.id)

    async def session(self, worktree: Worktree | None = None) -> Session:
        request = SessionCreate(worktree_id=(worktree or self._first).id, agent=self.kit.name)
        return await self.app.sessions.create(ANN, request, _key())

    def bare(self) -> tuple[list[str], Path, dict[str, str]]:
        """What our engine would start, where, and with which variables."""
        agent = Installs(self.app.config.data_dir).ready(self.kit.agent)
        assert agent is not None, f"No {self.kit.name} in {CACHE}. Run `make bench-agents`."
        return agent.command, Path(self._first.path), environment.build(agent, "bench")

    async def prompt(self, session: Session, text: str) -> tuple[float, float]:
        """The seconds to its first word and to the end of the turn, both stored."""
        began, seen = time.perf_counter(), self.app.events.n
        turn = await self.app.sessions.prompt(ANN, session.id, Prompt(text=text), _key())
        first = 0.0
        while True:
            await self.app.events.wait(seen)
            found = await self.app.events.since(seen)
            assert found is not None
            for event in json.loads(found[0]) if turn.id.encode() in found[0] else ():  # to watch costs as little as it can
                body = event["body"]
                if not first and event["turnId"] == turn.id and body["kind"] == "text":
                    first = time.perf_counter() - began
                if body["kind"] == "turn_ended" and body["turn"]["id"] == turn.id:
                    ended = Turn.model_validate(body["turn"])
                    assert ended.state in ENDED
                    assert ended.error is None, ended.error
                    return first, time.perf_counter() - began
            seen = found[1]

    async def rest(self) -> int:
        """Our processes when the session was let go, as it is after the time of rest."""
        await self.app.runner.dismiss(list(self.app.runner._loops))
        return len(await asyncio.to_thread(self._table.survivors, 10))


def _key() -> str:
    return uuid.uuid4().hex


def _at_rest() -> list[dict]:
    """The server's memory with a thousand sessions, beside the same with none."""
    with tempfile.TemporaryDirectory(prefix="agor-bench-") as folder:
        home = Path(folder)
        template = server.prepare(home / "template")
        memory = {}
        for count in (1, 1000):
            data = template.copy(home / f"n{count}", count)
            with server.bare(home, "with", data) as (process, _, _):
                server._settle(process.pid)
                memory[count] = server._pss_mib(process.pid)
        return [row("thousand_at_rest_mib", memory[1000] - memory[1], "MiB", 20, f"PSS; {memory[1]:.0f} MiB with one session")]
