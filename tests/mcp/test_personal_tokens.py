"""A person connects an MCP client of their own with a board, by a token: what it can do, what it cannot, and how it ends."""

import asyncio
import contextlib
import json
import subprocess
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

import agor_jupyter as agor
from agor_jupyter.domain import errors
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.tokens import TokenCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.clock import Clock
from harness.servers import RealServer, serve, stop
from tests.mcp.test_mcp import TOOLS, wait_for

READS = {"worktree_list", "session_list", "session_read", "session_wait"}


def use(url: str, secret: str, *calls: tuple[str, dict]) -> list:
    """As a real MCP client: the tools' names without a call, else each answer as `(is_error, value)`."""

    async def run() -> list:
        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=60) as web,
            streamable_http_client(url, http_client=web) as streams,
            ClientSession(streams[0], streams[1]) as client,
        ):
            await client.initialize()
            if not calls:
                return [tool.name for tool in (await client.list_tools()).tools]
            results = [(await client.call_tool(name, arguments)).model_dump(by_alias=True) for name, arguments in calls]
        texts = [(one["isError"], one["content"][0]["text"]) for one in results]
        return [(failed, text if failed else json.loads(text)) for failed, text in texts]

    return asyncio.run(run())


def status(url: str, secret: str | None) -> httpx.Response:
    headers = {"Accept": "application/json, text/event-stream", **({"Authorization": f"Bearer {secret}"} if secret else {})}
    return httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)


@dataclass
class Team:
    server: RealServer
    worktree: dict
    elsewhere: dict

    def make(self, who: str = "alice", name: str = "laptop", **fields) -> dict:
        return self.server.client(who).post("tokens", {"name": name, "board": "team.agor", "address": self.server.url, **fields})


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory):
    process, server = serve(tmp_path_factory.mktemp("tokens"))
    ann = server.client("alice")
    repository = server.folder / "root" / "repo"
    repository.mkdir()
    commit = ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "1"]
    for argv in (["init", "-q", "-b", "main"], commit):
        subprocess.run(["git", *argv], cwd=repository, check=True)
    repo = ann.post("repos", {"path": str(repository)})
    ann.post("boards", {"path": "team.agor"})
    made = [
        ann.post("worktrees", {"repo": repo["id"], "name": name, "board": board}) for name, board in (("own", "team.agor"), ("far", None))
    ]
    ready = [wait_for(lambda one=one: (at := ann.get(f"worktrees/{one['id']}"))["state"] == "ready" and at) for one in made]
    yield Team(server, *ready)
    stop(process)


def test_a_client_works_on_the_board_in_the_persons_name(team):
    made = team.make()
    assert set(use(made["url"], made["secret"])) == TOOLS

    [(_, listed), (_, created), (_, spawned)] = use(
        made["url"],
        made["secret"],
        ("worktree_list", {}),
        ("worktree_create", {"name": "By my client"}),
        ("session_spawn", {"prompt": "```sh\necho from-outside\n```", "agent": "script", "worktree_id": team.worktree["id"]}),
    )

    assert [one["name"] for one in listed["items"]] == ["own"]
    assert (created["state"], created["branch"]) == ("ready", "by-my-client")
    session = team.server.client("alice").get(f"sessions/{spawned['id']}")
    assert session["parentId"] is None
    assert (session["createdBy"]["username"], session["createdBy"]["name"]) == ("alice", "Alice through “laptop”")
    worktree = team.server.client("alice").get(f"worktrees/{created['id']}")
    assert (worktree["board"], worktree["createdBy"]["username"]) == ("team.agor", "alice")


def test_it_prompts_any_session_of_the_board_and_waits_for_it(team):
    made, ann = team.make(), team.server.client("alice")
    session = ann.post("sessions", {"worktreeId": team.worktree["id"], "agent": "script"})
    [(failed, _)] = use(made["url"], made["secret"], ("session_prompt", {"session_id": session["id"], "prompt": "```sh\ntrue\n```"}))
    assert not failed
    question = wait_for(lambda: [one for one in ann.get("permissions") if one["sessionId"] == session["id"]])[0]
    ann.post(f"permissions/{question['id']}/answer", {"optionId": question["options"][0]["id"]})

    [(_, waited)] = use(made["url"], made["secret"], ("session_wait", {"session_id": session["id"], "timeout_s": 20}))

    assert waited["last_turn"]["state"] == "done"


