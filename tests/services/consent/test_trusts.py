"""An agent obeys the files of a worktree only after an owner has trusted their content."""

import dataclasses
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType, Restriction, WorktreeFiles
from agor_jupyter.domain.permissions import PermissionState
from agor_jupyter.domain.sessions import Answer, Prompt
from agor_jupyter.domain.trust import TrustRequest
from agor_jupyter.domain.worktrees import WorktreeCreate

OBEDIENT = AgentType(
    name="obedient",
    label="Obedient",
    icon="ag-agent",
    command=["/bin/true"],
    files=WorktreeFiles(
        project=["RULES.md", ".obedient/"],
        without_project=Restriction(env={"OBEY": "no"}, args=["--alone"], session_meta={"obey": False}, except_files=[".obedient/hooks/"]),
    ),
)


@pytest.fixture
def config(config):
    return dataclasses.replace(config, agents=(OBEDIENT,))


@pytest.fixture
async def scene(fake):
    return await fake()


def write(scene, name="RULES.md", text="obey\n"):
    path = Path(scene.worktree.path) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def begin(scene, **fields):
    session = await scene.session(agent="obedient", **fields)
    return session, await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go"), scene.key())


async def answer(scene, turn, option_id):
    question = await scene.question(turn)
    return await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id=option_id), scene.key())


async def agent_of(scene, turn):
    """The one that got the turn's prompt."""
    await scene.until(turn, "running")
    fakes = scene.agor.fakes.started
    await scene.eventually(lambda: any(one._turn for one in fakes))
    return next(one for one in fakes if one._turn)


async def test_without_such_files_nothing_is_asked(scene):
    _, turn = await begin(scene)

    agent = await agent_of(scene, turn)

    assert agent.agent.command == ["/bin/true"]


async def test_trusted_they_are_obeyed_and_not_asked_about_again(scene):
    write(scene)
    _, turn = await begin(scene)
    question = await scene.question(turn)
    assert scene.agor.fakes.started == []
    assert (question.title, question.command) == ("Obedient wants to load instruction files that nobody trusts", "RULES.md")
    assert [(file.path, file.state, file.text) for file in question.files] == [("RULES.md", "new", None)]
    assert (await scene.agor.turns.get(turn.id)).tree_before is None

    answered = await answer(scene, turn, "trust")

    agent = await agent_of(scene, turn)
    assert answered.state is PermissionState.ALLOWED
    assert agent.agent.command == ["/bin/true"]
    _, other = await begin(scene)
    await agent_of(scene, other)
    [file] = await scene.agor.trusts.list(scene.worktree.id)
    assert (file.state, file.decided_by, file.agents) == ("trusted", scene.caller.person, ["obedient"])


async def test_refused_the_agent_starts_without_them_and_says_so(scene):
    write(scene)
    session, turn = await begin(scene)

    await answer(scene, turn, "without")

    agent = await agent_of(scene, turn)
    assert (agent.agent.command, agent.agent.env, agent.agent.quirks.session_meta) == (
        ["/bin/true", "--alone"],
        {"OBEY": "no"},
        {"obey": False},
    )
    notices = [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "notice"]
    assert [text for text in notices if "RULES.md" in text and "nobody trusts" in text]
    _, other = await begin(scene)
    await scene.until(other, "running")


async def test_what_it_cannot_be_kept_from_keeps_it_from_starting(scene):
    write(scene, ".obedient/hooks/start")
    _, turn = await begin(scene)
    question = await scene.question(turn)
    assert [option.name for option in question.options] == ["Trust these files", "Do not start it"]

    await answer(scene, turn, "without")

    turn = await scene.ended(turn)
    assert (turn.state.value, turn.tree_before) == ("failed", None)
    assert ".obedient/hooks/start" in turn.error
    assert scene.agor.fakes.started == []


async def test_another_content_is_asked_about_again_also_between_two_turns(scene):
    write(scene)
    session, turn = await begin(scene)
    await answer(scene, turn, "trust")
    agent = await agent_of(scene, turn)
    write(scene, text="obey me more\n")
    agent.finish()
    await scene.ended(turn)

    second = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go on"), scene.key())
    question = await scene.question(second)

    assert agent.is_stopped
    assert [(file.path, file.state) for file in question.files] == [("RULES.md", "changed")]
    await answer(scene, second, "without")
    restarted = await agent_of(scene, second)
    assert restarted.agent.command == ["/bin/true", "--alone"]
    assert restarted.opened_with == agent.agent_session_id


async def test_a_file_that_the_agent_makes_is_asked_about_before_its_next_turn(scene):
    session, turn = await begin(scene)
    agent = await agent_of(scene, turn)
    write(scene, ".obedient/settings.json", "{}")
    agent.finish()
    await scene.ended(turn)

    second = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go on"), scene.key())

    assert [file.path for file in (await scene.question(second)).files] == [".obedient/settings.json"]


async def test_an_agent_that_obeys_what_is_trusted_goes_on_in_its_process(scene):
    write(scene)
    session, turn = await begin(scene)
    await answer(scene, turn, "trust")
    agent = await agent_of(scene, turn)
    agent.finish()
    await scene.ended(turn)

    second = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go on"), scene.key())

    assert await agent_of(scene, second) is agent


