"""What an agent offers is what it says; what is chosen reaches the model."""

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.sessions import SessionChange


async def choose(stage, session, **options: str) -> None:
    await stage.agor.sessions.change(stage.caller, session.id, SessionChange(options=options))


@pytest.fixture
def sandbox():
    """In one, a mode may be set that is not for people to choose."""
    return "off"


def named(stage, asked: int) -> set[str]:
    """The models that were asked since then, but for what agents ask aside, such as a title."""
    return {request.model for request in stage.model.requests[asked:] if not request.is_aside}


async def test_the_model_is_chosen_at_the_start_and_changed_later(stage):
    if not stage.kit.models:
        session = await stage.begin()
        await stage.play(session, {"text": "I have no model."})
        assert "model" not in {option.id for option in (await stage.agor.sessions.get(session.id)).options}
        with pytest.raises(errors.BadOption):
            await choose(stage, session, model="any")
        return
    (first, first_name), (second, second_name) = stage.kit.models
    session = await stage.begin(options={"model": first})

    turn = await stage.play(session, {"text": "One."})
    before = named(stage, 0)
    asked = len(stage.model.requests)
    await choose(stage, session, model=second)
    other = await stage.play(session, {"text": "Two."})
    after = named(stage, asked)

    session = await stage.agor.sessions.get(session.id)
    assert (turn.error, other.error) == (None, None)
    assert any(name.startswith(first_name) for name in before)
    assert any(name.startswith(second_name) for name in after)
    assert not any(name.startswith(second_name) for name in before)
    assert next(option for option in session.options if option.id == "model").value == second
    assert {first, second} <= {choice.id for option in session.options if option.id == "model" for choice in option.choices}


async def test_a_model_that_the_agent_does_not_offer_is_refused(stage):
    session = await stage.begin()
    await stage.play(session, {"text": "Hello."})

    with pytest.raises(errors.BadOption):
        await choose(stage, session, model="no-such-model")

    assert (await stage.play(session, {"text": "Still here."})).state == "done"


async def test_a_mode_is_always_set_by_us_and_another_one_has_its_effect(stage):
    session = await stage.begin()
    asked_first = await stage.see_through(await stage.say(session, stage.write("one.txt", "1\n"), {"text": "Ok."}))
    agent = stage.agor.agents.get(stage.kit.name)
    modes = [option for option in (await stage.agor.sessions.get(session.id)).options if option.id == "mode"]

    assert asked_first
    assert modes[0].value == agent.permissions.mode
    await choose(stage, session, mode=stage.kit.mode)
    asked = await stage.see_through(await stage.say(session, stage.write("two.txt", "2\n"), {"text": "Ok."}))

    assert bool(asked) is stage.kit.asks_in_mode
    assert (stage.folder / "two.txt").exists()
    [option] = [option for option in (await stage.agor.sessions.get(session.id)).options if option.id == "mode"]
    assert option.value == stage.kit.mode


async def test_what_was_chosen_is_kept_when_the_process_comes_back(stage):
    chosen = {"mode": stage.kit.mode, **({"model": stage.kit.models[0][0]} if stage.kit.models else {})}
    session = await stage.begin(options=chosen)
    await stage.play(session, {"text": "One."})
    await stage.age()
    await stage.agor.runner.dismiss([session.id])
    asked = len(stage.model.requests)

    turn = await stage.play(session, {"text": "Two."})

    session = await stage.agor.sessions.get(session.id)
    assert turn.state == "done"
    assert chosen.items() <= {option.id: option.value for option in session.options}.items()
    if stage.kit.models:
        assert any(name.startswith(stage.kit.models[0][1]) for name in named(stage, asked))
