"""Variables: a value goes in, and comes out only in the processes of the sessions of the person who set it."""

import json
import sqlite3
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.sessions import SessionCreate
from agor_jupyter.domain.variables import MAX_VARIABLES, VariableSet
from tests import leaks

BOB = Caller(person=Person(username="bob", name="Bob"), role=Role.OWNER)
VALUE = "value-of-a-variable"
SHOW = 'printf "%s." "${MINE-none}" | tr a-z A-Z'  # in a form that is not masked


async def shown(scene, session, line=SHOW):
    """What the session's agent finds in its environment."""
    turn = await scene.prompt(session, line)
    await scene.allow(turn)
    await scene.ended(turn)
    bodies = [event["body"] for event in await scene.transcript(session) if event["turnId"] == turn.id]
    return "".join(body["text"] for body in bodies if body["kind"] == "tool_output")


async def test_the_agent_of_its_owners_session_gets_it_and_nobody_elses(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    mine, other = await scene.session(), await scene.agor.sessions.create(BOB, SessionCreate(worktree_id=scene.worktree.id), scene.key())

    assert await shown(scene, mine) == f"{VALUE.upper()}."
    assert await shown(scene, other) == "NONE."
    assert [one.name for one in await scene.agor.variables.list(scene.caller)] == ["MINE"]
    assert await scene.agor.variables.list(BOB) == []


async def test_nobody_gets_anothers_variables_by_naming_their_session_as_the_parent(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    mine = await scene.session()

    child = await scene.agor.sessions.create(BOB, SessionCreate(worktree_id=scene.worktree.id, parent_id=mine.id), scene.key())

    assert await shown(scene, child) == "NONE."


async def test_a_session_that_an_agent_spawned_has_those_of_the_agents_person(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    mine = await scene.session()
    engine = await scene.agor.delegate(SessionId(mine.id))

    child = await engine.spawn("hello", agent=None, worktree_id=None, title=None)

    assert await shown(scene, child) == f"{VALUE.upper()}."


async def test_a_change_reaches_a_session_with_its_next_turn(scene):
    session = await scene.session()

    found = [await shown(scene, session)]
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    found.append(await shown(scene, session))
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value="another-value"))
    found.append(await shown(scene, session))
    await scene.agor.variables.remove(scene.caller, "MINE")
    found.append(await shown(scene, session))

    assert found == ["NONE.", f"{VALUE.upper()}.", "ANOTHER-VALUE.", "NONE."]


@pytest.mark.parametrize(
    "name", ["PATH", "LD_PRELOAD", "PYTHONPATH", "AGOR_X", "JUPYTER_TOKEN", "GIT_DIR", "1A", "A-B", "", "A" * 300, "A\0"]
)
async def test_a_name_that_no_agent_may_have_is_refused(scene, name):
    with pytest.raises(errors.BadName):
        await scene.agor.variables.set(scene.caller, name, VariableSet(value=VALUE))


async def test_what_cannot_be_masked_or_handed_over_is_refused(scene, viewer):
    with pytest.raises(ValueError, match="at least 8"):
        VariableSet(value="1234567")
    with pytest.raises(errors.BadName, match="NUL"):
        await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value="1234567\0"))
    with pytest.raises(errors.BadRequest, match="bytes"):
        await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value="ü" * 20_000))
    with pytest.raises(errors.NotAllowed):
        await scene.agor.variables.set(viewer, "MINE", VariableSet(value=VALUE))
    with pytest.raises(errors.VariableNotFound):
        await scene.agor.variables.remove(scene.caller, "MINE")
    for number in range(MAX_VARIABLES):
        await scene.agor.variables.set(scene.caller, f"V{number}", VariableSet(value=VALUE))
    with pytest.raises(errors.BadRequest, match="at most"):
        await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    await scene.agor.variables.set(scene.caller, "V0", VariableSet(value="another-value"))


async def test_a_secret_is_never_shown(scene):
    assert VALUE not in repr(VariableSet(value=VALUE))
    answer = await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))

    assert json.loads(answer.encode()).keys() == {"username", "name", "updatedAt"}
    assert leaks.in_database(VALUE, scene.agor.config.data_dir) == []


async def test_no_agent_starts_without_the_variables_it_should_have(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    scene.agor.config.key_file.unlink()
    session = await scene.session()

    turn = await scene.ended(await scene.prompt(session, "echo x"))

    assert (turn.state.value, turn.error_code) == ("failed", "secrets_locked")
    assert "key" in turn.error


async def test_a_row_that_was_moved_to_another_person_is_not_used(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    with sqlite3.connect(scene.agor.config.data_dir / "agor.db") as database:
        database.execute("update variables set username = 'bob'")
    session = await scene.agor.sessions.create(BOB, SessionCreate(worktree_id=scene.worktree.id), scene.key())

    turn = await scene.ended(await scene.prompt(session, SHOW))

    assert (turn.state.value, turn.error_code) == ("failed", "secrets_locked")


async def test_on_a_server_that_knows_no_people_they_are_the_owners(fake):
    scene = await fake(only_account="ann")
    anonymous = Caller(person=Person(username="3f9c", name="Anonymous Io"), role=Role.OWNER)

    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    session = await scene.agor.sessions.create(anonymous, SessionCreate(worktree_id=scene.worktree.id), scene.key())

    assert [one.name for one in await scene.agor.variables.list(anonymous)] == ["MINE"]
    assert await scene.agor.variables.account_of(session) == "ann"


async def test_what_one_persons_agent_left_in_a_file_another_persons_agent_and_the_diff_do_not_show(scene):
    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    mine, other = await scene.session(), await scene.agor.sessions.create(BOB, SessionCreate(worktree_id=scene.worktree.id), scene.key())
    await shown(scene, mine, 'echo "key: $MINE" > left')

    said = await shown(scene, other, "cat left")
    diff = await scene.agor.worktrees.diff(scene.worktree.id)

    assert VALUE in (Path(scene.worktree.path) / "left").read_text()
    assert said == "key: [MINE]\n"
    assert "+key: [MINE]" in diff.text


async def test_what_an_agent_hands_to_another_over_mcp_is_masked(scene):
    from agor_jupyter.mcp import app

    await scene.agor.variables.set(scene.caller, "MINE", VariableSet(value=VALUE))
    session = await scene.session()
    turn = await scene.prompt(session, "sleep 20")
    await scene.allow(turn)
    app.ENGINE.set(await scene.agor.delegate(SessionId(session.id)))

    answer = await app.call("session_spawn", {"prompt": f"use {VALUE}"})

    assert not answer["isError"], answer
    [child] = [one for one in (await app.ENGINE.get().sessions()) if one.parent_id == session.id]
    assert [one.prompt for one in await scene.agor.turns.list(child.id)] == ["use [MINE]"]
    await scene.agor.turns.cancel(scene.caller, turn.id)
    await scene.ended(turn)
    assert leaks.in_database(VALUE, scene.agor.config.data_dir) == []
