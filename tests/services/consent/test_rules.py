"""Rules: what a person said yes to beforehand is not asked again, and nothing else is."""

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import BoardOpen, ZoneAdd
from agor_jupyter.domain.ids import ObjectId
from agor_jupyter.domain.people import Caller, Person, Role
from agor_jupyter.domain.permissions import McpTool, PermissionOption, PermissionState
from agor_jupyter.domain.rules import Remember, RuleCreate
from agor_jupyter.domain.sessions import Answer, SessionCreate
from agor_jupyter.domain.worktrees import WorktreeChange, WorktreeCreate
from agor_jupyter.services.clock import Clock
from tests.scene import sh

BOB = Caller(person=Person(username="bob", name="Bob"), role=Role.OWNER)
STATUS = ["git", "status"]


async def make(scene, caller=None, *, scope="session", subject=None, **fields):
    return await scene.agor.rules.create(caller or scene.caller, RuleCreate(scope=scope, subject=subject, **fields), scene.key())


async def is_asked(scene, turn, asking):
    """Whether people are asked; then they say no."""
    await asyncio.wait({asking, until := asyncio.create_task(scene.until(turn, "waiting"))}, return_when=asyncio.FIRST_COMPLETED)
    until.cancel()
    if asking.done():
        return False
    question = await scene.question(turn)
    await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="no"), scene.key())
    await asking
    return True


@pytest.fixture
async def stage(fake):
    """A scene with a session whose agent runs."""
    scene = await fake()
    session = await scene.session()
    turn, agent = await scene.running(session)
    return scene, session, turn, agent


async def test_a_rule_answers_in_its_authors_name_and_the_transcript_says_so(stage):
    scene, session, turn, agent = stage
    rule = await make(scene, BOB, subject=session.id, command_prefix=STATUS)

    assert await agent.ask_to_run("git status --short") == "yes"

    assert (await scene.agor.turns.get(turn.id)).state.value == "running"
    assert await scene.agor.permissions.list() == []
    told = [event["body"]["permission"] for event in await scene.transcript(session) if event["body"]["kind"].startswith("permission")]
    assert [(one["state"], one["optionId"], one["ruleId"], one["answeredBy"]["name"]) for one in told] == [
        ("allowed", "yes", rule.id, "Bob")
    ]
    assert (await scene.agor.permissions.get(told[0]["id"])).state is PermissionState.ALLOWED
    assert [one.uses for one in await scene.agor.rules.list(session=session.id)] == [1]
    assert await is_asked(scene, turn, agent.ask_to_run("git push"))


@pytest.mark.parametrize(
    ("command", "also"),
    [
        ("git status; rm -rf x", {}),
        ("git status && rm -rf x", {}),
        ("git status $(rm -rf x)", {}),
        ("git status\nrm -rf x", {}),
        ("git status > x", {}),
        ("X=1 git status", {}),
        ("./git status", {}),
        ("/tmp/git status", {}),
        ("gitstatus", {}),
        ("git 'status --short'", {}),
        ("git", {}),
        (["git", "status; rm -rf x"], {}),
        (["bash", "-lc", "git status; rm -rf x"], {}),
        (["bash", "-lc", "git status", "x"], {}),
        (7, {}),
        ("git status", {"cmd": "rm -rf x"}),
        ("git status", {"cwd": "/tmp"}),
        ("git status", {"workdir": ".."}),
        ("git status", {"cwd": ["."]}),
        ("git status", {"env": {"GIT_DIR": "/tmp/evil"}}),
        ("git status", {"stdin": "x"}),
        ("git status", {"args": "; rm -rf x"}),
        ("git", {"args": ["status", "; rm -rf x"]}),
        ("git status", {"script": "rm -rf x"}),
        (None, {"script": "git status"}),
        (None, {"arguments": {"command": "git status", "cwd": "/tmp"}}),
        (None, {"arguments": {"command": "git status"}, "cwd": "/tmp"}),
        (None, {"arguments": {"command": "git status"}, "input": {"command": "rm"}}),
    ],
    ids=str,
)
async def test_what_is_not_plainly_the_command_of_the_rule_is_asked(stage, command, also):
    scene, session, turn, agent = stage
    await make(scene, subject=session.id, command_prefix=STATUS)

    assert await is_asked(scene, turn, agent.ask_to_run(command, also=also))


