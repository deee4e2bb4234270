import asyncio
import json
import os
from datetime import UTC, datetime

import pytest
from jupyter_ydoc import ydocs

from agor_jupyter.documents import boards as documents
from agor_jupyter.documents.placement import box
from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Board, BoardOpen, NoteAdd, ObjectMove, ZoneAdd
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.storage import tables
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import Store, sqlite_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN = Person(username="ann", name="Ann")
STEERER, VIEWER = Caller(person=ANN, role=Role.STEERER), Caller(person=ANN, role=Role.VIEWER)
MARKERS = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"


class OpenRooms:
    """Every board is open in a room, which loads and saves at once."""

    def __init__(self, root):
        self.root, self.documents = root, {}

    async def get_document(self, path):
        if path not in self.documents:
            if not (self.root / path).exists():
                return None
            document = ydocs["agor-board"]()
            document.set((self.root / path).read_text())
            self.documents[path] = document
        return self.documents[path]

    def info(self, path):
        raise NotImplementedError


@pytest.fixture
async def store(tmp_path):
    url = sqlite_url(tmp_path / "agor.db")
    await asyncio.to_thread(migrate, url)
    store = Store(url)
    store.start()
    yield store
    await asyncio.to_thread(store.close)


@pytest.fixture(params=["file", "room"])
def boards(request, store, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    config = Config(data_dir=tmp_path, root_dir=root, allowed_roots=())
    return Boards(config, Clock(), store, OpenRooms(root) if request.param == "room" else None)


def worktree(number, board="b.agor", state=WorktreeState.READY):
    return Worktree(
        id=f"wt_{number}",
        repo_id="re_1",
        repo="shop",
        name=f"fix-{number}",
        branch=f"fix-{number}",
        path=f"/w/{number}",
        base_ref="main",
        base_sha="a" * 40,
        board=board,
        state=state,
        created_at=NOW,
        created_by=ANN,
        updated_at=NOW,
    )


async def keep(store, *records):
    def job(transaction):
        for record in records:
            transaction.connection.execute(
                tables.worktrees.insert(),
                {
                    "id": record.id,
                    "repo_id": record.repo_id,
                    "name_key": record.name,
                    "board": record.board,
                    "state": record.state.value,
                    "updated_at": "2026",
                    "record": record.model_dump_json(),
                },
            )

    await store.write(job)


def overlaps(board: Board):
    boxes = [box(shown) for shown in board.objects.values()]
    return [(a, b) for n, a in enumerate(boxes) for b in boxes[:n] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def cards(board):
    return sorted(shown.worktree for shown in board.objects.values() if shown.kind == "card")


async def test_opening_makes_the_file_once(boards):
    first = await boards.open(STEERER, BoardOpen(path="team/b.agor", title="Shop"))
    second = await boards.open(VIEWER, BoardOpen(path="team/b.agor", title="Other"))

    assert first.title == second.title == "Shop"
    assert (boards._root / "team/b.agor").read_text() == documents.write({"title": "Shop"}, {})


async def test_a_viewer_makes_no_board(boards):
    with pytest.raises(errors.NotAllowed):
        await boards.open(VIEWER, BoardOpen(path="b.agor"))

    assert os.listdir(boards._root) == []


@pytest.mark.parametrize(
    "path",
    [
        "../b.agor",
        "/etc/b.agor",
        "a/../../b.agor",
        "b.txt",
        "",
        "b.agor/",
        ".b.agor",
        ".git/b.agor",
        "a\\b.agor",
        "a\0.agor",
        "a//b.agor",
        "x" * 2000 + ".agor",
        "a\n.agor",
    ],
)
async def test_a_path_that_is_none_is_refused(boards, path):
    for ask in (boards.open(STEERER, BoardOpen(path=path)), boards.get(VIEWER, path), boards.snapshot(VIEWER, path), boards.repair(path)):
        with pytest.raises(errors.BadPath):
            await ask


async def test_a_link_out_of_the_root_leads_nowhere(boards, tmp_path):
    (tmp_path / "secret.agor").write_text("{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.agor").write_text("{}")
    (boards._root / "b.agor").symlink_to(tmp_path / "secret.agor")
    (boards._root / "inside").symlink_to(tmp_path / "folder")
    os.mkfifo(boards._root / "pipe.agor")

    for path in ("b.agor", "inside/b.agor", "pipe.agor"):
        with pytest.raises(errors.BadPath):
            await boards.open(STEERER, BoardOpen(path=path))
        with pytest.raises(errors.BadPath):
            await boards.snapshot(VIEWER, path)
    assert await boards.list(VIEWER) == []


async def test_worktrees_placed_at_once_do_not_overlap(boards):
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    await boards.add_zone(STEERER, "b.agor", ZoneAdd(name="Review"), "k1")
    await boards.add_note(STEERER, "b.agor", NoteAdd(text="Hello"), "k2")

    await asyncio.gather(*(boards.place(worktree(n)) for n in range(30)))

    board = await boards.get(VIEWER, "b.agor")
    assert len(cards(board)) == 30
    assert overlaps(board) == []


async def test_a_worktree_placed_on_a_taken_place_goes_below(boards):
    await boards.open(STEERER, BoardOpen(path="b.agor"))

    for n in range(3):
        await boards.place(worktree(n), 100, 50)

    board = await boards.get(VIEWER, "b.agor")
    assert {shown.x for shown in board.objects.values()} == {100}
    assert overlaps(board) == []


async def test_a_command_sent_again_adds_nothing(boards):
    await boards.open(STEERER, BoardOpen(path="b.agor"))

    entries = [await boards.add_zone(STEERER, "b.agor", ZoneAdd(name="Review"), "same") for _ in range(3)]

    assert entries[0] == entries[1] == entries[2]
    assert len((await boards.get(VIEWER, "b.agor")).objects) == 1
    with pytest.raises(errors.KeyReused):
        await boards.add_zone(STEERER, "b.agor", ZoneAdd(name="Other"), "same")
    assert len((await boards.get(VIEWER, "b.agor")).objects) == 1


async def test_objects_move_and_go(boards):
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    zone = await boards.add_zone(STEERER, "b.agor", ZoneAdd(name="Review", x=3, y=4), "k")

    moved = await boards.move(STEERER, "b.agor", zone.id, ObjectMove(x=50.4, y=-20, width=400))
    assert (moved.object.x, moved.object.y, moved.object.width, moved.object.height) == (50, -20, 400, 560)

    await boards.remove(STEERER, "b.agor", zone.id)
    await boards.remove(STEERER, "b.agor", zone.id)
    assert (await boards.get(VIEWER, "b.agor")).objects == {}
    with pytest.raises(errors.ObjectNotFound):
        await boards.move(STEERER, "b.agor", zone.id, ObjectMove(x=0, y=0))


async def test_a_viewer_changes_nothing(boards):
    await boards.open(STEERER, BoardOpen(path="b.agor"))

    for ask in (
        boards.add_zone(VIEWER, "b.agor", ZoneAdd(name="Z"), "k"),
        boards.add_note(VIEWER, "b.agor", NoteAdd(text="n"), "k"),
        boards.move(VIEWER, "b.agor", "ob_1", ObjectMove(x=0, y=0)),
        boards.remove(VIEWER, "b.agor", "ob_1"),
    ):
        with pytest.raises(errors.NotAllowed):
            await ask


async def test_a_lost_card_is_put_back_and_a_double_one_goes(boards, store):
    await keep(store, worktree(1), worktree(2), worktree(3, state=WorktreeState.ARCHIVED), worktree(4, board="other.agor"))
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    assert cards(await boards.get(VIEWER, "b.agor")) == ["wt_1", "wt_2"]
    twin = {"kind": "card", "x": 900, "y": 900, "worktree": "wt_1", "repo": "shop", "branch": "x"}
    gone = {**twin, "worktree": "wt_gone"}
    kept = next(key for key, shown in (await boards.get(VIEWER, "b.agor")).objects.items() if shown.worktree == "wt_1")

    await boards.edits.change(
        "b.agor", lambda view: {"zz": twin, "zy": gone, **{key: None for key, shown in view.objects.items() if shown.worktree == "wt_2"}}
    )
    await boards.snapshot(VIEWER, "b.agor")

    board = await boards.get(VIEWER, "b.agor")
    assert cards(board) == ["wt_1", "wt_2", "wt_gone"]
    assert kept in board.objects
    assert overlaps(board) == []


async def test_a_cleared_document_gets_its_cards_back(boards, store):
    await keep(store, *(worktree(n) for n in range(5)))
    await boards.open(STEERER, BoardOpen(path="b.agor"))

    await boards.edits.change("b.agor", lambda view: dict.fromkeys(view.objects))
    await boards.repair("b.agor")

    assert len(cards(await boards.get(VIEWER, "b.agor"))) == 5


async def test_a_deleted_file_comes_back_with_its_cards(boards, store):
    await keep(store, worktree(1))

    await boards.snapshot(VIEWER, "b.agor")

    assert cards(await boards.get(VIEWER, "b.agor")) == ["wt_1"]
    with pytest.raises(errors.BoardNotFound):
        await boards.snapshot(VIEWER, "never.agor")
    assert not (boards._root / "never.agor").exists()


@pytest.mark.parametrize(
    "content",
    [
        MARKERS,
        '{"agor": 2}',
        "[1, 2]",
        '{"objects": 5}',
        "\x00\x01",
        "x" * (9 << 20),
        '{"agor":1,"objects":{"a":{"x":99999999999999999999}}}',
    ],
)
async def test_a_file_that_cannot_be_read_is_left_alone_and_says_why(boards, store, content):
    await keep(store, worktree(1))
    file = boards._root / "b.agor"
    file.write_text(content)

    board = await boards.get(VIEWER, "b.agor")
    snapshot = json.loads(await boards.snapshot(VIEWER, "b.agor"))
    await boards.place(worktree(2))
    with pytest.raises(errors.BadDocument):
        await boards.add_zone(STEERER, "b.agor", ZoneAdd(name="Z"), "k")

    assert board.objects == {}
    assert "cannot be read" in board.problems[0].text
    assert len(snapshot["worktrees"]) == 1
    assert file.read_text() == content


async def test_a_file_that_is_no_text_says_so(boards):
    if not isinstance(boards.rooms, OpenRooms):
        (boards._root / "b.agor").write_bytes(b"\xff\xfe\x00")

        board = await boards.get(VIEWER, "b.agor")

        assert "UTF-8" in board.problems[0].text


async def test_broken_objects_are_named_and_kept(boards):
    file = boards._root / "b.agor"
    file.write_text(documents.write({}, {"bad": {"kind": "card", "x": float("nan")}, "odd": "text"}))

    await boards.add_note(STEERER, "b.agor", NoteAdd(text="n"), "k")
    board = await boards.get(VIEWER, "b.agor")

    assert len(board.objects) == 1
    assert sorted(problem.object_id for problem in board.problems) == ["bad", "odd"]
    if not isinstance(boards.rooms, OpenRooms):
        assert set(json.loads(file.read_text())["objects"]) > {"bad", "odd"}
        assert len((await boards.list(VIEWER))[0].problems) == 2


async def test_a_removed_worktree_takes_its_card_along(boards, store):
    await keep(store, worktree(1))
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    card = next(iter((await boards.get(VIEWER, "b.agor")).objects))
    with pytest.raises(errors.CardInUse):
        await boards.remove(STEERER, "b.agor", card)

    await boards.take("b.agor", "wt_1")

    assert (await boards.get(VIEWER, "b.agor")).objects == {}


async def test_marking_refreshes_the_card_where_it_is(boards, store):
    await keep(store, worktree(1))
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    before = next(iter((await boards.get(VIEWER, "b.agor")).objects.values()))

    await boards.mark(worktree(1).replace(name="renamed"))

    after = list((await boards.get(VIEWER, "b.agor")).objects.values())
    assert after == [before.replace(title="renamed")]


async def test_a_cut_off_edit_on_disk_is_not_lost(boards, tmp_path):
    """An editor saves between our reading and our writing."""
    if isinstance(boards.rooms, OpenRooms):
        return
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    file, calls = boards._root / "b.agor", []

    def plan(_view):
        if not calls:
            file.write_text(documents.write({"title": "Theirs"}, {}))
        calls.append(1)
        return {"n": {"kind": "note", "x": 0, "y": 0, "text": "ours"}}

    await boards.edits.change("b.agor", plan)

    board = await boards.get(VIEWER, "b.agor")
    assert (board.meta.title, list(board.objects), len(calls)) == ("Theirs", ["n"], 2)
    assert os.listdir(boards._root) == ["b.agor"]


async def test_the_list_has_the_boards_of_worktrees_and_of_the_root(boards, store):
    await keep(store, worktree(1, board="deep/er.agor"))
    for name in ("a.agor", "b.agor", ".hidden.agor", "c.txt"):
        (boards._root / name).write_text("")

    assert [info.path for info in await boards.list(VIEWER)] == ["a.agor", "b.agor", "deep/er.agor"]


async def test_a_board_whose_file_was_taken_away_comes_back_as_somebody_has_it_open(store, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    boards = Boards(Config(data_dir=tmp_path, root_dir=root, allowed_roots=()), Clock(), store, OpenRooms(root))
    await boards.open(STEERER, BoardOpen(path="team.agor", title="Team"))
    note = await boards.add_note(STEERER, "team.agor", NoteAdd(text="Keep me"), "k1")
    (root / "team.agor").unlink()

    made = await boards.open(STEERER, BoardOpen(path="team.agor"))

    assert made.object_count == 1
    assert json.loads((root / "team.agor").read_text())["objects"][note.id]["text"] == "Keep me"
