"""What is an agent's own and what is work, as a table."""

import pytest
from pydantic import ValidationError

from agor_jupyter.agents import catalogue
from agor_jupyter.domain.agents import AgentType, WorktreeFiles
from agor_jupyter.domain.own_files import LAG_NS, NOBODYS, Beginning, OwnFiles, Spoken, fits, named, texts_of


@pytest.mark.parametrize(
    ("pattern", "own", "work"),
    [
        (".tool/state.json", [".tool/state.json"], [".tool/state.json5", ".tool/state", "x/.tool/state.json", ".tool/stateXjson"]),
        (".tool*", [".tool", ".tool.history.md", ".tool.cache.v4/a/b"], ["a.tool", "src/.tool", ".too"]),
        (".tool/cache/", [".tool/cache/a", ".tool/cache/a/b"], [".tool/cache", ".tool/cached/a"]),
        (".tool/*.json", [".tool/a.json", ".tool/.json"], [".tool/a/b.json", ".tool/a.jsonl"]),
        (".tool/*/log", [".tool/a/log", ".tool/a/log/1"], [".tool/log", ".tool/a/b/log"]),
        (".t?", [".t1", ".tx/y"], [".t", ".t12", ".t/"]),
        (".a+(b)[c]", [".a+(b)[c]"], [".aab", ".a+bc"]),
        (".tool/\N{LATIN SMALL LETTER E WITH ACUTE}", [".tool/\N{LATIN SMALL LETTER E WITH ACUTE}"], [".tool/e"]),
    ],
)
def test_a_pattern_fits_what_it_names_and_nothing_beside_it(pattern, own, work):
    assert [path for path in own if not fits(path, [pattern])] == []
    assert [path for path in work if fits(path, [pattern])] == []


@pytest.mark.parametrize(
    "pattern", ["", "/", "*", "?*", "*/x", "**", "/etc/passwd", "../x", "a/../b", "./a", "a//b", "a\0b", "a\nb", "x" * 300]
)
def test_a_pattern_that_would_reach_beyond_the_agent_is_refused(pattern):
    with pytest.raises(ValidationError):
        AgentType(name="a", label="A", icon="x", command=["a"], files=WorktreeFiles(own=[pattern]))


def test_a_name_that_is_no_text_fits_as_any_other():
    assert fits(".tool/\udcff\udcfe", [".tool/*"])
    assert fits(".tool/a\nb", [".tool/*"])


def test_paths_are_told_apart_in_order_and_by_whose_they_are():
    own = OwnFiles(entries={"Claude Code": [".claude/settings.local.json"], "Tool": [".tool*"]}, made={"state.db": "Other"})

    work, kept = own.tell_apart(
        ["b.txt", ".tool/x", "state.db", ".claude/settings.local.json", "a.txt", ".tool.log", ".claude/agents/x.md"]
    )

    assert work == ["b.txt", "a.txt", ".claude/agents/x.md"]
    assert kept == {"Tool": [".tool/x", ".tool.log"], "Other": ["state.db"], "Claude Code": [".claude/settings.local.json"]}
    assert NOBODYS.tell_apart(["a"]) == (["a"], {})
    assert (named("Claude Code", 1), named("Claude Code", 2)) == ("1 file of Claude Code's own", "2 files of Claude Code's own")


def test_no_agent_of_the_catalogue_calls_a_persons_file_its_own():
    """What people write by hand and commit."""
    theirs = ["a.py", "README.md", ".env", ".gitignore", "CLAUDE.md", "AGENTS.md", "GEMINI.md", ".mcp.json", ".claude/settings.json"]
    theirs += [".claude/agents/x.md", ".claude/commands/x.md", ".claude/skills/x/SKILL.md", ".gemini/settings.json", ".codex/config.toml"]
    theirs += ["opencode.json", ".opencode/opencode.json", ".opencode/agent/x.md", ".opencode/plugin/x.ts", ".github/workflows/ci.yml"]

    for agent in catalogue.discover().values():
        assert [path for path in theirs if fits(path, agent.files.own)] == [], agent.name


BEFORE, PROMPT = frozenset({"old.txt"}), frozenset({"old.txt", "state.db", ".tool/a"})


@pytest.mark.parametrize(
    ("calls", "changed", "made"),
    [
        ([(100, False)], {".tool/b": 90}, {".tool/b"}),
        ([(100, False)], {".tool/b": 100}, set()),  # the tool may have written it
        ([(100, False)], {".tool/b": 99}, set()),  # it may have run before it was heard of
        ([(100, False)], {"b.txt": 90}, set()),  # an agent that edits without a word
        ([(100, False)], {"src/.cache/b": 90}, {"src/.cache/b"}),
        ([(100, True)], {".tool/b": 90}, set()),  # it ran before it was told of
        ([], {".tool/b": 90}, set()),  # it tells of no tool
        ([(100, False), (50, True)], {".tool/b": 90}, {".tool/b"}),
        ([(100, False)], {".tool/a": 90, "old.txt": 90, "state.db": 90}, set()),  # they were there
    ],
)
def test_after_its_first_prompt_only_what_hides_and_came_before_the_first_tool_is_its_own(calls, changed, made):
    beginning = Beginning(there=BEFORE, at_prompt=PROMPT)
    for at, has_ended in calls:
        beginning.hear(at * LAG_NS, has_ended=has_ended)

    assert beginning.made == {"state.db", ".tool/a"}
    assert beginning.made_until_tool({path: at * LAG_NS for path, at in changed.items()}) == made


def test_before_it_was_prompted_nothing_is_known():
    beginning = Beginning(there=BEFORE)
    beginning.hear(1, has_ended=False)

    assert (beginning.made, beginning.made_until_tool({".tool/b": 0})) == (frozenset(), frozenset())


def test_a_tool_names_a_file_wherever_it_says_its_name():
    spoken = Spoken()
    spoken.hear(texts_of({"file_path": "/w/.tool/state.json", "more": [{"deep": ["cat notes.md | wc"]}], "n": 3, "none": None}))

    assert spoken.names(".tool/state.json")
    assert spoken.names("a/notes.md")
    assert not spoken.names(".tool/other.json")


def test_when_more_was_said_than_is_remembered_anything_may_have_been_named():
    spoken = Spoken(limit=10)
    spoken.hear(["short", "x" * 20])

    assert spoken.names("anything")