async def test_the_same_command_is_known_in_other_words(stage):
    scene, session, turn, agent = stage
    await make(scene, subject=session.id, command_prefix=STATUS)
    folder = scene.worktree.path

    asked = [
        await is_asked(scene, turn, agent.ask_to_run(command, also=also))
        for command, also in [
            ("git  'status'\n", {}),
            (["git", "status"], {}),
            (["/bin/bash", "-lc", "git status -s"], {}),
            ("git status", {"cwd": folder, "env": {}, "description": "look"}),
            ("git status", {"workdir": "."}),
            ("git", {"args": ["status"]}),
            (None, {"arguments": {"command": "git status", "cwd": folder}}),
        ]
    ]

    assert asked == [False] * 7


async def test_a_question_in_which_a_secret_stood_is_never_answered_by_a_rule(stage):
    scene, session, turn, agent = stage
    await make(scene, subject=session.id, command_prefix=STATUS)
    await make(scene, subject=session.id, tool_kind="edit")

    assert await is_asked(scene, turn, agent.ask_to_run("git status [MINE]", is_masked=True))
    assert await is_asked(scene, turn, agent.ask_to_change("a.txt", is_masked=True))


async def test_a_kind_of_tool_is_allowed_for_the_files_of_the_worktree_only(stage, tmp_path):
    scene, session, turn, agent = stage
    folder = Path(scene.worktree.path)
    (tmp_path / "outside").mkdir()
    (folder / "leads-out").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "rc").write_text("x")
    os.link(tmp_path / "outside" / "rc", folder / "same-file")
    await make(scene, scope="worktree", subject=scene.worktree.id, tool_kind="edit")

    inside = [["model.sql"], [str(folder / "new" / "file.sql")], ["a.sql", "b/c.sql"]]
    outside = [
        [], ["/etc/passwd"], ["~/.bashrc"], ["../x"], ["a.sql", "/etc/passwd"], ["leads-out/rc"], [f"{folder}/../x"], [f"{folder}-other/x"],
        [".git"], [".git/hooks/pre-commit"], [".claude/settings.json"], ["sub/.env"], ["same-file"], ["."], [str(folder)], ["a\0b"], [""],
        ["file:///etc/passwd"],
    ]  # fmt: skip
    found = {str(paths): await is_asked(scene, turn, agent.ask_to_change(*paths)) for paths in [*inside, *outside]}

    assert [paths for paths, asked in found.items() if not asked] == [str(paths) for paths in inside]
    assert await is_asked(scene, turn, agent.ask_to_change("model.sql", kind="delete"))
    assert await is_asked(scene, turn, agent.ask_to_change("model.sql", input={"file_path": "/etc/passwd"}))
    assert await is_asked(scene, turn, agent.ask_to_change("model.sql", input={"changes": {"/etc/passwd": {}}}))
    assert await is_asked(scene, turn, agent.ask_to_change("model.sql", input={"path": 7}))
    assert not await is_asked(scene, turn, agent.ask_to_change(input={"file_path": "model.sql"}))


