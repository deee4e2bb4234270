"""What an agent says of its secrets is stored nowhere, whichever way it says it."""

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Answer, Prompt
from agor_jupyter.domain.variables import VariableSet
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.consent import grants
from tests import leaks
from tests.scene import Scene

LEAKING = Path(__file__).parents[2] / "leaking_agent.py"
CANARY = 'canary-/?+&"ü-' + "0123456789abcdef" * 5
TOKEN = "token-of-the-mcp-server-0123456789abcdefghij"
EVERYTHING = ("text", "tool", "permission", "garbage", "error", "rejection", "stop", "mode", "exit")


def leaking(*arguments: str, env: dict[str, str]) -> AgentType:
    return AgentType(name="leaking", label="Leaking", icon="x", command=[sys.executable, "-I", "-S", str(LEAKING), *arguments], env=env)


@pytest.fixture
async def leak(config, owner, key, repository, monkeypatch):
    """Makes a scene with an agent; its engine can be closed, so that the files hold all there is."""
    monkeypatch.setattr(grants.secrets, "token_urlsafe", lambda _: TOKEN)
    made = []

    async def make(agent: AgentType, **changes):
        app = Agor(dataclasses.replace(config, agents=(agent,), **changes), mcp_url="http://127.0.0.1:9/agor/mcp")
        await app.__aenter__()
        made.append(app)
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        worktree = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        return Scene(app, owner, key, await app.worktrees.wait_ready(worktree.id))

    yield make
    for app in made:
        await app.__aexit__(None, None, None)


async def play(scene, session, where):
    """Let the agent leak; answer what it asks. Returns the turn as it ended."""
    turn = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=where), scene.key())
    while (now := await scene.until(turn, "waiting", "done", "failed")).state.value == "waiting":
        question = await scene.question(now)
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="yes"), scene.key())
    return now


@pytest.mark.parametrize("where", EVERYTHING)
@pytest.mark.parametrize("name", ["CANARY_KEY", "CANARY"])
async def test_a_secret_of_the_environment_a_variable_and_the_agents_token_are_stored_nowhere(leak, caplog, where, name):
    is_variable = name == "CANARY"  # which does not look like a secret
    scene = await leak(leaking(env={} if is_variable else {name: CANARY}))
    caplog.set_level("DEBUG")
    if is_variable:
        await scene.agor.variables.set(scene.caller, name, VariableSet(value=CANARY))
    session = await scene.session(agent="leaking")

    turn = await play(scene, session, where)
    transcript = json.dumps(await scene.transcript(session))
    await scene.agor.__aexit__(None, None, None)

    assert turn.state.value == ("failed" if where in {"error", "rejection", "stop", "exit"} else "done")
    assert f"[{name}]" in transcript
    for secret in (CANARY, TOKEN):
        assert leaks.in_database(secret, scene.agor.config.data_dir) == []
        assert leaks.traces(secret, caplog.text.encode()) == []
    if where == "text":
        assert "[AGOR_MCP_TOKEN]" in transcript


async def test_a_conversation_that_is_named_after_a_secret_is_refused(leak):
    scene = await leak(leaking("--name", env={"CANARY_KEY": CANARY}))
    session = await scene.session(agent="leaking")

    turn = await play(scene, session, "text")
    await scene.agor.__aexit__(None, None, None)

    assert (turn.state.value, turn.error_code) == ("failed", "agent_failed")
    assert "secret" in turn.error
    assert leaks.in_database(CANARY, scene.agor.config.data_dir) == []


async def test_a_secret_in_a_file_is_not_in_the_turns_patch(leak):
    script = leaking(env={"CANARY_KEY": CANARY}).replace(command=[sys.executable, "-I", "-m", "agor_jupyter.agents.runner"])
    scene = await leak(script)
    session = await scene.session(agent="leaking")

    turn = await scene.prompt(
        session, 'printf "%s" "$CANARY_KEY" > plain', 'printf "a:%s" "$CANARY_KEY" | base64 > encoded', "cat encoded; exit 3"
    )
    await scene.allow(turn)
    turn = await scene.ended(turn)
    patch = (await scene.agor.turns.patch(turn.id)).text
    await scene.agor.__aexit__(None, None, None)

    assert turn.files == 2
    assert "+[CANARY_KEY]" in patch
    assert re.search(r"\+\S{1,6}\[CANARY_KEY\]", patch)
    assert leaks.traces(CANARY, patch.encode()) == []
    assert leaks.in_database(CANARY, scene.agor.config.data_dir) == []
