from agor_jupyter.domain.errors import AgentFailed, GitFailed


def test_what_an_agent_wrote_last_is_quoted_from_the_beginning_of_a_line():
    told = AgentFailed("x", "it ended", "first\n" + "a" * 300 + "\n" + "b" * 300 + "\n").message

    assert told == f"Agent 'x' failed: it ended. Its last output: {'b' * 300}"
    assert AgentFailed("x", "it ended", "c" * 900).message.endswith(f"output: {'c' * 400}")
    assert AgentFailed("x", "it ended", "\n").message == "Agent 'x' failed: it ended."


def test_what_git_said_is_quoted_without_commands_for_a_terminal_and_without_passwords() -> None:
    said = "\x1b[31mfatal:\x1b[0m unable to access 'https://ann:s3cret@example.org/x.git/': \x1b]0;title\x07no\u202e ssh://tok3n@host/y"

    error = GitFailed("clone the repository", said)

    assert str(error) == "git could not clone the repository: fatal: unable to access 'https://…@example.org/x.git/': no ssh://…@host/y"
