"""Conversations as four agents really keep them, and as somebody may have spoilt them."""

import json
import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agor_jupyter.agents import catalogue
from agor_jupyter.agents.history import files
from agor_jupyter.agents.history.past import MAX_TURNS, Folders
from agor_jupyter.agents.history.readers import known, reader
from agor_jupyter.domain.events import Text, Thought, ToolCall
from tests.agents.history.kept import IDS, environment, place

NAMES = sorted(IDS)
LINES = ["claude", "codex", "gemini"]
FOLDER = "/home/ann/project"
HERE = Folders({FOLDER})


def test_each_agent_names_a_reader_that_has_what_a_reader_has():
    named = {agent.history for agent in catalogue.discover().values() if agent.history}

    assert named == set(known()) == set(NAMES)
    for name in named:
        assert all(callable(getattr(reader(name), function)) for function in ("find", "read", "tidy", "last_error"))
    assert reader("no_such") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_is_found_by_its_folder(tmp_path, name):
    place(name, tmp_path, FOLDER)

    [found] = reader(name).find(environment(tmp_path), Folders({FOLDER, "/elsewhere"}))

    assert (found.agent_session_id, found.folder, found.turns) == (IDS[name], FOLDER, 2)
    assert found.title in {"Make hello.txt.", "fake", "fake title"}
    assert found.started_at.date() == found.updated_at.date() == datetime(2026, 11, 26, tzinfo=UTC).date()
    assert list(reader(name).find(environment(tmp_path), Folders({"/home/bob"}))) == []
    assert list(reader(name).find(environment(tmp_path / "nowhere"), HERE)) == []


@pytest.mark.parametrize("name", NAMES)
def test_one_that_began_in_a_subfolder_is_found_from_above(tmp_path, name):
    place(name, tmp_path, f"{FOLDER}/src/tool-x")

    def found(*roots, others=()):
        folders = Folders(roots, others)
        past = reader(name).read(environment(tmp_path), folders, IDS[name])
        listed = [(one.agent_session_id, one.folder) for one in reader(name).find(environment(tmp_path), folders)]
        assert listed == ([(past.found.agent_session_id, past.found.folder)] if past else [])
        return past is not None and past.found.folder == f"{FOLDER}/src/tool-x"

    assert found(FOLDER)
    assert found("/elsewhere", f"{FOLDER}/src", FOLDER)
    assert not found(f"{FOLDER}/src/tool")
    assert not found(f"{FOLDER}/src/tool/x")
    assert not found(FOLDER, others=[f"{FOLDER}/src"])
    assert found(FOLDER, f"{FOLDER}/src/tool-x", others=[f"{FOLDER}/src"])


@pytest.mark.parametrize(
    ("folder", "is_in"),
    [
        ("/r", True),
        ("/r/", True),
        ("/r/a/b", True),
        ("/r/a/../../s", False),
        ("/rr", False),
        ("/", False),
        ("", False),
        ("r/a", False),
        ("/r/w", False),
        ("/r/w/x", False),
        ("/r/wx", True),
        ("/r/w/own/x", True),
    ],
)
def test_the_nearest_folder_decides(folder, is_in):
    assert (folder in Folders({"/r", "/r/w/own"}, {"/r/w", "/r"})) is is_in


def test_among_very_many_subfolders_the_folder_itself_comes_first_and_the_rest_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("agor_jupyter.agents.history.claude_files._MAX_BELOW", 3)
    first = place("claude", tmp_path, FOLDER)
    for number in range(5):
        below = tmp_path / ".claude" / "projects" / f"-home-ann-project-{number}" / f"{number}{first.stem[1:]}.jsonl"
        below.parent.mkdir()
        below.write_text(first.read_text().replace(FOLDER, f"{FOLDER}/{number}"))

    found = reader("claude").find(environment(tmp_path), HERE)

    assert [one.folder for one in found] == [FOLDER, *(f"{FOLDER}/{number}" for number in range(3))]


