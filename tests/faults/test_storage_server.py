"""A full disk, a locked database and a second server, as a client of a real server meets them."""

import contextlib
import os
import re
import sqlite3
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import make_repository
from tests.faults.server import Refused, Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

SIZE = 16 << 20


class Place:
    """A server, a session in it, and what was acknowledged."""

    def __init__(self, folder: Path, data: Path, name: str = "server") -> None:
        (folder / "root").mkdir(exist_ok=True)
        self.folder, self.repository = folder, folder / "root" / "repo"
        self.server = Server(folder / "root", data, log=folder / f"{name}.log")
        self.session, self.accepted = "", []

    def begin(self) -> "Place":
        make_repository(self.repository)
        self.server.start()
        self.server.wait_ready()
        self.repo = self.server.call("POST", "repos", {"path": str(self.repository)})["id"]
        worktree = self.server.call("POST", "worktrees", {"repo": self.repo, "name": "fix"})["id"]
        wait_until(lambda: self.server.call("GET", f"worktrees/{worktree}")["state"] == "ready")
        self.session = self.server.call("POST", "sessions", {"worktreeId": worktree, "agent": "script"})["id"]
        return self

    def prompt(self, text: str = "Nothing to run.", key: str | None = None) -> dict[str, Any]:
        turn = self.server.call("POST", f"sessions/{self.session}/prompt", {"text": text}, key=key)
        self.accepted.append(turn["id"])
        return turn

    def states(self) -> dict[str, str]:
        return {turn["id"]: turn["state"] for turn in self.server.call("GET", f"sessions/{self.session}/turns")}


def wait_until(claim: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "data").mkdir()
    made = Place(tmp_path, tmp_path / "data").begin()
    yield made
    made.server.kill()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Place]:
    """Its data are on a small disk."""
    data = tmp_path / "small"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", data]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        (data / "data").mkdir()
        made = Place(tmp_path, data / "data").begin()
        yield made
        made.server.kill()
    finally:
        subprocess.run(["umount", "-l", data], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return ballast


def test_a_full_disk_is_a_507_nothing_is_half_made_and_it_goes_on_when_there_is_space(small: Place) -> None:
    server, listed = small.server, ["git", "-C", small.repository, "worktree", "list", "--porcelain"]
    first = small.prompt()["id"]
    wait_until(lambda: small.states()[first] == "done")
    before = (server.call("GET", "worktrees"), subprocess.check_output(listed), os.listdir(server.data / "worktrees"))
    ballast = fill(server.data.parent)

    with pytest.raises(Refused) as refused:
        for _ in range(500):  # a log that was used before has some room left
            small.prompt("x" * 50_000)
    with pytest.raises(Refused) as also:
        server.call("POST", "worktrees", {"repo": small.repo, "name": "half"})
    accepted = list(small.accepted)

    for error in (refused.value, also.value):
        assert (error.status, error.body["error"]["code"]) == (507, "storage_full")
        assert re.fullmatch(
            r"The disk is full at \S+agor\.db\. Nothing was changed, and everything already stored is safe\. Free some space, then try again\.",
            error.body["error"]["message"],
        )
    after = (server.call("GET", "worktrees"), subprocess.check_output(listed), os.listdir(server.data / "worktrees"))
    assert [worktree["id"] for worktree in after[0]] == [worktree["id"] for worktree in before[0]]
    assert after[1:] == before[1:]
    assert set(small.states()) == set(accepted)

    server.kill()
    server.start()
    with pytest.raises(Refused) as closed:
        server.call("GET", "me")
    assert (closed.value.status, closed.value.body["error"]["code"]) == (507, "storage_full")

    ballast.unlink()
    server.wait_ready()
    assert set(small.states()) == set(accepted)
    for turn, state in small.states().items():
        if state == "interrupted":
            server.call("POST", f"turns/{turn}/discard")
    wait_until(lambda: set(small.states().values()) <= {"done", "interrupted"}, 60)
    assert small.prompt()["id"]


def test_a_locked_database_is_waited_for_then_a_503_and_the_server_answers_meanwhile(place: Place) -> None:
    other = sqlite3.connect(place.server.data / "agor.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    key, refused, slowest = uuid.uuid4().hex, [], 0.0

    def ask() -> None:
        try:
            place.prompt(key=key)
        except Refused as error:
            refused.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while asking.is_alive():
        begun = time.monotonic()
        place.server.call("GET", f"sessions/{place.session}")
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.05)

    assert slowest < 5  # whoever asks does not wait with whoever writes, who gives up after ten
    assert [(error.status, error.body["error"]["code"]) for error in refused] == [(503, "storage_busy")]
    assert "locked by another program" in refused[0].body["error"]["message"]
    assert place.states() == {}

    waiting = threading.Thread(target=ask)
    waiting.start()
    time.sleep(1)
    other.execute("ROLLBACK")
    other.close()
    waiting.join(50)
    assert len(refused) == 1
    assert list(place.states()) == place.accepted
    assert len(place.accepted) == 1


def test_a_second_server_is_a_503_that_names_the_first_and_takes_over_when_it_is_gone(place: Place) -> None:
    turn = place.prompt("```sh\nsleep 60\n```")["id"]
    wait_until(lambda: place.states()[turn] == "waiting")
    second = Place(place.folder, place.server.data, "second")
    second.session = place.session
    second.server.start()
    try:
        for path in ("me", "sessions", f"turns/{turn}"):
            with pytest.raises(Refused) as refused:
                second.server.call("GET", path)
            error = refused.value.body["error"]
            assert (refused.value.status, error["code"], error["details"]["pid"]) == (503, "data_in_use", place.server.pid)
            assert f"is in use by the server {place.server.url}" in error["message"]
            assert "AGOR_DATA_DIR" in error["message"]
        assert place.states() == {turn: "waiting"}

        place.server.kill()

        second.server.wait_ready()
        assert second.states() == {turn: "interrupted"}
    finally:
        second.server.kill()
