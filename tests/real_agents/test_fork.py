"""A fork begins with what its origin knows, and what is said in one is not known in the other."""

from agor_jupyter.domain.sessions import SessionFork


async def test_a_fork_knows_what_was_said_before_and_its_origin_does_not_know_what_is_said_after(stage):
    session = await stage.begin()
    await stage.play(session, {"text": "The password is heron."})

    fork = await stage.agor.sessions.fork(stage.caller, session.id, SessionFork(), stage.key())
    asked = len(stage.model.requests)
    turn = await stage.play(fork, {"text": "In the fork it is crane."})
    in_fork = stage.model.requests[asked:]
    asked = len(stage.model.requests)
    back = await stage.play(session, {"text": "I am the origin."})
    in_origin = [request for request in stage.model.requests[asked:] if not request.is_aside]  # Codex may ask late for the fork's title

    fork = await stage.agor.sessions.get(fork.id)
    can_fork = stage.agor.agents.get(stage.kit.name).capabilities.can_fork
    assert (turn.state, turn.error, back.state) == ("done", None, "done")
    assert fork.origin_id == session.id
    assert fork.fork == ("native" if can_fork else "primed")
    assert fork.agent_session_id != (await stage.agor.sessions.get(session.id)).agent_session_id
    assert [notice["code"] for notice in await stage.events(turn, "notice")]
    if stage.kit.remembers:
        assert any("The password is heron." in request for request in in_fork)
        assert in_origin
        assert not any("In the fork it is crane." in request for request in in_origin)
