"""A real Jupyter server and real clients: what gets into a board's room, and what of it reaches the disk."""

import asyncio
import json
import os
import urllib.error

import pytest
from pycrdt import Array, Doc, Map, Text, create_update_message
from websockets.exceptions import InvalidStatus

from agor_jupyter.documents import boards
from harness.room_client import Client, ask, until
from harness.rooms import RoomServer

CARD = {"kind": "card", "x": 10, "y": 20, "worktree": "wt_1", "repo": "shop", "branch": "fix"}
NOTE = {"kind": "note", "x": 5, "y": 5, "width": 264, "height": 120, "text": "hello", "color": ""}
MARKERS = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RoomServer(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def plain_server(tmp_path_factory):
    server = RoomServer(tmp_path_factory.mktemp("plain"), "--YDocExtension.disable_rtc=True")
    yield server
    server.stop()


def on_disk(file):
    """`None` in the moment in which Jupyter writes it."""
    text = file.read_text()
    return json.loads(text)["objects"] if text.endswith("}\n") else None


async def api(server, path, token, body=None, method=None):
    return await asyncio.to_thread(ask, server.base, f"agor/api/{path}", token, body, method)


async def still_serves(server):
    """Two clients share an edit and the disk gets it."""
    _, file, room = server.board()
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        alice.put("a", NOTE)
        await until(lambda: bob.plain() == {"a": NOTE})
        await until(lambda: on_disk(file) == {"a": NOTE})


async def test_two_people_share_a_board_and_the_file_has_it(server):
    await still_serves(server)


async def test_it_works_where_collaboration_on_documents_is_switched_off(plain_server):
    await still_serves(plain_server)


async def test_the_server_edits_the_live_document(server):
    path, file, room = server.board(boards.write({}, {"a": CARD}))
    async with Client(server.base, room, "alice") as alice:
        alice.put("live", {**NOTE, "x": 500})
        async with Client(server.base, room, "carol") as carol:
            await until(lambda: "live" in carol.plain())
        note = await api(server, f"board/notes?path={path}", "bob", {"text": "hello"})
        await api(server, f"board/objects/a?path={path}", "bob", {"x": 7, "y": 20}, "PATCH")

        seen = {"a": {**CARD, "x": 7}, "live": {**NOTE, "x": 500}, note["id"]: note["object"]}
        await until(lambda: alice.plain() == seen)
        await until(lambda: on_disk(file) == seen)


async def test_no_room_is_made_for_a_board_that_nobody_has_open(server):
    path, file, room = server.board()

    note = await api(server, f"board/notes?path={path}", "bob", {"text": "hello"})

    assert on_disk(file) == {note["id"]: note["object"]}
    assert room["room"] not in server.log_text()


async def test_an_edit_on_disk_and_one_in_the_room_both_survive(server):
    _, file, room = server.board(boards.write({}, {"a": CARD, "b": NOTE}))
    async with Client(server.base, room, "alice") as alice:
        await asyncio.sleep(0.3)
        file.write_text(boards.write({}, {"a": {**CARD, "y": 77}, "disk": NOTE}))
        await asyncio.sleep(0.03)
        alice.objects["a"]["x"] = 99
        alice.put("room", NOTE)

        merged = {"a": {**CARD, "x": 99, "y": 77}, "disk": NOTE, "room": NOTE}
        await until(lambda: alice.plain() == merged)
        await until(lambda: on_disk(file) == merged)


async def test_merge_markers_stay_on_disk_until_the_file_is_repaired(server):
    path, file, room = server.board(boards.write({}, {"a": CARD}))
    async with Client(server.base, room, "alice") as alice:
        await asyncio.sleep(0.3)
        file.write_text(MARKERS)
        await until(lambda: "merge marker" in str(alice.state.get("problem")))
        alice.put("room", NOTE)
        await still_serves(server)  # what was changed later, in another room, is on the disk

        assert file.read_text() == MARKERS
        assert "merge marker" in (await api(server, f"board?path={path}", "bob"))["problems"][0]["text"]
        joined = await api(server, f"board/room?path={path}", "bob")
        assert (joined["writable"], "merge marker" in joined["reason"]) == (False, True)

        file.write_text(boards.write({}, {"a": {**CARD, "x": 5}}))
        repaired = {"a": {**CARD, "x": 5}, "room": NOTE}
        await until(lambda: alice.plain() == repaired and not alice.state.get("problem"))
        await until(lambda: on_disk(file) == repaired)


@pytest.mark.parametrize("content", [MARKERS, "[]", '{"agor": 9}', "x" * (50 << 20), boards.write({}, {"a": CARD}) + ","])
async def test_a_file_that_is_broken_from_the_start_is_left_alone(server, content):
    _, file, room = server.board(content)
    async with Client(server.base, room, "alice") as alice:
        assert "cannot be read" in alice.state["problem"]
        alice.put("room", NOTE)
        alice.save(1)
        await still_serves(server)  # what was changed later, in another room, is on the disk

    assert file.read_text() == content


async def test_broken_objects_are_kept_and_named(server):
    objects = {"a": CARD, "nan": {**CARD, "x": float("nan")}, "text": "odd", "ghost": {"kind": "ghost"}}
    path, file, room = server.board(boards.write({}, objects))
    async with Client(server.base, room, "alice") as alice:
        alice.objects["a"]["x"] = 11
        await until(lambda: (on_disk(file) or objects)["a"]["x"] == 11)
        answer = await api(server, f"board?path={path}", "bob")

    assert len(answer["objects"]) == 1
    assert len(answer["problems"]) == 3
    assert file.read_text() == boards.write({}, {**objects, "a": {**CARD, "x": 11}})


async def test_whoever_may_only_read_sees_everything_and_writes_nothing(server):
    path, file, room = server.board(boards.write({}, {"a": CARD}))
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "carol") as carol:
        carol.put("carol", NOTE)
        carol.objects["a"]["x"] = 666
        carol.save(3)
        carol.set_state({"user": {"username": "carol"}, "cursor": {"x": 1, "y": 2}})
        await until(lambda: alice.users() == ["carol"])
        alice.put("alice", NOTE)
        await until(lambda: "alice" in carol.plain())
        await until(lambda: on_disk(file) == {"a": CARD, "alice": NOTE})

        assert alice.plain() == {"a": CARD, "alice": NOTE}
        assert carol.raw == []
        joined = await api(server, f"board/room?path={path}", "carol")
        assert joined == {**room, "writable": False, "reason": joined["reason"]}
        with pytest.raises(urllib.error.HTTPError, match="403"):
            await api(server, f"board/notes?path={path}", "carol", {"text": "x"})
        assert carol.closed is None


