"""An agent asks before it acts, and does what a person answers."""

import time

import pytest

from agor_jupyter.domain.permissions import PermissionState


@pytest.fixture
def sandbox():
    """Some ask for less in one."""
    return "off"


async def test_an_edit_and_a_command_that_are_allowed_are_done(stage):
    session = await stage.begin()

    edit = await stage.say(session, stage.write("made.txt", "one\ntwo\n"), {"text": "Written."})
    about_edit, *_ = await stage.see_through(edit)
    command = await stage.say(session, {"do": "shell", "cmd": "echo ran > ran.txt; echo it ran", "asks": True}, {"text": "All done."})
    asked = await stage.see_through(command)

    edit, command = await stage.agor.turns.get(edit.id), await stage.agor.turns.get(command.id)
    assert (edit.state, edit.error) == ("done", None)
    assert (stage.folder / "made.txt").read_text() == "one\ntwo\n"
    assert (edit.files, edit.added) == (1, 2)
    assert "made.txt" in f"{about_edit.title} {about_edit.command} {about_edit.input}"
    assert (command.state, command.error) == ("done", None)
    assert (stage.folder / "ran.txt").read_text() == "ran\n"
    assert "echo ran > ran.txt" in f"{asked[0].title} {asked[0].command}"
    assert {one.answered_by.username for one in [await stage.agor.permissions.get(one.id) for one in asked]} == {"ann"}
    assert "All done." in await stage.text(command)


async def test_what_is_rejected_is_not_done(stage):
    session = await stage.begin()

    edit = await stage.play(session, stage.write("made.txt", "one\n"), {"text": "I go on."}, answer="reject_once")
    command = await stage.play(session, {"do": "shell", "cmd": "touch ran.txt", "asks": True}, {"text": "I go on."}, answer="reject_once")

    assert not (stage.folder / "made.txt").exists()
    assert not (stage.folder / "ran.txt").exists()
    assert (edit.files, command.files) == (0, 0)
    goes_on = stage.kit.agent.permissions.when_rejected == "goes_on"
    assert [edit.state, command.state] == ["done" if goes_on else stage.kit.agent.permissions.when_rejected] * 2
    assert ["I go on." in await stage.text(turn) for turn in (edit, command)] == [goes_on] * 2


async def test_a_question_that_nobody_answered_is_withdrawn_when_the_turn_is_cancelled(stage):
    session = await stage.begin()
    turn = await stage.say(session, {"do": "shell", "cmd": "touch ran.txt", "asks": True}, {"text": "Done."})
    question = await stage.ask(turn)

    began = time.monotonic()
    turn = await stage.cancelled(session)

    assert turn.state == "cancelled"
    assert time.monotonic() - began < 10
    assert (await stage.agor.permissions.get(question.id)).state is PermissionState.WITHDRAWN
    assert not (stage.folder / "ran.txt").exists()
    again = await stage.play(session, stage.write("after.txt", "1\n"), {"text": "Done."})
    assert (again.state, (stage.folder / "after.txt").exists()) == ("done", True)
