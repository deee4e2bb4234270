"""What an agent asks, read from its request."""

import pytest

from agor_jupyter.agents import claude, codex, gemini, opencode
from agor_jupyter.agents.protocol import updates
from agor_jupyter.agents.protocol.calls import Calls
from agor_jupyter.agents.protocol.questions import read_question
from agor_jupyter.agents.script import AGENT as SCRIPT
from agor_jupyter.domain.permissions import choose

OPTIONS = [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]


def ask(**call):
    return {"options": OPTIONS, "toolCall": {"toolCallId": "t", **call}}


def test_the_command_is_taken_from_the_input_and_not_from_the_title():
    question = read_question(ask(title="list files", kind="execute", rawInput={"command": ["rm", "-rf", "x"]}))

    assert (question.command, question.title, question.tool_kind) == ("rm -rf x", "list files", "execute")


def test_an_agent_whose_titles_are_commands_is_taken_at_its_word():
    question = read_question(ask(title="rm -rf x", kind="execute"), agent=gemini.AGENT)

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
    assert read_question(ask(**call), agent=gemini.AGENT).command == command


def test_a_question_that_nobody_could_answer_is_none():
    assert read_question({"options": [{"optionId": "y"}], "toolCall": {}}) is None


def known(*told):
    """What an agent told of its calls before it asked."""
    calls = Calls()
    for update in told:
        for body in updates.normalise({"sessionUpdate": "tool_call", "toolCallId": "t", **update}):
            calls.hear(body, is_begun=update.get("sessionUpdate", "tool_call") == "tool_call", is_masked=bool(update.get("masked")))
    return calls


def test_a_question_that_names_only_its_call_says_what_the_call_says():
    diff = {"type": "diff", "path": "/w/a.py", "oldText": None, "newText": "x"}
    calls = known(
        {"title": "Write a.py", "kind": "edit"},
        {"sessionUpdate": "tool_call_update", "rawInput": {"file_path": "/w/a.py"}, "content": [diff]},
    )

    question = read_question(ask(), calls=calls)

    assert (question.title, question.tool_kind, question.command, question.paths) == ("Write a.py", "edit", "/w/a.py", ["/w/a.py"])
    assert question.call.changes[0].new_text == "x"
    assert not question.is_stale
    assert not question.is_bare


def test_what_the_question_says_itself_replaces_what_was_told_before():
    calls = known({"title": "ls", "kind": "execute", "rawInput": {"command": "ls"}})

    question = read_question(ask(title="rm x", rawInput={"command": "rm x"}), calls=calls)

    assert (question.title, question.command, question.tool_kind) == ("rm x", "rm x", "execute")


def test_a_call_that_had_ended_may_be_another_and_one_that_begins_anew_is():
    ended = {"title": "ls", "rawInput": {"command": "ls"}, "status": "completed"}

    assert read_question(ask(), calls=known(ended)).is_stale
    assert read_question(ask(), calls=known(ended, {"title": "rm x"})).input == {}


def test_a_secret_in_what_was_told_before_is_one_in_the_question():
    assert read_question(ask(), calls=known({"title": "curl [KEY]", "masked": True})).is_masked


def test_calls_that_are_long_ago_are_forgotten():
    calls = known({"toolCallId": "first", "title": "x"}, *({"toolCallId": f"n{n}", "rawInput": {"x": "y" * 200_000}} for n in range(30)))

    assert "first" not in calls
    assert "n29" in calls
    assert calls._size < 5 << 20


@pytest.mark.parametrize(
    ("agent", "call"),
    [
        (claude.AGENT, {"title": "say_back", "kind": "other", "_meta": {"claudeCode": {"toolName": "mcp__pipe__say_back"}}}),
        (claude.AGENT, {"title": "mcp__pipe__say_back", "kind": "other"}),
        (codex.AGENT, {"title": "mcp.pipe.say_back", "kind": "execute"}),
        (codex.AGENT, {"kind": "execute", "rawInput": {"server": "pipe", "tool": "say_back", "arguments": {"words": "one"}}}),
        (gemini.AGENT, {"title": "say_back (pipe MCP Server)", "kind": "other"}),
        (opencode.AGENT, {"title": "pipe_say_back", "kind": "other"}),
    ],
)
def test_a_question_for_a_tool_of_an_mcp_server_names_both(agent, call):
    given = {"rawInput": {"words": "one"}, **call}

    question = read_question(ask(**given), agent=agent, mcp_titles=[*agent.mcp.titles, r"(?P<server>pipe)_(?P<tool>.+)"])

    assert (question.mcp_tool.server, question.mcp_tool.tool) == ("pipe", "say_back")
    assert question.title == "say_back of the MCP server pipe"
    assert "words" in question.command
    assert question.tool_kind == "other"