async def test_a_writer_may_save_at_once(server):
    _, _, room = server.board()
    async with Client(server.base, room, "alice") as alice:
        alice.save(7)

        answer = await until(lambda: alice.raw)
        assert b'"responseTo": 7' in answer[0]
        assert b"success" in answer[0]


async def test_a_cursor_under_another_name_is_not_shown(server):
    _, _, room = server.board()
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        bob.set_state({"user": {"username": "alice"}, "cursor": None})
        bob.set_state({"user": {"username": "bob"}, "cursor": None})
        await until(lambda: alice.users() == ["bob"])
        alice.set_state({"user": {"username": "alice"}})
        await until(lambda: bob.users() == ["alice"])

        # bob speaks with alice's client id, first to change her state and then to take it away
        bob.awareness.states[alice.awareness.client_id] = {"user": {"username": "bob"}}
        bob.awareness.meta[alice.awareness.client_id]["clock"] += 5
        for state in ('{"user":{"username":"bob"}}', "null"):
            bob._send(state_frame(alice.awareness.client_id, 50, state))
        bob.set_state({"user": {"username": "bob"}, "cursor": {"x": 5, "y": 5}})

        async with Client(server.base, room, "carol") as carol:
            alice.set_state({"user": {"username": "alice"}, "n": 2})
            await until(lambda: "alice" in carol.users())
            assert alice.awareness.states[alice.awareness.client_id]["user"]["username"] == "alice"


def state_frame(client, clock, state):
    from pycrdt import Encoder, create_awareness_message

    encoder = Encoder()
    encoder.write_var_uint(1)
    encoder.write_var_uint(client)
    encoder.write_var_uint(clock)
    encoder.write_var_string(state)
    return create_awareness_message(encoder.to_bytes())


async def test_who_comes_later_sees_the_cursors_that_are_there_and_who_goes_takes_theirs_along(server):
    _, _, room = server.board()
    async with Client(server.base, room, "alice") as alice:
        alice.set_state({"user": {"username": "alice"}})
        async with Client(server.base, room, "bob") as bob:
            await until(lambda: bob.users() == ["alice"])
            bob.set_state({"user": {"username": "bob"}})
            await until(lambda: alice.users() == ["bob"])
        await until(lambda: alice.users() == [])


async def test_a_frame_that_is_too_big_closes_the_connection_with_1009(server):
    _, file, room = server.board()
    for size in (1 << 20, 50 << 20):
        async with Client(server.base, room, "alice") as alice:
            alice.put("big", {**NOTE, "text": "x" * size})
            await until(lambda: alice.closed)
            assert alice.closed[0] in {1009, 1006}

    await still_serves(server)
    assert on_disk(file) == {}


async def test_a_flood_closes_the_connection_with_1008(server):
    _, _, room = server.board()
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        for n in range(3000):
            alice.set_state({"user": {"username": "alice"}, "cursor": {"x": n, "y": n}})
        await until(lambda: alice.closed)
        assert alice.closed[0] == 1008

        bob.put("b", NOTE)
        bob.save(1)
        await until(lambda: bob.raw)


