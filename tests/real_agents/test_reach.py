"""An answer goes as far as its option says: what an agent writes down of it, and whether it asks again."""

import pytest

from agor_jupyter.domain.sessions import Answer

RUN = {"do": "shell", "cmd": "printf one >> said.txt", "asks": True}


@pytest.fixture
def sandbox():
    """In one some do not ask."""
    return "off"


async def test_an_answer_that_says_always_is_kept_where_its_option_says(stage, home, repository):
    first = await stage.begin()
    await stage.play(first, {"text": "Hi."})
    turn = await stage.say(first, RUN, {"text": "Done."})
    question = await stage.ask(turn)
    assert [option.reach for option in question.options if option.kind == "allow_once"] == ["once"]
    [option] = [one for one in question.options if one.kind == "allow_always"][:1]

    await stage.agor.permissions.answer(stage.caller, question.id, Answer(option_id=option.id), stage.key())
    await stage.see_through(turn)
    again = await stage.say(first, RUN, {"text": "Done."})
    asked_again = await stage.see_through(again)
    other = await stage.begin()
    turn = await stage.say(other, RUN, {"text": "Done."})
    asked_elsewhere = await stage.see_through(turn)

    match option.reach:
        case "session":
            assert not asked_again
            assert asked_elsewhere
        case "repository":
            assert "printf" in (repository / ".claude/settings.local.json").read_text()
            assert option.kept_in.startswith(".claude/settings.local.json")
        case "home":
            assert (home / option.kept_in.removeprefix("~/")).exists()
            assert not asked_again
            assert not asked_elsewhere
        case _:
            pytest.fail(f"{option.id} of {stage.kit.name}: nobody knows how far it goes")
