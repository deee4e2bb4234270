"""The private server: quick, private, and never left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.client import Client, PrivateServer, discovery
from agor_jupyter.domain import errors


@pytest.fixture
def private(tmp_path):
    with PrivateServer(tmp_path, data_dir=tmp_path / "data") as server:
        yield server


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(claim, seconds=10):
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_its_owner_is_the_person_who_runs_it(private, tmp_path):
    me = Client(private.url, private.token).get("me")

    assert me["person"]["username"] == discovery.os.environ.get("USER", me["person"]["username"])
    assert me["role"] == "owner"
    assert me["dataDir"] == str(tmp_path / "data")
    assert me["rootDir"] == str(tmp_path)


def test_its_token_is_in_no_argument_and_it_listens_on_this_machine_only(private):
    arguments = Path(f"/proc/{private.pid}/cmdline").read_text()

    assert private.token not in arguments
    assert private.url.startswith("http://127.0.0.1:")
    with pytest.raises(errors.AgorError, match="login"):
        Client(private.url, "another", patience_s=0).get("me")


def test_it_is_found_by_its_data_and_not_when_it_is_gone(tmp_path):
    with PrivateServer(tmp_path, data_dir=tmp_path / "data") as server:
        Client(server.url, server.token).get("me")  # its data are open now
        found = discovery.holder(tmp_path / "data")
    gone = discovery.holder(tmp_path / "data")

    assert found is not None
    assert (found.url, found.token, found.pid) == (server.url, server.token, server.pid)
    assert server.token not in repr(found)
    assert gone is None


def test_a_lock_file_that_nobody_holds_proves_nothing(tmp_path):
    (tmp_path / "info.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:1/", "root_dir": "/", "token": "x"}))
    (tmp_path / "lock").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:1/", "info_file": str(tmp_path / "info.json")}))

    assert discovery.holder(tmp_path) is None


def test_stopping_it_leaves_nothing(tmp_path):
    server = PrivateServer(tmp_path, data_dir=tmp_path / "data").start()
    folder = Path(server._folder.name)

    server.stop()
    server.stop()

    assert not is_alive(server.pid)
    assert not folder.exists()


def test_it_dies_with_its_parent(tmp_path):
    code = (
        "import sys, time; from agor_jupyter.client import PrivateServer\n"
        f"server = PrivateServer({str(tmp_path)!r}, data_dir={str(tmp_path / 'data')!r}).start(); print(server.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    assert is_alive(pid)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: not is_alive(pid))


def test_one_that_cannot_start_says_why(tmp_path):
    with pytest.raises(errors.ServerGone, match="did not start"):
        PrivateServer(tmp_path / "missing", data_dir=tmp_path / "data").start()


def test_a_second_one_on_the_same_data_says_who_has_them(tmp_path, private):
    Client(private.url, private.token).get("me")

    with PrivateServer(tmp_path, data_dir=tmp_path / "data") as second, pytest.raises(errors.DataInUse) as caught:
        Client(second.url, second.token).get("me")

    assert str(private.pid) in str(caught.value)
    assert caught.value.details["pid"] == private.pid


def test_the_client_waits_for_a_server_that_is_not_there_yet(tmp_path):
    import http.server
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            keys.append(self.headers["Idempotency-Key"])
            if len(keys) == 1:
                self.connection.close()
                return
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    keys: list[str] = []
    holder: list[http.server.HTTPServer] = []

    def start():
        holder.append(http.server.HTTPServer(("127.0.0.1", port), Answer))
        holder[0].serve_forever()

    timer = threading.Timer(0.3, start)
    timer.start()

    answer = Client(f"http://127.0.0.1:{port}", "t", patience_s=10).post("sessions")

    holder[0].shutdown()
    holder[0].server_close()
    timer.join()
    assert answer == {}
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_no_server_is_said_in_a_sentence():
    with pytest.raises(errors.ServerGone, match="does not answer"):
        Client("http://127.0.0.1:9", "t", patience_s=0).get("me")
