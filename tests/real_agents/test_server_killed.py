"""The server is killed in the middle of a turn: nothing lives on, nothing is lost, and the conversation goes on."""

import time

from harness.process_table import ESCAPES, escapes
from tests.real_agents.remote import Remote


def test_a_server_killed_in_mid_turn_leaves_no_process_and_the_conversation_goes_on(server, kit, model, table, repository):
    remote = Remote(server, kit)
    session = remote.begin(repository)["id"]
    assert remote.play(session, {"text": "The password is heron."})["state"] == "done"
    if kit.agent.quirks.loads_next_minute:
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
    after = remote.play(session, {"text": "I remember."})

    assert left == []
    assert found["state"] == "interrupted"
    assert again["resolution"] == "discarded"
    assert (after["state"], after["error"]) == ("done", None)
    if kit.remembers:
        assert any("The password is heron." in request for request in model.requests[asked:])