async def test_the_narrowest_rule_answers_and_a_rule_counts_only_where_it_was_made(stage):
    scene, session, turn, agent = stage
    other = await scene.agor.worktrees.create(scene.caller, WorktreeCreate(repo=scene.worktree.repo_id, name="other"), scene.key())
    other = await scene.agor.worktrees.wait_ready(other.id)
    elsewhere = await scene.agor.sessions.create(scene.caller, SessionCreate(worktree_id=other.id), scene.key())
    there, its_agent = await scene.running(elsewhere, "there")
    made = [
        await make(scene, scope="repository", subject=scene.worktree.repo, command_prefix=["git", "log"]),
        await make(scene, scope="worktree", subject=scene.worktree.id, command_prefix=["git"]),
        await make(scene, scope="session", subject=session.id, command_prefix=["git", "log"], agent="another"),
        await make(scene, scope="session", subject=session.id, command_prefix=["git", "log", "-1"]),
    ]

    asked = [
        await is_asked(scene, turn, agent.ask_to_run("git log -1")),
        await is_asked(scene, turn, agent.ask_to_run("git log")),
        await is_asked(scene, there, its_agent.ask_to_run("git log")),
        await is_asked(scene, there, its_agent.ask_to_run("git status")),
    ]

    assert asked == [False, False, False, True]
    uses = {rule.id: rule.uses for rule in await scene.agor.rules.list()}
    assert [uses[rule.id] for rule in made] == [1, 1, 0, 1]
    assert [rule.id for rule in await scene.agor.rules.list(session=session.id)] == [made[2].id, made[3].id, made[1].id, made[0].id]
    assert [rule.id for rule in await scene.agor.rules.list(worktree=other.id)] == [made[0].id]
    assert [rule.subject for rule in await scene.agor.rules.list(repo=scene.worktree.repo)] == [scene.worktree.repo_id]


async def test_a_rule_of_a_zone_counts_while_the_card_lies_in_it(stage):
    scene, _, turn, agent = stage
    await scene.agor.boards.open(scene.caller, BoardOpen(path="team.agor"))
    zone = await scene.agor.boards.add_zone(scene.caller, "team.agor", ZoneAdd(name="free", x=1000, y=1000), scene.key())
    await scene.agor.worktrees.change(scene.caller, scene.worktree.id, WorktreeChange(board="team.agor"))
    await make(scene, scope="zone", subject=zone.id, command_prefix=STATUS)
    board = await scene.agor.boards.get(scene.caller, "team.agor")
    card = next(one for one, shown in board.objects.items() if shown.kind == "card")

    from agor_jupyter.domain.boards import ObjectMove

    outside = await is_asked(scene, turn, agent.ask_to_run("git status"))
    await scene.agor.boards.move(scene.caller, "team.agor", card, ObjectMove(x=1010, y=1050))
    inside = await is_asked(scene, turn, agent.ask_to_run("git status"))
    await scene.agor.boards.move(scene.caller, "team.agor", card, ObjectMove(x=0, y=0))
    again = await is_asked(scene, turn, agent.ask_to_run("git status"))

    assert (outside, inside, again) == (True, False, True)
    with pytest.raises(errors.ObjectNotFound):
        await make(scene, scope="zone", subject=ObjectId("ob_none"), command_prefix=STATUS)


async def test_an_expired_and_a_revoked_rule_allow_nothing_and_stay_readable(stage, monkeypatch):
    scene, session, turn, agent = stage
    expiring = await make(scene, subject=session.id, command_prefix=STATUS, expires_in_s=60)
    revoked = await make(scene, subject=session.id, command_prefix=["git", "log"])

    before = [await is_asked(scene, turn, agent.ask_to_run(command)) for command in ("git status", "git log")]
    revoked = await scene.agor.rules.revoke(BOB, revoked.id, scene.key())
    now = Clock.now
    monkeypatch.setattr(Clock, "now", lambda clock: now(clock) + timedelta(seconds=61))
    after = [await is_asked(scene, turn, agent.ask_to_run(command)) for command in ("git status", "git log")]

    assert (before, after) == ([False, False], [True, True])
    assert revoked.revoked_by == BOB.person
    assert (await scene.agor.rules.revoke(scene.caller, revoked.id, scene.key())).revoked_by == BOB.person
    found = {rule.id: rule for rule in await scene.agor.rules.list(session=session.id)}
    assert found[revoked.id].revoked_at == revoked.revoked_at
    assert found[expiring.id].expires_at - found[expiring.id].created_at == timedelta(seconds=60)
    with pytest.raises(errors.RuleNotFound):
        await scene.agor.rules.revoke(scene.caller, "rl_none", scene.key())


