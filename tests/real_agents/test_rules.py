"""A rule answers what a person said yes to beforehand, and nothing else."""

import pytest

from agor_jupyter.domain.rules import RuleCreate


@pytest.fixture
def sandbox():
    """Some ask for less in one."""
    return "off"


async def test_a_command_that_a_rule_allows_is_not_asked_and_a_second_one_behind_it_is(stage):
    session = await stage.begin()
    wish = RuleCreate(scope="session", subject=session.id, command_prefix=["mkdir"])
    rule = await stage.agor.rules.create(stage.caller, wish, stage.key())

    allowed = await stage.say(session, {"do": "shell", "cmd": "mkdir made", "asks": True}, {"text": "Done."})
    asked = [one.command or one.title for one in await stage.see_through(allowed)]
    joined = await stage.say(session, {"do": "shell", "cmd": "mkdir more; touch more/x", "asks": True}, {"text": "Done."})
    asked_then = [one.command or one.title for one in await stage.see_through(joined)]

    assert (await stage.agor.turns.get(allowed.id)).state == "done"
    assert (stage.folder / "made").is_dir()
    assert [one for one in asked if "mkdir" in one] == []
    assert [one for one in asked_then if "mkdir more; touch more/x" in one]
    settled = [body["permission"] for body in await stage.events(allowed, "permission_settled") if body["permission"]["ruleId"]]
    assert [(one["ruleId"], one["state"], one["answeredBy"]["username"]) for one in settled] == [(rule.id, "allowed", "ann")]
    assert [one.uses for one in await stage.agor.rules.list(session=session.id)] == [1]


async def test_an_edit_of_the_worktrees_files_that_a_rule_allows_is_not_asked(stage):
    session = await stage.begin()
    kind = "execute" if stage.kit.name == "script" else "edit"  # it has no other tool than a shell
    wish = RuleCreate(scope="worktree", subject=stage.worktree.id, tool_kind=kind)
    await stage.agor.rules.create(stage.caller, wish, stage.key())

    turn = await stage.say(session, stage.write("made.txt", "one\n"), {"text": "Done."})
    asked = await stage.see_through(turn)

    assert (stage.folder / "made.txt").read_text() == "one\n"
    assert asked == []
