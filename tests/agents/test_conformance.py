"""Whatever an agent does that keeps to the protocol: a turn has one end, nothing is lost or unread, and the ledger is true."""

import asyncio
from pathlib import Path

import pytest

from agor_jupyter.agents.session import AgentSession
from agor_jupyter.domain.agents import AgentType, UsageForm
from agor_jupyter.domain.events import Notice, Text, Thought, ToolCall
from agor_jupyter.domain.permissions import choose
from tests.conforming_agent import UPDATES, ConformingAgent, Draw, Profile

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
    session = await AgentSession.start(kind, cwd=Path("/"), env={}, executor=agent, run_id="ru_1", on_event=hear, on_permission=answer)
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


def test_every_kind_of_update_of_the_schema_is_played():
    kinds = {value for model in UPDATES for value in model.model_fields["session_update"].annotation.__args__}

    assert kinds >= SILENT | {"agent_message_chunk", "tool_call", "tool_call_update", "plan", "usage_update", "current_mode_update"}
