"""A session's agent sees and steers others over MCP with its own token, and nobody else can use it."""

import asyncio
import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import httpx
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

from harness.servers import RealServer, serve, stop

AGENT = Path(__file__).with_name("curious_agent.py")
TOOLS = {
    "whoami",
    "user_list",
    "worktree_list",
    "worktree_get",
    "worktree_diff",
    "worktree_create",
    "worktree_update",
    "worktree_archive",
    "worktree_adoptable",
    "worktree_adopt",
    "kernel_get",
    "notebook_list",
    "notebook_read",
    "notebook_insert_cell",
    "notebook_edit_cell",
    "notebook_delete_cell",
    "notebook_run_cell",
    "session_list",
    "session_get",
    "session_read",
    "session_tree",
    "session_spawn",
    "session_fork",
    "session_prompt",
    "session_wait",
    "session_cancel",
    "session_update",
    "session_archive",
    "turn_list",
    "turn_get",
    "search_turns",
    "board_list",
    "board_read",
    "zone_list",
    "zone_drop",
    "firing_list",
    "schedule_list",
    "schedule_create",
    "schedule_run",
    "schedule_pause",
    "environment_get",
    "environment_start",
    "environment_stop",
    "environment_logs",
    "note_write",
    "agent_list",
    "cost_summary",
    "budget_list",
    "data_list",
    "data_reset",
}


def wait_for(condition, seconds: float = 50):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


class Scene:
    """A session whose agent holds its turn, on one board; another worktree without a board."""

    def __init__(self, server: RealServer, shown: Path) -> None:
        self.server, self.ann, self.shown = server, server.client("alice"), shown
        repository = server.folder / "root" / "repo"
        repository.mkdir()
        for argv in (
            ["init", "-q", "-b", "main"],
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "1"],
        ):
            subprocess.run(["git", *argv], cwd=repository, check=True)
        repo = self.ann.post("repos", {"path": str(repository)})
        self.ann.post("boards", {"path": "team.agor"})
        self.worktree = self._worktree(repo["id"], "own", "team.agor")
        self.other = self._worktree(repo["id"], "other", None)
        self.foreign = self.ann.post("sessions", {"worktreeId": self.other["id"], "agent": "script"})
        self.hold()

    def hold(self) -> None:
        """A further session; its agent's tools are used from now on."""
        self.shown.unlink(missing_ok=True)
        self.session = self.ann.post("sessions", {"worktreeId": self.worktree["id"], "agent": "curious", "prompt": "hold"})
        [given] = json.loads(wait_for(lambda: self.shown.exists() and self.shown.read_text()))
        self.url, self.token = given["url"], given["headers"][0]["value"].removeprefix("Bearer ")

    def _worktree(self, repo: str, name: str, board: str | None) -> dict:
        made = self.ann.post("worktrees", {"repo": repo, "name": name, "board": board})
        return wait_for(lambda: (found := self.ann.get(f"worktrees/{made['id']}"))["state"] == "ready" and found)

    def post(self, token: str | None, **headers: str) -> int:
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection.request("POST", parts.path + (f"?token={headers.pop('query')}" if "query" in headers else ""), body, sent)
        status = connection.getresponse().status
        connection.close()
        return status

    def use(self, *calls: tuple[str, dict]) -> list:
        """Call tools as a real MCP client; each answer as `(is_error, value)`. Without a call: the tools' names."""

        async def run() -> list:
            async with (
                httpx.AsyncClient(headers={"Authorization": f"Bearer {self.token}"}, timeout=60) as web,
                streamable_http_client(self.url, http_client=web) as streams,
                ClientSession(streams[0], streams[1]) as client,
            ):
                await client.initialize()
                if not calls:
                    return [tool.name for tool in (await client.list_tools()).tools]
                answers = []
                for name, arguments in calls:
                    result = (await client.call_tool(name, arguments)).model_dump(by_alias=True)
                    text = result["content"][0]["text"]
                    answers.append((result["isError"], text if result["isError"] else json.loads(text)))
                return answers

        return asyncio.run(run())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory):
    folder, shown = tmp_path_factory.mktemp("mcp"), tmp_path_factory.mktemp("shown")
    agents = [
        {"name": "curious", "label": "Curious", "icon": "ag-script", "command": [sys.executable, str(AGENT), str(shown / "shown.json")]}
    ]
    options = {"agents": agents, "idle_timeout_s": 0, "sandbox_write": [str(shown)]}
    process, server = serve(folder, AGOR_TEST_CONFIG=json.dumps(options))
    yield Scene(server, shown / "shown.json")
    stop(process)


