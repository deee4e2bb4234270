"""What an agent asks, read from its request."""

import pytest

from agor_jupyter.agents.questions import read_question

OPTIONS = [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]


def ask(**call):
    return {"options": OPTIONS, "toolCall": {"toolCallId": "t", **call}}


def test_the_command_is_taken_from_the_input_and_not_from_the_title():
    question = read_question(ask(title="list files", kind="execute", rawInput={"command": ["rm", "-rf", "x"]}))

    assert (question.command, question.title, question.tool_kind) == ("rm -rf x", "list files", "execute")


def test_an_agent_whose_titles_are_commands_is_taken_at_its_word():
    question = read_question(ask(title="rm -rf x", kind="execute"), command_is_title=True)

    assert (question.command, question.input) == ("rm -rf x", {"command": "rm -rf x"})


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ({"title": "Writing to a.txt", "kind": "edit"}, None),
        ({"title": "ls", "kind": "execute", "rawInput": {"command": "rm x"}}, "rm x"),
        ({"title": "ls " + "x" * 3000 + "; rm x", "kind": "execute"}, None),
    ],
)
def test_a_title_that_is_no_command_or_not_the_whole_of_it_is_not(call, command):
    assert read_question(ask(**call), command_is_title=True).command == command


def test_a_question_that_nobody_could_answer_is_none():
    assert read_question({"options": [{"optionId": "y"}], "toolCall": {}}) is None