@pytest.mark.parametrize(
    ("remember", "rule"),
    [
        (Remember(command_prefix=STATUS), {"scope": "session", "command_prefix": STATUS, "tool_kind": None}),
        (Remember(scope="worktree"), {"scope": "worktree", "command_prefix": None, "tool_kind": "execute"}),
        (Remember(scope="repository", command_prefix=["git"], expires_in_s=60), {"scope": "repository", "command_prefix": ["git"]}),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_an_answer_can_be_remembered(stage, remember, rule):
    scene, session, turn, agent = stage
    asking = agent.ask_to_run("git status")
    question = await scene.question(turn)
    assert (question.rule_words, question.rule_kind) == (STATUS, "execute")
    key, answer = scene.key(), Answer(option_id="yes", remember=remember)

    await scene.agor.permissions.answer(BOB, question.id, answer, key)
    await scene.agor.permissions.answer(BOB, question.id, answer, key)  # sent again: one rule
    first = await asking

    [made] = await scene.agor.rules.list()
    assert {name: getattr(made, name) for name in rule} == rule
    assert (first, made.created_by, made.uses) == ("yes", BOB.person, 0)
    kept = await scene.agor.permissions.get(question.id)
    assert (kept.remembered, kept.made_rule_id) == (remember, made.id)
    assert not await is_asked(scene, turn, agent.ask_to_run("git status -s"))


@pytest.mark.parametrize(
    ("option", "remember"),
    [
        ("no", Remember(command_prefix=STATUS)),
        ("yes", Remember(command_prefix=["rm"])),
        ("yes", Remember(command_prefix=[*STATUS, "--short"])),
        ("yes", Remember(scope="zone", command_prefix=STATUS)),
    ],
    ids=str,
)
async def test_what_cannot_be_remembered_leaves_no_answer_and_no_rule(stage, option, remember):
    scene, _, turn, agent = stage
    asking = agent.ask_to_run("git status")
    question = await scene.question(turn)

    with pytest.raises(errors.BadRequest, match="remember"):
        await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id=option, remember=remember), scene.key())

    assert (await scene.agor.permissions.get(question.id)).state is PermissionState.OPEN
    assert await scene.agor.rules.list() == []
    assert not asking.done()


@pytest.mark.parametrize(
    "fields", [{"tool_kind": "other"}, {"tool_kind": "execute", "input": {"command": "sh x.sh; rm y"}}, {"tool_kind": "edit"}]
)
async def test_a_question_that_could_be_about_anything_is_remembered_as_nothing(stage, fields):
    scene, _, turn, agent = stage
    agent.ask(**fields)
    question = await scene.question(turn)

    assert question.rule_words is None
    if question.rule_kind is None:
        with pytest.raises(errors.BadRequest):
            await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id="yes", remember=Remember()), scene.key())
    assert (question.rule_kind is None) == (fields["tool_kind"] != "execute")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "needs a toolKind or a commandPrefix"),
        ({"tool_kind": "other"}, "could do anything"),
        ({"tool_kind": "edit", "command_prefix": STATUS}, "only one of kind execute"),
        ({"command_prefix": ["bash", "-c"]}, "runs whatever"),
        ({"command_prefix": ["sudo", "git"]}, "runs whatever"),
        ({"command_prefix": ["A=1", "git"]}, "sets a variable"),
    ],
    ids=str,
)
async def test_a_rule_that_says_nothing_or_allows_anything_is_refused(stage, fields, error):
    scene, session, _, _ = stage

    with pytest.raises(errors.BadRequest, match=error):
        await make(scene, subject=session.id, **fields)


