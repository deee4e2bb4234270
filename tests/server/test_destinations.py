"""Destinations on a real server: who may reach what, that a test message tells the truth, and that an address never comes out again."""

import json
import os
import subprocess
import sys

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.notebook.api import connect
from harness.servers import serve, stop
from tests import leaks
from tests.receiver import Receiver

CANARY = "canary0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("destinations")
    process, found = serve(folder, "--debug", AGOR_TEST_CONFIG=json.dumps({"notify_timeout_s": 60}))
    yield found
    stop(process)


@pytest.fixture
def place():
    with Receiver() as found:
        yield found


def test_an_address_goes_in_and_never_comes_out(server, place):
    alice = server.client("alice")
    address = place.address.replace("//", f"//ann:{CANARY}@")
    made = alice.post("destinations", {"name": "canary", "address": address})
    at = f"destinations/{made['id']}"

    place.statuses[:] = [500]
    lost, arrived = alice.post(f"{at}/test"), alice.post(f"{at}/test")
    answers = [made, lost, arrived, alice.patch(at, {"kinds": ["budget"], "address": address}), alice.get("destinations")]
    for bad in (f"syslog://{CANARY}", f"jsons://{CANARY}@example.org/?template=/etc/passwd", f"json://169.254.169.254/{CANARY}"):
        with pytest.raises(errors.BadAddress) as refused:
            alice.post("destinations", {"name": "bad", "address": bad})
        answers.append([str(refused.value), dict(refused.value.details)])
    with pytest.raises(errors.BadRequest) as refused:
        alice.post("destinations", {"name": "bad/name", "address": address})
    answers.append([str(refused.value), dict(refused.value.details)])

    assert (lost, arrived) == ({"hasArrived": False, "reason": "it answered with status 500"}, {"hasArrived": True, "reason": None})
    assert [one["title"] for one in place.came] == ["A test message of Agor"] * 2
    assert answers[4][0] | {"kinds": ["budget"], "service": "JSON"} == answers[4][0]
    assert leaks.traces(CANARY, json.dumps(answers).encode()) == []
    assert leaks.traces(CANARY, server.log.read_bytes()) == []
    assert leaks.in_database(CANARY, server.folder / "data") == []
    alice.delete(at)
    assert alice.get("destinations") == []


def test_each_person_has_their_own_and_only_an_owner_reaches_inside(server, place):
    alice, bob, carol = (server.client(name) for name in ("alice", "bob", "carol"))
    made = alice.post("destinations", {"name": "inside", "address": place.address})

    with pytest.raises(errors.BadAddress, match="own network"):
        bob.post("destinations", {"name": "inside", "address": place.address})
    outside = bob.post("destinations", {"name": "outside", "address": f"discord://12345/{CANARY}"})
    for call in (
        lambda: bob.post(f"destinations/{made['id']}/test"),
        lambda: bob.patch(f"destinations/{made['id']}", {"isPaused": True}),
        lambda: bob.delete(f"destinations/{made['id']}"),
    ):
        with pytest.raises(errors.DestinationNotFound):
            call()
    with pytest.raises(errors.NotAllowed):
        carol.post("destinations", {"name": "x", "address": "ntfys://topic"})

    assert [one["name"] for one in bob.get("destinations")] == ["outside"]
    assert place.came == []
    alice.delete(f"destinations/{made['id']}")
    bob.delete(f"destinations/{outside['id']}")


def test_a_shell_and_a_cell_name_test_pause_and_remove_one(server, place):
    def shell(*arguments, given="", code=0):
        env = {**os.environ, "AGOR_URL": server.url, "AGOR_TOKEN": "alice-token"}
        command = [sys.executable, "-m", "agor_jupyter.cli", "notify", *arguments]
        ended = subprocess.run(command, env=env, input=given, check=False, capture_output=True, text=True)
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    hub = connect(server.url, "alice-token")
    made = json.loads(shell("add", "phone", "--kind", "question", "--quiet", "22:00-07:00", "--json", given=place.address + "\n"))
    place.statuses[:] = [403]
    lost = shell("test", "phone", code=1)
    paused = json.loads(shell("pause", "phone", "--json"))
    cell = hub.destinations["phone"].resume()
    tested = cell.test()
    cell.change(quiet=("23:00", "06:30"), tz="Europe/Vienna")
    shown = shell("list")
    shell("remove", "phone")

    assert (made["kinds"], made["quiet"]["start"]) == (["question"], "22:00")
    assert lost == "It did not arrive: it answered with status 403.\n"
    assert (paused["isPaused"], cell.record.is_paused, tested.has_arrived) == (True, False, True)
    assert cell.record.quiet.zone == "Europe/Vienna"
    assert "phone" in shown
    assert not hub.destinations
