"""What agents advertise, as options of ours."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.agents.protocol import options
from agor_jupyter.domain.agents import AgentType, Asking
from agor_jupyter.domain.errors import AgentFailed, BadOption

CHOOSY = Path(__file__).parents[1] / "choosy_agent.py"


def select(own_id="model", category="model", values=("a", "b"), **fields):
    listed = [{"value": value, "name": value.upper()} for value in values]
    return {"id": own_id, "name": own_id, "category": category, "type": "select", "currentValue": values[0], "options": listed, **fields}


def test_the_category_decides_what_is_the_model_and_the_mode():
    offer = options.read({"configOptions": [select("llm", "model"), select("mode", "mode"), select("effort", "thought_level")]})

    assert [(one.id, one.category, one.value) for one in offer.options] == [
        ("model", "model", "a"),
        ("mode", "mode", "a"),
        ("effort", "thought_level", "a"),
    ]
    assert offer.request("s", "model", "b") == ("session/set_config_option", {"sessionId": "s", "configId": "llm", "value": "b"})


def test_a_second_option_of_a_category_keeps_its_own_id():
    offer = options.read({"configOptions": [select("big", "model"), select("little", "model"), select("x", "collaboration")]})

    assert [(one.id, one.category) for one in offer.options] == [("model", "model"), ("little", "model"), ("x", "other")]


def test_the_older_ways_are_read_where_nothing_newer_is_said():
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "go", "name": "Go"}]}
    models = {"currentModelId": "m[low]", "availableModels": [{"modelId": "m[low]", "name": "M"}]}
    offer = options.read({"modes": modes, "models": models, "configOptions": [select("model", "model")]})

    assert [(one.id, one.value) for one in offer.options] == [("model", "a"), ("mode", "ask")]
    assert offer.request("s", "mode", "go") == ("session/set_mode", {"sessionId": "s", "modeId": "go"})
    assert options.read({"models": models}).request("s", "model", "x") == ("session/set_model", {"sessionId": "s", "modelId": "x"})


def test_a_switch_is_true_or_false():
    offer = options.read({"configOptions": [{"id": "web", "name": "Web", "type": "boolean", "currentValue": False}]})

    assert offer.get("web").value == "false"
    assert [one.id for one in offer.get("web").choices] == ["true", "false"]
    assert offer.request("s", "web", "true")[1] == {"sessionId": "s", "configId": "web", "type": "boolean", "value": True}


def test_groups_of_choices_are_one_list():
    groups = [{"group": "1", "name": "One", "options": [{"value": "a", "name": "A"}]}, {"group": "2", "options": [{"value": "b"}]}]
    offer = options.read({"configOptions": [select(options=groups)]})

    assert [(one.id, one.name) for one in offer.get("model").choices] == [("a", "A"), ("b", "b")]


def test_an_update_is_the_whole_list_and_keeps_what_is_set_in_an_older_way():
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "go", "name": "Go"}]}
    offer = options.read({"modes": modes, "configOptions": [select("model"), select("fast", "other")]})

    offer = offer.told({"sessionUpdate": "config_option_update", "configOptions": [select("model", values=("b", "a"))]})
    offer = offer.told({"sessionUpdate": "current_mode_update", "currentModeId": "go"})

    assert [(one.id, one.value) for one in offer.options] == [("model", "b"), ("mode", "go")]
    assert offer.request("s", "mode", "ask")[0] == "session/set_mode"


def test_as_much_as_an_agent_likes_is_read_in_part():
    many = [select(f"o{k}", "other", values=[f"v{n}" for n in range(1000)]) for k in range(1000)]
    long = select("x" * 10_000, name="n" * 10_000, description="d" * 10_000)
    offer = options.read({"configOptions": [long, select("ok", name="n" * 10_000, description="d" * 10_000), *many]})

    assert len(offer.options) < options.MAX_OPTIONS
    assert all(len(one.choices) <= options.MAX_CHOICES for one in offer.options)
    assert len(offer.get("model").name) == 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["configOptions", "modes", "models", "id", "name", "category", "type", "currentValue", "options", "value", "currentModeId", "availableModes", "modelId"]),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(json_values, json_values)
def test_nothing_that_an_agent_says_raises(answer, update):
    answer, update = ({"configOptions": one} if not isinstance(one, dict) else one for one in (answer, update))

    offer = options.read(answer).told(update)

    for option in offer.options:
        json.dumps(offer.request("s", option.id, option.value))


# With a process


def choosy(folder: Path, *flags: str, mode: str | None = "ask") -> AgentType:
    return AgentType(
        name="choosy",
        label="Choosy",
        icon="x",
        command=[sys.executable, "-I", "-S", str(CHOOSY), str(folder), *flags],
        permissions=Asking(mode=mode),
    )


def last(stage) -> dict:
    return json.loads(stage.text[stage.text.rindex('{"said"') :])


async def begin(stage, agent, **opening):
    return await stage.start(agent, opening=opening)


@pytest.mark.parametrize("flags", [("--config",), ("--modes", "--models"), ("--config", "--modes", "--models")])
async def test_what_is_wanted_is_set_before_the_first_prompt(stage, tmp_path, flags):
    session = await begin(stage, choosy(tmp_path, *flags), wanted={"mode": "plan", "model": "large"})

    await session.prompt("hello")

    assert (last(stage)["mode"], last(stage)["model"]) == ("plan", "large")
    assert {one.id: one.value for one in session.options}.items() >= {"mode": "plan", "model": "large"}.items()


async def test_the_mode_is_that_of_the_catalogue_when_nothing_is_said(stage, tmp_path):
    session = await begin(stage, choosy(tmp_path, "--config"))

    await session.prompt("hello")

    assert last(stage)["mode"] == "ask"


@pytest.mark.parametrize("flags", [("--config",), ("--modes",)])
async def test_an_agent_without_the_wanted_mode_is_not_prompted(stage, tmp_path, flags):
    with pytest.raises(BadOption, match="does not offer 'safe' as its mode. It offers: ask, plan, yolo"):
        await begin(stage, choosy(tmp_path, *flags, mode="safe"))


async def test_a_mode_that_nobody_advertised_is_asked_for_all_the_same(stage, tmp_path):
    session = await begin(stage, choosy(tmp_path), wanted={"mode": "plan"})
    await session.prompt("hello")
    assert last(stage)["mode"] == "plan"

    with pytest.raises(BadOption, match="did not accept 'safe' as its mode: Invalid params"):
        await begin(stage, choosy(tmp_path), wanted={"mode": "safe"})


async def test_an_agent_that_stays_in_its_mode_is_not_prompted(stage, tmp_path):
    with pytest.raises(BadOption, match="it stayed in 'yolo'"):
        await begin(stage, choosy(tmp_path, "--config", "--stubborn"))


async def test_a_model_is_checked_against_what_is_offered(stage, tmp_path):
    session = await begin(stage, choosy(tmp_path, "--models", mode=None))

    with pytest.raises(BadOption, match="'huge' as its model. It offers: small, large"):
        await session.set_option("model", "huge")
    with pytest.raises(BadOption, match="has no option 'effort'. It offers: model"):
        await session.set_option("effort", "high")


async def test_what_depends_on_the_model_comes_after_it_and_what_is_not_there_is_left_out(stage, tmp_path):
    agent = choosy(tmp_path, "--config")

    large = await begin(stage, agent, wanted={"effort": "high", "model": "large", "fast": "true"})
    await large.prompt("hello")
    assert (last(stage)["effort"], last(stage)["fast"]) == ("high", True)
    small = await begin(stage, agent, wanted={"effort": "high"})

    assert stage.opened[-1].left == ["effort"]
    assert await small.apply({"effort": "high"}) == []


async def test_an_option_is_set_while_a_turn_runs_and_told_each_time(stage, tmp_path):
    told = []
    session = await stage.start(choosy(tmp_path, "--config"), on_options=told.append)
    turn = stage.spawn(session.prompt("wait"))

    await session.set_option("model", "large")
    session.cancel()
    await turn

    assert [{one.id: one.value for one in options}["model"] for options in told] == ["small", "small", "large"]
    assert "effort" in [one.id for one in told[-1]]


async def test_a_mode_that_the_agent_takes_by_itself_is_told_and_set_back_before_the_next_turn(stage, tmp_path):
    told = []
    session = await stage.start(choosy(tmp_path, "--config", "--modes"), on_options=told.append)

    await session.prompt("mode yolo")
    assert {one.id: one.value for one in told[-1]}["mode"] == "yolo"
    assert stage.notices == ["mode_taken"]
    await session.apply({"mode": "ask"})
    await session.prompt("hello")

    assert {one.id: one.value for one in told[-1]}["mode"] == "ask"
    assert last(stage)["mode"] == "ask"
    assert stage.notices == ["mode_taken"]


async def test_a_mode_that_a_person_let_it_take_stays(stage, tmp_path):
    stage.answer = "yes"
    session = await stage.start(choosy(tmp_path, "--config", "--modes"))

    await session.prompt("leave plan")
    await session.apply({"mode": "ask"})
    await session.prompt("hello")

    assert last(stage)["mode"] == "plan"
    assert stage.notices == []


@pytest.mark.parametrize(("flag", "how"), [("--resume", "resumed"), ("--load", "loaded"), ("--fork", "new")])
async def test_a_conversation_comes_back_with_its_mode_set_by_us(stage, tmp_path, flag, how):
    agent = choosy(tmp_path, "--config", flag)
    first = await begin(stage, agent)
    await first.prompt("remember")
    await first.stop()

    second = await stage.start(agent, previous=first.agent_session_id)
    await second.prompt("what?")

    assert stage.opened[-1].how == how
    assert last(stage)["said"] == (["remember"] if how != "new" else [])
    assert last(stage)["mode"] == "ask"


async def test_a_conversation_that_comes_back_without_a_word_gets_its_mode_too(stage, tmp_path):
    agent = choosy(tmp_path, "--modes", "--resume", "--quiet")
    first = await begin(stage, agent)
    await first.prompt("remember")
    await first.stop()

    second = await stage.start(agent, previous=first.agent_session_id)
    await second.prompt("what?")

    assert (last(stage)["said"], last(stage)["mode"]) == (["remember"], "ask")


async def test_an_old_conversation_that_is_said_again_too_late_is_no_part_of_the_next_turn(stage, tmp_path):
    agent = choosy(tmp_path, "--config", "--load", "--late")
    first = await begin(stage, agent)
    await first.prompt("remember")
    await first.stop()
    stage.bodies.clear()

    second = await stage.start(agent, previous=first.agent_session_id)
    await second.prompt("what?")

    assert "said long ago" not in stage.text
    assert stage.notices == []


async def test_a_fork_knows_what_was_said_and_leaves_its_origin_alone(stage, tmp_path):
    agent = choosy(tmp_path, "--config", "--fork", "--resume")
    origin = await begin(stage, agent)
    await origin.prompt("remember")

    fork = await begin(stage, agent, fork_of=origin.agent_session_id)
    await fork.prompt("only here")
    await origin.prompt("what?")

    assert stage.opened[-1].how == "forked"
    assert fork.agent_session_id != origin.agent_session_id
    assert last(stage)["said"] == ["remember"]


@pytest.mark.parametrize("flags", [("--config",), ("--config", "--fork")])
async def test_a_fork_that_cannot_be_is_a_new_conversation(stage, tmp_path, flags):
    await begin(stage, choosy(tmp_path, *flags), fork_of="never was")

    assert stage.opened[-1].how == "new"


async def test_an_agent_that_dies_over_an_option_says_so(stage, tmp_path):
    session = await begin(stage, choosy(tmp_path, "--config"))
    await session.process.stop(0)

    with pytest.raises(AgentFailed):
        await session.set_option("model", "large")
