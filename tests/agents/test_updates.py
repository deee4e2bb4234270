"""Whatever an agent says happened, something that can be stored comes out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agor_jupyter.agents.protocol.frames import Framer, decode
from agor_jupyter.agents.protocol.questions import read_question
from agor_jupyter.agents.protocol.updates import model_usage, normalise
from agor_jupyter.domain.events import (
    FileChange,
    ModeChanged,
    Notice,
    Plan,
    PlanEntry,
    Text,
    Thought,
    ToolCall,
    ToolOutput,
    TranscriptBody,
    UsageReported,
)
from agor_jupyter.domain.sessions import Usage

BODY = TypeAdapter(TranscriptBody)
KINDS = [
    "agent_message_chunk",
    "agent_thought_chunk",
    "tool_call",
    "tool_call_update",
    "plan",
    "usage_update",
    "current_mode_update",
    "user_message_chunk",
    "made_up",
]
FIELDS = ["content", "messageId", "toolCallId", "title", "kind", "status", "rawInput", "rawOutput", "locations", "_meta", "entries", "used", "size", "cost", "currentModeId", "options", "toolCall"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    | st.sampled_from(["text", "diff", "content", "terminal", "completed", "resource", "image", "pending", "allow_once"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from([*FIELDS, "type", "text", "path", "newText", "oldText", "amount", "data", "terminal_output", "optionId", "name"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("update", "bodies"),
    [
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "hi"}, "messageId": "m"}, [Text(text="hi", message_id="m")]),
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": ""}}, []),
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "image", "data": "…"}}, [Text(text="[image]")]),
        ({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "hm"}}, [Thought(text="hm")]),
        ({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": "hi"}}, []),
        ({"sessionUpdate": "available_commands_update", "availableCommands": []}, []),
        ({"sessionUpdate": "current_mode_update", "currentModeId": "plan"}, [ModeChanged(mode="plan")]),
        (
            {"sessionUpdate": "usage_update", "used": 10, "size": 100, "cost": {"amount": 0.5, "currency": "USD"}},
            [UsageReported(usage=Usage(context_used=10, context_size=100, cost_usd=0.5))],
        ),
        ({"sessionUpdate": "usage_update", "used": -1, "size": True, "cost": {"amount": 1, "currency": "EUR"}}, [UsageReported(usage=Usage())]),
        (
            {"sessionUpdate": "plan", "entries": [{"content": "a", "status": "completed", "priority": "high"}, {"content": "b", "status": [], "priority": {}}]},
            [Plan(entries=[PlanEntry(content="a", status="completed", priority="high"), PlanEntry(content="b", status="pending")])],
        ),
        (
            {
                "sessionUpdate": "tool_call",
                "toolCallId": "1",
                "title": "Edit a.py",
                "kind": "edit",
                "status": "pending",
                "rawInput": {"path": "a.py"},
                "locations": [{"path": "/w/a.py", "line": 3}],
                "content": [{"type": "diff", "path": "a.py", "oldText": None, "newText": "x"}, {"type": "content", "content": {"type": "text", "text": "ok"}}],
            },
            [
                ToolCall(
                    tool_call_id="1", title="Edit a.py", tool_kind="edit", status="pending", input={"path": "a.py"}, output="ok",
                    changes=[FileChange(path="a.py", new_text="x")], locations=["/w/a.py"],
                )
            ],
        ),
        (
            {"sessionUpdate": "tool_call_update", "toolCallId": "1", "_meta": {"terminal_output": {"terminal_id": "1", "data": "x"}}},
            [ToolOutput(tool_call_id="1", text="x")],
        ),
        (
            {"sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "failed", "_meta": {"terminal_exit": {"exit_code": 2}}},
            [ToolCall(tool_call_id="1", status="failed", exit_code=2)],
        ),
        (
            {"sessionUpdate": "tool_call_update", "toolCallId": "1", "content": [{"type": "content", "content": {"type": "text", "text": "```console\n?? a\n```"}}]},
            [ToolCall(tool_call_id="1", output="?? a")],
        ),
        (
            {"sessionUpdate": "tool_call_update", "toolCallId": "1", "rawOutput": {"stdout": "x", "exit_code": 0}},
            [ToolCall(tool_call_id="1", output="x", exit_code=0)],
        ),
    ],
)  # fmt: skip
def test_each_kind_becomes_our_own(update, bodies):
    assert normalise(update) == bodies


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"sessionUpdate": 3},
        {"sessionUpdate": "plan"},
        {"sessionUpdate": "tool_call"},
        {"sessionUpdate": "tool_call", "toolCallId": "1", "status": {}},
    ],
)
def test_what_cannot_be_read_is_a_notice(update):
    assert [body.code for body in normalise(update)] == ["malformed_update"]


def test_long_values_are_cut_and_say_so():
    text, call = normalise({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "x" * 2_000_000}}), normalise(
        {"sessionUpdate": "tool_call", "toolCallId": "1", "rawInput": {"command": "y" * 1_000_000}, "title": "t" * 10_000}
    )  # fmt: skip

    assert text[0].text.endswith("951,424 more characters were left out …")
    assert len(call[0].title) == 2000
    assert call[0].input["left_out"] == "1,000,015 characters"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8))
def test_no_update_raises_and_each_event_can_be_stored(kind, fields):
    update = decode(json.dumps({**fields, "sessionUpdate": kind}).encode())

    for body in normalise(update):
        assert BODY.validate_json(body.encode()) == body or isinstance(body, ToolCall | UsageReported)
        body.encode().decode()
    read_question(update)


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(min_value=1, max_value=7))
def test_lines_come_out_however_the_stream_is_cut(lines, size):
    lines = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in lines) + b"rest"
    framer = Framer(max_line=20)

    found = [line for start in range(0, len(stream), size) for line in framer.feed(stream[start : start + size])]

    assert found == [line if len(line) <= 20 else len(line) for line in lines]
    assert framer.rest() == b"rest"


def test_numbers_without_end_are_null():
    assert decode(b'{"a": NaN, "b": [1e999, -Infinity, 1.5]}') == {"a": None, "b": [None, None, 1.5]}


def test_options_of_the_right_kind_are_kept():
    option = {"optionId": "a", "name": "Yes", "kind": "allow_once"}

    question = read_question({"options": [option, {**option, "kind": []}], "toolCall": {"toolCallId": 5}})

    assert [kept.id for kept in question.options] == ["a"]
    assert question.title == "The agent asks for permission"
    assert question.call is None
    assert isinstance(normalise({"sessionUpdate": "x"})[0], Notice)


@pytest.mark.parametrize(
    ("reported", "counted"),
    [
        ([("flash", 10), ("auto", 20)], [("flash", 30)]),
        ([("auto", 20)], [("auto", 20)]),
        ([("flash", 10), ("pro", 5), ("auto", 20)], [("flash", 10), ("pro", 5), ("auto", 20)]),  # nobody knows whose they are
        ([("flash", 10)], [("flash", 10)]),
    ],
)
def test_what_is_reported_under_a_routers_name_is_of_the_model_beside_it(reported, counted):
    usage = [{"model": model, "token_count": {"input_tokens": count}} for model, count in reported]

    found = model_usage({"_meta": {"quota": {"model_usage": usage}}}, "auto")

    assert [(one.model, one.input_tokens) for one in found] == counted
    assert {one.output_tokens for one in found} == {None}
