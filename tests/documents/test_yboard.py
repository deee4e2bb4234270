import asyncio
import json
import subprocess
import sys

import pytest
from jupyter_ydoc import ydocs
from pycrdt import Array, Doc, Map, Text

from agor_jupyter.documents import boards

CARD = {"kind": "card", "x": 10, "y": 20, "worktree": "wt_1", "repo": "shop", "branch": "fix"}
NOTE = {"kind": "note", "x": 5, "y": 5, "width": 264, "height": 120, "text": "hello", "color": ""}
MARKERS = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"


def text(meta=None, **objects):
    return boards.write(meta or {}, objects)


@pytest.fixture
def board():
    return ydocs["agor-board"]()


def objects_of(board):
    return json.loads(board.get())["objects"]


def saved(board):
    """What a server does: get, write, then say that it is clean."""
    content = board.get()
    board.dirty = False
    return content


@pytest.mark.parametrize(
    "first", ["jupyter_ydoc", "agor_jupyter.documents", "agor_jupyter.documents.yboard", "agor_jupyter.documents.boards"]
)
def test_the_modules_may_be_imported_in_any_order(first):
    code = f"import {first}; from jupyter_ydoc import ydocs; from agor_jupyter.documents.yboard import YBoard; assert ydocs['agor-board'] is YBoard"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_was_set_is_got(board):
    content = text({"title": "Shop"}, a=CARD, b=NOTE, c="odd", d={"kind": 1, "deep": {"list": [1, {"x": 2.5}]}})

    board.set(content)

    assert board.get() == content


def test_an_edit_on_disk_and_one_in_the_room_both_survive(board):
    board.set(text(a=CARD, b=NOTE))
    board.edit({"a": {"x": 99}, "room": NOTE})
    board.get()  # the server asks for the content before it notices the change on disk

    board.set(text(a={**CARD, "y": 77}, disk=CARD))

    assert objects_of(board) == {"a": {**CARD, "x": 99, "y": 77}, "room": NOTE, "disk": CARD}


def test_the_same_field_changed_on_both_sides_is_as_on_disk(board):
    board.set(text(a=CARD))
    board.edit({"a": {"x": 1}})

    board.set(text(a={**CARD, "x": 2}))

    assert objects_of(board)["a"]["x"] == 2


def test_a_saved_edit_is_the_new_base(board):
    board.set(text(a=CARD))
    board.edit({"b": NOTE})
    saved(board)

    board.set(text(a=CARD))

    assert objects_of(board) == {"a": CARD}


def test_a_file_with_merge_markers_is_left_as_it_is_until_it_is_repaired(board):
    board.set(text(a=CARD))
    saved(board)

    board.set(MARKERS)
    board.edit({"b": NOTE})

    assert saved(board) == MARKERS
    assert "merge marker" in board.problem
    board.set(text(a={**CARD, "x": 5}))
    assert board.problem is None
    assert objects_of(board) == {"a": {**CARD, "x": 5}, "b": NOTE}


def load_as_jupyter_collaboration_does(content):
    source = ydocs["agor-board"](Doc(client_id=0))
    source.set(content)
    board = ydocs["agor-board"](Doc())
    board.path = "x.agor"
    board.ydoc.apply_update(source.ydoc.get_update())
    return board


def test_a_room_knows_its_base_when_the_content_came_as_an_update():
    board = load_as_jupyter_collaboration_does(text(a=CARD, b=NOTE))
    board.edit({"a": {"x": 99}})
    board.get()

    board.set(text(a={**CARD, "y": 77}))

    assert objects_of(board) == {"a": {**CARD, "x": 99, "y": 77}}


def test_a_file_that_is_broken_at_the_first_load_is_left_alone():
    board = load_as_jupyter_collaboration_does(MARKERS)
    board.edit({"b": NOTE})

    assert saved(board) == MARKERS
    assert board.problem
    board.set(text(a=CARD))
    assert objects_of(board) == {"a": CARD, "b": NOTE}


def test_the_same_file_always_makes_the_same_history():
    updates = set()
    for _ in range(2):
        source = ydocs["agor-board"](Doc(client_id=0))
        source.set(text({"title": "Shop"}, a=CARD, b=NOTE, c=CARD))
        updates.add(source.ydoc.get_update())

    assert len(updates) == 1


def test_a_room_from_the_history_store_takes_what_is_on_disk(board):
    board.set(text(a=CARD, b=NOTE))
    stored = ydocs["agor-board"](Doc())
    stored.ydoc.apply_update(board.ydoc.get_update())
    stored.get()

    stored.set(text(a=CARD))

    assert objects_of(stored) == {"a": CARD}


async def test_a_merge_that_leaves_unsaved_edits_asks_for_a_save(board):
    board.set(text(a=CARD))
    saved(board)
    board.edit({"b": NOTE})
    board.set(text(a={**CARD, "x": 1}))
    board.dirty = False

    async with asyncio.timeout(50):
        while not board.dirty:
            await asyncio.sleep(0.01)


def test_whatever_a_client_puts_in_can_be_written_and_read(board):
    board.set(text(a=CARD))
    objects = board.ydoc.get("objects", type=Map)
    objects["text"] = Text("hi")
    objects["list"] = Array([1, Map({"a": 1})])
    objects["bytes"] = b"\x00\xff"
    objects["doc"] = Doc()
    objects["nan"] = Map({**CARD, "x": float("nan")})
    objects["inf"] = Map({**CARD, "y": float("inf")})
    objects["big"] = 2**60
    deep = {}
    for _ in range(200):
        deep = {"d": deep}
    objects["deep"] = deep

    content = board.get()
    view = board.view()

    assert list(view.objects) == ["a"]
    assert len(view.problems) == 8
    json.loads(content)


def test_a_cleared_document_is_an_empty_board(board):
    board.set(text(a=CARD, b=NOTE))
    board.ydoc.get("objects", type=Map).clear()
    board.ydoc.get("meta", type=Map).clear()

    assert objects_of(board) == {}
    assert board.view().objects == {}


def test_reading_follows_every_kind_of_change(board):
    board.set(text(a=CARD))
    board.get()

    board.edit({"b": NOTE})
    board.edit({"b": {"text": "changed"}, "c": CARD})
    board.edit({"a": None})
    board.ydoc.get("objects", type=Map)["c"] = Map(NOTE)

    assert objects_of(board) == {"b": {**NOTE, "text": "changed"}, "c": NOTE}


def test_an_unreadable_number_or_text_does_not_reach_the_shared_document(board):
    for bad in ('{"objects": {"a": {"x": 99999999999999999999}}}', '{"objects": {"a": {"t": "\\ud800"}}}', "x" * (60 * 2**20)):
        board.set(bad)

        assert board.get() == bad
        assert board.problem
