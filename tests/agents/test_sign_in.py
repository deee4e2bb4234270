"""An agent that wants a sign-in gets the key of its environment, or says that it has none."""

import sys

import pytest

from agor_jupyter.agents import catalogue
from agor_jupyter.agents.protocol import sign_in
from agor_jupyter.domain.agents import AgentType, SignIn
from agor_jupyter.domain.errors import AgentSignedOut

AGENT = """
import json, sys
signed = None
for line in sys.stdin:
    message = json.loads(line)
    method, answer = message["method"], {"id": message["id"], "jsonrpc": "2.0"}
    if method == "initialize":
        answer["result"] = {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
    elif method == "authenticate":
        signed = message["params"]
        answer["result"] = {}
    elif signed is None or signed["key"] == "wrong":
        answer["error"] = {"code": -32000, "message": "Authentication required"}
    else:
        answer["result"] = {"sessionId": "s-" + signed["methodId"]}
    print(json.dumps(answer), flush=True)
"""


def kind(*authenticate):
    return AgentType(
        name="shy",
        label="Shy",
        icon="x",
        command=[sys.executable, "-c", AGENT],
        pass_env=["SHY_KEY"],
        sign_in=SignIn(authenticate=list(authenticate)),
    )


BY_KEY = {"methodId": "key", "key": "${SHY_KEY}"}


@pytest.mark.parametrize("previous", [None, "s-key"])
async def test_a_key_of_the_environment_is_given_when_it_is_wanted(stage, previous):
    session = await stage.start(kind({"methodId": "other", "key": "${OTHER_KEY}"}, BY_KEY), previous=previous, source={"SHY_KEY": "right"})

    assert session.agent_session_id == "s-key"


@pytest.mark.parametrize("source", [{}, {"SHY_KEY": ""}, {"SHY_KEY": "wrong"}])
@pytest.mark.parametrize("previous", [None, "s-key"])
async def test_without_one_that_helps_the_turn_says_how_to_sign_in(stage, previous, source):
    with pytest.raises(
        AgentSignedOut, match=r"needs you to sign in: Authentication required\. `jupyter agor agent show shy` says how"
    ) as caught:
        await stage.start(kind(BY_KEY), previous=previous, source=source)

    assert caught.value.code == "auth_required"


def test_a_variable_may_have_a_default_anywhere_in_the_request():
    agent = kind({"methodId": "x", "_meta": {"urls": ["${URL:-https://example.org}/v1", 3], "header": "Bearer ${KEY}"}})

    assert sign_in.request(agent, {"KEY": "k"}) == {
        "methodId": "x", "_meta": {"urls": ["https://example.org/v1", 3], "header": "Bearer k"},
    }  # fmt: skip
    assert sign_in.request(agent, {"URL": "http://here"}) is None


def test_codex_keeps_a_key_in_its_memory():
    request = sign_in.request(catalogue.discover()["codex"], {"OPENAI_API_KEY": "k"})

    assert request["methodId"] == "gateway"
    assert request["_meta"]["gateway"]["headers"] == {"Authorization": "Bearer k"}
