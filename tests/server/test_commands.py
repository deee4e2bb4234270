"""The API over a real server: commands are done once, answers are the records, and what is refused is not done."""

import sqlite3
import subprocess
import threading
import time

import pytest

from agor_jupyter.client.stream import Stream
from agor_jupyter.domain import errors
from agor_jupyter.domain.repos import Repo, RepoAdd
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.turns import ENDED
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from harness.servers import serve, stop


@pytest.fixture(scope="module")
def checkout(server):
    path = server.folder / "root" / "warehouse"
    path.mkdir()
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "test@example.org"],
        ["config", "user.name", "Test"],
        ["commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=path, check=True)
    return path


@pytest.fixture(scope="module")
def repo(server, checkout):
    return Repo.model_validate(server.client("alice").post("repos", RepoAdd(path=str(checkout))))


async def made(server, worktree_id, events):
    async for event in events:
        if event.body.kind == "worktree" and event.body.worktree.id == worktree_id and event.body.worktree.state != "creating":
            return event.body.worktree
    raise AssertionError


async def test_a_worktree_is_answered_at_once_and_the_stream_tells_when_it_is_ready(server, repo):
    alice = server.client("alice")

    async with Stream(server.url, "carol-token") as events:
        answered = Worktree.model_validate(alice.post("worktrees", WorktreeCreate(repo=repo.slug, name="fix-keys")))
        ready = await made(server, answered.id, events)

    assert answered.state == "creating"
    assert answered.created_by.username == "alice"
    assert ready.state == "ready"
    assert Worktree.model_validate(alice.get(f"worktrees/{ready.id}")).path == ready.path
    assert alice.get(f"worktrees/{ready.id}/status")["dirty"] is False
    answers = alice.post("worktrees/status", {"ids": ["wt_gone", ready.id]})
    assert answers[0]["status"] is None
    assert "does not exist" in answers[0]["reason"]
    assert answers[1]["worktreeId"] == ready.id
    assert answers[1]["status"]["branch"] == "fix-keys"
    assert alice.get(f"worktrees/{ready.id}/diff")["files"] == []
    assert ready.id in [each["id"] for each in alice.get("worktrees", repo=repo.slug)]


def test_the_same_key_ten_times_at_once_makes_one_worktree(server, repo):
    client, answers = server.client("bob"), []

    def ask():
        answers.append(client.post("worktrees", WorktreeCreate(repo=repo.slug, name="once"), key="ten-clicks")["id"])

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 10
    assert len(set(answers)) == 1


def test_the_same_key_for_another_command_is_refused(server, repo):
    client = server.client("bob")
    client.post("worktrees", WorktreeCreate(repo=repo.slug, name="first-use"), key="one-key")

    with pytest.raises(errors.KeyReused):
        client.post("worktrees", WorktreeCreate(repo=repo.slug, name="second-use"), key="one-key")


def test_an_error_of_the_service_reaches_the_client_with_its_class_and_sentence(server, repo):
    client = server.client("alice")

    with pytest.raises(errors.WorktreeNotFound, match="does not exist"):
        client.get("worktrees/wt_nothing")
    with pytest.raises(errors.RepoNotFound) as caught:
        client.post("worktrees", WorktreeCreate(repo="nowhere", name="x"))

    assert isinstance(caught.value, LookupError)
    assert caught.value.subject == "nowhere"
    assert repo.slug in caught.value.details["known"]


def test_what_is_refused_is_not_done(server, repo):
    before = server.client("alice").get("repos")

    for name in ("bob", "carol"):
        with pytest.raises(errors.NotAllowed):
            server.client(name).delete(f"repos/{repo.slug}")
    with pytest.raises(errors.NotAllowed):
        server.client("carol").post("worktrees", WorktreeCreate(repo=repo.slug, name="not-mine"))

    assert server.client("alice").get("repos") == before
    assert "not-mine" not in [each["name"] for each in server.client("carol").get("worktrees")]


def test_a_row_is_kept_of_what_was_refused(server, repo):
    with pytest.raises(errors.NotAllowed):
        server.client("carol").post("sessions/se_of-another/prompt", {"text": "rm -rf /"})

    with sqlite3.connect(f"file:{server.folder / 'data' / 'agor.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("select username, action, surface from refusals").fetchall()
    connection.close()
    assert ("carol", "POST sessions/se_of-another/prompt", "http") in rows
    listed = server.client("alice").get("refusals")
    assert ("carol", "POST sessions/se_of-another/prompt") in [(each["username"], each["action"]) for each in listed]
    assert listed == sorted(listed, key=lambda each: each["at"], reverse=True)
    assert "rm -rf" not in str(rows)


@pytest.mark.parametrize("name", ["carol", "mallory"])
def test_who_may_only_look_or_not_even_that_steers_nothing_and_a_row_is_kept_of_each_try(server, repo, name):
    alice, other = server.client("alice"), server.client(name)
    worktree = alice.post("worktrees", WorktreeCreate(repo=repo.slug, name=f"watched-{name}"))["id"]
    until = time.monotonic() + 50
    while alice.get(f"worktrees/{worktree}")["state"] == "creating":
        assert time.monotonic() < until
        time.sleep(0.05)
    session = alice.post("sessions", SessionCreate(worktree_id=worktree, agent="script", prompt="```sh\necho ran > ran.txt\n```"))["id"]
    while alice.get(f"sessions/{session}")["state"] != "needs_you":
        assert time.monotonic() < until
        time.sleep(0.05)
    [question] = [each for each in alice.get("permissions") if each["sessionId"] == session]
    waiting = alice.post(f"sessions/{session}/prompt", {"text": "next"})["id"]
    before = (alice.get(f"sessions/{session}"), alice.get(f"sessions/{session}/turns"), alice.get(f"sessions/{session}/events"))
    tries = [
        ("POST", f"sessions/{session}/prompt", {"text": "rm -rf /"}),
        ("POST", f"sessions/{session}/cancel", {}),
        ("POST", f"sessions/{session}/archive", {}),
        ("PATCH", f"sessions/{session}", {"queue": [waiting]}),
        ("POST", f"turns/{waiting}/cancel", {}),
        ("POST", f"turns/{waiting}/retry", {}),
        ("POST", f"permissions/{question['id']}/answer", {"optionId": question["options"][0]["id"]}),
        ("POST", "sessions", {"worktreeId": worktree, "agent": "script", "prompt": "rm -rf /"}),
        ("POST", f"worktrees/{worktree}/archive", {}),
        ("DELETE", f"worktrees/{worktree}", None),
    ]

    for method, path, body in tries:
        with pytest.raises(errors.NotAllowed):
            other.request(method, path, body=body, key=f"{name} {path}")

    after = (alice.get(f"sessions/{session}"), alice.get(f"sessions/{session}/turns"), alice.get(f"sessions/{session}/events"))
    assert after == before
    assert [each["id"] for each in alice.get("sessions", worktree=worktree)["items"]] == [session]
    with sqlite3.connect(f"file:{server.folder / 'data' / 'agor.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("select action, surface from refusals where username = ? order by id", (name,)).fetchall()
    connection.close()
    assert rows[-len(tries) :] == [(f"{method} {path}", "http") for method, path, _ in tries]
    alice.post(f"turns/{waiting}/cancel")
    alice.post(f"sessions/{session}/cancel")


def test_a_session_is_started_prompted_and_read(server, repo):
    bob = server.client("bob")
    worktree = bob.post("worktrees", WorktreeCreate(repo=repo.slug, name="session-home"))
    until = time.monotonic() + 50
    while bob.get(f"worktrees/{worktree['id']}")["state"] == "creating":
        assert time.monotonic() < until
        time.sleep(0.05)

    session = bob.post("sessions", SessionCreate(worktree_id=worktree["id"], agent="script", title="Look"))
    turn = bob.post(f"sessions/{session['id']}/prompt", {"text": "Nothing to run."})
    while (state := bob.get(f"turns/{turn['id']}")["state"]) not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.05)
    page = bob.get("sessions", worktree=worktree["id"], limit=10)
    transcript = bob.get(f"sessions/{session['id']}/events")

    assert state == "done"
    assert [each["id"] for each in page["items"]] == [session["id"]]
    assert page["next"] is None
    assert [each["seq"] for each in transcript["items"]] == list(range(1, transcript["lastSeq"] + 1))
    assert transcript["items"][0]["body"]["kind"] == "prompt"
    assert [each["id"] for each in bob.get(f"sessions/{session['id']}/turns")] == [turn["id"]]
    assert bob.get(f"turns/{turn['id']}/patch")["files"] == []
    assert bob.get("permissions") == []


def test_the_branches_and_agents_are_listed(server, repo):
    alice = server.client("alice")

    branches = alice.get(f"repos/{repo.slug}/branches")

    assert "main" in [each["name"] for each in branches]
    assert "script" in [each["agent"]["name"] for each in alice.get("agents")]
    assert alice.get("agents/script")["isInstalled"]


def test_a_database_of_a_newer_version_is_said_by_every_route(tmp_path):
    data = tmp_path / "data"
    process, first = serve(tmp_path, data_dir=data)
    first.client("alice").get("me")
    stop(process)
    subprocess.run(
        ["python3", "-c", f"import sqlite3; c = sqlite3.connect({str(data / 'agor.db')!r}); c.execute(\"update alembic_version set version_num = '9999'\"); c.commit()"],
        check=True,
    )  # fmt: skip

    process, second = serve(tmp_path, data_dir=data)
    said = set()
    for path in ("me", "repos", "worktrees", "sessions/se_x", "permissions", "openapi.json"):
        with pytest.raises(errors.StorageBroken) as caught:
            second.client("alice").get(path)
        said.add(str(caught.value))
    stop(process)

    assert len(said) == 1
    assert "newer" in said.pop()


def test_a_restart_is_waited_for_and_the_command_is_done_once(tmp_path):
    process, server = serve(tmp_path)
    port = server.url.split(":")[2].split("/")[0]
    client = server.client("alice")
    client.get("me")
    stop(process)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(client.get("me")))
    asking.start()

    process, again = serve(tmp_path, AGOR_TEST_PORT=port)
    asking.join(15)
    stop(process)

    assert again.url == server.url
    assert [answer["person"]["username"] for answer in answers] == ["alice"]
