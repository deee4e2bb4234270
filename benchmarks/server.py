"""The server: what it costs at rest and at its start, and how fast it answers and streams.

Figures that depend on the number of sessions are taken on real databases of 100 and 5,000; the stream's from real agent processes.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import websockets

from agor_jupyter.client.http import Client
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.worktrees import WorktreeCreate
from harness.servers import RealServer, serve, stop

STARTS = 7
REST_S = 10
AGENT = Path(__file__).with_name("stamping_agent.py")
BOARD = "team.agor"
_START = """
import sys, time; sys.modules["rfc3987_syntax"] = None
from jupyter_server.serverapp import ServerApp
app = ServerApp.instance(jpserver_extensions={"agor_jupyter": sys.argv[1] == "with"})
app.initialize(argv=["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", "--ServerApp.root_dir=" + sys.argv[2]], find_extensions=False)
app.io_loop.add_callback(lambda: print(time.process_time(), flush=True))
app.start()
"""


def row(name: str, value: float, unit: str, limit: float, reference: str) -> dict:
    return {"name": name, "value": value, "unit": unit, "bar": f"≤ {limit:g}", "reference": reference, "met": value <= limit}


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory(prefix="agor-bench-") as folder:
        home = Path(folder)
        found = start_cost(home)
        template = prepare(home / "template")
        found += rest(home, template)
        found += answers(home, template)
        found += stream(home, template)
    return found


# At rest


@contextlib.contextmanager
def bare(home: Path, kind: str, data: Path) -> Iterator[tuple[subprocess.Popen, float, float]]:
    """A server with or without the extension, the seconds until its loop ran, and the CPU seconds of them."""
    (home / "runtime").mkdir(exist_ok=True)
    env = os.environ | {
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "AGOR_DATA_DIR": str(data),
        "JUPYTER_TOKEN": "t",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _START, kind, str(home)], env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        cpu = float(process.stdout.readline())
        yield process, time.perf_counter() - began, cpu
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def start_cost(home: Path) -> list[dict]:
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    busy: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(STARTS + 1):
        for kind, found in seconds.items():
            with bare(home, kind, home / "start") as (_, took, cpu):
                if number:  # the first fills the caches
                    found.append(took)
                    busy[kind].append(cpu)
                time.sleep(1)  # let it open its services before it is ended
    median = {kind: statistics.median(found) for kind, found in seconds.items()}
    cpu = statistics.median(busy["with"]) - statistics.median(busy["without"])
    reference = f"{median['without']:.2f} s without; CPU alone {cpu:.3f} s more; n={STARTS}, interleaved"
    return [row("start_cost_s", median["with"] - median["without"], "s", 0.1, reference)]


def rest(home: Path, template: "Template") -> list[dict]:
    data = template.copy(home / "rest", 1000)
    memory, cpu = {}, {}
    for kind in ("without", "with"):
        with bare(home, kind, data) as (process, _, _):
            _settle(process.pid)
            before = _ticks(process.pid)
            time.sleep(REST_S)
            cpu[kind] = (_ticks(process.pid) - before) / os.sysconf("SC_CLK_TCK") / REST_S * 100
            memory[kind] = _pss_mib(process.pid)
            if kind == "with":
                _warm_mcp(data)
                memory["mcp"] = _pss_mib(process.pid)
    beside = f"PSS; {memory['without']:.0f} MiB without; 1,000 sessions; {memory['mcp'] - memory['with']:.0f} MiB more once MCP is warmed"
    return [
        row("rest_memory_mib", memory["with"] - memory["without"], "MiB", 40, beside),
        row("rest_cpu_percent", max(0.0, cpu["with"] - cpu["without"]), "%", 0.5, f"{cpu['without']:.2f} % without; {REST_S} s"),
    ]


def _warm_mcp(data: Path) -> None:
    """Ask as an agent does, with a token of a stored session: the first such request loads the package."""
    token = "benchmark"
    with contextlib.closing(sqlite3.connect(data / "agor.db", timeout=10)) as connection, connection:
        grant = (hashlib.sha256(token.encode()).hexdigest(), f"se_{0:020d}", "ru_benchmark", "")
        connection.execute("insert into grants values (?, ?, ?, ?)", grant)
    url = json.loads((data / "lock").read_text())["url"]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}agor/mcp", body, headers), timeout=30) as answer:
        assert b"session_spawn" in answer.read()


def _settle(pid: int) -> None:
    """Wait until the services are open, which takes CPU, and then none for two seconds; at most 30 s."""
    time.sleep(3)
    for _ in range(14):
        before = _ticks(pid)
        time.sleep(2)
        if _ticks(pid) == before:
            return


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


# Answers


class Template:
    """A data directory with a board, a repo and three worktrees, which is copied and filled with sessions."""

    def __init__(self, home: Path, worktrees: list[str], record: dict) -> None:
        self.home, self.worktrees, self.record = home, worktrees, record

    def copy(self, target: Path, count: int) -> Path:
        data = target / "data"
        subprocess.run(["cp", "-a", str(self.home), str(target)], check=True)
        connection = sqlite3.connect(data / "agor.db")
        columns = [each[1] for each in connection.execute("pragma table_info(sessions)")]
        model = dict(zip(columns, connection.execute("select * from sessions").fetchone(), strict=True))
        connection.execute("delete from sessions")
        lines = []
        for number in range(count):
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_790_000_000 + number * 7)) + ".000Z"
            changes = {
                "id": f"se_{number:020d}",
                "worktree_id": self.worktrees[number % len(self.worktrees)],
                "state": ("done", "done", "failed", "idle", "cancelled")[number % 5],
                "agent": ("script", "claude", "codex")[number % 3],
                "created_by": ("ann", "ben", "eve", "alice")[number % 4],
                "updated_at": at,
            }
            record = self.record | {
                "id": changes["id"], "worktreeId": changes["worktree_id"], "state": changes["state"], "agent": changes["agent"],
                "updatedAt": at, "createdBy": {"username": changes["created_by"], "name": changes["created_by"], "initials": "", "color": None},
            }  # fmt: skip
            lines.append(tuple((model | changes | {"record": json.dumps(record, separators=(",", ":"))})[name] for name in columns))
        connection.executemany(f"insert into sessions values ({','.join('?' * len(columns))})", lines)
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        return data


@contextlib.contextmanager
def running(folder: Path, *arguments: str) -> Iterator[RealServer]:
    folder.mkdir(exist_ok=True)
    agents = json.dumps({"name": "stamp", "label": "Stamp", "icon": "ag-script", "command": [sys.executable, "-S", "-E", str(AGENT)]})
    config = folder / "agor_config.py"
    config.write_text(f"import json\nc.AgorApp.agents = [json.loads({agents!r})]\nc.AgorApp.max_running = 64\nc.AgorApp.max_starting = 8\n")
    process, server = serve(folder, f"--config={config}", *arguments, JUPYTER_NO_CONFIG="0")
    try:
        yield server
    finally:
        stop(process)


def prepare(folder: Path) -> Template:
    with running(folder) as server:
        alice = server.client("alice")
        path = folder / "root" / "repo"
        path.mkdir()
        for argv in (
            ["init", "-q", "-b", "main"],
            ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", "first"],
        ):
            subprocess.run(["git", *argv], cwd=path, check=True)
        alice.post("boards", {"path": BOARD})
        repo = alice.post("repos", {"path": str(path)})
        worktrees = [worktree(alice, repo["id"], f"work-{number}", BOARD) for number in range(3)]
        record = alice.post("sessions", SessionCreate(worktree_id=worktrees[0], agent="script", title="A title of some length"))
    return Template(folder, worktrees, record)


def worktree(client: Client, repo: str, name: str, board: str | None = None) -> str:
    made = client.post("worktrees", WorktreeCreate(repo=repo, name=name, board=board))
    while (state := client.get(f"worktrees/{made['id']}")["state"]) == "creating":
        time.sleep(0.05)
    assert state == "ready", state
    return made["id"]


def median_ms(action: object, count: int = 60) -> float:
    found = []
    for number in range(count + 5):
        began = time.perf_counter()
        action()
        if number >= 5:
            found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


def fsync_ms(home: Path) -> float:
    """What the disk takes for one small durable write."""
    with (home / "fsync").open("wb") as file:

        def write() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        return median_ms(write)


def answers(home: Path, template: Template) -> list[dict]:
    pages, found = {}, []
    for count in (100, 5000):
        template.copy(home / f"n{count}", count)
        with running(home / f"n{count}") as server:
            pages[count] = _pages(server.client("alice"), template)
            if count == 5000:
                found = _single(server.client("alice"), template, home)
    ratio = max(many / few for many, few in zip(pages[5000], pages[100], strict=True))
    return [
        *found,
        row("session_page_ms", max(pages[5000]), "ms", 5, f"the slowest of {len(pages[5000])} filters; all: {_list(pages[5000])}"),
        row("session_page_ratio", ratio, "×", 1.5, f"at 100: {_list(pages[100])}"),
    ]


def _pages(client: Client, template: Template) -> list[float]:
    filters = [{}, {"board": BOARD}, {"state": "failed"}, {"agent": "claude"}, {"person": "ben"}, {"worktree": template.worktrees[1]}]
    return [median_ms(lambda chosen=chosen: client.get("sessions", limit=50, **chosen)) for chosen in filters]


def _single(client: Client, template: Template, home: Path) -> list[dict]:
    trivial = median_ms(lambda: client.get("me"))
    get = median_ms(lambda: client.get("sessions/se_00000000000000002500"))
    board = median_ms(lambda: client.get("board/snapshot", path=BOARD), 15)
    size = len(json.dumps(client.get("board/snapshot", path=BOARD)))
    request = SessionCreate(worktree_id=template.worktrees[0], agent="script", title="New")
    create = median_ms(lambda: client.post("sessions", request))
    reference = f"5,000 stored; api/me {trivial:.2f} ms"
    return [
        row("session_create_ms", create, "ms", 5, f"{reference}; one fsync {fsync_ms(home):.2f} ms"),
        row("session_get_ms", get, "ms", 2, reference),
        row("board_snapshot_ms", board, "ms", 100, f"5,000 sessions, {size / 1e6:.1f} MB"),
    ]


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


# The stream


def stream(home: Path, template: Template) -> list[dict]:
    template.copy(home / "stream", 100)
    with running(home / "stream") as server:
        return asyncio.run(_stream(server, template))


class Listener:
    """A client that keeps what comes with the time at which it came."""

    def __init__(self, server: RealServer) -> None:
        self.url = "ws" + server.url.removeprefix("http") + "agor/api/stream"
        self.frames: list[tuple[float, str]] = []

    async def __aenter__(self) -> Self:
        self.connection = await websockets.connect(
            self.url, additional_headers={"Authorization": "token alice-token"}, compression=None, max_size=None, proxy=None
        )
        await self.connection.recv()
        self.task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await self.connection.close()

    async def _read(self) -> None:
        async for frame in self.connection:
            self.frames.append((time.time(), frame))

    def events(self) -> Iterator[tuple[float, dict]]:
        for at, frame in self.frames:
            for event in json.loads(frame):
                yield at, event

    def stamps(self) -> Iterator[float]:
        """Seconds from an agent's write to here, for each piece of text."""
        for at, event in self.events():
            if event["body"]["kind"] == "text":
                yield from (at - float(stamp) for stamp in event["body"]["text"].split())


