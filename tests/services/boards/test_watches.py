"""A board that somebody looks at: the news when its file comes or goes, by whatever hand."""

import asyncio
import json

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.boards.watches import Watches
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config
from agor_jupyter.storage.migrate import migrate
from agor_jupyter.storage.store import Store, sqlite_url

ANN = Caller(person=Person(username="ann", name="Ann"), role=Role.STEERER)


@pytest.fixture
async def store(tmp_path):
    url = sqlite_url(tmp_path / "agor.db")
    await asyncio.to_thread(migrate, url)
    store = Store(url)
    store.start()
    yield store
    await asyncio.to_thread(store.close)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def news(store):
    """What was said of boards so far: path, and whether it is there."""
    said = []

    def listen(appended):
        bodies = [json.loads(encoded)["body"] for _, encoded in appended]
        said.extend((body["path"], body["isThere"]) for body in bodies if body["kind"] == "board")

    store.listen(listen)
    return said


@pytest.fixture
async def watches(root, store):
    made = Watches(root, Clock(), store, every_s=0.02)
    yield made
    await made.close()


async def until(found):
    async with asyncio.timeout(50):
        while not found():
            await asyncio.sleep(0.01)


async def test_a_file_that_comes_and_goes_by_hand_is_told_each_time(root, watches, news):
    async with watches.watch("team.agor"):
        (root / "team.agor").write_text("")
        await until(lambda: news == [("team.agor", True)])
        (root / "team.agor").unlink()
        await until(lambda: news == [("team.agor", True), ("team.agor", False)])


async def test_a_board_in_a_folder_that_is_not_there_yet_is_told(root, watches, news):
    async with watches.watch("new/team.agor"):
        (root / "new").mkdir()
        (root / "new" / "team.agor").write_text("")

        await until(lambda: news == [("new/team.agor", True)])


async def test_two_viewers_hear_it_once_and_nobody_looks_after_they_left(root, watches, news):
    async with watches.watch("team.agor"), watches.watch("team.agor"):
        (root / "team.agor").write_text("")
        await until(lambda: news)
        async with watches.watch("later.agor"):
            (root / "later.agor").write_text("")
            await until(lambda: ("later.agor", True) in news)

    await until(watches._task.done)
    assert news == [("team.agor", True), ("later.agor", True)]


async def test_a_link_is_no_board(root, watches, news):
    (root / "real.agor").write_text("")
    async with watches.watch("team.agor"):
        (root / "team.agor").symlink_to(root / "real.agor")
        async with watches.watch("later.agor"):
            (root / "later.agor").write_text("")
            await until(lambda: news)

    assert news == [("later.agor", True)]


async def test_a_path_that_cannot_be_a_board_is_refused(watches):
    with pytest.raises(errors.BadPath):
        async with watches.watch("../team.agor"):
            pass


async def test_what_a_cell_makes_is_told_at_once(tmp_path, root, store, news):
    boards = Boards(Config(data_dir=tmp_path, root_dir=root, allowed_roots=()), Clock(), store)
    boards.watches = boards.edits.watches = Watches(root, Clock(), store, every_s=60)
    async with boards.watches.watch("team.agor"):
        await boards.open(ANN, BoardOpen(path="team.agor"))
        await boards.open(ANN, BoardOpen(path="team.agor"))
    await boards.watches.close()

    assert news == [("team.agor", True)]
