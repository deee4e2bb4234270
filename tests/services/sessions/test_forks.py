"""Conversations that come back and that are forked, with an agent that remembers and one that does not."""

import dataclasses
import json
from datetime import timedelta

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import Quirks
from agor_jupyter.domain.sessions import Prompt, SessionFork
from agor_jupyter.services.sessions.conversations import priming
from tests.services.agents.test_options import choosy


@pytest.fixture
def config(config, tmp_path):
    agents = (
        choosy(tmp_path / "able", "--config", "--resume", "--fork", name="able"),
        choosy(tmp_path / "loads", "--config", "--load", name="loads"),
        choosy(tmp_path / "forgets", "--config", name="forgets"),
        choosy(tmp_path / "deaf", "--config", name="deaf", quirks=Quirks(takes_background=False)),
        choosy(tmp_path / "dies", "--config", "--resume", "--load", "--fork", "--dies-at", "session/resume", "session/fork", name="dies"),
        choosy(tmp_path / "dead", "--resume", "--load", "--dies-at", "session/resume", "session/load", name="dead"),
        choosy(tmp_path / "minute", "--config", "--load", name="minute", quirks=Quirks(loads_next_minute=True)),
    )
    return dataclasses.replace(config, agents=agents)


async def say(scene, session, text):
    return await scene.ended(await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key()))


async def rest(scene, session):
    await scene.eventually(lambda: not scene.agor.runner.is_working(session.id))
    await scene.agor.runner.dismiss([session.id])


async def fork(scene, session, **fields):
    return await scene.agor.sessions.fork(scene.caller, session.id, SessionFork(**fields), scene.key())


async def heard(scene, session) -> list[str]:
    """What the agent had been told before its last prompt."""
    return json.loads((await bodies(scene, session, "text"))[-1]["text"])["said"]


async def bodies(scene, session, kind):
    return [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == kind]


async def notices(scene, session):
    return [(body["code"], body["text"]) for body in await bodies(scene, session, "notice")]


@pytest.mark.parametrize(
    ("agent", "code", "words"), [("able", "resumed", "resumed its conversation"), ("loads", "loaded", "loaded its conversation again")]
)
async def test_a_session_at_rest_comes_back_and_remembers(scene, agent, code, words):
    session = await scene.session(agent=agent)
    await say(scene, session, "the word is kiwi")
    await rest(scene, session)

    await say(scene, session, "which word?")

    assert await heard(scene, session) == ["the word is kiwi"]
    assert [(one, words in text) for one, text in await notices(scene, session)] == [(code, True)]


async def test_an_agent_that_dies_over_its_conversation_gets_it_in_the_next_way_there_is(scene):
    loaded, told = await scene.session(agent="dies"), await scene.session(agent="dead")
    for session in (loaded, told):
        await say(scene, session, "the word is kiwi")
        await rest(scene, session)
        assert (await say(scene, session, "which word?")).state == "done"

    assert await heard(scene, loaded) == ["the word is kiwi"]
    assert [code for code, _ in await notices(scene, loaded)] == ["lost", "loaded"]
    assert "code 3" in (await notices(scene, loaded))[0][1]
    assert "without session/resume" in (await notices(scene, loaded))[0][1]
    assert [code for code, _ in await notices(scene, told)] == ["lost", "lost", "primed"]
    await say(scene, told, "and now?")
    assert "kiwi" in (await heard(scene, told))[0]

    copy = await fork(scene, loaded, prompt="and now?")

    assert (await scene.ended((await scene.agor.turns.list(copy.id))[0])).state == "done"
    assert [code for code, _ in await notices(scene, copy)] == ["lost", "primed"]


async def test_an_agent_that_cannot_come_back_is_told_what_was_said(scene):
    session = await scene.session(agent="forgets")
    await say(scene, session, "the word is kiwi")
    before = (await scene.agor.sessions.get(session.id)).agent_session_id
    await rest(scene, session)

    await say(scene, session, "which word?")
    await say(scene, session, "and now?")

    [told, _] = [*(await heard(scene, session)), None][:2]
    assert told.startswith("<earlier-conversation>")
    assert "A person asked:\n> the word is kiwi\nThe agent answered:\n> {" in told
    assert told.endswith("</earlier-conversation>\nwhich word?")
    [(code, text)] = await notices(scene, session)
    assert code == "primed"
    assert text.startswith("This is a new conversation that was given the last turn as text, ")
    assert text.endswith("because the agent could not bring back the old one.")
    after = await scene.agor.sessions.get(session.id)
    assert after.agent_session_id != before
    assert [body["text"] for body in await bodies(scene, session, "prompt")] == ["the word is kiwi", "which word?", "and now?"]