async def _stream(server: RealServer, template: Template) -> list[dict]:
    alice = server.client("alice")

    def session() -> str:
        return alice.post("sessions", SessionCreate(worktree_id=template.worktrees[0], agent="stamp", title="Stamp"))["id"]

    async def ended(sessions: list[str]) -> None:
        for each in sessions:
            while (await asyncio.to_thread(alice.get, f"sessions/{each}"))["state"] not in ("done", "failed"):
                await asyncio.sleep(0.1)

    accepted = []
    async with Listener(server) as one:
        warm = [await asyncio.to_thread(session) for _ in range(4)]
        for number in range(24):
            chosen = warm[number % 4]
            await ended([chosen]) if number >= 4 else None
            seen, began = len(one.frames), time.time()
            await asyncio.to_thread(alice.post, f"sessions/{chosen}/prompt", {"text": "1 0"})
            while len(one.frames) == seen:
                await asyncio.sleep(0.001)
            accepted.append((one.frames[seen][0] - began) * 1000)
            await ended([chosen])
    async with Listener(server) as one:
        await asyncio.to_thread(alice.post, f"sessions/{warm[0]}/prompt", {"text": "40 0.3"})
        await asyncio.sleep(1)
        await ended([warm[0]])
        latency = statistics.median(one.stamps()) * 1000
    many = [await asyncio.to_thread(session) for _ in range(50)]
    stalled = await _stall(server)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Listener(server)) for _ in range(19)]
        first = (await asyncio.to_thread(_newest, server)) + 1
        for each in many:
            await asyncio.to_thread(alice.post, f"sessions/{each}/prompt", {"text": "150 0.1"})
        await ended(many)
        await asyncio.sleep(1)
    stalled.close()
    last = _newest(server)
    with contextlib.closing(sqlite3.connect(server.folder / "data" / "agor.db")) as connection:
        stored = [each[0] for each in connection.execute("select n from events where n between ? and ? order by n", (first, last))]
    lost = sum(len(set(stored) - {event["n"] for _, event in client.events()}) for client in clients)
    lags = sorted(lag * 1000 for client in clients for lag in client.stamps())
    lag = lags[int(len(lags) * 0.95)]
    return [
        row("prompt_accept_ms", statistics.median(accepted), "ms", 20, f"max {max(accepted):.1f}; n={len(accepted)}"),
        row("event_latency_ms", latency, "ms", 10, "of a piece after a silence, which waits for no window; p50 of 40"),
        row("stream_loss", float(lost), "events", 0, f"{len(stored)} events × 19 clients, 50 agents, one client stalled"),
        row("stream_lag_ms", lag, "ms", 200, f"p95 of {len(lags)} pieces from write to client, window included; max {lags[-1]:.0f}"),
    ]


def _newest(server: RealServer) -> int:
    with contextlib.closing(sqlite3.connect(server.folder / "data" / "agor.db")) as connection:
        return connection.execute("select coalesce(max(n), 0) from events").fetchone()[0]


async def _stall(server: RealServer) -> socket.socket:
    """A client that connects and never reads."""
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    key = uuid.uuid4().hex[:22] + "=="
    connection.sendall(
        f"GET {parts.path}agor/api/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: token alice-token\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    await asyncio.sleep(0.2)
    return connection
