"""Options of sessions: chosen, preferred, inherited, set on a real process."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType, Asking, Quirks
from agor_jupyter.domain.options import PreferenceChange
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.sessions import Prompt, SessionChange, SessionCreate
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.services.agents.options import wanted
from agor_jupyter.services.app import Agor
from tests.scene import Scene

CHOOSY = Path(__file__).parents[2] / "choosy_agent.py"


def choosy(folder: Path, *flags: str, name: str = "choosy", **fields) -> AgentType:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-S", str(CHOOSY), str(folder), *flags]
    return AgentType(name=name, label="Choosy", icon="x", command=command, **{"permissions": Asking(mode="ask"), **fields})


@pytest.fixture
def config(config, tmp_path):
    agents = (
        choosy(tmp_path / "choosy", "--config", "--resume", "--fork"),
        choosy(tmp_path / "older", "--modes", "--models", name="older"),
        choosy(tmp_path / "later", "--config", name="later", quirks=Quirks(sets_between_turns=True)),
        choosy(tmp_path / "strict", "--config", name="strict", permissions=Asking(mode="safe")),
    )
    return dataclasses.replace(config, agents=agents)


async def say(scene: Scene, session, text: str):
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key())
    return await scene.ended(turn)


async def waiting(scene: Scene, session):
    """A turn that the agent has begun."""
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="wait"), scene.key())

    async def has_begun():
        return any(event["body"]["kind"] == "thought" for event in await scene.transcript(session))

    await scene.eventually_async(has_begun, True)
    return turn


async def told(scene: Scene, session) -> dict:
    """What the agent said last of itself."""
    texts = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "text"]
    return json.loads(texts[-1])


async def values(scene: Scene, session) -> dict:
    return {option.id: option.value for option in (await scene.agor.sessions.get(session.id)).options}


async def test_what_was_chosen_at_the_start_is_what_the_agent_has(scene):
    session = await scene.session(agent="choosy", options={"model": "large", "mode": "plan", "effort": "high", "fast": "true"})
    assert session.chosen == {"model": "large", "mode": "plan", "effort": "high", "fast": "true"}

    await say(scene, session, "hello")

    has = await told(scene, session)
    assert (has["model"], has["mode"], has["effort"], has["fast"]) == ("large", "plan", "high", True)
    assert await values(scene, session) == {"model": "large", "mode": "plan", "effort": "high", "fast": "true"}


async def test_the_mode_is_set_though_nobody_chose_one(scene):
    session = await scene.session(agent="older")

    await say(scene, session, "hello")

    assert (await told(scene, session))["mode"] == "ask"
    assert (await scene.agor.sessions.get(session.id)).chosen == {}


async def test_a_mode_that_is_not_there_fails_the_turn_and_nothing_runs(scene):
    session = await scene.session(agent="strict")

    turn = await say(scene, session, "hello")

    assert (turn.state, turn.error_code) == (TurnState.FAILED, "bad_option")
    assert "does not offer 'safe' as its mode. It offers: ask, plan, yolo" in turn.error
    assert not any(event["body"]["kind"] == "text" for event in await scene.transcript(session))


async def test_a_change_while_a_turn_runs_applies_at_once(scene):
    session = await scene.session(agent="choosy")
    turn = await waiting(scene, session)

    changed = await scene.agor.sessions.change(scene.caller, session.id, SessionChange(options={"mode": "plan", "model": "large"}))
    await scene.eventually_async(lambda: _value(scene, session, "mode"), "plan")
    await scene.agor.turns.cancel(scene.caller, turn.id)
    await scene.ended(turn)

    assert changed.chosen == {"mode": "plan", "model": "large"}
    assert (await told(scene, session))["mode"] == "plan"


async def test_an_agent_that_cannot_change_in_a_turn_changes_before_the_next(scene):
    session = await scene.session(agent="later")
    turn = await waiting(scene, session)

    await scene.agor.sessions.change(scene.caller, session.id, SessionChange(options={"model": "large"}))
    await scene.agor.turns.cancel(scene.caller, turn.id)
    await scene.ended(turn)
    before = (await told(scene, session))["model"]
    await say(scene, session, "and now?")

    assert (before, (await told(scene, session))["model"]) == ("small", "large")


async def test_a_change_at_rest_applies_from_the_next_turn(scene):
    session = await scene.session(agent="choosy")
    await say(scene, session, "hello")
    await scene.eventually(lambda: not scene.agor.runner.is_working(session.id))
    await scene.agor.runner.dismiss([session.id])

    await scene.agor.sessions.change(scene.caller, session.id, SessionChange(options={"mode": "plan"}))
    await say(scene, session, "and now?")

    has = await told(scene, session)
    assert (has["mode"], has["said"]) == ("plan", ["hello"])


async def test_a_choice_is_taken_back(scene):
    session = await scene.session(agent="choosy", options={"mode": "yolo"})
    await say(scene, session, "hello")

    changed = await scene.agor.sessions.change(scene.caller, session.id, SessionChange(options={"mode": ""}))
    await say(scene, session, "and now?")

    assert changed.chosen == {}
    assert (await told(scene, session))["mode"] == "ask"


async def test_what_the_agent_does_not_offer_is_refused_and_nothing_is_kept(scene):
    session = await scene.session(agent="choosy")
    await say(scene, session, "hello")

    for options, sentence in (
        ({"model": "huge"}, "does not offer 'huge' as its model. It offers: small, large"),
        ({"colour": "red"}, "has no option 'colour'. It offers: model, mode, fast"),
        ({"mode": "safe"}, "does not offer 'safe' as its mode"),
    ):
        with pytest.raises(errors.BadOption, match=sentence):
            await scene.agor.sessions.change(scene.caller, session.id, SessionChange(options=options))
    with pytest.raises(errors.BadOption, match="It offers: small, large"):
        await scene.session(agent="choosy", options={"model": "huge"})

    assert (await scene.agor.sessions.get(session.id)).chosen == {}


async def test_preferences_are_of_one_person_and_one_agent(scene, steerer):
    agor = scene.agor
    await agor.options.prefer(scene.caller, "choosy", PreferenceChange(options={"model": "large"}))
    await agor.options.prefer(scene.caller, "older", PreferenceChange(options={"model": "small"}))
    request = SessionCreate(worktree_id=scene.worktree.id, agent="choosy")

    mine = await agor.sessions.create(scene.caller, request, scene.key())
    theirs = await agor.sessions.create(steerer, request, scene.key())
    given = await agor.sessions.create(scene.caller, request.replace(options={"model": "small"}), scene.key())

    assert [one.chosen for one in (mine, theirs, given)] == [{"model": "large"}, {}, {"model": "small"}]
    assert [(one.agent, one.options) for one in await agor.options.preferences(scene.caller)] == [
        ("choosy", {"model": "large"}),
        ("older", {"model": "small"}),
    ]
    assert await agor.options.preferences(steerer) == []
    await agor.options.prefer(scene.caller, "choosy", PreferenceChange(options={}))
    assert [one.agent for one in await agor.options.preferences(scene.caller)] == ["older"]


async def test_options_are_inherited_from_a_parent_of_the_same_agent(scene):
    await scene.agor.options.prefer(scene.caller, "choosy", PreferenceChange(options={"model": "large", "fast": "true"}))
    parent = await scene.session(agent="choosy", options={"mode": "plan", "model": "small"})

    child = await scene.session(agent="choosy", parent_id=parent.id, options={"fast": "false"})
    other = await scene.session(agent="older", parent_id=parent.id)

    assert child.chosen == {"mode": "plan", "model": "small", "fast": "false"}
    assert other.chosen == {}


async def test_what_an_agent_spawns_has_the_preferences_of_the_person_who_began(scene):
    await scene.agor.options.prefer(scene.caller, "older", PreferenceChange(options={"model": "large"}))
    parent = await scene.session(agent="choosy", options={"mode": "plan"})
    delegation = await scene.agor.delegate(parent.id)

    same = await delegation.spawn("hello", agent=None, worktree_id=None, title=None)
    other = await (await scene.agor.delegate(same.id)).spawn("hello", agent="older", worktree_id=None, title=None)

    assert (same.chosen, other.chosen) == ({"mode": "plan"}, {"model": "large"})


async def test_the_server_knows_what_each_agent_offered_last(scene, config):
    assert scene.agor.agents.status("choosy").options == []
    session = await scene.session(agent="choosy", options={"model": "large"})
    await say(scene, session, "hello")
    expected = [("model", ["small", "large"]), ("mode", ["ask", "plan", "yolo"]), ("fast", ["true", "false"]), ("effort", ["low", "high"])]

    offered = scene.agor.agents.status("choosy").options
    await scene.agor.__aexit__(None, None, None)
    async with Agor(config) as again:
        kept = again.agents.status("choosy").options

    assert [(one.id, [choice.id for choice in one.choices]) for one in offered] == expected
    assert offered[0].choices[0].description == "The small one"
    assert kept == offered


async def test_an_agent_that_changes_its_options_all_the_time_does_not_flood_the_log(scene):
    session = await scene.session(agent="choosy")
    await say(scene, session, "hello")
    before = (await scene.agor.sessions.get(session.id)).updated_at
    news = []
    scene.agor.store.listen(lambda events: news.extend(body for _, body in events if b'"kind":"session"' in body))

    await say(scene, session, "flood 3001")

    assert await values(scene, session) == {"model": "small", "mode": "ask", "fast": "true"}
    assert len(news) < 30
    assert (await scene.agor.sessions.get(session.id)).updated_at > before


def test_the_sandbox_may_have_a_mode_of_its_own_unless_a_person_chose_one(tmp_path):
    agent = choosy(tmp_path, permissions=Asking(mode="ask", sandbox_mode="yolo"))
    person = Person(username="ann", name="Ann")
    session = _session(chosen={}, by=person)

    assert wanted(agent, session) == {"mode": "ask"}
    assert wanted(agent, session, is_sandboxed=True) == {"mode": "yolo"}
    assert wanted(agent, session.replace(chosen={"mode": "plan"}), is_sandboxed=True) == {"mode": "plan"}
    assert wanted(agent.replace(permissions=Asking()), session) == {}


async def test_only_owners_choose_how_an_agent_asks(scene, steerer: Caller):
    session = await scene.session(agent="choosy")
    request = SessionCreate(worktree_id=scene.worktree.id, agent="choosy", options={"mode": "yolo"})

    for attempt in (
        scene.agor.sessions.change(steerer, session.id, SessionChange(options={"mode": "yolo"})),
        scene.agor.sessions.create(steerer, request, scene.key()),
        scene.agor.options.prefer(steerer, "choosy", PreferenceChange(options={"mode": "yolo"})),
    ):
        with pytest.raises(errors.NotAllowed, match=r"mode 'yolo', which decides what the agent asks.*owner"):
            await attempt
    changed = await scene.agor.sessions.change(steerer, session.id, SessionChange(options={"mode": "ask", "model": "large"}))

    assert changed.chosen == {"mode": "ask", "model": "large"}


async def test_a_viewer_prefers_nothing(agor, viewer: Caller):
    with pytest.raises(errors.NotAllowed):
        await agor.options.prefer(viewer, "script", PreferenceChange(options={"mode": "auto"}))
    with pytest.raises(errors.AgentNotFound):
        await agor.options.prefer(viewer.replace(role=Role.OWNER), "nobody", PreferenceChange(options={}))


async def test_the_script_agent_runs_without_asking_when_told_to(scene):
    session = await scene.session(options={"mode": "auto", "on_failure": "go_on"})

    turn = await scene.ended(await scene.prompt(session, "false\n```\n```sh\necho hi > there"))

    assert (turn.state, turn.error) == (TurnState.FAILED, "Block 1 (sh) ended with code 1: false")
    assert Path(scene.worktree.path, "there").exists()
    assert await values(scene, session) == {"on_failure": "go_on", "mode": "auto"}


async def _value(scene, session, option):
    return (await values(scene, session)).get(option)


def _session(*, chosen, by):
    from datetime import UTC, datetime

    from agor_jupyter.domain.sessions import Session

    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Session.model_validate(
        {"id": "se_1", "worktree_id": "wt_1", "agent": "choosy", "title": "t", "state": "idle", "state_since": at, "created_at": at,
         "created_by": by, "updated_at": at, "chosen": chosen}
    )  # fmt: skip