def test_what_is_not_on_the_board_does_not_exist_for_it(team):
    made, ann = team.make(), team.server.client("alice")
    far = ann.post("sessions", {"worktreeId": team.elsewhere["id"], "agent": "script"})

    answers = use(
        made["url"],
        made["secret"],
        ("session_read", {"session_id": far["id"]}),
        ("session_prompt", {"session_id": far["id"], "prompt": "x"}),
        ("session_spawn", {"prompt": "x", "agent": "script", "worktree_id": team.elsewhere["id"]}),
    )

    assert all(failed and "does not exist" in text for failed, text in answers)


def test_what_only_a_session_can_leave_out_it_has_to_say(team):
    made = team.make()

    [(failed, text)] = use(made["url"], made["secret"], ("session_spawn", {"prompt": "x"}))

    assert failed
    assert "agent: needed" in text
    assert "worktree_id: needed" in text


def test_it_may_do_no_more_than_its_person(team):
    made = team.make("carol")

    [(read_failed, _), (failed, text)] = use(made["url"], made["secret"], ("worktree_list", {}), ("worktree_create", {"name": "no"}))

    assert not read_failed
    assert failed
    assert "may not create a worktree" in text


def test_a_revoked_one_opens_nothing_at_once(team):
    made = team.make()
    assert status(made["url"], made["secret"]).status_code == 200

    team.server.client("alice").delete(f"tokens/{made['token']['id']}")

    refused = status(made["url"], made["secret"])
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, 'Bearer realm="agor"'),
        ("token alice-token", 'Bearer realm="agor"'),
        ("Bearer", 'Bearer realm="agor"'),
        ("Bearer agor_wrong", 'Bearer realm="agor", error="invalid_token"'),
        ("bearer alice-token", 'Bearer realm="agor", error="invalid_token"'),
    ],
)
def test_a_client_is_told_which_token_is_needed_in_the_form_of_the_standard(team, authorization, challenge):
    headers = {"Authorization": authorization} if authorization is not None else {}

    refused = httpx.post(f"{team.server.url.rstrip('/')}/agor/mcp", json={}, headers=headers)

    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, challenge)
    assert refused.json()["message"].endswith((".", "…"))


def test_it_opens_nothing_but_mcp(team):
    made = team.make()
    api = f"{team.server.url.rstrip('/')}/agor/api/sessions"

    for scheme in ("Bearer", "token"):
        assert httpx.get(api, headers={"Authorization": f"{scheme} {made['secret']}"}).status_code == 403


def test_people_see_and_revoke_their_own_and_an_owner_everybodys(team):
    made = team.make("bob", "bobs")
    bob, carol, alice = (team.server.client(name) for name in ("bob", "carol", "alice"))

    assert [one["name"] for one in bob.get("tokens")] == ["bobs"]
    assert made["token"]["id"] not in {one["id"] for one in carol.get("tokens")}
    with pytest.raises(errors.NotFound):
        carol.delete(f"tokens/{made['token']['id']}")
    assert made["token"]["id"] in {one["id"] for one in alice.get("tokens")}
    alice.delete(f"tokens/{made['token']['id']}")
    assert bob.get("tokens") == []


def test_the_secret_is_in_one_answer_and_nowhere_else(team):
    made = team.make()
    listed = team.server.client("alice").get("tokens")

    secret = made["secret"].encode()
    assert secret.decode() not in json.dumps(listed)
    for path in [*(team.server.folder / "data").rglob("*"), team.server.log]:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            assert secret not in path.read_bytes()


def test_each_client_of_the_catalogue_is_told_how(team):
    made = team.make()

    lines = {one["label"]: one["line"] for one in made["lines"]}
    assert {"Claude Code", "Codex", "Gemini CLI"} <= set(lines)
    assert all(made["secret"] in line and made["url"] in line for line in lines.values())


