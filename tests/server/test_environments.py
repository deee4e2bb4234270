"""What a service serves is reached through the server, behind its prefix and under its login, WebSockets too."""

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from agor_jupyter.domain.environments import Environment, EnvironmentCommand, LogChunk
from agor_jupyter.domain.errors import EnvironmentNotFound, NotAllowed
from agor_jupyter.domain.repos import Repo, RepoAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from tests.server.test_guard import XSRF, ask, cookies

ECHO = """
import os, sys
from tornado import ioloop, web, websocket
class Echo(websocket.WebSocketHandler):
    def check_origin(self, origin): return True
    def on_message(self, message): self.write_message("echo " + message)
class Page(web.RequestHandler):
    def get(self): self.write("page of " + os.environ["AGOR_WORKTREE_NAME"])
class Below(web.RequestHandler):
    def get(self): self.write("asked for " + self.request.path)
web.Application([("/socket", Echo), (os.environ["PREFIX_WEB"] + "/.*", Below), ("/.*", Page)]).listen(int(os.environ["PORT"]), "127.0.0.1")
print("listens", flush=True)
ioloop.IOLoop.current().start()
"""


@pytest.fixture(scope="module")
def environment(server):
    path = server.folder / "root" / "served"
    path.mkdir()
    (path / "echo.py").write_text(ECHO)
    section = {
        "services": {"web": {"command": [sys.executable, "echo.py"], "ports": ["web"], "ready": {"http": "/"}}},
        "links": {"site": {"port": "web", "path": "/home"}, "below": {"port": "web", "path": "/deep", "has_prefix": True}},
    }
    (path / ".agor.yml").write_text(json.dumps({"environment": section}))
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=T", "-c", "user.email=t@e", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    alice = server.client("alice")
    repo = Repo.model_validate(alice.post("repos", RepoAdd(path=str(path))))
    made = alice.post("worktrees", WorktreeCreate(repo=repo.slug, name="served"))
    at = f"worktrees/{made['id']}"
    eventually(lambda: alice.get(at)["state"] == "ready")
    alice.post(f"{at}/environment/start", EnvironmentCommand())
    eventually(lambda: alice.get(f"{at}/environment")["state"] == "healthy")
    yield Environment.model_validate(alice.get(f"{at}/environment"))
    alice.post(f"{at}/environment/stop", EnvironmentCommand())
    eventually(lambda: alice.get(f"{at}/environment")["state"] == "stopped")


def eventually(claim):
    end = time.monotonic() + 50
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_its_link_opens_it_for_who_is_logged_in_and_for_nobody_else(server, environment):
    url = server.url.rstrip("/") + environment.links[0].url
    assert "/user/ann/proxy/" in url

    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "token alice-token"})) as answer:
        assert answer.read() == b"page of served"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "token nobody-token"})) as answer:
        assert "/login" in answer.geturl()
        assert b"page of" not in answer.read()


def test_a_program_that_is_told_its_prefix_is_asked_for_whole_paths(server, environment):
    url = server.url.rstrip("/") + environment.links[1].url

    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "token alice-token"})) as answer:
        assert answer.read().decode() == f"asked for /user/ann/proxy/absolute/{environment.ports['web']}/deep"


def test_a_web_socket_goes_through_it_and_not_without_a_login(server, environment):
    url = f"{server.url.rstrip('/').replace('http', 'ws', 1)}/proxy/{environment.ports['web']}/socket"

    async def said(token: str) -> str:
        socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {token}"}))
        await socket.write_message("hello")
        answer = await socket.read_message()
        socket.close()
        return answer

    assert IOLoop().run_sync(lambda: said("alice-token")) == "echo hello"
    with pytest.raises(HTTPClientError, match="403"):
        IOLoop().run_sync(lambda: said("nobody-token"))


def test_its_log_is_waited_for_and_a_steerer_may_not_stop_it(server, environment):
    at = f"worktrees/{environment.worktree_id}/environment"
    chunk = LogChunk.model_validate(server.client("carol").get(f"{at}/logs", service="web", after=0))

    assert (chunk.text, chunk.next, chunk.skipped) == ("listens\n", 8, 0)
    assert server.client("carol").get(f"{at}/logs/download")["text"] == "listens\n"
    with pytest.raises(NotAllowed):
        server.client("bob").post(f"{at}/stop", EnvironmentCommand())