@pytest.mark.parametrize("name", NAMES)
def test_its_turns_have_what_was_said_thought_and_done(tmp_path, name):
    place(name, tmp_path, FOLDER)

    past = reader(name).read(environment(tmp_path), HERE, IDS[name])

    first, second = past.turns
    assert (first.prompt, second.prompt) == ("Make hello.txt.", "Thank you")
    assert first.at < first.ended_at <= second.at
    assert second.model
    bodies = [body for _, body in first.entries]
    assert [body.text for body in bodies if isinstance(body, Thought)] == ["I plan it"]
    assert [body.text for body in bodies if isinstance(body, Text)] == ["I will write.", "Now git.", "All done."]
    assert [body.text for _, body in second.entries] == ["You are welcome."]
    calls = {}
    for body in bodies:
        if isinstance(body, ToolCall):
            known_call = calls.get(body.tool_call_id)
            calls[body.tool_call_id] = body if known_call is None else known_call.replace(**{k: v for k, v in body if v is not None})
    write, shell = calls.values()
    assert (write.status, shell.status, shell.title, shell.tool_kind) == ("completed", "completed", "git status --short", "execute")
    assert "hello.txt" in write.title
    assert "?? hello.txt" in shell.output
    assert (past.skipped, past.is_cut) == (0, False)
    assert reader(name).read(environment(tmp_path), Folders({"/elsewhere"}), IDS[name]) is None
    assert reader(name).read(environment(tmp_path), HERE, "../" * 5 + "etc/passwd") is None


@pytest.mark.parametrize("name", LINES)
def test_lines_that_cannot_be_read_are_skipped_and_counted(tmp_path, name):
    place(name, tmp_path, FOLDER, extra='no json\n[1, 2]\n"text"\n{"type": 3, "message": {"content": 5}}\n\n{"half": ')

    past = reader(name).read(environment(tmp_path), HERE, IDS[name])

    assert (len(past.turns), past.skipped) == (2, 4)


@pytest.mark.parametrize("name", LINES)
def test_a_line_without_an_end_costs_no_memory(tmp_path, name):
    path = place(name, tmp_path, FOLDER)
    with path.open("ab") as file:
        file.write(b"{" * (files.MAX_LINE * 2 + 17) + b"\n")

    past = reader(name).read(environment(tmp_path), HERE, IDS[name])

    assert (len(past.turns), past.skipped) == (2, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_is_not_followed(tmp_path, name):
    path = place(name, tmp_path, FOLDER)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)

    assert list(reader(name).find(environment(tmp_path), HERE)) == []
    assert reader(name).read(environment(tmp_path), HERE, IDS[name]) is None


@pytest.mark.parametrize("name", LINES)
def test_what_is_no_file_is_not_waited_for(tmp_path, name):
    path = place(name, tmp_path, FOLDER)
    path.unlink()
    os.mkfifo(path)

    before = time.monotonic()
    assert list(reader(name).find(environment(tmp_path), HERE)) == []
    assert time.monotonic() - before < 50


def test_a_folder_of_claude_that_only_looks_the_same_is_not_taken(tmp_path):
    place("claude", tmp_path, "/home/ann-project")

    assert reader("claude").find(environment(tmp_path), HERE) == []


def test_a_program_may_keep_its_files_elsewhere(tmp_path):
    place("claude", tmp_path, FOLDER)
    place("codex", tmp_path, FOLDER)
    env = environment(tmp_path / "nowhere") | {"CLAUDE_CONFIG_DIR": str(tmp_path / ".claude"), "CODEX_HOME": str(tmp_path / ".codex")}

    assert len(reader("claude").find(env, HERE)) == len(reader("codex").find(env, HERE)) == 1