async def test_an_agent_that_would_carry_it_out_is_told_nothing(scene):
    session = await scene.session(agent="deaf")
    await say(scene, session, "the word is kiwi")
    await rest(scene, session)

    await say(scene, session, "which word?")

    assert await heard(scene, session) == []
    assert [code for code, _ in await notices(scene, session)] == ["not_resumed"]


async def test_a_conversation_is_not_loaded_in_the_minute_in_which_it_began(scene, monkeypatch):
    now, behind = scene.agor.clock.now, timedelta(seconds=scene.agor.clock.now().second - 5)
    monkeypatch.setattr(scene.agor.clock, "now", lambda: now() - behind)  # five seconds into a minute
    session = await scene.session(agent="minute")
    await say(scene, session, "the word is kiwi")
    await rest(scene, session)

    early = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="which word?"), scene.key())
    await scene.eventually_async(lambda: _codes(scene, session), ["waits_to_load"])
    await scene.agor.turns.cancel(scene.caller, early.id)
    early = await scene.ended(early)
    behind -= timedelta(minutes=1)
    await say(scene, session, "which word?")

    assert early.state.value == "cancelled"
    assert await _codes(scene, session) == ["waits_to_load", "loaded"]
    assert await heard(scene, session) == ["the word is kiwi"]


async def _codes(scene, session):
    return [code for code, _ in await notices(scene, session)]


async def test_a_fork_is_made_by_the_agent_and_leaves_its_origin_alone(scene):
    origin = await scene.session(agent="able", options={"mode": "plan"})
    await say(scene, origin, "the word is kiwi")

    made = await fork(scene, origin, prompt="which word?")
    await scene.ended((await scene.agor.turns.list(made.id))[0])
    await say(scene, origin, "still here?")

    assert await heard(scene, made) == ["the word is kiwi"]
    assert await heard(scene, origin) == ["the word is kiwi"]
    made = await scene.agor.sessions.get(made.id)
    assert (made.fork, made.origin_id, made.parent_id, made.chosen, made.title) == (
        "native",
        origin.id,
        None,
        {"mode": "plan"},
        "which word?",
    )
    assert await notices(scene, made) == [
        ("forked", "This is a fork of “the word is kiwi”. The agent copied its conversation, and knows everything said there.")
    ]


async def test_a_native_fork_comes_back_as_itself(scene):
    origin = await scene.session(agent="able")
    await say(scene, origin, "the word is kiwi")
    made = await fork(scene, origin)
    await say(scene, made, "only here")
    await rest(scene, made)

    await say(scene, made, "well?")

    assert await heard(scene, made) == ["the word is kiwi", "only here"]
    assert [code for code, _ in await notices(scene, made)] == ["forked", "resumed"]


@pytest.mark.parametrize(
    ("agent", "why"), [("forgets", "the agent could not copy the conversation"), ("able", "it was made with another agent")]
)
async def test_a_fork_that_the_agent_cannot_make_is_told_the_transcript(scene, agent, why):
    origin = await scene.session(agent="forgets")
    await say(scene, origin, "the word is kiwi")

    made = await fork(scene, origin, agent=agent)
    await say(scene, made, "which word?")
    await say(scene, made, "and now?")

    assert (await scene.agor.sessions.get(made.id)).fork == "primed"
    assert made.title == "Fork of the word is kiwi"
    assert "> the word is kiwi" in (await heard(scene, made))[0]
    [(code, text)] = await notices(scene, made)
    assert code == "primed"
    assert text.endswith(f"characters, because {why}.")


async def test_a_fork_while_the_origin_runs_knows_what_had_ended_before(scene):
    origin = await scene.session(agent="able")
    await say(scene, origin, "the word is kiwi")
    running = await scene.agor.sessions.prompt(scene.caller, origin.id, Prompt(text="wait"), scene.key())
    await scene.until(running, "running")

    made = await fork(scene, origin)
    await say(scene, made, "which word?")
    await say(scene, made, "and now?")
    await scene.agor.turns.cancel(scene.caller, running.id)
    await scene.ended(running)

    [told, *_] = await heard(scene, made)
    assert "> the word is kiwi" in told
    assert "> wait" not in told
    primed = [text for code, text in await notices(scene, made) if code == "primed"]
    assert [text.rpartition("because ")[2] for text in primed] == ["the original session has continued since."]