async def test_only_owners_make_and_revoke_rules_and_their_subject_exists(stage, steerer, viewer):
    scene, session, _, _ = stage
    rule = await make(scene, subject=session.id, command_prefix=STATUS)

    for caller in (steerer, viewer):
        with pytest.raises(errors.NotAllowed):
            await make(scene, caller, subject=session.id, command_prefix=STATUS)
        with pytest.raises(errors.NotAllowed):
            await scene.agor.rules.revoke(caller, rule.id, scene.key())
    for scope, error in {"session": errors.SessionNotFound, "worktree": errors.WorktreeNotFound, "repository": errors.RepoNotFound}.items():
        with pytest.raises(error):
            await make(scene, scope=scope, subject="none", command_prefix=STATUS)
    engine = await scene.agor.delegate(session.id)
    assert not [name for name in dir(engine) if "rule" in name or "permission" in name]


async def test_a_rule_never_takes_an_agents_own_always_which_may_go_further(stage):
    scene, session, turn, agent = stage
    await make(scene, subject=session.id, command_prefix=STATUS)
    once = PermissionOption(id="o", name="Once", kind="allow_once")
    always = PermissionOption(id="a", name="Always", kind="allow_always")
    no = PermissionOption(id="n", name="No", kind="reject_once")

    assert await agent.ask_to_run("git status", options=[always, no, once]) == "o"
    assert await is_asked(scene, turn, agent.ask_to_run("git status", options=[always, no.replace(id="no")]))


async def test_an_answer_that_is_remembered_tells_the_agent_once(stage):
    scene, _, turn, agent = stage
    once = PermissionOption(id="o", name="Once", kind="allow_once")
    always = PermissionOption(id="a", name="Always", kind="allow_always")
    asking = agent.ask_to_run("git status", options=[always, once])
    question = await scene.question(turn)
    answer = Answer(option_id="a", remember=Remember(scope="session", command_prefix=STATUS))

    answered = await scene.agor.permissions.answer(scene.caller, question.id, answer, scene.key())

    assert (await asking, answered.option_id) == ("o", "o")


@pytest.mark.parametrize(
    "fields",
    [{"is_stale": True}, {"is_masked": True}, {"mcp_tool": McpTool(server="s", tool="t")}],
    ids=["of a call that had ended", "with a secret", "for a tool of an MCP server"],
)
async def test_what_is_not_all_that_is_asked_for_is_allowed_by_no_rule(stage, fields):
    scene, session, turn, agent = stage
    await make(scene, subject=session.id, command_prefix=STATUS)
    await make(scene, subject=session.id, tool_kind="execute")

    assert await is_asked(scene, turn, agent.ask_to_run("git status", **fields))


async def test_the_script_agent_runs_what_a_rule_allows_without_a_question(scene):
    session = await scene.session()
    await make(scene, scope="repository", subject=scene.worktree.repo_id, command_prefix=["echo"])

    turn = await scene.ended(await scene.agor.sessions.prompt(scene.caller, session.id, sh("echo hello"), scene.key()))

    assert turn.state.value == "done"


async def test_everybody_is_told_of_a_rule_when_it_is_made_used_and_revoked(stage):
    scene, session, _, agent = stage
    told = []
    scene.agor.store.listen(lambda events: told.extend(json.loads(event)["body"] for _, event in events))

    rule = await make(scene, subject=session.id, command_prefix=STATUS)
    await agent.ask_to_run("git status")
    await scene.agor.rules.revoke(BOB, rule.id, scene.key())

    news = [body["rule"] for body in told if body["kind"] == "rule"]
    assert [(one["id"], one["uses"], one["revokedAt"] is not None) for one in news] == [
        (rule.id, 0, False),
        (rule.id, 1, False),
        (rule.id, 1, True),
    ]
    assert json.loads(rule.encode()) == news[0]