async def test_trust_counts_in_all_worktrees_of_the_repository_for_this_content(scene):
    write(scene)
    _, turn = await begin(scene)
    await answer(scene, turn, "trust")
    await agent_of(scene, turn)
    made = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=scene.worktree.repo_id, name="other"), scene.key())
    other = await scene.agor.worktrees.wait_ready(made.id)

    (Path(other.path) / "RULES.md").write_text("obey\n")
    [same] = await scene.agor.trusts.list(other.id)
    (Path(other.path) / "RULES.md").write_text("obey me more\n")
    [changed] = await scene.agor.trusts.list(other.id)

    assert (same.state, changed.state) == ("trusted", "changed")


async def test_a_question_that_nobody_answers_in_time_is_no_trust(fake):
    from datetime import timedelta

    scene = await fake(permission_timeout=timedelta(seconds=0.1))
    write(scene)
    _, turn = await begin(scene)

    agent = await agent_of(scene, turn)

    assert agent.agent.command == ["/bin/true", "--alone"]
    assert [file.state for file in await scene.agor.trusts.list(scene.worktree.id)] == ["new"]


async def test_a_cancel_withdraws_the_question(scene):
    write(scene)
    session, turn = await begin(scene)
    question = await scene.question(turn)

    await scene.agor.sessions.cancel(scene.caller, session.id)

    turn = await scene.ended(turn)
    assert turn.state.value == "cancelled"
    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.WITHDRAWN
    assert scene.agor.fakes.started == []


async def test_while_people_think_others_may_start(fake):
    scene = await fake(max_starting=1, max_running=1)
    write(scene)
    _, asking = await begin(scene)
    await scene.question(asking)

    session = await scene.session()
    other = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go"), scene.key())

    await scene.until(other, "running")


async def test_what_changes_while_it_waits_for_its_start_keeps_it_from_starting(scene):
    write(scene)
    [file] = await scene.agor.trusts.list(scene.worktree.id)
    await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files={file.path: file.sha256}), scene.key())
    looks, look = [], scene.agor.trusts.look

    async def changed_after_the_first(*arguments):
        looks.append(await look(*arguments))
        write(scene, text="obey me more\n")
        return looks[-1]

    scene.agor.trusts.look = changed_after_the_first
    _, turn = await begin(scene)

    turn = await scene.ended(turn)
    assert (turn.state.value, len(looks)) == ("failed", 2)
    assert "RULES.md" in turn.error
    assert scene.agor.fakes.started == []


async def test_only_owners_trust(scene, steerer):
    write(scene)
    _, turn = await begin(scene)
    question = await scene.question(turn)
    [file] = question.files

    with pytest.raises(errors.NotAllowed):
        await scene.agor.permissions.answer(steerer, question.id, Answer(option_id="trust"), scene.key())
    with pytest.raises(errors.NotAllowed):
        await scene.agor.trusts.decide(steerer, scene.worktree.id, TrustRequest(files={file.path: file.sha256}), scene.key())


async def test_an_owner_decides_beforehand_and_changes_their_mind(scene):
    write(scene)
    [file] = await scene.agor.trusts.list(scene.worktree.id)
    files = {file.path: file.sha256}

    key = scene.key()
    made = await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files=files), key)
    again = await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files=files), key)
    session, turn = await begin(scene)
    agent = await agent_of(scene, turn)
    agent.finish()
    await scene.ended(turn)
    await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files=files, is_trusted=False), scene.key())
    second = await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text="go on"), scene.key())

    assert made == again
    assert (await agent_of(scene, second)).agent.command == ["/bin/true", "--alone"]


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_decision_elsewhere_is_the_answer_to_an_open_question(scene, is_trusted):
    write(scene)
    _, turn = await begin(scene)
    question = await scene.question(turn)
    files = {file.path: file.sha256 for file in question.files}

    await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files=files, is_trusted=is_trusted), scene.key())

    agent = await agent_of(scene, turn)
    assert agent.agent.command == (["/bin/true"] if is_trusted else ["/bin/true", "--alone"])
    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.WITHDRAWN


async def test_a_decision_about_some_of_the_files_leaves_the_question_open(scene):
    write(scene)
    write(scene, ".obedient/settings.json", "{}")
    _, turn = await begin(scene)
    question = await scene.question(turn)
    first, *_ = question.files

    await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files={first.path: first.sha256}), scene.key())

    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.OPEN
    assert (await scene.agor.turns.get(turn.id)).state.value == "waiting"


async def test_a_decision_about_what_is_not_there_any_more_is_none(scene):
    write(scene)
    [file] = await scene.agor.trusts.list(scene.worktree.id)
    write(scene, text="obey me more\n")

    with pytest.raises(errors.ProjectFileChanged, match="RULES.md"):
        await scene.agor.trusts.decide(scene.caller, scene.worktree.id, TrustRequest(files={file.path: file.sha256}), scene.key())

    assert [file.state for file in await scene.agor.trusts.list(scene.worktree.id)] == ["new"]


async def test_a_server_that_trusts_all_asks_nothing(fake):
    scene = await fake(trust_project_files=True)
    write(scene)
    _, turn = await begin(scene)

    assert (await agent_of(scene, turn)).agent.command == ["/bin/true"]