def test_from_a_cell(team, monkeypatch):
    monkeypatch.chdir(team.server.folder / "root")
    hub = agor.connect(team.server.url, "alice-token")

    token = hub.tokens.create("from a cell", "team.agor", days=7)

    assert token.secret not in repr(token) + token._repr_html_()  # an output is saved with the notebook
    assert status(token.url, token.secret).status_code == 200
    hub.tokens["from a cell"].revoke()
    assert status(token.url, token.secret).status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "javascript:alert(1)"},
        {"address": "http://x/$(touch y)"},
        {"address": "http://x/' ; rm -rf ~ '"},
        {"board": "../../etc/passwd"},
        {"name": ""},
        {"days": -1},
    ],
)
def test_what_makes_no_sense_or_would_be_a_command_is_refused(team, fields):
    with pytest.raises(errors.Invalid):
        team.make(**fields)


# The service alone: time, repetition, withdrawn rights


def person(name: str, role: Role = Role.OWNER) -> Caller:
    return Caller(person=Person(username=name, name=name.title()), role=role)


class Later(Clock):
    """As the clock, but for what was added."""

    added = timedelta()

    def now(self):
        return super().now() + self.added


async def make(app: Agor, caller: Caller, key: str | None = None, days: int = 90):
    request = TokenCreate(name="laptop", board="a.agor", days=days, address="http://127.0.0.1:1/")
    return await app.tokens.create(caller, request, key or uuid.uuid4().hex)


async def test_the_same_command_again_makes_no_second_token_and_only_the_last_secret_counts(agor: Agor):
    ann, key = person("ann"), uuid.uuid4().hex

    first, second = await make(agor, ann, key), await make(agor, ann, key)

    assert first.token.id == second.token.id
    assert await agor.tokens.authenticate(first.secret) is None
    assert (await agor.tokens.authenticate(second.secret)).id == second.token.id
    assert len(await agor.tokens.list(ann)) == 1


async def test_it_ends_when_it_was_said_to_and_tells_when_it_was_used(config):
    clock = Later()
    async with Agor(config, clock) as app:
        made, endless = await make(app, person("ann"), days=1), await make(app, person("ann"), days=0)
        assert (await app.tokens.authenticate(made.secret)).used_at is not None

        clock.added = timedelta(days=1, seconds=1)

        assert await app.tokens.authenticate(made.secret) is None
        assert await app.tokens.authenticate(endless.secret) is not None


async def test_a_token_never_does_more_than_when_it_was_made(agor: Agor):
    made = await make(agor, person("ben", Role.STEERER))
    token = await agor.tokens.authenticate(made.secret)

    assert agor.represent(token, Role.OWNER).caller.role is Role.STEERER
    assert agor.represent(token, Role.VIEWER).caller.role is Role.VIEWER


async def test_a_person_has_at_most_fifty(agor: Agor):
    ann = person("ann")
    for _ in range(50):
        await make(agor, ann)

    with pytest.raises(errors.BadRequest, match="at most 50"):
        await make(agor, ann)
    await make(agor, person("ben"))


def test_the_lines_run_as_they_are(tmp_path: Path):
    """Nothing that a secret or an address may hold ends the quoting."""
    from agor_jupyter.agents import claude, codex, gemini

    secret, url = "agor_" + "aZ09-_" * 7, "http://127.0.0.1:8888/user/ann/agor/mcp"
    for agent in (claude.AGENT, codex.AGENT, gemini.AGENT):
        tool = tmp_path / agent.mcp.connect.split("; ")[-1].split()[0]
        tool.write_text('#!/bin/sh\nprintf "%s\\n" "$AGOR_MCP_TOKEN" "$@"\n')
        tool.chmod(0o755)
        line = agent.mcp.connect.replace("{url}", url).replace("{token}", secret)

        said = subprocess.run(
            ["sh", "-c", line], env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True, check=True
        ).stdout

        assert url in said.splitlines()
        assert secret in said