OWN = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture(scope="module")
def place(server):
    """A worktree whose environment nobody has started. Its services: one that can be opened, and one that fails with a hostile text."""
    path = server.folder / "root" / "opened"
    path.mkdir()
    (path / "echo.py").write_text(ECHO)
    failing = "print('<script>alert(1)</script>'); raise SystemExit(3)"
    section = {
        "services": {
            "web": {"command": [sys.executable, "echo.py"], "ports": ["web"], "ready": {"http": "/"}},
            "bad": {"command": [sys.executable, "-c", failing], "ports": ["bad"], "restart": "never"},
        },
        "links": {"site": {"port": "web", "path": "/home?a=1"}, "out": {"port": "web", "path": "/a/%2e%2e/../x"}, "bad": {"port": "bad"}},
    }
    (path / ".agor.yml").write_text(json.dumps({"environment": section}))
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=T", "-c", "user.email=t@e", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=path, check=True)
    alice = server.client("alice")
    repo = Repo.model_validate(alice.post("repos", RepoAdd(path=str(path))))
    at = f"worktrees/{alice.post('worktrees', WorktreeCreate(repo=repo.slug, name='opened'))['id']}"
    eventually(lambda: alice.get(at)["state"] == "ready")
    return at


@pytest.fixture
def stopped(server, place):
    yield place
    with contextlib.suppress(EnvironmentNotFound):
        server.client("alice").post(f"{place}/environment/stop", EnvironmentCommand())
    eventually(lambda: is_stopped(server, place))


def opened(server, at, link, who="alice", headers=None, query="", method="GET", body=None):
    path = f"/user/ann/agor/open/{at.partition('/')[2]}/{link}{query}"
    status, text, response = ask(server, method, path, {"Cookie": cookies(server, who)} | (headers or {}), body)
    return status, text.decode(), response


def is_stopped(server, at):
    return {one["state"] for one in server.client("alice").get(f"{at}/environment")["services"]} <= {"stopped", "failed"}


def test_a_link_starts_what_is_stopped_for_an_owner_and_then_leads_there(server, stopped):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    foreign = opened(server, stopped, "site", headers=FOREIGN)
    unsaid = opened(server, stopped, "site")
    waits = opened(server, stopped, "site", headers=OWN, query="?wait=1")
    viewer = opened(server, stopped, "site", "carol", OWN)
    posted = opened(server, stopped, "site", "carol", OWN | form, method="POST", body=f"_xsrf={XSRF}")
    forged = opened(server, stopped, "site", headers=FOREIGN | form, method="POST", body="a=b")
    unknown = opened(server, stopped, "nowhere", headers=OWN)

    for status, text, response in (foreign, unsaid, waits):
        assert status == 200
        assert "<button>Start it</button>" in text
        assert "refresh" not in text
        assert "default-src 'none'" in response.getheader("Content-Security-Policy")
        assert "<script" not in text
    assert (viewer[0], "An owner can start it." in viewer[1], "<button>" in viewer[1]) == (200, True, False)
    assert (posted[0], forged[0], unknown[0]) == (403, 403, 404)
    assert "site" in unknown[1]
    assert is_stopped(server, stopped)

    token = re.search(r'name="_xsrf" value="([^"]+)"', foreign[1])[1]
    status, text, _ = opened(server, stopped, "site", headers=form, method="POST", body=urlencode({"_xsrf": token}))
    assert status == 200
    assert 'http-equiv="refresh" content="2; url=./site?wait=1"' in text
    eventually(lambda: opened(server, stopped, "site", "carol", FOREIGN, "?wait=1")[0] == 302)
    port = server.client("alice").get(f"{stopped}/environment")["ports"]["web"]
    _, _, response = opened(server, stopped, "site", "carol", FOREIGN)
    assert response.getheader("Location") == f"/user/ann/proxy/{port}/home?a=1"
    assert opened(server, stopped, "out", headers=OWN)[0] == 400


def test_a_link_says_why_its_service_failed_and_starts_it_once(server, stopped):
    opened(server, stopped, "bad", headers={"Sec-Fetch-Site": "none"})

    eventually(lambda: "not up: failed" in opened(server, stopped, "bad", headers=OWN, query="?wait=1")[1])
    status, text, _ = opened(server, stopped, "bad", headers=OWN, query="?wait=1")

    assert status == 200
    assert "3" in text.partition("<ul>")[2]
    assert "<script" not in text
    assert "<button>" in text
    assert "refresh" not in text


def test_a_stranger_is_led_to_the_login_and_back(server, stopped):
    status, _, response = ask(server, "GET", f"/user/ann/agor/open/{stopped.partition('/')[2]}/site")

    assert status == 302
    assert response.getheader("Location").startswith("/user/ann/login?next=%2Fuser%2Fann%2Fagor%2Fopen%2F")