@pytest.mark.parametrize("call", [{"title": "mcp__"}, {"title": "web_fetch"}, {"title": "Read a.b.c"}, {"rawInput": {"tool": "x"}}])
def test_other_tools_are_of_no_mcp_server(call):
    assert read_question(ask(**call)).mcp_tool is None


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ({"command": "ls -a"}, "ls -a"),
        ({"cmd": ["ls", "-a"]}, "ls -a"),
        ({"command": "ls", "args": ["-a"]}, "ls -a"),
        ({"script": "ls; ls"}, "ls; ls"),
        ({"commandLine": "ls"}, "ls"),
        ({"arguments": {"command": "ls"}}, "ls"),
        ({"input": {"params": {"command": "ls"}}}, "ls"),
        ("ls -a", "ls -a"),
        (["ls", "-a"], "ls -a"),
        ({"command": 7}, None),
        ({"command": {"a": 1}}, None),
    ],
)
def test_a_command_is_found_in_the_forms_that_agents_use(given, command):
    assert read_question(ask(kind="execute", rawInput=given)).command == command


# Its options


def options(agent, *told):
    """Each is an id, a name and a kind."""
    listed = [{"optionId": option_id, "name": name, "kind": kind} for option_id, name, kind in told]
    return read_question({"options": listed, "toolCall": {"toolCallId": "t"}}, agent=agent).options


CLAUDE_EDIT = (("allow-once", "Yes", "allow_once"), ("allow-with-updates", "Yes, allow all edits during this session", "allow_always"))
CLAUDE_RUN = (("allow-once", "Yes", "allow_once"), ("allow-with-updates", "Yes, and don't ask again for git commands", "allow_always"))
CODEX_RUN = (
    ("allow_once", "Yes, proceed", "allow_once"),
    ("accept_execpolicy_amendment", "Yes, and don't ask again for commands that start with `ls`", "allow_always"),
    ("allow_for_session", "Yes, and don't ask again for this command in this session", "allow_always"),
)
GEMINI_MCP = (
    ("proceed_always_and_save", "Allow tool for all future sessions", "allow_always"),
    ("proceed_always_server", "Allow all server tools for this session", "allow_always"),
    ("proceed_always_tool", "Allow tool for this session", "allow_always"),
    ("proceed_once", "Allow", "allow_once"),
)


@pytest.mark.parametrize(
    ("agent", "told", "reaches", "session"),
    [
        (claude.AGENT, CLAUDE_EDIT, ["once", "session"], "allow-with-updates"),
        (claude.AGENT, CLAUDE_RUN, ["once", "repository"], None),
        (codex.AGENT, CODEX_RUN, ["once", "session", "home"], "allow_for_session"),
        (gemini.AGENT, GEMINI_MCP, ["once", "session", "session", "home"], "proceed_always_tool"),
        (SCRIPT, (("allow_always", "Always in this session", "allow_always"),), ["session"], "allow_always"),
    ],
)
def test_of_several_that_say_always_the_narrowest_is_chosen_and_none_that_is_written_down(agent, told, reaches, session):
    offered = options(agent, *told)

    assert [option.reach for option in offered] == reaches
    chosen = choose(offered, "session")
    assert (chosen.option.id if chosen else None) == session
    once = choose(offered, "once")
    assert once is None or once.option.kind == "allow_once"


OTHER = SCRIPT.replace(permissions=SCRIPT.permissions.replace(lasting=[]))


@pytest.mark.parametrize(
    ("told", "session"),
    [
        ((("a", "Allow for this session", "allow_always"),), "a"),
        ((("allow_session", "Allow", "allow_always"),), "allow_session"),
        ((("a", "Always allow", "allow_always"),), None),
        ((("a", "Allow in all sessions", "allow_always"),), None),
        ((("a", "Allow this session to write settings", "allow_always"),), None),
        ((("a", "Allow all tools for this session", "allow_always"), ("b", "Allow this tool for this session", "allow_always")), None),
    ],
)
def test_of_an_agent_without_an_entry_only_what_says_session_and_nothing_else_is_taken_for_it(told, session):
    chosen = choose(options(OTHER, *told), "session")

    assert (chosen.option.id if chosen else None) == session


def test_where_a_rule_of_ours_can_say_it_the_agent_is_told_once():
    chosen = choose(options(claude.AGENT, *CLAUDE_RUN), "session", is_memorable=True)

    assert (chosen.option.id, chosen.needs_rule) == ("allow-once", True)


def test_who_said_once_never_gets_always():
    assert choose(options(OTHER, ("a", "Always", "allow_always"), ("n", "Never", "reject_always")), "once") is None


def test_a_no_is_the_narrowest_there_is():
    assert choose(options(OTHER, ("never", "Never", "reject_always"), ("no", "No", "reject_once")), "no").option.id == "no"
    assert choose(options(OTHER, ("never", "Never", "reject_always")), "no").option.id == "never"
