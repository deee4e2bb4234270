"""Whatever an agent does that keeps to the protocol: a turn has one end, nothing is lost or unread, and the ledger is true."""

import asyncio
from pathlib import Path

import pytest

from agor_jupyter.agents.protocol import starting
from agor_jupyter.domain.agents import AgentType, UsageForm
from agor_jupyter.domain.events import Notice, Text, Thought, ToolCall
from agor_jupyter.domain.options import MODE
from agor_jupyter.domain.permissions import choose
from tests.conforming_agent import MODE_ID, UPDATES, Ask, ConformingAgent, Draw, Profile, Together, Turn

SILENT = {"user_message_chunk", "available_commands_update", "config_option_update", "session_info_update"}
"""What a transcript does not need."""


async def play(profile: Profile) -> None:
    agent = ConformingAgent(profile)
    form = UsageForm(scope=profile.scope, cached=profile.cached, at="own.tokens" if profile.in_updates else None)
    bodies, questions = [], []

    async def hear(body, _raw):
        bodies.append(body)

    async def answer(question):
        questions.append(question)
        chosen = choose(question.options, "once") or choose(question.options, "no")
        return chosen.option.id if chosen else None

    kind = AgentType(name="conforming", label="Conforming", icon="ag-agent", command=["conforming"], usage=form)
    session = await starting.start(kind, cwd=Path("/"), env={}, executor=agent, run_id="ru_1", on_event=hear, on_permission=answer)
    try:
        opened = await session.open()
        assert opened.how == "new"
        used = [await turn_of(session, agent, turn, bodies) for turn in profile.turns]
        assert session.is_alive
    finally:
        await session.stop()

    assert tuple(map(sum, zip(*used, strict=True))) == agent.truth
    assert all("error" in refused for refused in agent.refused)
    assert len(questions) == len(agent.answers)
    for (ask, outcome), question in zip(agent.answers, questions, strict=True):
        assert (question.title, question.tool_kind) == (ask.call["title"], ask.call["kind"])
        assert question.command == "ls -a"
        sent = next((option for option in ask.options if option["optionId"] == outcome.get("optionId")), None)
        assert sent is None or sent["kind"] != "allow_always"
    told = {body.tool_call_id for body in bodies if isinstance(body, ToolCall)}
    assert {question.tool_call_id for question in questions} <= told


async def turn_of(session, agent, turn, bodies) -> tuple:
    began = len(bodies)
    prompting = asyncio.create_task(session.prompt("go"))
    if turn.hangs:
        await agent.hangs.wait()
        session.cancel()
    result = await prompting

    if turn.hangs:
        assert result.stop_reason == "cancelled"
    elif result.error is None:
        assert result.stop_reason == turn.stop
    heard = bodies[began:]
    assert [body for body in heard if isinstance(body, Notice) and body.code in {"unknown_update", "malformed_update", "garbage"}] == []
    said = [step["content"]["text"] for step in turn.steps if isinstance(step, dict) and is_speech(step)]
    assert "".join(body.text for body in heard if isinstance(body, Text | Thought) and body.text in said) == "".join(said)
    usage = result.usage
    counts = (usage.input_tokens, usage.output_tokens, usage.cached_read_tokens, usage.cached_write_tokens) if usage else ()
    return tuple(count or 0 for count in counts or (0, 0, 0, 0))


def is_speech(step) -> bool:
    return step["sessionUpdate"] in {"agent_message_chunk", "agent_thought_chunk"} and step["content"].get("type") == "text"


@pytest.mark.parametrize("group", range(10))
async def test_any_agent_that_keeps_to_the_protocol_is_understood(group):
    for seed in range(group * 10, group * 10 + 10):
        try:
            async with asyncio.timeout(10):
                await play(Draw(seed).profile())
        except BaseException as error:
            error.add_note(f"Draw({seed}).profile()")
            raise


IN_ORDER, REVERSED = "what was asked first is answered first", "what was asked last is answered first"


@pytest.mark.parametrize("order", [IN_ORDER, REVERSED])
async def test_an_agent_may_answer_our_requests_in_any_order(order):
    """A mode is set while a turn runs, so that two of ours are open: the prompt came first."""
    turns = [
        Turn(steps=[], requests=[(1, 2, 3, 4)], stop="end_turn", hangs=True),
        Turn(steps=[], requests=[(1, 2, 3, 4)], stop="end_turn", hangs=False),
    ]
    late = order == IN_ORDER
    profile = Profile(turns=turns, scope="turn", cached="beside", in_updates=False, ids=[1], has_modes=True, answers_late=late)
    agent = ConformingAgent(profile)

    async def hear(_body, _raw):
        pass

    async def never(_question):
        raise AssertionError

    kind = AgentType(name="conforming", label="Conforming", icon="ag-agent", command=["conforming"], usage=UsageForm(scope="turn"))
    session = await starting.start(kind, cwd=Path("/"), env={}, executor=agent, run_id="ru_1", on_event=hear, on_permission=never)
    try:
        await session.open()
        prompting = asyncio.create_task(session.prompt("go"))
        await agent.hangs.wait()
        setting = asyncio.create_task(session.set_option(MODE, MODE_ID))
        await agent.asked_to_set.wait()
        if not late:
            await setting
        session.cancel()
        result = await prompting
        await setting
        after = await session.prompt("and again")
    finally:
        await session.stop()

    initialize, new, prompt, mode, *_ = sorted(agent.replied)
    assert agent.replied[:4] == [initialize, new, *([prompt, mode] if late else [mode, prompt])]
    assert (result.stop_reason, after.stop_reason) == ("cancelled", "end_turn")
    assert [one.usage.output_tokens for one in (result, after)] == [2, 2]


async def test_two_questions_at_once_get_their_own_answers_whichever_is_answered_first():
    first, second = (
        Ask(told="itself", call={"title": name, "kind": "execute"}, options=[{"optionId": name, "name": "Yes", "kind": "allow_once"}])
        for name in ("one", "two")
    )
    turn = Turn(steps=[Together([first, second])], requests=[(1, 1, 1, 1)], stop="end_turn", hangs=False)
    profile = Profile(turns=[turn], scope="turn", cached="beside", in_updates=False, ids=["x", 7], has_modes=False)
    agent, answered, is_second_answered = ConformingAgent(profile), [], asyncio.Event()

    async def hear(_body, _raw):
        pass

    async def answer(question):
        if question.title == "one":
            await is_second_answered.wait()
        answered.append(question.title)
        is_second_answered.set()
        return question.options[0].id

    kind = AgentType(name="conforming", label="Conforming", icon="ag-agent", command=["conforming"])
    session = await starting.start(kind, cwd=Path("/"), env={}, executor=agent, run_id="ru_1", on_event=hear, on_permission=answer)
    try:
        await session.open()
        result = await session.prompt("go")
    finally:
        await session.stop()

    assert answered == ["two", "one"]
    assert {ask.call["title"]: outcome["optionId"] for ask, outcome in agent.answers} == {"one": "one", "two": "two"}
    assert result.stop_reason == "end_turn"


def test_every_kind_of_update_of_the_schema_is_played():
    kinds = {value for model in UPDATES for value in model.model_fields["session_update"].annotation.__args__}

    assert kinds >= SILENT | {"agent_message_chunk", "tool_call", "tool_call_update", "plan", "usage_update", "current_mode_update"}
