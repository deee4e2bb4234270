from agor_jupyter.domain.errors import AgentFailed


def test_what_an_agent_wrote_last_is_quoted_from_the_beginning_of_a_line():
    told = AgentFailed("x", "it ended", "first\n" + "a" * 300 + "\n" + "b" * 300 + "\n").message

    assert told == f"Agent 'x' failed: it ended. It wrote last: {'b' * 300}"
    assert AgentFailed("x", "it ended", "c" * 900).message.endswith(f"last: {'c' * 400}")
    assert AgentFailed("x", "it ended", "\n").message == "Agent 'x' failed: it ended."
