import base64
import json
import shlex
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.agents.protocol.mask import Mask, MaskedEvents, secrets
from agor_jupyter.domain.events import Notice, Text, ToolCall, ToolOutput
from tests import leaks

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
        lambda text: base64.encodebytes(b"x" * 60 + text.encode()).decode(),
        lambda text: json.dumps(base64.encodebytes(b"x" * 45 + text.encode()).decode()),
        lambda text: "+" + base64.encodebytes(b"x" * 50 + text.encode()).decode().replace("\n", "\n+"),
        lambda text: quote(text, safe="").lower(),
        lambda text: text.encode().hex(),
        repr,
        shlex.quote,
        lambda text: json.dumps(json.dumps(text)),
    ],
)
def test_a_secret_is_taken_out_however_it_is_written(before, after, write):
    mask, told = Mask({"API_KEY": SECRET}), write(before + SECRET + after)
    text = mask.text(told)

    assert mask.json({"a": [{"b": told}, told]}) == {"a": [{"b": text}, text]}
    assert "[API_KEY]" in text
    assert leaks.traces(SECRET, text.encode()) == []


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

    mask = Mask({"TOKEN": "hunter2hunter3"})
    events = MaskedEvents(mask, on_event)
    for piece in pieces:
        await events(Text(text=piece), mask.json({"text": piece}))
    await events.flush()

    wanted = "".join(pieces).replace("hunter2hunter3", "[TOKEN]")
    begun = next((length for length in range(13, 7, -1) if wanted.endswith("hunter2hunter3"[:length])), 0)
    assert "".join(body.text for body, _ in told) == (f"{wanted[:-begun]}[TOKEN]" if begun else wanted)
    assert "hunter2hunter3" not in "".join((raw or {"text": ""})["text"] for _, raw in told) or "hunter2hunter3" not in "".join(pieces)


def test_a_secret_of_several_lines_is_taken_out_line_by_line_and_short_lines_stay():
    secret = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75Wq\nshort\n"
    mask = Mask({"PEM": secret})

    assert mask.text(f"key:\n{secret}") == "key:\n[PEM]"
    assert mask.text("+-----BEGIN KEY-----\r\n+MIIEpAIBAAKCAQEA75Wq\r\n+short") == "+[PEM]\r\n+[PEM]\r\n+short"


def test_many_secrets_in_one_text_cost_no_more_than_the_text():
    secret = "sk-ant-0123456789-abcdefghijklmnopqrstuvwxyz"
    encoded = base64.encodebytes(b"x" * 40 + secret.encode()).decode()
    mask, text = Mask({"KEY": secret}), encoded * 10_000

    began = time.process_time()
    masked = mask.text(text)

    assert masked.count("[KEY]") == 10_000
    assert time.process_time() - began < 2
    assert leaks.traces(secret, masked.encode()) == []


def test_what_is_nested_too_deep_to_be_looked_at_is_left_out():
    value = "hunter2hunter3"
    for _ in range(150):
        value = [value]

    assert "hunter2" not in json.dumps(Mask({"TOKEN": "hunter2hunter3"}).json(value))


def test_what_is_added_later_is_taken_out_from_then_on():
    mask = Mask()
    assert mask.text("hunter2hunter3") == "hunter2hunter3"

    mask.add({"TOKEN": "hunter2hunter3"})

    assert mask.text("hunter2hunter3") == "[TOKEN]"


async def test_two_tools_that_write_at_the_same_time_hide_nothing_from_each_other():
    told = []

    async def on_event(body, raw):
        told.append(body)

    events = MaskedEvents(Mask({"TOKEN": "hunter2hunter3"}), on_event)
    for piece in ("so hunter2", "hunter3."):
        for call in ("1", "2"):
            await events(ToolOutput(tool_call_id=call, text=piece), None)

    assert ["".join(body.text for body in told if body.tool_call_id == call) for call in "12"] == ["so [TOKEN]."] * 2


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 60))
async def test_base64_in_lines_is_found_however_the_stream_is_cut(size, width, before):
    secret = "sk-ant-0123456789-abcdefghijklmnopqrstuvwxyz"
    encoded = base64.b64encode(b"x" * before + secret.encode() + b"yyy").decode()
    text = "\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    told = []

    async def on_event(body, raw):
        told.append(body.text)

    events = MaskedEvents(Mask({"KEY": secret}), on_event)
    for at in range(0, len(text), size):
        await events(ToolOutput(tool_call_id="1", text=text[at : at + size]), None)
    await events.flush()

    assert "[KEY]" in "".join(told)
    assert leaks.traces(secret, "".join(told).encode()) == []


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
