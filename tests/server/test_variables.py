"""The canary: a variable's value is in no answer, no event of the stream, no log and no file of the database, whatever agents do with it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.client.stream import Stream
from agor_jupyter.domain import errors
from agor_jupyter.server.routes import ROUTES
from harness.servers import serve, stop
from tests import leaks

LEAKING = Path(__file__).parents[1] / "leaking_agent.py"
CANARY = "canary/?+&-" + "0123456789abcdef" * 6
SCRIPT = """```sh
echo "$CANARY"; echo "$CANARY" >&2; printf "user:%s" "$CANARY" | base64; env | base64
python3 -c 'import os, urllib.parse; print(urllib.parse.quote(os.environ["CANARY"], safe=""))'
echo "KEY=$CANARY" > plain; env | base64 > encoded
git add plain; git -c user.name=t -c user.email=t@t commit -qm "use it"
```
```sh
exit 3 # $CANARY
```"""
PLACES = ("text", "tool", "permission", "garbage", "error", "rejection", "stop", "mode", "exit")


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    agent = {"name": "leaking", "label": "Leaking", "icon": "x", "command": [sys.executable, "-I", "-S", str(LEAKING)]}
    folder = tmp_path_factory.mktemp("leaky")
    process, found = serve(folder, "--debug", AGOR_TEST_CONFIG=json.dumps({"agents": [agent]}))
    yield found
    stop(process)


@pytest.fixture(scope="module")
def worktree(leaky):
    repository = leaky.folder / "root" / "repo"
    repository.mkdir()
    for argv in (["init", "-q", "-b", "main"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "1"]):
        subprocess.run(["git", *argv], cwd=repository, check=True)
    bob = leaky.client("bob")
    repo = leaky.client("alice").post("repos", {"path": str(repository)})
    leaky.client("alice").post("boards", {"path": "team.agor"})
    made = bob.post("worktrees", {"repo": repo["id"], "name": "fix", "board": "team.agor"})
    while made["state"] == "creating":
        time.sleep(0.05)
        made = bob.get(f"worktrees/{made['id']}")
    return made


def finish(server, turn):
    """Allow all that is asked, until the turn has ended."""
    until = time.monotonic() + 60
    while turn["state"] not in ("done", "failed"):
        assert time.monotonic() < until, turn
        for question in server.client("alice").get("permissions"):
            server.client("alice").post(f"permissions/{question['id']}/answer", {"optionId": question["options"][0]["id"]})
        time.sleep(0.05)
        turn = server.client("alice").get(f"turns/{turn['id']}")
    return turn


async def test_the_canary_is_nowhere(leaky, worktree):
    alice, bob = leaky.client("alice"), leaky.client("bob")
    answers = [bob.patch("variables/CANARY", {"value": CANARY})]
    sessions = {agent: bob.post("sessions", {"worktreeId": worktree["id"], "agent": agent}) for agent in ("script", "leaking")}

    turns = [finish(leaky, bob.post(f"sessions/{sessions['script']['id']}/prompt", {"text": SCRIPT}))]
    for place in PLACES:
        turns.append(finish(leaky, bob.post(f"sessions/{sessions['leaking']['id']}/prompt", {"text": place})))
    [refused] = [_refused(lambda: bob.patch("variables/CANARY", {"value": [CANARY]}))]
    answers += [refused, _refused(lambda: bob.patch("variables/PATH", {"value": CANARY}))]

    assert [turn["state"] for turn in turns[:4]] == ["failed", "done", "done", "done"]
    known = {"worktree": worktree["id"], "repo": worktree["repoId"], "agent": "leaking"}
    for turn in turns:
        about = known | {"turn": turn["id"], "session": turn["sessionId"]}
        answers += [_read(alice, route.path, about) for route in ROUTES if _is_read(route)]
    async with Stream(leaky.url, "carol-token", after=0) as stream:
        count = 0
        async for event in stream:
            answers.append(event.model_dump(mode="json"))
            count += event.body.kind == "turn_ended"
            if count == len(turns):
                break
    said = json.dumps(answers)
    assert said.count("[CANARY]") > 100
    assert leaks.traces(CANARY, said.encode()) == []
    assert leaks.traces(CANARY, leaky.log.read_bytes()) == []
    assert leaks.in_database(CANARY, leaky.folder / "data") == []
    assert CANARY in (Path(worktree["path"]) / "plain").read_text()


def _refused(call):
    with pytest.raises((errors.Invalid, errors.NotFound)) as caught:
        call()
    return {"message": str(caught.value), "details": dict(caught.value.details)}


_NOTHING_THERE = ("/take", "/issue", "/pull-request", "/environment", "/environment/logs", "/environment/logs/download")
"""Nothing is kept of the worktree, it has no links, and nothing runs in it."""


def _read(client, route, known):
    path, query = _fill(route, known), _query(route)
    return _refused(lambda: client.get(path, **query)) if route.endswith(_NOTHING_THERE) else client.get(path, **query)


def _is_read(route):
    return "GET" in route.methods and set(route.parameters) <= {"worktree", "repo", "agent", "turn", "session"} and "room" not in route.path


def _fill(path, known):
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    return path.removeprefix("api/")


def _query(path):
    if path == "api/search":
        return {"q": "CANARY", "archived": 1, "limit": 100}
    if path == "api/slots":
        return {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    return {"path": "team.agor"} if path.startswith("api/board") and path != "api/boards" else {}


def test_each_person_has_their_own_and_sees_only_names(leaky):
    alice, bob, carol = map(leaky.client, ("alice", "bob", "carol"))
    alice.patch("variables/MINE", {"value": "a-value-of-alice"})
    bob.patch("variables/MINE", {"value": "a-value-of-bob"})

    assert carol.get("variables") == []
    assert [one["name"] for one in alice.get("variables")] == ["MINE"]
    assert alice.get("variables")[0].keys() == {"username", "name", "updatedAt"}
    assert alice.delete("variables/MINE") is None
    assert "MINE" in [one["name"] for one in bob.get("variables")]
    with pytest.raises(errors.VariableNotFound):
        alice.delete("variables/MINE")
    with pytest.raises(errors.NotAllowed):
        carol.patch("variables/MINE", {"value": "a-value-of-carol"})
    with pytest.raises(errors.BadName):
        alice.patch("variables/LD_PRELOAD", {"value": "/tmp/evil.so"})
