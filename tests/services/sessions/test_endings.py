"""How a turn ended and how long it took, as a person would say it: a no is no failure, and waiting for a person is no work."""

import asyncio

from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.sessions import Answer

BOB = Caller(person=Person(username="bob", name="Bob"), role=Role.OWNER)


async def test_what_ended_because_somebody_said_no_was_rejected_by_them(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "echo hello")
    question = await scene.question(turn)

    await scene.agor.permissions.answer(BOB, question.id, Answer(option_id="reject_once"), scene.key())

    turn = await scene.ended(turn)
    assert (turn.state.value, turn.error_code, turn.error, turn.ended_by) == ("cancelled", "rejected", None, BOB.person)
    session = await scene.consistent(session)
    assert (session.state.value, session.was_rejected, session.ended_by) == ("cancelled", True, BOB.person)
    assert "error" not in {event["body"]["kind"] for event in await scene.transcript(session)}


async def test_who_cancelled_is_said_and_a_later_turn_forgets_it(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "sleep 60")
    await scene.question(turn)
    await scene.agor.turns.cancel(BOB, turn.id, scene.key())
    await scene.ended(turn)
    cancelled = await scene.agor.sessions.get(session.id)

    again = await scene.prompt(session, "true")
    await scene.allow(again)
    await scene.ended(again)

    assert (cancelled.state.value, cancelled.was_rejected, cancelled.ended_by) == ("cancelled", False, BOB.person)
    done = await scene.agor.sessions.get(session.id)
    assert (done.state.value, done.ended_by) == ("done", None)


async def test_time_in_which_a_question_waited_is_not_time_of_work(scene):
    session = await scene.session()
    turn = await scene.prompt(session, "true")
    await scene.question(turn)
    await asyncio.sleep(0.5)  # the time is what counts: so long at least
    await scene.allow(turn)

    turn = await scene.ended(turn)

    whole = (turn.ended_at - turn.started_at).total_seconds()
    assert turn.waited_seconds >= 0.5
    assert turn.seconds > 0
    assert abs(turn.seconds + turn.waited_seconds - whole) < 0.02
    assert turn.queued_seconds == (turn.started_at - turn.created_at).total_seconds()