def test_an_agent_finds_tools_but_none_that_answers_permissions(scene):
    names = set(scene.use())

    assert names == TOOLS
    assert not [name for name in names if "permission" in name or "answer" in name]


def test_an_agent_starts_another_and_waits_for_it(scene):
    [(failed, spawned)] = scene.use(("session_spawn", {"prompt": "```sh\necho from-below\n```", "agent": "script"}))
    assert not failed
    question = wait_for(lambda: [one for one in scene.ann.get("permissions") if one["sessionId"] == spawned["id"]])[0]
    scene.ann.post(f"permissions/{question['id']}/answer", {"optionId": question["options"][0]["id"]})

    [(failed, waited), (_, read)] = scene.use(
        ("session_wait", {"session_id": spawned["id"], "timeout_s": 20}), ("session_read", {"session_id": spawned["id"]})
    )

    assert not failed
    assert waited["last_turn"]["state"] == "done"
    assert any("from-below" in json.dumps(entry) for entry in read["items"])
    session = scene.ann.get(f"sessions/{spawned['id']}")
    assert session["parentId"] == scene.session["id"]
    assert session["createdBy"]["username"] == f"agent:{scene.session['id']}"


def test_another_board_does_not_exist_for_it(scene):
    foreign = scene.foreign["id"]
    answers = scene.use(
        ("session_read", {"session_id": foreign}),
        ("session_prompt", {"session_id": foreign, "prompt": "x"}),
        ("session_spawn", {"prompt": "x", "agent": "script", "worktree_id": scene.other["id"]}),
        ("session_list", {}),
        ("search_turns", {"words": "script", "archived": True}),
        ("search_turns", {"words": "script", "worktree_id": scene.other["id"]}),
    )

    assert all(failed and "does not exist" in text for failed, text in answers[:3])
    assert foreign not in json.dumps(answers[3:])
    assert scene.ann.get("search", q="script", worktree=scene.other["id"])["items"][0]["sessionId"] == foreign
    assert answers[5] == (False, {"hits": [], "next": None})


def test_it_finds_what_was_said_on_its_board(scene):
    [(failed, found)] = scene.use(("search_turns", {"words": "hol*"}))

    assert not failed
    assert scene.session["id"] in [hit["session_id"] for hit in found["hits"]]
    assert found["hits"][0]["snippet"] == "**hold**"


def test_it_may_not_prompt_itself(scene):
    [(failed, text)] = scene.use(("session_prompt", {"session_id": scene.session["id"], "prompt": "again"}))

    assert failed
    assert "did not spawn" in text


def test_a_tree_has_at_most_eight_children(scene):
    scene.hold()
    calls = [("session_spawn", {"prompt": "```sh\ntrue\n```", "agent": "script"})] * 9

    answers = scene.use(*calls)

    assert answers[-1][0]
    assert "at most 8" in answers[-1][1]
    scene.hold()


@pytest.mark.parametrize("token", ["wrong", "alice-token", "f" * 32])
def test_any_other_token_is_refused(scene, token):
    assert scene.post(token) == 401


def test_what_is_no_token_of_an_agent_is_refused(scene):
    assert scene.post(None) == 401
    assert scene.post(None, Authorization="token alice-token") == 401


def test_a_page_and_a_foreign_host_are_refused(scene):
    assert scene.post(scene.token, Origin="http://evil.example") == 403
    assert scene.post(scene.token, Host="evil.example") == 403


def test_the_token_is_nowhere_but_with_the_agent(scene):
    token = scene.token.encode()
    for path in [*(scene.server.folder / "data").rglob("*"), scene.server.log]:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # the server works on
            assert token not in path.read_bytes()
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        for file in ("cmdline", "environ"):
            try:
                assert token not in Path(f"/proc/{pid}/{file}").read_bytes()
            except OSError:
                continue


def test_the_token_dies_with_the_run(scene):
    scene.hold()
    assert scene.post(scene.token) == 200

    scene.ann.post(f"sessions/{scene.session['id']}/cancel", {})

    wait_for(lambda: scene.post(scene.token) == 401)
    database = sqlite3.connect(f"file:{scene.server.folder}/data/agor.db?mode=ro", uri=True)
    assert database.execute("select count(*) from grants where session_id = ?", [scene.session["id"]]).fetchone() == (0,)
    database.close()
    scene.hold()
