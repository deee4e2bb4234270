"""The model of the tests, in each wire format: it plays the next step of the scenario, whatever the history before it."""

import http.client
import json
import urllib.error
import urllib.request

import pytest

from harness.model_server import ModelServer, Trouble
from harness.model_server.script import script

SCENARIO = script({"text": "I look.", "do": "shell", "cmd": "git status"}, {"text": "It says {result}."})


def anthropic(result):
    answered = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": result}]}] if result else []
    tool = {"name": "Bash", "input_schema": {"properties": {"command": {}}}}
    return "/v1/messages", {"model": "m", "tools": [tool], "messages": [{"role": "user", "content": SCENARIO}, *answered]}


def responses(result):
    answered = [{"type": "function_call_output", "call_id": "1", "output": result}] if result else []
    tool = {"type": "function", "name": "exec_command", "parameters": {"properties": {"cmd": {}}}}
    return "/v1/responses", {"model": "m", "tools": [tool], "input": [{"role": "user", "content": SCENARIO}, *answered]}


def chat(result):
    answered = [{"role": "tool", "tool_call_id": "1", "content": result}] if result else []
    tool = {"type": "function", "function": {"name": "bash", "parameters": {"properties": {"command": {}}}}}
    return "/v1/chat/completions", {"model": "m", "tools": [tool], "messages": [{"role": "user", "content": SCENARIO}, *answered]}


def gemini(result):
    answered = [{"role": "user", "parts": [{"functionResponse": {"response": result}}]}] if result else []
    tool = {"functionDeclarations": [{"name": "run_shell_command", "parameters": {"properties": {"command": {}}}}]}
    contents = [{"role": "user", "parts": [{"text": SCENARIO}]}, *answered]
    return "/v1beta/models/m:generateContent", {"tools": [tool], "contents": contents}


FORMATS = pytest.mark.parametrize("form", [anthropic, responses, chat, gemini])


@pytest.fixture
def model():
    with ModelServer() as server:
        yield server


def ask(model, path, body, *, stream=False):
    if stream:
        path, body = path.replace(":generate", ":streamGenerate"), {**body, "stream": True}
    request = urllib.request.Request(model.url + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=50) as answer:
        return answer.read().decode()


@FORMATS
@pytest.mark.parametrize("stream", [False, True])
def test_the_step_is_told_by_the_results_in_the_request(model, form, stream):
    first = ask(model, *form(None), stream=stream)
    second = ask(model, *form("nothing new"), stream=stream)

    assert "I look." in first
    assert "git status" in first
    assert "git status" not in second
    assert stream or "nothing new" in second  # in a stream it comes in pieces
    assert [request.model for request in model.requests] == ["m", "m"]


@FORMATS
def test_trouble_has_its_status_and_its_headers(model, form):
    model.trouble = Trouble(status=429, headers={"retry-after": "7"})

    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(model, *form(None))

    assert (caught.value.code, caught.value.headers["retry-after"]) == (429, "7")
    assert "Too many requests." in caught.value.read().decode()


@FORMATS
def test_a_stream_breaks_in_the_middle(model, form):
    model.trouble = Trouble(drop=1)

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(model, *form(None), stream=True)

    assert model.dropped == 1


def test_a_model_that_left_answers_nobody_until_it_is_back(model):
    model.leave()

    with pytest.raises(urllib.error.URLError):
        ask(model, *chat(None))

    model.come_back()
    assert "I look." in ask(model, *chat(None))
