"""Many at once, over HTTP: one effect, and everyone learns which."""

import http.client
import json
import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest

from agor_jupyter.domain.repos import RepoAdd


def at_once(number, work):
    answers, start = [None] * number, threading.Barrier(number)

    def run(index):
        start.wait()
        answers[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture(scope="module")
def worktree(server):
    path = server.folder / "root" / "races"
    path.mkdir()
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "test@example.org"],
        ["config", "user.name", "Test"],
        ["commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=path, check=True)
    alice = server.client("alice")
    alice.post("repos", RepoAdd(path=str(path)))
    made = alice.post("worktrees", {"repo": "races", "name": "races"})
    until(lambda: alice.get(f"worktrees/{made['id']}")["state"] == "ready")
    return made["id"]


def until(condition):
    end = time.monotonic() + 50
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.03)


def post(server, path, body, key, who="alice"):
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=50)
    headers = {"Authorization": f"token {who}-token", "Content-Type": "application/json", "Idempotency-Key": key}
    connection.request("POST", f"{parts.path}agor/api/{path}", json.dumps(body), headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def question(server, worktree):
    """A session whose agent asks, and its question."""
    alice = server.client("alice")
    session = alice.post("sessions", {"worktreeId": worktree, "agent": "script", "prompt": "```sh\necho once >> ran.txt\n```"})["id"]
    until(lambda: alice.get(f"sessions/{session}")["openPermissionId"])
    return session, alice.get(f"sessions/{session}")["openPermissionId"]


def test_of_ten_answers_at_once_one_counts_and_the_others_learn_who_was_faster(server, worktree):
    session, asked = question(server, worktree)

    answers = at_once(
        10,
        lambda index: post(server, f"permissions/{asked}/answer", {"optionId": "reject_once" if index % 2 else "allow_once", "note": f"{index}"}, f"r{index}"),
    )  # fmt: skip

    won = [answer for status, answer in answers if status == 200]
    lost = [(status, answer["error"]) for status, answer in answers if status != 200]
    assert len(won) == 1
    assert won[0]["answeredBy"]["name"] == "Alice"
    assert [status for status, _ in lost] == [409] * 9
    assert {error["code"] for _, error in lost} == {"already_answered"}
    assert {error["message"] for _, error in lost} == {f"This question is no longer open: {won[0]['state']} by Alice."}
    until(lambda: server.client("alice").get(f"sessions/{session}")["state"] in {"done", "failed", "cancelled"})
    events = server.client("carol").get(f"sessions/{session}/events")["items"]
    settled = [each["body"]["permission"] for each in events if each["body"]["kind"] == "permission_settled"]
    assert [(one["state"], one["note"], one["answeredBy"]["username"]) for one in settled] == [(won[0]["state"], won[0]["note"], "alice")]


def test_the_same_answer_ten_times_at_once_is_one_answer(server, worktree):
    session, asked = question(server, worktree)

    answers = at_once(10, lambda _: post(server, f"permissions/{asked}/answer", {"optionId": "allow_once"}, "the-same"))
    until(lambda: server.client("alice").get(f"sessions/{session}")["state"] == "done")
    late = post(server, f"permissions/{asked}/answer", {"optionId": "allow_once"}, "the-same")

    assert {status for status, _ in [*answers, late]} == {200}
    assert len({json.dumps(answer) for _, answer in [*answers, late]}) == 1


@pytest.mark.parametrize("verb", ["prompt", "create"])
def test_the_same_command_ten_times_at_once_is_done_once(server, worktree, verb):
    alice = server.client("alice")
    session = alice.post("sessions", {"worktreeId": worktree, "agent": "script"})["id"]
    path, body = {
        "prompt": (f"sessions/{session}/prompt", {"text": "Nothing to run."}),
        "create": ("sessions", {"worktreeId": worktree, "agent": "script", "title": "ten clicks"}),
    }[verb]

    answers = at_once(10, lambda _: post(server, path, body, f"ten-{verb}"))

    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(answer) for _, answer in answers}) == 1
    if verb == "prompt":
        assert len(alice.get(f"sessions/{session}/turns")) == 1
    else:
        assert [one["title"] for one in alice.get("sessions", worktree=worktree, limit=500)["items"]].count("ten clicks") == 1


def test_a_steerer_cannot_answer_and_the_question_stays(server, worktree):
    session, asked = question(server, worktree)

    answers = at_once(5, lambda index: post(server, f"permissions/{asked}/answer", {"optionId": "allow_once"}, f"bob{index}", "bob"))

    assert {status for status, _ in answers} == {403}
    assert server.client("alice").get(f"sessions/{session}")["openPermissionId"] == asked
    cancelled = server.client("bob").post(f"sessions/{session}/cancel")
    until(lambda: server.client("alice").get(f"sessions/{session}")["state"] == "cancelled")
    late = post(server, f"permissions/{asked}/answer", {"optionId": "allow_once"}, "too-late")
    assert cancelled["endedBy"]["name"] == "Bob"
    assert (late[0], late[1]["error"]["message"]) == (409, "This question is no longer open: withdrawn by Bob.")
