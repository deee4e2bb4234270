"""All bad agents at once in one real server, beside a good one: how each ends, what it costs the server, and what the good one feels."""

import contextlib
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from websockets.sync.client import connect

from agor_jupyter.client.http import Client
from harness.servers import RealServer, serve, stop
from tests.faults.checker import ENDED
from tests.faults.conftest import make_repository
from tests.faults.state import survivors_of

MISBEHAVING = [sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "misbehaving_agent.py")]
TOKENS = [f"{random.randint(10_000, 99_999)}.{random.randint(1000, 9999)}" for _ in range(2)]
STORM_S = 240

pytestmark = [pytest.mark.faults, pytest.mark.timeout(480)]


@dataclass(frozen=True)
class Bad:
    """One misbehaviour, and how its turn has to end."""

    prompt: str
    state: str
    error: str | None = None
    notices: tuple[str, ...] = ()
    agent: str = "bad"
    is_cancelled: bool = False


_MIDDLE = "in the middle of a turn"
BAD = {
    "exits": Bad("exit 3", "failed", f"Agent 'bad' failed: it ended with code 3 {_MIDDLE}."),
    "is killed": Bad("kill 9", "failed", f"Agent 'bad' failed: it ended with signal SIGKILL {_MIDDLE}."),
    "dies in a line": Bad("half", "failed", f"Agent 'bad' failed: it ended with code 0 {_MIDDLE}.", ("cut",)),
    "closes its output": Bad("close", "failed", f"Agent 'bad' failed: it closed its output {_MIDDLE}."),
    "does not start": Bad("say x", "failed", "Agent 'dying' failed: it ended with code 3 before it was ready. Its last output: no such model", (), "dying"),
    "reports an error": Bad("fail", "failed", "The agent reported an error: Internal error: no credit."),
    "writes a line of 100 MB": Bad("line 100", "done", None, ("oversize",)),
    "writes a million lines": Bad("many 1000000", "failed", "Agent 'bad' failed: it flooded the server with output and was stopped.", ("throttled",)),
    "writes invalid UTF-8": Bad(r"bytes b'\xff\xfe\x00\n' * 4", "done", None, ("garbage",) * 3),
    "floods stderr": Bad("stderr 30000000", "done"),
    "hangs": Bad("hang", "cancelled", None, ("killed",), is_cancelled=True),
    "stops itself": Bad("stop", "cancelled", None, ("killed",), is_cancelled=True),
    "answers after a cancel": Bad("late", "cancelled", is_cancelled=True),
    "forks and dies": Bad(f"fork {TOKENS[0]} die", "failed", f"Agent 'bad' failed: it ended with code 5 {_MIDDLE}."),
    "forks and is cancelled": Bad(f"fork {TOKENS[1]} hang", "cancelled", is_cancelled=True),
}  # fmt: skip


@dataclass
class Storm:
    """What happened."""

    turns: dict[str, dict[str, Any]] = field(default_factory=dict)
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    grown_mib: float = 0.0
    left: list[str] = field(default_factory=list)
    """Command lines of what lived on for 10 s."""


class Good:
    """One who prompts the `script` agent again and again, and looks at the stream."""

    def __init__(self, server: RealServer, session: str) -> None:
        self.client, self.server, self.session = Client(server.url, "alice-token"), server, session
        self.latencies: list[float] = []
        self._first: dict[str, float] = {}
        self._ended: set[str] = set()
        self._news, self._stop, self._is_seen = threading.Condition(), threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=job, daemon=True) for job in (self._look, self._work)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._threads[1].join(40)  # it waits for its last turn
        self._is_seen.set()
        self._threads[0].join(50)

    def prompt(self) -> None:
        """Take the time from the prompt to the first entry of its transcript."""
        begun = time.monotonic()
        turn = self.client.post(f"sessions/{self.session}/prompt", {"text": "Nothing to run."})["id"]
        with self._news:
            assert self._news.wait_for(lambda: turn in self._ended, 30)
        self.latencies.append(self._first[turn] - begun)

    def _work(self) -> None:
        while not self._stop.is_set():
            self.prompt()
            time.sleep(0.1)

    def _look(self) -> None:
        url = self.server.url.replace("http", "ws", 1).rstrip("/") + "/agor/api/stream"
        headers = {"Authorization": "token alice-token"}
        with connect(url, additional_headers=headers, compression=None, max_size=None, proxy=None) as socket:
            while not self._is_seen.is_set():
                with contextlib.suppress(TimeoutError):
                    self._take(json.loads(socket.recv(timeout=0.2)))

    def _take(self, events: list[dict[str, Any]]) -> None:
        now = time.monotonic()
        with self._news:
            for event in events:
                if event.get("sessionId") == self.session:
                    self._first.setdefault(event["turnId"], now)
                    if event["body"]["kind"] == "turn_ended":
                        self._ended.add(event["turnId"])
            self._news.notify_all()


