"""Conversations from before, listed for a worktree and imported as sessions."""

import dataclasses
import json

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.history import ConversationImport
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.domain.variables import VariableSet
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from tests.agents.history.kept import IDS, place
from tests.services.agents.test_options import choosy

ID = IDS["claude"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def config(config, tmp_path, home):
    (tmp_path / "remembers").mkdir()
    (tmp_path / "remembers" / f"{ID}.json").write_text(json.dumps(["Make hello.txt.", "Thank you"]))
    agents = (choosy(tmp_path / "remembers", "--config", "--resume", name="remembers", history="claude"),)
    return dataclasses.replace(config, agents=agents)


def request(agent="remembers", agent_session_id=ID):
    return ConversationImport(agent=agent, agent_session_id=agent_session_id)


async def say(scene, session, text):
    return await scene.ended(await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key()))


async def bodies(scene, session, kind):
    return [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == kind]


async def test_conversations_of_the_worktree_and_of_its_checkout_are_listed(scene, home, repository):
    place("claude", home, scene.worktree.path)
    place("codex", home, repository)
    place("gemini", home, "/somewhere/else")

    found = await scene.agor.history.list(scene.caller, scene.worktree.id)

    listed = {(one.agent, one.agent_session_id, one.folder, one.turns, one.session_id) for one in found}
    assert listed == {
        ("claude", ID, scene.worktree.path, 2, None),
        ("remembers", ID, scene.worktree.path, 2, None),
        ("codex", IDS["codex"], str(repository), 2, None),
    }


async def test_one_of_a_subfolder_is_listed_and_told_to_a_new_conversation(scene, home, repository):
    place("claude", home, f"{scene.worktree.path}/src")
    place("codex", home, f"{repository}/src")

    found = {(one.agent, one.folder) for one in await scene.agor.history.list(scene.caller, scene.worktree.id)}
    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())

    assert found == {(name, f"{scene.worktree.path}/src") for name in ("claude", "remembers")} | {("codex", f"{repository}/src")}
    assert (session.agent_session_id, session.imported_id) == (None, ID)


async def test_one_of_another_worktree_below_the_checkout_is_left_to_that(config, owner, key, home, repository):
    async with Agor(dataclasses.replace(config, data_dir=repository / ".agor")) as agor:
        repo = await agor.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = [await agor.worktrees.create(owner, WorktreeCreate(repo=repo.id, name=name), key()) for name in ("one", "two")]
        one, two = [await agor.worktrees.wait_ready(worktree.id) for worktree in made]
        place("claude", home, f"{one.path}/src")
        place("codex", home, two.path)

        listed = [{(each.agent, each.folder) for each in await agor.history.list(owner, worktree.id)} for worktree in (one, two)]

    assert one.path.startswith(f"{repository}/")
    assert listed == [{("claude", f"{one.path}/src"), ("remembers", f"{one.path}/src")}, {("codex", two.path)}]


async def test_a_conversation_becomes_a_session_with_its_turns(scene, home):
    place("claude", home, scene.worktree.path)

    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request("claude"), scene.key())

    assert (session.agent, session.state.value, session.agent_session_id, session.turn_count) == ("claude", "done", ID, 2)
    assert session.created_by == scene.caller.person
    first, second = await scene.agor.turns.list(session.id)
    assert [(turn.number, turn.prompt, turn.state.value, turn.model) for turn in (first, second)] == [
        (1, "Make hello.txt.", "done", "claude-opus-5-5"),
        (2, "Thank you", "done", "claude-opus-5-5"),
    ]
    assert first.started_at < first.ended_at <= second.started_at < session.created_at
    kinds = [event["body"]["kind"] for event in await scene.transcript(session)]
    assert kinds[:5] == ["notice", "prompt", "thought", "text", "tool_call"]
    assert kinds[-3:] == ["prompt", "text", "turn_ended"]
    [notice] = await bodies(scene, session, "notice")
    assert notice["text"].startswith(f"Imported from the files of Claude Code: 2 turns, in {scene.worktree.path}.")
    session = await scene.consistent(session)
    assert session.last_line == "You are welcome."


async def test_it_is_imported_once(scene, home):
    place("claude", home, scene.worktree.path)

    first = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())
    again = await scene.agor.history.import_(scene.caller, scene.worktree.name, request(), scene.key())

    assert again.id == first.id
    listed = await scene.agor.history.list(scene.caller, scene.worktree.id)
    assert {(one.agent, one.session_id) for one in listed} == {("remembers", first.id), ("claude", None)}


async def test_the_next_prompt_goes_on_in_the_same_conversation(scene, home):
    place("claude", home, scene.worktree.path)
    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())

    turn = await say(scene, session, "And now?")

    assert turn.number == 3
    said = json.loads((await bodies(scene, session, "text"))[-1]["text"])["said"]
    assert said == ["Make hello.txt.", "Thank you"]
    assert [body["code"] for body in await bodies(scene, session, "notice")] == ["imported", "resumed"]


async def test_one_of_another_folder_is_told_to_a_new_conversation(scene, home, repository):
    place("claude", home, repository)
    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())
    assert (session.agent_session_id, session.imported_id) == (None, ID)

    await say(scene, session, "And now?")
    await say(scene, session, "Really?")

    said = json.loads((await bodies(scene, session, "text"))[-1]["text"])["said"]
    assert "> Make hello.txt." in said[0]
    assert said[0].endswith("And now?")
    notice = (await bodies(scene, session, "notice"))[-1]
    assert notice["code"] == "primed"
    assert notice["text"].endswith("because the old one took place in another folder.")
    again = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())
    assert again.id == session.id


async def test_secrets_are_masked_in_what_is_imported(scene, home, monkeypatch):
    await scene.agor.variables.set(scene.caller, "MY_TOKEN", VariableSet(value="tok-1234567890"))
    path = place("claude", home, scene.worktree.path)
    path.write_text(path.read_text().replace("I will write.", "It is tok-1234567890.").replace("Thank you", "Use tok-1234567890"))

    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())

    stored = json.dumps(await scene.transcript(session)) + str(await scene.agor.turns.list(session.id))
    assert "tok-1234567890" not in stored
    assert stored.count("[MY_TOKEN]") >= 3


async def test_only_an_owner_sees_and_imports_and_only_what_is_there(scene, home, steerer):
    place("claude", home, "/somewhere/else")

    with pytest.raises(errors.NotAllowed):
        await scene.agor.history.list(steerer, scene.worktree.id)
    with pytest.raises(errors.NotAllowed):
        await scene.agor.history.import_(steerer, scene.worktree.id, request(), scene.key())
    for wrong in (request(), request(agent_session_id="../../../etc/passwd"), request("script")):
        with pytest.raises(errors.ConversationNotFound):
            await scene.agor.history.import_(scene.caller, scene.worktree.id, wrong, scene.key())
    with pytest.raises(errors.AgentNotFound):
        await scene.agor.history.import_(scene.caller, scene.worktree.id, request("nobody"), scene.key())


async def test_times_of_the_future_and_none_at_all_do_no_harm(scene, home):
    path = place("claude", home, scene.worktree.path)
    path.write_text(
        path.read_text().replace("2026-11-26T02:11:12.569Z", "9999-01-01T00:00:00Z").replace('"timestamp":"2026-11-26T02:11:11.611Z",', "")
    )

    session = await scene.agor.history.import_(scene.caller, scene.worktree.id, request(), scene.key())

    first, second = await scene.agor.turns.list(session.id)
    assert first.started_at <= first.ended_at <= second.started_at <= second.ended_at <= session.created_at
    await scene.consistent(session)