async def test_garbage_is_dropped_without_harm(server):
    _, file, room = server.board()
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        for frame in (
            b"",
            b"\x00",
            b"\x01",
            b"\x02",
            b"\x07abc",
            b"\xff" * 100,
            b"\x00\x00\xff\xff\xff",
            b"\x00\x01",
            b"\x00\x02\x05ab",
            b"\x00\x09\x01\x00",
            b"\x00\x02\x04\xff\xff\xff\xff",
            b"\x01\x05\xff\xff\xff\xff\xff",
            b"\x01\x02\x01\x00",
            b"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x7dchat",
            b"\x02\x06delete",
            *(os.urandom(n) for n in range(2, 60)),
            *(bytes([0, 2]) + os.urandom(n) for n in range(60)),
            *(bytes([1]) + os.urandom(n) for n in range(60)),
        ):
            await alice.socket.send(frame)
        alice.put("a", NOTE)

        await until(lambda: bob.plain() == {"a": NOTE})
        await until(lambda: on_disk(file) == {"a": NOTE})
        await alice.socket.send("text")
        await until(lambda: alice.closed)
        assert alice.closed[0] == 1003


@pytest.mark.parametrize(
    "state",
    [
        '{"user":{"username":"alice"},"cursor":{"x":NaN,"y":1}}',
        '{"x":1e999}',
        "[" * 20_000,
        '"text"',
        "{",
        '{"user":"alice"}',
        '{"pad":"' + "x" * 70_000 + '"}',
    ],
)
async def test_a_state_that_a_browser_could_not_read_is_not_passed_on(server, state):
    _, _, room = server.board()
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        alice._send(state_frame(4711, 1, state))
        alice.set_state({"user": {"username": "alice"}})
        await until(lambda: bob.users() == ["alice"])

        assert 4711 not in bob.awareness.states


async def test_odd_content_does_not_stop_the_board(server):
    path, file, room = server.board(boards.write({}, {"a": CARD}))
    async with Client(server.base, room, "alice") as alice, Client(server.base, room, "bob") as bob:
        alice.put("nan", {**CARD, "x": float("nan")})
        alice.put("inf", {**CARD, "y": float("-inf")})
        alice.put("text", Text("x"))
        alice.put("list", Array([1, 2]))
        alice.put("bytes", b"\x00")
        alice.put("doc", Doc())
        alice.put("x" * 5000, NOTE)
        alice.doc.get("surprise", type=Map)["root"] = 1
        alice.put("good", NOTE)
        await until(lambda: "good" in (on_disk(file) or {}), 5)
        answer = await api(server, f"board?path={path}", "bob")
        assert len(answer["objects"]) == 2
        assert len(answer["problems"]) == 7

        alice.objects.clear()
        alice.doc.get("meta", type=Map).clear()
        await until(lambda: on_disk(file) == {}, 5)
        await until(lambda: bob.plain() == {})


@pytest.mark.timeout(120)
async def test_a_million_objects_fill_the_board_and_no_more(server):
    _, file, room = server.board()
    async with Client(server.base, room, "alice") as alice:
        doc = Doc()
        objects = doc.get("objects", type=Map)
        for chunk in range(100):  # a hundred frames of just under a megabyte: a million small objects
            before = doc.get_state()
            with doc.transaction():
                for n in range(10_000):
                    objects[f"{chunk}-{n}"] = {"kind": "note", "x": n, "y": chunk}
            frame = create_update_message(doc.get_update(before))
            assert len(frame) < 1 << 20
            await alice._try_send(frame)
            await asyncio.sleep(0.01)
            if alice.closed:
                break
        await until(lambda: alice.closed, 60)
        assert alice.closed[0] == 1009

    assert file.stat().st_size < 40 << 20
    await still_serves(server)


async def test_a_stranger_does_not_get_in(server):
    _, _, room = server.board()

    with pytest.raises(InvalidStatus) as caught:
        async with Client(server.base, room, "mallory"):
            pass

    assert caught.value.response.status_code == 403


async def test_the_snapshot_has_the_worktrees_of_the_board(server):
    path, _, _ = server.board()

    snapshot = await api(server, f"board/snapshot?path={path}", "carol")

    assert snapshot["me"]["person"]["username"] == "carol"
    assert snapshot["worktrees"] == snapshot["sessions"] == []


async def test_without_a_collaboration_server_a_board_is_read_from_its_file(tmp_path):
    off = RoomServer(tmp_path, "--ServerApp.jpserver_extensions={'agor_jupyter': True, 'jupyter_server_ydoc': False}")
    try:
        path, _, room = off.board(boards.write({"title": "Shop"}, {"a": CARD}))
        board = await api(off, f"board?path={path}", "carol")
    finally:
        off.stop()

    assert room["kind"] == "none"
    assert room["writable"] is False
    assert "jupyter-collaboration" in room["reason"]
    assert board["meta"]["title"] == "Shop"
