"""Questions: asked once, answered once, by a named person; withdrawn when nobody needs the answer any more."""

import asyncio
from datetime import timedelta

import pytest

from agor_jupyter.agents.protocol.questions import UNTITLED
from agor_jupyter.domain import errors
from agor_jupyter.domain.events import ToolCall
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.permissions import PermissionState
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.domain.turns import TurnState

BOB = Caller(person=Person(username="bob", name="Bob"), role=Role.OWNER)


async def _asked(scene):
    session = await scene.session()
    turn, agent = await scene.running(session)
    asking = agent.ask()
    return session, turn, agent, asking, await scene.question(turn)


async def test_the_answer_reaches_the_agent_and_everyone_sees_who_gave_it(fake):
    scene = await fake()
    session, turn, _, asking, question = await _asked(scene)
    before = await scene.agor.sessions.get(session.id)
    assert (before.state.value, before.open_permission_id, before.current_turn_id) == ("needs_you", question.id, turn.id)

    answered = await scene.agor.permissions.answer(BOB, question.id, Answer(option_id="yes", note="fine"), scene.key())

    assert await asking == "yes"
    assert (answered.state, answered.option_id, answered.answered_by, answered.note) == (PermissionState.ALLOWED, "yes", BOB.person, "fine")
    turn = await scene.agor.turns.get(turn.id)
    assert (turn.state, turn.permission_id) == (TurnState.RUNNING, None)
    assert (await scene.consistent(session)).open_permission_id is None
    assert await scene.agor.permissions.list() == []
    bodies = [event["body"] for event in await scene.transcript(session)]
    assert [body["permission"]["state"] for body in bodies if body["kind"].startswith("permission")] == ["open", "allowed"]


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(fake):
    scene = await fake()
    _, _, _, asking, question = await _asked(scene)

    scene.agor.permissions._release(question.id, "yes")
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.WITHDRAWN


async def test_of_many_answers_at_once_exactly_one_counts(fake):
    scene = await fake()
    _, _, _, asking, question = await _asked(scene)

    results = await asyncio.gather(
        *[
            scene.agor.permissions.answer(
                BOB if k % 2 else scene.caller, question.id, Answer(option_id="yes" if k % 3 else "no"), scene.key()
            )
            for k in range(10)
        ],
        return_exceptions=True,
    )

    won = [result for result in results if not isinstance(result, Exception)]
    lost = [result for result in results if isinstance(result, Exception)]
    assert len(won) == 1
    assert {type(error) for error in lost} == {errors.AlreadyAnswered}
    assert {error.details["by"] for error in lost} == {won[0].answered_by.name}
    assert await asking == won[0].option_id


async def test_the_same_answer_sent_again_is_answered_again(fake):
    scene = await fake()
    _, _, _, _, question = await _asked(scene)
    key = scene.key()

    first = await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="no"), key)

    assert first.state is PermissionState.REJECTED
    assert await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="no"), key) == first
    with pytest.raises(errors.KeyReused):
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="yes"), key)


async def test_who_may_not_or_answers_what_was_not_asked_is_refused_and_the_question_stays(fake, steerer, viewer):
    scene = await fake()
    _, _, _, asking, question = await _asked(scene)
    answer = scene.agor.permissions.answer

    for caller in (steerer, viewer):
        with pytest.raises(errors.NotAllowed, match="owner"):
            await answer(caller, question.id, Answer(option_id="yes"), scene.key())
    with pytest.raises(errors.BadRequest, match="yes, no"):
        await answer(scene.caller, question.id, Answer(option_id="perhaps"), scene.key())
    with pytest.raises(errors.PermissionNotFound):
        await answer(scene.caller, "pe_none", Answer(option_id="yes"), scene.key())

    assert not asking.done()
    assert [one.id for one in await scene.agor.permissions.list()] == [question.id]


async def test_without_a_limit_it_waits_and_with_one_the_answer_is_no(fake):
    scene = await fake(permission_timeout=timedelta(milliseconds=150))
    session, turn, _, asking, question = await _asked(scene)

    assert await asking == "no"

    expired = await scene.agor.permissions.get(question.id)
    assert (expired.state, expired.option_id, expired.answered_by) == (PermissionState.EXPIRED, "no", None)
    assert (await scene.agor.turns.get(turn.id)).state is TurnState.RUNNING
    with pytest.raises(errors.AlreadyAnswered, match="expired"):
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="yes"), scene.key())
    await scene.consistent(session)


@pytest.mark.parametrize("how", ["agent ends the turn", "agent dies", "agent takes it back", "a person cancels"])
async def test_a_question_that_nobody_needs_is_withdrawn(fake, how):
    scene = await fake()
    session, turn, agent, asking, question = await _asked(scene)

    match how:
        case "agent ends the turn":
            agent.finish()
        case "agent dies":
            agent.fail(errors.AgentFailed("script", "it ended with code 1"))
        case "agent takes it back":
            asking.cancel()
        case "a person cancels":
            await scene.agor.turns.cancel(scene.caller, turn.id)
    await scene.eventually_async(scene.agor.permissions.list, [])

    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.WITHDRAWN
    if how == "agent takes it back":
        assert (await scene.agor.turns.get(turn.id)).state is TurnState.RUNNING
    else:
        await scene.ended(turn)
    with pytest.raises(errors.AlreadyAnswered):
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="yes"), scene.key())
    await scene.consistent(session)
    settled = [event for event in await scene.transcript(session) if event["body"]["kind"] == "permission_settled"]
    assert len(settled) == 1


async def test_two_questions_at_once_are_put_one_after_the_other(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    one, two = agent.ask("one"), agent.ask("two")
    first = await scene.question(turn)
    assert first.title == "one"

    await scene.agor.permissions.answer(scene.caller, first.id, Answer(option_id="yes"), scene.key())
    assert await one == "yes"
    await scene.eventually_async(lambda: _titles(scene), ["two"])
    second = await scene.question(turn)
    await scene.agor.permissions.answer(scene.caller, second.id, Answer(option_id="no"), scene.key())

    assert await two == "no"


async def _titles(scene):
    return [question.title for question in await scene.agor.permissions.list()]


async def test_a_question_after_the_turn_was_cancelled_is_not_put_to_anyone(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    agent.cancel = lambda: None  # it does not listen
    await scene.agor.turns.cancel(scene.caller, turn.id)

    assert await agent.ask() is None
    assert await scene.agor.permissions.list() == []
    agent.finish("cancelled")
    await scene.ended(turn)


async def test_what_the_agent_tells_of_a_call_after_it_asked_is_in_the_question(fake):
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    asking = agent.ask(title=UNTITLED, tool_call_id="t1")
    question = await scene.question(turn)

    await agent.callbacks["on_event"](ToolCall(tool_call_id="t1", title="rm x", tool_kind="execute", input={"command": "rm x"}), None)
    await agent.callbacks["on_event"](ToolCall(tool_call_id="t1", title="ls", input={"command": "ls"}), None)

    [told] = await scene.agor.permissions.list()
    assert (told.id, told.title, told.command, told.tool_kind, told.rule_words) == (question.id, "rm x", "rm x", "execute", None)
    await scene.allow(turn)
    assert await asking == "yes"
    assert (await scene.agor.permissions.get(question.id)).title == "rm x"
