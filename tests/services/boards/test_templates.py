"""A board begins with a template, in its file and in a live document."""

import json

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardExtend, BoardOpen, NoteAdd, Zone
from agor_jupyter.services.boards.templates import BoardTemplates
from tests.services.boards.test_boards import STEERER, VIEWER, boards, overlaps, store  # noqa: F401  fixtures

READY = "fix-a-failing-test"


@pytest.fixture
async def board(boards):  # noqa: F811
    await boards.open(STEERER, BoardOpen(path="b.agor"))
    return boards


async def test_it_is_added_once_whatever_number_of_times_it_is_asked(board):
    service = BoardTemplates(board)
    first = await service.extend(STEERER, "b.agor", BoardExtend(template=READY), "key")
    again = await service.extend(STEERER, "b.agor", BoardExtend(template=READY), "key")
    assert [one.id for one in first] == [one.id for one in again]
    there = (await board.get(VIEWER, "b.agor")).objects
    assert set(there) == {one.id for one in first}
    assert {one.policy.next for one in there.values() if isinstance(one, Zone) and one.policy and one.policy.next} <= set(there)


async def test_it_lies_right_of_what_is_there(board):
    service = BoardTemplates(board)
    note = await board.add_note(STEERER, "b.agor", NoteAdd(text="here", x=500, y=300), "note")
    await service.extend(STEERER, "b.agor", BoardExtend(template=READY), "one")
    await service.extend(STEERER, "b.agor", BoardExtend(template="nightly-data-quality"), "two")
    found = await board.get(VIEWER, "b.agor")
    assert found.objects[note.id].x == 500
    assert overlaps(found) == []


async def test_what_was_exported_makes_the_same_board(board):
    service = BoardTemplates(board)
    await service.extend(STEERER, "b.agor", BoardExtend(template=READY), "one")
    text = (await service.export(VIEWER, "b.agor")).text
    await board.open(STEERER, BoardOpen(path="c.agor"))
    await service.extend(STEERER, "c.agor", BoardExtend(text=text), "two")

    def shapes(objects):
        return sorted(
            json.dumps(one.model_dump(mode="json", exclude={"policy": {"next", "on_failure"}}), sort_keys=True) for one in objects.values()
        )

    assert shapes((await board.get(VIEWER, "c.agor")).objects) == shapes((await board.get(VIEWER, "b.agor")).objects)


async def test_a_viewer_adds_none(board):
    with pytest.raises(errors.NotAllowed):
        await BoardTemplates(board).extend(VIEWER, "b.agor", BoardExtend(template=READY), "key")


@pytest.mark.parametrize("asked", [{}, {"template": READY, "text": "{}"}])
async def test_one_of_both_is_needed(board, asked):
    with pytest.raises(errors.BadRequest, match="name of a ready one"):
        await BoardTemplates(board).extend(STEERER, "b.agor", BoardExtend(**asked), "key")