def test_what_is_no_persons_word_is_no_turn(tmp_path):
    entries = [
        {"type": "user", "isMeta": True, "message": {"content": "meta"}},
        {"type": "user", "isSidechain": True, "message": {"content": "a helper's"}},
        {"type": "user", "message": {"content": "<command-name>/clear</command-name>"}},
        {"type": "user", "message": {"content": [{"type": "text", "text": "[Request interrupted by user]"}]}},
        {"type": "user", "message": {"content": [{"type": "text", "text": "<system-reminder>x</system-reminder>"}, {"type": "text", "text": "Real"}]}},
        {"type": "user", "message": {"content": "<earlier-conversation>\n> told\n\n</earlier-conversation>\nTruly"}},
    ]  # fmt: skip
    place("claude", tmp_path, FOLDER, extra="".join(json.dumps(one) + "\n" for one in entries))

    past = reader("claude").read(environment(tmp_path), HERE, IDS["claude"])

    assert [turn.prompt for turn in past.turns] == ["Make hello.txt.", "Thank you", "Real", "Truly"]


def test_of_too_many_turns_the_newest_are_read(tmp_path):
    more = "".join(json.dumps({"type": "user", "message": {"content": f"prompt {k}"}}) + "\n" for k in range(MAX_TURNS + 50))
    place("claude", tmp_path, FOLDER, extra=more)

    past = reader("claude").read(environment(tmp_path), HERE, IDS["claude"])

    assert (len(past.turns), past.turns[-1].prompt, past.is_cut) == (MAX_TURNS, f"prompt {MAX_TURNS + 49}", True)


def test_an_older_gemini_file_is_one_object(tmp_path):
    path = place("gemini", tmp_path, FOLDER)
    messages = [
        {"id": "1", "timestamp": "2026-01-01T00:00:00Z", "type": "user", "content": "Hello"},
        {"id": "2", "timestamp": "2026-01-01T00:00:01Z", "type": "gemini", "content": "Hi", "toolCalls": 5, "thoughts": None},
    ]
    path.with_suffix(".json").write_text(
        json.dumps({"sessionId": IDS["gemini"], "startTime": "2026-01-01T00:00:00Z", "messages": messages})
    )
    path.unlink()

    past = reader("gemini").read(environment(tmp_path), HERE, IDS["gemini"])

    assert [(turn.prompt, [body.text for _, body in turn.entries]) for turn in past.turns] == [("Hello", ["Hi"])]


def test_loading_leaves_no_file_of_gemini_that_would_take_the_conversation_with_it(tmp_path):
    path = place("gemini", tmp_path, FOLDER)
    lines = path.read_text().splitlines(keepends=True)
    empty = path.with_name(path.name.replace("02-11", "02-30"))
    empty.write_text("".join(lines[:2]))
    spoken = path.with_name(path.name.replace("02-11", "02-40"))
    spoken.write_text("".join([lines[0], '{"id":"9","type":"user","content":[{"text":"words"}]}\n']))
    other = path.with_name(path.name.replace("02-11", "02-50"))
    other.write_text(lines[0].replace(IDS["gemini"], IDS["gemini"][:8] + "-0000-0000-0000-000000000000"))

    reader("gemini").tidy(environment(tmp_path), IDS["gemini"])
    reader("gemini").tidy(environment(tmp_path), "../../..")

    assert [one.exists() for one in (path, empty, spoken, other)] == [True, False, True, True]


def test_the_only_file_of_a_conversation_is_never_removed(tmp_path):
    path = place("gemini", tmp_path, FOLDER)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))

    reader("gemini").tidy(environment(tmp_path), IDS["gemini"])

    assert path.exists()


def test_a_database_that_never_answers_is_given_up(tmp_path, monkeypatch):
    path = place("opencode", tmp_path, FOLDER)
    endless = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT k, 0, 0, 0, 0, 0, 0 FROM n WHERE k < 0"
    with sqlite3.connect(path) as database:
        database.executescript(f"ALTER TABLE session RENAME TO old; CREATE VIEW session AS SELECT id, title, directory, time_created, time_updated, parent_id FROM old WHERE (SELECT count(*) FROM ({endless})) = 0")  # fmt: skip
    database.close()
    monkeypatch.setattr("agor_jupyter.agents.history.opencode_files._LIMIT_S", 0.3)

    before = time.monotonic()
    assert reader("opencode").find(environment(tmp_path), HERE) == []
    assert time.monotonic() - before < 50


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_no_conversation(tmp_path, content):
    place("opencode", tmp_path, FOLDER).write_bytes(content)

    assert reader("opencode").find(environment(tmp_path), HERE) == []