def memory_mib(pid: int, name: str) -> float:
    return next(int(line.split()[1]) / 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))


def sleeping(token: str) -> list[str]:
    """The living processes with `token` in their command line, wherever they hid."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.name.isdigit() else ""
            if token in command and "sleep" in command:
                found.append(command)
    return found


@pytest.fixture(scope="module")
def storm(tmp_path_factory) -> Iterator[Storm]:
    folder = tmp_path_factory.mktemp("storm")
    (folder / "root").mkdir()
    repository = make_repository(folder / "root" / "repo")
    agents = [
        {"name": name, "label": name, "icon": "x", "command": [*MISBEHAVING, *more]} for name, *more in (("bad",), ("dying", "--die"))
    ]
    process, server = serve(folder, AGOR_TEST_CONFIG=json.dumps({"agents": agents, "max_running": 20, "max_starting": 4}))
    try:
        yield rage(server, repository)
    finally:
        stop(process)


def rage(server: RealServer, repository: Path) -> Storm:
    client, storm = server.client("alice"), Storm()
    repo = client.post("repos", {"path": str(repository)})["id"]
    worktree = client.post("worktrees", {"repo": repo, "name": "storm"})["id"]
    wait_until(lambda: client.get(f"worktrees/{worktree}")["state"] == "ready")

    def session(agent: str) -> str:
        return client.post("sessions", {"worktreeId": worktree, "agent": agent, "title": agent})["id"]

    def turn(name: str) -> dict[str, Any]:
        return client.get(f"turns/{storm.turns[name]['id']}")

    warm = client.post(f"sessions/{session('bad')}/prompt", {"text": "say ready"})["id"]
    wait_until(lambda: client.get(f"turns/{warm}")["state"] in ENDED)
    with Good(server, session("script")) as good:
        wait_until(lambda: len(good.latencies) >= 5)
        good.latencies.clear()
        before = memory_mib(server.pid, "VmRSS")
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak counts from here

        for name, bad in BAD.items():
            storm.turns[name] = client.post(f"sessions/{session(bad.agent)}/prompt", {"text": bad.prompt})
        for name, bad in BAD.items():
            if bad.is_cancelled:
                wait_until(lambda name=name: has_spoken(client, storm.turns[name]))
                client.post(f"turns/{storm.turns[name]['id']}/cancel")
        wait_until(lambda: all(turn(name)["state"] in ENDED for name in BAD), STORM_S)
        storm.grown_mib = memory_mib(server.pid, "VmHWM") - before
        good_latencies = list(good.latencies)
    end = time.monotonic() + 50
    while (found := [command for token in TOKENS for command in sleeping(token)]) and time.monotonic() < end:
        time.sleep(0.1)
    storm.turns = {name: turn(name) for name in BAD}
    dead = {one["runId"] for one in storm.turns.values() if one["state"] == "failed" and one["errorCode"] != "agent_error"}
    storm.latencies, storm.left = good_latencies, found + [command_of(pid) for pid in survivors_of(dead)]
    for name, ended in storm.turns.items():
        events = client.get(f"sessions/{ended['sessionId']}/events", limit=1000)["items"]
        codes = (event["body"]["code"] for event in events if event["body"]["kind"] == "notice")
        storm.notices[name] = tuple(code for code in codes if code != "beside_others")  # they share a worktree, as they are told
    return storm


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def has_spoken(client: Client, turn: dict[str, Any]) -> bool:
    events = client.get(f"sessions/{turn['sessionId']}/events")["items"]
    return any(event["body"]["kind"] == "text" for event in events)


def wait_until(claim: Any, seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.parametrize("name", BAD)
def test_an_agent_that_misbehaves_ends_its_turn_and_nothing_else(storm: Storm, name: str) -> None:
    bad, turn = BAD[name], storm.turns[name]

    assert (turn["state"], turn["error"]) == (bad.state, bad.error)
    assert storm.notices[name] == bad.notices


def test_nothing_of_bad_agents_is_left(storm: Storm) -> None:
    assert storm.left == []


def test_the_server_does_not_grow(storm: Storm) -> None:
    assert storm.grown_mib < 64


def test_others_hardly_feel_it(storm: Storm) -> None:
    assert len(storm.latencies) > 20
    assert statistics.quantiles(storm.latencies, n=20)[-1] < 5
