"""Zones over HTTP: who may bring a card, and what the same command does when it is sent again."""

import subprocess
import time

import pytest

from agor_jupyter.client.stream import Stream
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardEntry, BoardOpen, ZoneAdd
from agor_jupyter.domain.repos import Repo, RepoAdd
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.domain.zones import Firing, FiringVerdict, Gate, ZoneChange, ZoneDrop, ZoneDropped, ZonePolicy, ZonePreview

BOARD = "zones-over-http.agor"


@pytest.fixture(scope="module")
def repo(server):
    path = server.folder / "root" / "zoned"
    path.mkdir()
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "test@example.org"],
        ["config", "user.name", "Test"],
        ["commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *command], cwd=path, check=True)
    server.client("alice").post("boards", BoardOpen(path=BOARD))
    return Repo.model_validate(server.client("alice").post("repos", RepoAdd(path=str(path))))


def card(server, repo, name):
    made = server.client("alice").post("worktrees", WorktreeCreate(repo=repo.slug, name=name, board=BOARD))
    return eventually(
        lambda: Worktree.model_validate(server.client("alice").get(f"worktrees/{made['id']}")), lambda one: one.state == "ready"
    )


def zone(server, name, x, **policy):
    alice = server.client("alice")
    entry = BoardEntry.model_validate(alice.post("board/zones", ZoneAdd(name=name, x=x, y=2000), path=BOARD))
    if policy:
        change = ZoneChange(policy=ZonePolicy(**policy), allow=True)
        alice.patch(f"board/zones/{entry.id}", change, path=BOARD)
    return entry.id


def eventually(ask, is_so):
    end = time.monotonic() + 60
    while not is_so(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def firing_of(server, firing_id):
    return Firing.model_validate(server.client("carol").get(f"firings/{firing_id}"))


async def test_a_drop_fires_the_turn_runs_and_the_card_goes_on(server, repo):
    bob, worktree = server.client("bob"), card(server, repo, "goes-on")
    done = zone(server, "Done", 0)
    build = zone(
        server,
        "Build",
        400,
        prompt="```sh\necho {{ zone.name }} > out.txt\n```",
        agent="script",
        next=done,
        gates=[Gate(run="test -s out.txt")],
    )
    seen = []

    async with Stream(server.url, "carol-token") as events:
        answer = ZoneDropped.model_validate(bob.put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=build, via="canvas")))
        async for event in events:
            if event.body.kind == "firing" and event.body.firing.id == answer.firing.id:
                seen.append(event.body.firing.state.value)
            if (
                event.body.kind == "permission"
                and event.body.permission.worktree_id == worktree.id
                and event.body.permission.state == "open"
            ):
                # the block of the prompt has a name in it, so no rule could allow it beforehand
                asked = event.body.permission
                assert asked.command == "echo Build > out.txt\n"
                server.client("alice").post(f"permissions/{asked.id}/answer", {"optionId": "allow_once"})
            if seen[-1:] == ["passed"]:
                break

    assert list(dict.fromkeys(seen)) == ["waiting", "running", "verifying", "passed"]
    fired = firing_of(server, answer.firing.id)
    assert (fired.by.username, fired.via, fired.role, fired.moved_to) == ("bob", "canvas", "steerer", done)
    assert Worktree.model_validate(bob.get(f"worktrees/{worktree.id}")).zone_id == done
    shown = bob.get("board/snapshot", path=BOARD)
    assert answer.firing.id not in [one["id"] for one in shown["firings"]]


def test_the_same_drop_sent_ten_times_fires_once(server, repo):
    bob, worktree = server.client("bob"), card(server, repo, "ten-times")
    hold = zone(server, "Hold", 800, gates=[Gate(kind="function", run="check")])

    with_one_key = [bob.put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=hold), key="ten-drops") for _ in range(5)]
    with_many = [bob.put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=hold)) for _ in range(5)]

    assert {one["firing"]["id"] for one in with_one_key + with_many} == {with_one_key[0]["firing"]["id"]}
    assert {one["arrival"] for one in with_one_key + with_many} == {1}
    listed = server.client("carol").get("firings", worktree=worktree.id)
    assert len(listed) == 1
    shown = bob.get("board/snapshot", path=BOARD)
    assert [one["id"] for one in shown["firings"] if one["worktreeId"] == worktree.id] == [listed[0]["id"]]


