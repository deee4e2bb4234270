"""What each kind of bad agent gets. Nothing of any of them is left: the fixture `stage` looks for that, too."""

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.agents.protocol.limits import Limits
from agor_jupyter.agents.protocol.process import Timeouts
from agor_jupyter.domain.agents import AgentType, Asking, FailureSigns, UsageForm
from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.errors import AgentFailed
from agor_jupyter.domain.events import Notice, ToolCall, ToolOutput

QUICK = Timeouts(cancel=0.5, exit=0.5)
"""Of agents that do not do what these wait for. To start they have the time that they need."""


def sleeping(token: str) -> list[str]:
    """The living processes with `token` in their command line, wherever they hid."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.name.isdigit() else ""
        except OSError:
            continue
        if token in command and f" {os.getpid()} " not in command and "misbehaving" not in command:
            found.append(command)
    return found


@pytest.fixture
def token() -> str:
    return f"{random.randint(10_000, 99_999)}.{random.randint(1000, 9999)}"


@pytest.mark.parametrize(("prompt", "told"), [("exit 3", "code 3"), ("exit 0", "code 0"), ("kill 9", "signal SIGKILL"), ("half", "code 0")])
async def test_an_agent_that_ends_in_the_middle_of_a_turn_fails_it_after_its_last_words(stage, prompt, told):
    session = await stage.misbehave()

    with pytest.raises(AgentFailed, match=f"ended with {told} in the middle of a turn"):
        await session.prompt(prompt)

    assert stage.text == "so far"
    assert not session.is_alive
    assert stage.notices == (["cut"] if prompt == "half" else [])


async def test_what_it_wrote_to_stderr_is_in_the_error(stage):
    agent = AgentType(name="bad", label="Bad", icon="x", command=["sh", "-c", "echo out of memory >&2; exit 4"])

    with pytest.raises(AgentFailed, match=r"code 4 before it was ready.*out of memory"):
        await stage.start(agent)


async def test_what_it_writes_in_passing_is_not(stage):
    command = ["sh", "-c", "echo '[session/new] phase=begin' >&2; echo out of memory >&2; echo '[session/new] phase=end' >&2; exit 4"]
    agent = AgentType(name="bad", label="Bad", icon="x", command=command, failures=FailureSigns(chatter=r"\[session/\w+\] phase="))

    with pytest.raises(AgentFailed, match=r"Its last output: out of memory$"):
        await stage.start(agent)


async def test_a_command_that_does_not_exist_says_so(stage):
    with pytest.raises(AgentFailed, match=r"code 127.*no-such-agent: No such file"):
        await stage.start(AgentType(name="bad", label="Bad", icon="x", command=["no-such-agent"]))


async def test_a_folder_that_is_gone_says_so(stage):
    stage.cwd /= "gone"

    with pytest.raises(AgentFailed, match="could not be started"):
        await stage.misbehave()


async def test_an_agent_that_never_shakes_hands_is_given_up(stage):
    command = [sys.executable, str(Path(__file__).parents[1] / "misbehaving_agent.py"), "--silent"]

    with pytest.raises(AgentFailed, match="did not answer initialize within 1 s"):
        await stage.start(AgentType(name="bad", label="Bad", icon="x", command=command), timeouts=Timeouts(initialize=1))


async def test_another_version_of_the_protocol_is_refused(stage):
    command = [sys.executable, str(Path(__file__).parents[1] / "misbehaving_agent.py"), "--version"]

    with pytest.raises(AgentFailed, match="speaks version 2"):
        await stage.start(AgentType(name="bad", label="Bad", icon="x", command=command))


async def test_a_mode_that_cannot_be_set_fails_the_start(stage):
    command = [sys.executable, str(Path(__file__).parents[1] / "misbehaving_agent.py")]

    with pytest.raises(AgentFailed, match="did not answer session/set_mode"):
        await stage.start(
            AgentType(name="bad", label="Bad", icon="x", command=command, permissions=Asking(mode="ask")), timeouts=Timeouts(open=2)
        )


@pytest.mark.parametrize("prompt", ["hang", "stop", "permission wait"])
async def test_an_agent_that_ignores_a_cancel_is_ended(stage, prompt):
    session = await stage.misbehave(timeouts=QUICK)
    turn = asyncio.create_task(session.prompt(prompt))
    await stage.until(lambda: stage.text or stage.questions)
    await asyncio.sleep(0.2)

    begun = time.monotonic()
    session.cancel()
    result = await turn

    assert result.stop_reason == "cancelled"
    assert stage.notices == ["killed"]
    assert not session.is_alive
    assert time.monotonic() - begun < 9
    assert not stage.marked()


async def test_an_agent_that_closes_its_output_fails_the_turn(stage):
    session = await stage.misbehave(timeouts=QUICK)

    with pytest.raises(AgentFailed, match="closed its output in the middle of a turn"):
        await session.prompt("close")


async def test_a_line_of_100_mb_is_dropped_and_counted(stage):
    session = await stage.misbehave()

    result = await session.prompt("line 100")

    assert result.stop_reason == "end_turn"
    assert stage.text == "after"
    assert stage.of(Notice) == [Notice(code="oversize", text="The agent wrote a line of 100 MB, which was dropped")]


async def test_a_flood_is_held_back_then_stopped(stage):
    session = await stage.misbehave(limits=Limits(burst_messages=2000, messages_per_s=4000, held_back_s=0.5))
    begun = time.monotonic()

    with pytest.raises(AgentFailed, match="flooded the server"):
        await session.prompt("many 1000000")

    assert stage.notices == ["throttled"]
    seconds = time.monotonic() - begun
    assert seconds < 50  # of the 250 that it would take
    assert 2000 < len(stage.text) < 2000 + 4000 * (seconds + 1)


async def test_others_are_served_during_a_flood(stage):
    count = 0

    async def on_event(body, raw):
        nonlocal count
        count += 1  # and keeps nothing, as a server does

    stage.on_event = on_event
    session = await stage.misbehave(limits=Limits(burst_messages=50_000))
    turn = asyncio.create_task(session.prompt("many 40000"))
    lags = []

    while not turn.done():
        begun = time.monotonic()
        await asyncio.sleep(0.01)
        lags.append(time.monotonic() - begun - 0.01)

    assert (await turn).stop_reason == "end_turn"
    assert count == 40_001
    assert len(lags) > 3
    assert sorted(lags)[int(len(lags) * 0.95)] < 5


@pytest.mark.parametrize(
    ("written", "notices", "text"),
    [
        (rb"shell profile says hello\n", ["garbage"], "after"),
        (rb'[1,2]\n"text"\nnull\n', ["garbage", "garbage"], "after"),
        (rb"\xff\xfe\x00\n", ["garbage"], "after"),
        (b"[" * 5000 + rb"\n", ["garbage"], "after"),
        (rb'{"method":5}\n{"method":"x","id":[1]}\n{"id":true,"result":1}\n{"id":"z"}\n\n', ["garbage", "garbage"], "after"),
        (
            rb'{"method":"session/update","params":{"sessionId":"bad-1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"a\xffb\\u0000c\\ud800d"}}}}\n',
            [],
            "a�b�c�dafter",
        ),  # fmt: skip
        (
            b'{"method":"session/update","params":{"sessionId":"bad-1","update":{"sessionUpdate":"tool_call","toolCallId":"x","rawInput":'
            + b"[" * 100
            + b"]" * 100
            + rb"}}}\n",
            ["garbage"],
            "after",
        ),  # fmt: skip
    ],
    ids=["plain text", "not objects", "not utf-8", "deep", "odd messages", "odd characters", "deep input"],
)
async def test_what_is_not_a_message_is_noticed_and_the_turn_goes_on(stage, written, notices, text):
    session = await stage.misbehave()

    result = await session.prompt(f"bytes b'''{written.decode()}'''")

    assert result.stop_reason == "end_turn"
    assert stage.notices == notices
    assert stage.text == text


async def test_a_thousand_bad_lines_make_few_notices(stage):
    session = await stage.misbehave()

    await session.prompt("bytes b'no json\\n' * 1000")

    assert stage.notices == ["garbage"] * 10
    assert stage.of(Notice)[-1].text == "The agent wrote a line that is not a message: no json (512 such lines in this turn)"


async def test_hostile_updates_become_notices(stage):
    session = await stage.misbehave()

    await session.prompt('updates [5, {"sessionUpdate": []}, {"sessionUpdate": "plan", "entries": 3}, {"sessionUpdate": "new_thing"}]')

    assert stage.notices == ["malformed_update", "malformed_update", "malformed_update", "unknown_update"]


async def test_300_kilobytes_of_stderr_block_nothing(stage):
    session = await stage.misbehave()

    result = await session.prompt("stderr 3000000")

    assert result.stop_reason == "end_turn"
    await stage.until(lambda: session.process.stderr_tail().endswith("the end\n"))
    assert len(session.process.stderr_tail()) == 64 << 10


async def test_an_agent_that_answers_after_a_cancel_is_heard_to_the_end_of_its_turn(stage):
    session = await stage.misbehave()
    turn = asyncio.create_task(session.prompt("late"))
    await stage.until(lambda: stage.text)

    session.cancel()
    result = await turn

    assert result.stop_reason == "end_turn"
    await stage.until(lambda: stage.text == "workingstill talking")
    assert (await session.prompt("say next")).stop_reason == "end_turn"
    assert stage.notices == ["late"]
    assert stage.text == "workingstill talkingnext"


async def test_an_error_of_the_agent_fails_the_turn_and_not_the_session(stage):
    session = await stage.misbehave()

    result = await session.prompt("fail")

    assert (result.stop_reason, result.error_code) == ("error", "agent_error")
    assert result.error == "The agent reported an error: Internal error: no credit."
    assert session.is_alive
    assert (await session.prompt("say fine")).usage.output_tokens == 4


async def test_a_question_taken_back_is_withdrawn(stage):
    session = await stage.misbehave()
    withdrawn = asyncio.Event()

    async def never(question):
        try:
            await asyncio.sleep(100)
        finally:
            withdrawn.set()

    stage.answer = never
    result = await session.prompt("permission withdraw")

    assert result.stop_reason == "end_turn"
    async with asyncio.timeout(50):  # the end of the turn can be heard before the question's own end
        await withdrawn.wait()


async def test_a_question_that_nobody_could_answer_is_answered_cancelled(stage):
    session = await stage.misbehave()

    await session.prompt("permission nonsense")

    assert stage.questions == []
    assert '"cancelled"' in stage.text


async def test_a_question_without_a_tool_call_before_it_shows_its_tool_call(stage):
    session = await stage.misbehave()
    stage.answer = "y"

    await session.prompt("permission once")

    assert stage.questions[0].command == "rm -rf x"
    assert stage.of(ToolCall)[0].title == "Do it"
    assert '"selected"' in stage.text


@pytest.mark.parametrize("method", ["fs/read_text_file", "fs/write_text_file", "terminal/create", "made/up"])
async def test_files_and_terminals_are_never_served(stage, method):
    session = await stage.misbehave()

    await session.prompt(f"request {method}")

    assert stage.text == "-32601"


async def test_what_is_said_before_a_turn_and_what_is_replayed_is_not_told_twice(stage):
    session = await stage.misbehave(previous="bad-1")

    await session.prompt("say now")

    assert stage.text == "now"
    assert session.agent_session_id == "bad-1"


async def test_a_session_the_agent_forgot_begins_anew(stage):
    session = await stage.misbehave(previous="forgotten")

    assert session.agent_session_id == "bad-1"


async def test_a_cancelled_turn_leaves_none_of_its_children(stage, token):
    session = await stage.misbehave()
    turn = asyncio.create_task(session.prompt(f"fork {token} hang"))
    await stage.until(lambda: "forked" in stage.text)
    assert len(sleeping(token)) >= 6

    session.cancel()
    await turn

    assert sleeping(token) == []
    assert (await session.prompt("say fine")).stop_reason == "end_turn"


@pytest.mark.parametrize("then", ["end", "die"])
async def test_a_stopped_session_leaves_none_of_its_children(stage, token, then):
    session = await stage.misbehave()
    if then == "die":
        with pytest.raises(AgentFailed, match="code 5"):
            await session.prompt(f"fork {token} die")
    else:
        await session.prompt(f"fork {token} end")
        assert len(sleeping(token)) >= 6

    left = await session.stop()

    assert not left
    assert sleeping(token) == []


async def test_stopping_twice_is_stopping_once(stage):
    session = await stage.misbehave()

    first, second = await asyncio.gather(session.stop(), session.stop())

    assert (first, second) == (set(), set())


def test_memory_stays_flat_under_a_long_line_and_a_million_small_ones():
    probe = subprocess.run([sys.executable, str(Path(__file__).with_name("memory_probe.py"))], capture_output=True, text=True, check=True)

    grown_mib, messages = map(float, probe.stdout.split())

    assert grown_mib < 64
    assert messages > 20_000


async def test_tool_output_comes_in_pieces(stage):
    session = await stage.misbehave()

    await session.prompt('updates [{"sessionUpdate":"tool_call_update","toolCallId":"t","_meta":{"terminal_output_delta":{"data":"abc"}}}]')

    assert stage.of(ToolOutput) == [ToolOutput(tool_call_id="t", text="abc")]
    assert stage.of(ToolCall) == []


async def test_the_cost_of_a_turn_is_what_was_added_to_the_sum(stage):
    session = await stage.misbehave()

    costs = [(await session.prompt(f"cost {total}")).usage.cost_usd for total in (0.25, 0.75, 0.75)]

    assert costs == [0.25, 0.5, 0.0]


@pytest.mark.parametrize(
    ("spent", "told", "cost", "is_estimate"), [(0.5, 0.75, 0.25, False), (0.5, 0.25, 0.25, False), (None, 0.75, 0.75, True)]
)
async def test_the_cost_of_the_first_turn_after_a_restart_is_not_counted_twice(stage, spent, told, cost, is_estimate):
    session = await stage.misbehave()
    await session.open("bad-1", spent_usd=spent)

    usage = (await session.prompt(f"cost {told}")).usage

    assert (usage.cost_usd, usage.is_estimate) == (cost, is_estimate)


READING = {"usage": UsageForm(reports_in_turn=True, model_at="own.model")}


async def test_of_a_turn_that_is_stopped_and_says_no_figures_what_it_had_read_counts(stage):
    session = await stage.misbehave(about=READING, timeouts=QUICK)
    turn = stage.spawn(session.prompt("read 5000"))
    await stage.until(lambda: session.unpaid)

    session.cancel()
    result = await turn

    assert result.models == [ModelUsage(model="m-1", input_tokens=5000, cached_read_tokens=0)]
    assert (result.stop_reason, result.usage.cost_usd, result.usage.context_used) == ("cancelled", None, 5000)


async def test_what_an_agent_that_died_had_read_is_known(stage):
    session = await stage.misbehave(about=READING)

    with pytest.raises(AgentFailed):
        await session.prompt("read 5000 die")

    assert session.unpaid == [ModelUsage(model="m-1", input_tokens=5000, cached_read_tokens=0)]


async def test_of_an_agent_that_is_not_known_to_report_in_mid_turn_nothing_is_estimated(stage):
    session = await stage.misbehave()

    with pytest.raises(AgentFailed):
        await session.prompt("read 5000 die")

    assert session.unpaid == []


RECONNECTING = FailureSigns(retrying="own.error.again=true", detail="own.error.info", codes={"lost": "unreachable"})


def reconnecting() -> AgentType:
    command = [sys.executable, "-I", "-S", str(Path(__file__).parents[1] / "misbehaving_agent.py")]
    return AgentType(name="bad", label="Bad", icon="x", command=command, failures=RECONNECTING)


async def test_an_agent_that_tries_to_reach_the_model_for_ever_is_stopped_with_the_reason(stage):
    session = await stage.start(reconnecting(), timeouts=Timeouts(retrying=0.4))

    result = await asyncio.wait_for(session.prompt("reconnect"), 50)

    assert (result.error_code, result.has_acted) == ("overloaded", False)
    assert session.is_alive
    assert (await session.prompt("say fine")).error is None


async def test_an_agent_that_reaches_the_model_again_is_left_alone(stage):
    session = await stage.start(reconnecting(), timeouts=Timeouts(retrying=1.5))

    result = await asyncio.wait_for(session.prompt("reconnect recover"), 50)

    assert (result.error, result.stop_reason) == (None, "end_turn")
    assert stage.text == "Here I am again"


async def test_a_person_may_cancel_one_that_tries_to_reach_the_model(stage):
    session = await stage.start(reconnecting(), timeouts=Timeouts(retrying=100))
    turn = asyncio.create_task(session.prompt("reconnect"))
    await asyncio.sleep(0.2)

    session.cancel()

    assert (await asyncio.wait_for(turn, 50)).error is None
