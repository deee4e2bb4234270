"""The protocol's own models accept every message that we and the script agent send, and understand every field of it."""

import asyncio
import json

import acp.schema as s
import pytest

from agor_jupyter.agents.script import AGENT as SCRIPT
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.executors.local import LocalExecutor

ASKED = {
    "initialize": (s.InitializeRequest, s.InitializeResponse),
    "session/new": (s.NewSessionRequest, s.NewSessionResponse),
    "session/load": (s.LoadSessionRequest, s.LoadSessionResponse),
    "session/prompt": (s.PromptRequest, s.PromptResponse),
    "session/request_permission": (s.RequestPermissionRequest, s.RequestPermissionResponse),
}
TOLD = {"session/update": s.SessionNotification, "session/cancel": s.CancelNotification, "$/cancel_request": s.CancelRequestNotification}


class Tee:
    """A pipe whose bytes are kept."""

    def __init__(self, pipe, kept: bytearray) -> None:
        self.pipe, self.kept = pipe, kept

    def write(self, data):
        self.kept += data
        self.pipe.write(data)

    async def read(self, count=-1):
        data = await self.pipe.read(count)
        self.kept += data
        return data

    def __getattr__(self, name):
        return getattr(self.pipe, name)


@pytest.fixture
def wires(monkeypatch):
    """(what we sent, what the agent sent)."""
    kept = bytearray(), bytearray()
    spawn = LocalExecutor.spawn

    async def spawn_and_listen(self, *args):
        process = await spawn(self, *args)
        process.stdin, process.stdout = Tee(process.stdin, kept[0]), Tee(process.stdout, kept[1])
        return process

    monkeypatch.setattr(LocalExecutor, "spawn", spawn_and_listen)
    return kept


def check(model, value, seen) -> None:
    understood = model.model_validate(value).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert understood == value
    seen.add(model.__name__)


async def test_every_message_is_valid(stage, wires):
    session = await stage.start()
    await session.prompt("```sh\necho hello; echo more >&2\n```\n```python\nraise SystemExit(3)\n```")
    await session.prompt("nothing")
    stage.answer = "reject_once"
    await session.prompt("```bash\ntrue\n```")
    stage.answer = lambda question: asyncio.sleep(100)
    turn = asyncio.create_task(session.prompt("```bash\ntrue\n```"))
    await stage.until(lambda: len(stage.questions) == 4)
    session.cancel()
    await turn
    await session.stop()
    again = await stage.start(previous=session.agent_session_id)
    await again.stop()

    sent, received = ([json.loads(line) for line in wire.splitlines()] for wire in wires)
    seen = set()
    for ours, theirs in ((sent, received), (received, sent)):
        asked = {}
        for message in ours:
            assert message["jsonrpc"] == "2.0"
            method = message.get("method")
            if "id" in message and method:
                check(ASKED[method][0], message["params"], seen)
                asked.setdefault(message["id"], []).append(ASKED[method][1])
            elif method:
                check(TOLD[method], message["params"], seen)
        for message in theirs:
            if "result" in message:  # the two processes count from one each
                check(asked[message["id"]].pop(0), message["result"], seen)
    assert seen == {model.__name__ for pair in ASKED.values() for model in pair} | {"SessionNotification", "CancelNotification"} | (
        seen & {"CancelRequestNotification"}
    )


async def test_an_agent_written_with_the_sdk_works(stage, tmp_path):
    program = tmp_path / "echo.py"
    program.write_text(
        "import asyncio\n"
        "from acp import run_agent, update_agent_message_text, PROTOCOL_VERSION\n"
        "from acp.schema import InitializeResponse, NewSessionResponse, PromptResponse\n"
        "class Echo:\n"
        "    def on_connect(self, client): self.client = client\n"
        "    async def initialize(self, protocol_version, **_): return InitializeResponse(protocol_version=PROTOCOL_VERSION)\n"
        "    async def new_session(self, cwd, **_): return NewSessionResponse(session_id='echo-1')\n"
        "    async def prompt(self, session_id, prompt, **_):\n"
        "        await self.client.session_update(session_id=session_id, update=update_agent_message_text(prompt[0].text))\n"
        "        return PromptResponse(stop_reason='end_turn')\n"
        "asyncio.run(run_agent(Echo()))\n"
    )
    session = await stage.start(AgentType(name="echo", label="Echo", icon="x", command=[SCRIPT.command[0], str(program)]))

    result = await session.prompt("hello")

    assert result.stop_reason == "end_turn"
    assert stage.text == "hello"
