"""The board's tools are there at an agent's very first call, also when the server has only just begun to start. The server is real."""

import http.client
import json
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest

from agor_jupyter.client import Client
from agor_jupyter.domain.errors import AgorError
from harness.servers import serve, stop
from tests.mcp.test_mcp import TOOLS, wait_for

AGENT = Path(__file__).with_name("eager_agent.py")

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def shown(tmp_path):
    (tmp_path / "shown").mkdir()
    return tmp_path / "shown" / "tools.json"


@pytest.fixture
def options(shown):
    agents = [{"name": "eager", "label": "Eager", "icon": "ag-script", "command": [sys.executable, str(AGENT), str(shown)]}]
    return json.dumps({"agents": agents, "sandbox_write": [str(shown.parent)]})


@pytest.fixture
def run(tmp_path, options):
    """Starts the server, always on the same data, and ends it whatever happens."""
    started = []

    def start(**environment):
        process, server = serve(tmp_path, AGOR_TEST_CONFIG=options, **environment)
        started.append(process)
        return process, server

    yield start
    for process in started:
        if process.poll() is None:
            stop(process)
        else:
            process.stdin.close()
            process.stdout.close()


def worktree_of(server) -> str:
    repository = server.folder / "root" / "repo"
    repository.mkdir()
    who = ("-c", "user.name=t", "-c", "user.email=t@t")
    for argv in (["init", "-q", "-b", "main"], [*who, "commit", "-q", "--allow-empty", "-m", "1"]):
        subprocess.run(["git", *argv], cwd=repository, check=True)
    ann = server.client("alice")
    ann.post("boards", {"path": "team.agor"})
    repo = ann.post("repos", {"path": str(repository)})
    made = ann.post("worktrees", {"repo": repo["id"], "name": "fix", "board": "team.agor"})
    wait_for(lambda: ann.get(f"worktrees/{made['id']}")["state"] == "ready")
    return made["id"]


def test_an_agent_that_starts_with_the_server_has_all_tools_at_its_first_call(run, shown):
    """Its prompt was stored, and then the server died; so it is the first thing that the next one does."""
    process, server = run(AGOR_CRASH_AT="prompt.after_commit")
    body = {"worktreeId": worktree_of(server), "agent": "eager", "prompt": "Look at the board."}
    with pytest.raises(AgorError):
        Client(server.url, "alice-token", patience_s=0).post("sessions", body)
    process.wait(20)
    assert not shown.exists()

    run()  # nobody asks it anything
    [found] = json.loads(wait_for(lambda: shown.exists() and shown.read_text(), 60))

    assert (found["status"], set(found["tools"])) == (200, TOOLS), found


def test_a_client_that_calls_as_soon_as_the_port_is_open_has_all_tools_at_once(run, tmp_path):
    """With the token of a person, which outlives a server."""
    process, server = run()
    worktree_of(server)
    token = server.client("alice").post("tokens", {"name": "laptop", "board": "team.agor"})["secret"]
    stop(process)

    _, server = run()
    began = time.monotonic()
    status, names = list_tools(f"{server.url.rstrip('/')}/agor/mcp", token)

    assert status == 200
    assert names >= TOOLS
    assert time.monotonic() - began < 50


def list_tools(url: str, token: str) -> tuple[int, set[str]]:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": f"Bearer {token}"}
    connection.request("POST", parts.path, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith(("data: ", "{"))]
    return answer.status, {tool["name"] for tool in json.loads(lines[-1]).get("result", {}).get("tools", [])}