def test_who_may_only_look_brings_no_card_and_decides_nothing(server, repo):
    carol, worktree = server.client("carol"), card(server, repo, "only-looked-at")
    hold = zone(server, "Looked at", 1200, gates=[Gate(kind="function", run="check")])

    with pytest.raises(errors.NotAllowed):
        carol.put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=hold))
    fired = server.client("bob").put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=hold))["firing"]["id"]
    for action in ("start", "approve", "reject", "retry", "withdraw"):
        with pytest.raises(errors.NotAllowed):
            carol.post(f"firings/{fired}/{action}")
    with pytest.raises(errors.NotAllowed):
        carol.post(f"firings/{fired}/verdict", FiringVerdict(gate=0, passed=True))
    with pytest.raises(errors.NotAllowed):
        carol.patch(f"board/zones/{hold}", ZoneChange(name="Mine"), path=BOARD)

    assert ZonePreview.model_validate(carol.post(f"worktrees/{worktree.id}/zone/preview", ZoneDrop(zone_id=hold))).zone_id == hold
    assert firing_of(server, fired).state == "checking" or firing_of(server, fired).state == "verifying"


def test_only_an_owner_allows_what_a_zone_runs(server, repo):
    bob = server.client("bob")
    test = zone(server, "Test", 1600)
    policy = ZonePolicy(gates=[Gate(run="pytest -q")])

    with pytest.raises(errors.NotAllowed):
        bob.patch(f"board/zones/{test}", ZoneChange(policy=policy, allow=True), path=BOARD)
    assert bob.get("rules", zone=test) == []
    bob.patch(f"board/zones/{test}", ZoneChange(policy=policy), path=BOARD)
    assert bob.get("rules", zone=test) == []
    for _ in range(2):
        server.client("alice").patch(f"board/zones/{test}", ZoneChange(policy=policy, allow=True), path=BOARD)

    [rule] = bob.get("rules", zone=test)
    assert (rule["agent"], rule["command"], rule["createdBy"]["username"]) == ("script", "pytest -q\n", "alice")


def test_a_verdict_of_a_kernel_lets_the_card_go_on(server, repo):
    bob, worktree = server.client("bob"), card(server, repo, "verdict")
    done = zone(server, "Done 2", 2000)
    hold = zone(server, "Function", 2400, gates=[Gate(kind="function", run="check")], next=done)
    fired = bob.put(f"worktrees/{worktree.id}/zone", ZoneDrop(zone_id=hold))["firing"]["id"]
    waiting = eventually(lambda: firing_of(server, fired), lambda one: one.waits_for is not None)

    assert waiting.state == "verifying"
    assert "“check”" in waiting.waits_for
    with pytest.raises(errors.FiringNotOpen):
        bob.post(f"firings/{fired}/verdict", FiringVerdict(gate=1, passed=True))
    for _ in range(2):
        bob.post(f"firings/{fired}/verdict", FiringVerdict(gate=0, passed=True), key="one-verdict")

    assert eventually(lambda: firing_of(server, fired), lambda one: one.state == "passed").moved_to == done


def test_a_board_file_says_nothing_of_a_policy_that_is_not_there(server, repo):
    plain = zone(server, "Plain", 2800)
    full = zone(server, "Full", 3200, gates=[Gate(run="true")])
    path = server.folder / "root" / BOARD

    assert "null" not in path.read_text()
    assert '"policy"' in path.read_text()
    server.client("bob").patch(f"board/zones/{full}", {"policy": None}, path=BOARD)

    text = path.read_text()
    assert "null" not in text
    assert (
        BoardEntry.model_validate({"id": full, "object": server.client("bob").get("board", path=BOARD)["objects"][full]}).object.policy
        is None
    )
    assert plain in text
