"""The server is killed in the middle of a turn: nothing lives on, nothing is lost, and the conversation goes on."""

import time

import pytest

from tests.faults.server import Server
from tests.real_agents.process_table import ESCAPES, escapes
from tests.real_agents.stage import PATIENCE_S


class Remote:
    """One session over HTTP, answered with yes."""

    def __init__(self, server: Server, kit) -> None:
        self.server, self.kit = server, kit

    def prompt(self, session: str, *steps) -> str:
        return self.server.call("POST", f"sessions/{session}/prompt", {"text": self.kit.prompt(*steps)})["id"]

    def until(self, turn: str, claim) -> dict:
        """Answer every question with yes until the turn is as it should be."""
        end = time.monotonic() + PATIENCE_S
        while not claim(found := self.server.call("GET", f"turns/{turn}")):
            for question in self.server.call("GET", "permissions"):
                option = next(one["id"] for one in question["options"] if one["kind"] == "allow_once")
                self.server.call("POST", f"permissions/{question['id']}/answer", {"optionId": option})
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found


@pytest.fixture
def server(config, repository, tmp_path):
    server = Server(config.root_dir, config.data_dir, log=tmp_path / "server.log")
    server.start()
    server.wait_ready()
    yield server
    server.kill()


def test_a_server_killed_in_mid_turn_leaves_no_process_and_the_conversation_goes_on(server, kit, model, table, repository):
    remote = Remote(server, kit)
    repo = server.call("POST", "repos", {"path": str(repository)})
    worktree = server.call("POST", "worktrees", {"repo": repo["id"], "name": "fix"})
    while server.call("GET", f"worktrees/{worktree['id']}")["state"] == "creating":
        time.sleep(0.05)
    session = server.call("POST", "sessions", {"worktreeId": worktree["id"], "agent": kit.name})["id"]
    remote.until(remote.prompt(session, {"text": "The password is heron."}), lambda turn: turn["state"] == "done")
    if kit.is_lost_in_its_first_minute:
        time.sleep(60.5 - time.time() % 60)
    turn = remote.prompt(session, {"do": "shell", "cmd": escapes(table.mark), "asks": True}, {"text": "Never said."})
    remote.until(turn, lambda _: len(table.marked()) >= ESCAPES)

    server.kill()
    left = table.survivors(within_s=10)
    server.start()
    server.wait_ready()
    found = server.call("GET", f"turns/{turn}")
    again = server.call("POST", f"turns/{turn}/discard")
    asked = len(model.requests)
    after = remote.until(remote.prompt(session, {"text": "I remember."}), lambda turn: turn["endedAt"])

    assert left == []
    assert found["state"] == "interrupted"
    assert again["resolution"] == "discarded"
    assert (after["state"], after["error"]) == ("done", None)
    if kit.remembers:
        assert any("The password is heron." in request for request in model.requests[asked:])
