import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.agents.mask import Mask, MaskedEvents, secrets
from agor_jupyter.domain.events import Notice, Text, ToolCall, ToolOutput

SECRET = 'sk-ant-/?+"ü\\0123'


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("after", ["", "z", "\n"])
@pytest.mark.parametrize(
    "write",
    [
        str,
        quote,
        lambda text: quote(text, safe=""),
        json.dumps,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_however_it_is_written(before, after, write):
    text = Mask({"API_KEY": SECRET}).text(write(before + SECRET + after))

    assert "[API_KEY]" in text
    assert "sk-ant" not in text


def test_short_values_and_other_names_stay():
    assert secrets({"ANTHROPIC_API_KEY": "x" * 20, "PATH": "/usr/bin", "GIT_AUTHOR_NAME": "x", "SSH_AUTH_SOCK": "/tmp/agent"}) == {
        "ANTHROPIC_API_KEY": "x" * 20
    }
    assert Mask({"TOKEN": "abc"}).text("abc") == "abc"


def test_records_and_json_are_masked_everywhere():
    mask = Mask({"TOKEN": "hunter2hunter2"})
    call = ToolCall(tool_call_id="1", title="echo hunter2hunter2", input={"a": [{"hunter2hunter2": "xhunter2hunter2x"}]})

    assert mask.record(call) == ToolCall(tool_call_id="1", title="echo [TOKEN]", input={"a": [{"[TOKEN]": "x[TOKEN]x"}]})
    assert mask.record(plain := Text(text="fine")) is plain


@given(st.lists(st.sampled_from(["hunter2", "hunter3", "h", "hu", "nter2", "3", " ", "hunter2hunter3"]), max_size=12))
async def test_a_secret_cut_between_pieces_is_found(pieces):
    told = []

    async def on_event(body, raw):
        told.append((body, raw))

    events = MaskedEvents(Mask({"TOKEN": "hunter2hunter3"}), on_event)
    for piece in pieces:
        await events(Text(text=piece), {"text": piece})
    await events.flush()

    assert "".join(body.text for body, _ in told) == "".join(pieces).replace("hunter2hunter3", "[TOKEN]")
    assert "hunter2hunter3" not in "".join((raw or {"text": ""})["text"] for _, raw in told) or "hunter2hunter3" not in "".join(pieces)


async def test_other_events_come_after_what_was_held_back():
    told = []

    async def on_event(body, raw):
        told.append(body)

    events = MaskedEvents(Mask({"TOKEN": "hunter2hunter3"}), on_event)
    await events(Text(text="so hunt"), None)
    await events(ToolOutput(tool_call_id="1", text="hun"), None)
    await events(Notice(code="x", text="hunter2hunter3"), None)

    assert told == [Text(text="so "), Text(text="hunt"), ToolOutput(tool_call_id="1", text="hun"), Notice(code="x", text="[TOKEN]")]


async def test_nothing_a_session_says_has_the_secret(stage):
    value = "canary-0123456789"
    session = await stage.start(mask=Mask({"CANARY": value}))

    result = await session.prompt(f"```sh\nprintf canary-; sleep 0.2; echo 0123456789; echo {value} | base64; exit 1 # {value}\n```")

    everything = json.dumps([body.model_dump() for body in stage.bodies]) + json.dumps(stage.raw) + result.error + repr(stage.questions)
    assert value not in everything
    assert base64.b64encode(value.encode()).decode()[:20] not in everything
    assert stage.output.startswith("[CANARY]\n[CANARY]")