keys = st.sampled_from(["type", "message", "content", "role", "text", "payload", "id", "$set", "messages", "toolCalls", "result", "output", "cwd", "timestamp", "call_id", "arguments", "name", "input", "thinking", "tool_use_id", "sessionId", "args"])  # fmt: skip
words = st.sampled_from(["user", "assistant", "gemini", "message", "tool_use", "tool_result", "text", "response_item", "function_call", "function_call_output", "reasoning", "session_meta", "2026-01-01T00:00:00Z", "99999-01-01"])  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=20,
)


@pytest.mark.parametrize("name", LINES)
@given(lines=st.lists(st.dictionaries(keys, anything, max_size=6), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_in_a_file_makes_a_reader_fail(tmp_path_factory, name, lines):
    home = tmp_path_factory.mktemp("home")
    place(name, home, FOLDER, extra="".join(json.dumps(line) + "\n" for line in lines))

    reader(name).find(environment(home), HERE)
    reader(name).read(environment(home), HERE, IDS[name])


_REFUSED = {"name": "APIError", "data": {"message": "Slow down.", "statusCode": 429, "responseHeaders": {"retry-after": "7"}}}


def _say(path, message: str | bytes, at: datetime, number: int) -> None:
    made = (f"msg_{number}", IDS["opencode"], at.timestamp() * 1000, at.timestamp() * 1000, message)
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO message (id, session_id, time_created, time_updated, data) VALUES (?, ?, ?, ?, ?)", made)
    database.close()


def test_the_error_of_the_last_message_is_read_if_it_is_not_older(tmp_path):
    began = datetime.now(UTC)
    path = place("opencode", tmp_path, FOLDER)
    ask = partial(reader("opencode").last_error, environment(tmp_path), IDS["opencode"])

    before = ask(began)
    _say(path, json.dumps({"role": "assistant", "error": _REFUSED}), began + timedelta(seconds=1), 1)
    refused = ask(began)
    later = ask(began + timedelta(seconds=2))
    _say(path, json.dumps({"role": "assistant"}), began + timedelta(seconds=3), 2)

    assert (before, refused, later) == (None, _REFUSED, None)
    assert ask(began) is None
    assert reader("opencode").last_error(environment(tmp_path / "nowhere"), IDS["opencode"], began) is None
    assert reader("opencode").last_error(environment(tmp_path), "x' OR 1=1 --", began) is None


def test_an_error_without_an_answer_has_a_code_of_its_own(tmp_path):
    began = datetime.now(UTC)
    path = place("opencode", tmp_path, FOLDER)
    error = {"name": "APIError", "data": {"message": "Cannot connect.", "isRetryable": True}}
    _say(path, json.dumps({"error": error}), began + timedelta(seconds=1), 1)

    assert reader("opencode").last_error(environment(tmp_path), IDS["opencode"], began) == {"code": "NoAnswer", **error}


@pytest.mark.parametrize(
    "message",
    ["no json", "[1]", "3", "null", b"\xff\x00", "[" * 100_000, json.dumps({"error": "x" * 300_000})],
    ids=["no_json", "a_list", "a_number", "null", "bytes", "too_deep", "too_long"],
)
def test_an_error_that_is_no_error_is_none(tmp_path, message):
    began = datetime.now(UTC)
    path = place("opencode", tmp_path, FOLDER)
    _say(path, message, began + timedelta(seconds=1), 1)

    assert reader("opencode").last_error(environment(tmp_path), IDS["opencode"], began) is None


def test_no_error_is_read_through_a_link(tmp_path):
    began = datetime.now(UTC)
    path = place("opencode", tmp_path, FOLDER)
    _say(path, json.dumps({"error": _REFUSED}), began + timedelta(seconds=1), 1)
    path.rename(tmp_path / "theirs.db")
    path.symlink_to(tmp_path / "theirs.db")

    assert reader("opencode").last_error(environment(tmp_path), IDS["opencode"], began) is None