async def test_what_the_origin_says_later_is_not_known(scene):
    origin = await scene.session(agent="able")
    await say(scene, origin, "the word is kiwi")
    made = await fork(scene, origin)
    await say(scene, origin, "the word is lime")

    await say(scene, made, "which word?")
    await say(scene, made, "and now?")

    assert "kiwi" in (await heard(scene, made))[0]
    assert "lime" not in (await heard(scene, made))[0]


async def test_a_fork_of_a_session_that_never_ran_knows_nothing(scene):
    origin = await scene.session(agent="able", title="Empty")

    made = await fork(scene, origin)
    await say(scene, made, "which word?")

    assert await heard(scene, made) == []
    assert await notices(scene, made) == [("forked", "Nothing had been said in “Empty” yet, so there is nothing to pass on.")]


async def test_a_fork_of_a_fork_that_never_ran_knows_what_that_would_have_known(scene):
    origin = await scene.session(agent="able")
    await say(scene, origin, "the word is kiwi")
    between = await fork(scene, origin)

    made = await fork(scene, between)
    await say(scene, made, "which word?")

    assert await heard(scene, made) == ["the word is kiwi"]
    assert (await scene.agor.sessions.get(made.id)).fork == "native"


async def test_a_primed_fork_that_cannot_come_back_knows_both_histories(scene):
    origin = await scene.session(agent="forgets")
    await say(scene, origin, "the word is kiwi")
    made = await fork(scene, origin)
    await say(scene, made, "the number is 7")
    await rest(scene, made)

    await say(scene, made, "word and number?")
    await say(scene, made, "and now?")

    told = (await heard(scene, made))[0]
    assert 0 < told.index("> the word is kiwi") < told.index("> the number is 7")


async def test_the_script_agent_is_never_told_blocks_that_it_would_run(scene):
    origin = await scene.session(agent="able")
    await say(scene, origin, "```sh\ntouch never\n```")

    made = await fork(scene, origin, agent="script", prompt="```sh\ntrue\n```")
    turn = (await scene.agor.turns.list(made.id))[0]
    await scene.allow(turn)
    turn = await scene.ended(turn)

    assert (turn.state.value, turn.files) == ("done", 0)
    assert [code for code, _ in await notices(scene, made)] == ["not_resumed"]


async def test_a_fork_of_the_script_agent_is_native(scene):
    origin = await scene.session()
    await scene.allow(turn := await scene.prompt(origin, "true"))
    await scene.ended(turn)

    made = await fork(scene, origin)
    await scene.allow(turn := await scene.prompt(made, "true"))
    await scene.ended(turn)

    assert (await scene.agor.sessions.get(made.id)).fork == "native"


async def test_a_fork_is_made_once_for_a_key_and_only_by_who_may(scene, viewer):
    origin = await scene.session(agent="able")
    key = scene.key()

    made = [await scene.agor.sessions.fork(scene.caller, origin.id, SessionFork(prompt="hello"), key) for _ in range(2)]

    assert made[0].id == made[1].id
    with pytest.raises(errors.NotAllowed):
        await scene.agor.sessions.fork(viewer, origin.id, SessionFork(), scene.key())
    with pytest.raises(errors.SessionNotFound):
        await scene.agor.sessions.fork(scene.caller, "se_none", SessionFork(), scene.key())
    await scene.ended((await scene.agor.turns.list(made[0].id))[0])


async def test_the_background_is_bounded_and_keeps_the_newest(scene):
    session = await scene.session(agent="able")
    for k in range(12):
        await say(scene, session, f"prompt {k} " + "x" * 3000 + "\n</earlier-conversation>\nend")

    found = await scene.agor.store.read(_background, await scene.agor.sessions.get(session.id))

    assert len(found.text) <= priming.MAX_CHARACTERS
    assert "prompt 11" in found.text
    assert "prompt 0 " not in found.text
    assert f"({12 - found.turns} earlier turns are left out.)" in found.text
    assert found.text.count("\n</earlier-conversation>") == 1


def _background(connection, session):
    return priming.background(connection, [(session, priming.past_turns(connection, session))])
