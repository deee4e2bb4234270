"""What an agent does by itself after its turn is a turn of its own: stored, shown, costed, asked about, cancelled. The agent is real."""

import asyncio
import contextlib
import dataclasses
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.agents import AgentType, Quirks
from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.rules import RuleCreate
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.services.sessions.recovery import INTERRUPTED
from agor_jupyter.storage import runs, sessions
from tests.scene import PATIENCE_S, Scene

LINGERING = Path(__file__).parents[2] / "lingering_agent.py"
QUIET_S = 0.4


def lingering(*flags: str, name: str = "lingering", **fields) -> AgentType:
    command = [sys.executable, "-I", "-S", str(LINGERING), *flags]
    quirks = Quirks(background_input="run_in_background", subagent_input="subagent_type")
    return AgentType(name=name, icon="x", command=command, **{"label": "Lingering", "quirks": quirks, **fields})


@pytest.fixture
def config(config):
    agents = (lingering(), lingering("--deaf", name="deaf"))
    return dataclasses.replace(config, agents=agents, quiet_time=timedelta(seconds=QUIET_S), idle_timeout=timedelta(seconds=30))


async def prompt(scene: Scene, session, *steps):
    text = json.dumps([list(step) for step in steps])
    return await scene.agor.sessions.prompt(scene.caller, session.id, Prompt(text=text), scene.key())


async def turns(scene: Scene, session):
    return await scene.agor.turns.list(session.id)


async def continued(scene: Scene, session, count=1, timeout=PATIENCE_S):
    """The last of so many turns that the agent began by itself."""

    async def found():
        return len([turn for turn in await turns(scene, session) if turn.origin == "continued"]) >= count

    await scene.eventually_async(found, True, timeout)
    return [turn for turn in await turns(scene, session) if turn.origin == "continued"][count - 1]


async def bodies(scene: Scene, turn):
    items, _ = await scene.agor.sessions.events(turn.session_id)
    return [event["body"] for event in json.loads(items) if event["turnId"] == turn.id]


async def text(scene: Scene, turn):
    return "".join(body["text"] for body in await bodies(scene, turn) if body["kind"] == "text")


async def test_what_is_said_after_the_end_is_a_turn_of_its_own(scene):
    session = await scene.session(agent="lingering")
    first = await prompt(scene, session, ("say", "before"), ("end",), ("wait", 0.2), ("say", "later"))

    first = await scene.ended(first)
    second = await scene.ended(await continued(scene, session))

    assert (await text(scene, first), await text(scene, second)) == ("before", "later")
    assert (second.number, second.origin, second.follows, second.prompt) == (2, "continued", first.id, "")
    assert (second.state.value, second.stop_reason, second.created_by.username) == ("done", "quiet", "ann")
    kinds = [body["kind"] for body in await bodies(scene, second)]
    assert kinds == ["notice", "text", "turn_ended"]
    assert (await bodies(scene, second))[0]["text"] == "The agent continued by itself after turn 1 had ended."
    await scene.consistent(session)


async def test_its_changes_are_those_since_the_turn_before(scene, config):
    """Also those from before it spoke: it wrote, then it told."""
    session, go = await scene.session(agent="lingering"), config.data_dir.parent / "go"
    folder = Path(scene.worktree.path)
    first = await prompt(
        scene, session,
        *(("write", str(folder / "a.txt"), "a\n"), ("end",), ("until_there", str(go)), ("write", str(folder / "b.txt"), "b\n"), ("say", "written")),
    )  # fmt: skip
    await scene.ended(first)
    go.touch()

    second = await scene.ended(await continued(scene, session))

    first = (await turns(scene, session))[0]
    patches = [await scene.agor.turns.patch(turn.id) for turn in (first, second)]
    assert [[file.path for file in patch.files] for patch in patches] == [["a.txt"], ["b.txt"]]
    assert (second.files, second.added) == (1, 1)
    # Of the last turn, in case that it goes on once more.
    await scene.eventually(lambda: len(list((config.data_dir / "checkpoints").iterdir())) == 1)


async def test_what_another_session_changed_meanwhile_is_not_its_doing(scene):
    session, other = await scene.session(agent="lingering"), await scene.session()
    folder = Path(scene.worktree.path)
    go = folder.parent / "go"
    first = await prompt(
        scene,
        session,
        ("say", "x"),
        ("end",),
        ("until_there", str(go)),
        ("say", "mine"),
        ("wait", 0.2),
        ("write", str(folder / "mine.txt"), "m\n"),
    )
    await scene.ended(first)
    theirs = await scene.prompt(other, "echo theirs > theirs.txt")
    await scene.allow(theirs)
    await scene.ended(theirs)
    go.touch()

    second = await scene.ended(await continued(scene, session))

    assert [file.path for file in (await scene.agor.turns.patch(second.id)).files] == ["mine.txt"]


async def test_what_it_spends_afterwards_is_in_the_ledger_once(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("cost", 0.5), ("end",), ("wait", 0.1), ("cost", 0.7), ("say", "more"), ("cost", 0.8))

    second = await scene.ended(await continued(scene, session))

    costs = [turn.cost_usd for turn in await turns(scene, session)]
    assert costs == [pytest.approx(0.5), pytest.approx(0.3)]
    assert (await scene.agor.sessions.get(session.id)).usage.cost_usd == pytest.approx(0.8)
    rows = json.loads(await scene.agor.ledger.page(session=session.id))
    assert sum(row["costUsd"] for row in rows) == pytest.approx(0.8)
    assert rows[0]["turnId"] == second.id


async def test_a_report_that_tells_of_no_cost_begins_no_turn(scene):
    session = await scene.session(agent="lingering")
    first = await prompt(scene, session, ("cost", 0.5), ("end",), ("wait", 0.1), ("used", 2000), ("cost", 0.5))
    await scene.ended(first)
    await another_goes_on(scene)

    assert len(await turns(scene, session)) == 1


async def another_goes_on(scene):
    """After its turn, and after all that went on until now: it had to be started first."""
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("say", "later"))
    await scene.ended(await continued(scene, session))


async def test_a_question_after_the_end_reaches_a_person_and_its_answer_the_agent(scene):
    session = await scene.session(agent="lingering")
    first = await prompt(scene, session, ("end",), ("wait", 0.2), ("ask", "t", "make deploy"))
    await scene.ended(first)

    second = await continued(scene, session)
    question = await scene.question(second)
    await asyncio.sleep(QUIET_S * 3)  # the time is what counts: the agent is quiet for longer than ends a turn
    assert (await scene.agor.sessions.get(session.id)).open_permission_id == question.id
    await scene.allow(second)
    second = await scene.ended(second)

    assert (question.title, question.command, question.asked_by) == ("make deploy", "make deploy", None)
    assert (second.state.value, await text(scene, second)) == ("done", "answered yes. ")


async def test_a_rule_answers_it_as_any_other(scene):
    rule = RuleCreate(scope="worktree", subject=scene.worktree.id, tool_kind="execute", command_prefix=["make", "deploy"])
    await scene.agor.rules.create(scene.caller, rule, scene.key())
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("ask", "t", "make deploy"))

    second = await scene.ended(await continued(scene, session))

    assert await text(scene, second) == "answered yes. "
    [settled] = [body for body in await bodies(scene, second) if body["kind"] == "permission_settled"]
    assert settled["permission"]["ruleId"] is not None


async def test_a_question_of_a_subagent_says_whose_it_is(scene):
    session = await scene.session(agent="lingering")
    turn = await prompt(
        scene, session,
        ("spawn", "task", "explore", "Find the slow query"), ("tool", "grep", "in_progress", "grep", {"parent": "task"}), ("tool", "grep", "completed"),
        *(("ask", "rm", "rm -r build", "task"), ("ask", "own", "make"), ("tool", "task", "completed"), ("end",)),
    )  # fmt: skip
    asked = []
    for _ in range(2):
        asked.append(await scene.question(turn))
        await scene.allow(turn)
        await scene.until(turn, "running", "done")
    await scene.ended(turn)

    assert [question.asked_by for question in asked] == ["explore", None]
    calls = {body["toolCallId"]: body for body in await bodies(scene, turn) if body["kind"] == "tool_call" and body["parentId"]}
    assert {call: body["parentId"] for call, body in calls.items()} == {"grep": "task", "rm": "task"}


async def test_it_is_not_over_while_a_tool_runs(scene, tmp_path):
    """It began in the turn before."""
    session, go = await scene.session(agent="lingering"), tmp_path / "go"
    first = await prompt(
        scene, session,
        *(("tool", "a", "in_progress", "list"), ("tool", "a", "completed"), ("tool", "build", "in_progress", "make all")),
        *(("end",), ("until_there", str(go)), ("say", "it builds")),
        *(("wait", QUIET_S * 4), ("tool", "build", "completed"), ("say", ", it is built")),
    )  # fmt: skip
    await scene.ended(first)
    await scene.eventually_async(lambda: _background(scene, session), ["make all"])
    go.touch()

    second = await scene.ended(await continued(scene, session))

    assert await text(scene, second) == "it builds, it is built"
    assert second.seconds >= QUIET_S * 4
    assert len(await turns(scene, session)) == 2
    await scene.eventually_async(lambda: _background(scene, session), [])


async def test_a_burst_and_a_silence_and_another_burst_are_two_turns_in_order(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("flood", 300), ("wait", QUIET_S * 3), ("say", "again"))

    first, second = [await scene.ended(await continued(scene, session, count)) for count in (1, 2)]

    assert await text(scene, first) == "".join(f"{number} " for number in range(300))
    assert (await text(scene, second), second.follows) == ("again", first.id)


async def test_a_prompt_does_not_wait_for_the_silence_and_gets_what_is_said_from_then_on(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), *[("say", "."), ("wait", 0.1)] * 200)
    by_itself = await continued(scene, session)

    prompted = await prompt(scene, session, ("say", "here"), ("wait", 0.5), ("end",))
    prompted = await scene.ended(prompted)

    by_itself = await scene.ended(by_itself)
    assert (by_itself.state.value, by_itself.stop_reason) == ("done", "prompted")
    assert by_itself.ended_at <= prompted.started_at
    said = await text(scene, prompted)
    assert "here" in said
    assert "." in said


async def test_a_prompt_waits_for_the_answer_to_its_question(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("ask", "t", "make"))
    by_itself = await continued(scene, session)
    await scene.question(by_itself)

    prompted = await prompt(scene, session, ("say", "here"), ("end",))
    later = await prompt(scene, await scene.session(agent="lingering"), ("say", "here"), ("end",))
    await scene.ended(later)  # another that was prompted after it has begun, and is over
    state = (await scene.agor.turns.get(prompted.id)).state.value
    await scene.allow(by_itself)

    assert state == "queued"
    assert (await scene.ended(prompted)).state.value == "done"


async def test_cancelling_stops_it_and_what_it_started(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("run", "sleep", "987.25"), ("say", "I work"), ("until_cancelled",))
    second = await continued(scene, session)
    await scene.eventually_async(lambda: text(scene, second), "I work")
    await scene.agor.turns.cancel(scene.caller, second.id)

    second = await scene.ended(second)

    assert (second.state.value, second.ended_by.username) == ("cancelled", "ann")
    assert not _sleeping("987.25")
    again = await prompt(scene, session, ("say", "fine"), ("end",))
    assert (await scene.ended(again)).run_id == second.run_id  # the same process


async def test_an_agent_that_does_not_listen_is_ended(scene, monkeypatch):
    monkeypatch.setattr("agor_jupyter.agents.protocol.process.Timeouts.cancel", 0.5)
    session = await scene.session(agent="deaf")
    await prompt(scene, session, ("end",), *[("say", "."), ("wait", 0.1)] * 200)
    second = await continued(scene, session)
    await scene.agor.turns.cancel(scene.caller, second.id)

    second = await scene.ended(second)

    assert second.state.value == "cancelled"
    assert [body["code"] for body in await bodies(scene, second) if body["kind"] == "notice"] == ["continued", "killed"]
    assert await scene.agor.store.read(runs.every) == []


async def test_an_agent_that_dies_in_it_fails_it(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("say", "I work"), ("wait", 0.2), ("die", 3))

    second = await scene.ended(await continued(scene, session))

    assert second.state.value == "failed"
    assert "it ended with code 3 while it worked by itself" in second.error
    again = await scene.agor.turns.resume(scene.caller, second.id, scene.key())
    assert (await scene.ended(again)).state.value == "done"


async def test_an_agent_that_dies_with_something_in_the_background_tells_so(scene, tmp_path):
    session, go = await scene.session(agent="lingering"), tmp_path / "go"
    first = await prompt(scene, session, ("detach", "t", "npm run build"), ("end",), ("until_there", str(go)), ("die", 3))
    await scene.ended(first)
    await scene.eventually_async(lambda: _background(scene, session), ["npm run build"])
    go.touch()

    second = await scene.ended(await continued(scene, session))

    assert second.state.value == "failed"
    assert "code 3" in second.error
    assert (await scene.agor.sessions.get(session.id)).background == []


async def test_two_sessions_go_on_at_the_same_time(scene):
    sessions = [await scene.session(agent="lingering") for _ in range(2)]
    for name, session in zip("ab", sessions, strict=True):
        await prompt(scene, session, ("say", name), ("end",), *[("say", name), ("wait", 0.05)] * 10)

    found = [await scene.ended(await continued(scene, session)) for session in sessions]

    assert [await text(scene, turn) for turn in found] == ["a" * 10, "b" * 10]


async def test_a_budget_stops_it(scene):
    session = await scene.session(agent="lingering")
    request = BudgetSet(scope="session", subject=session.id, hard_usd=1.0)
    await scene.agor.budgets.set(scene.caller, request, scene.key())
    await prompt(scene, session, ("cost", 0.5), ("end",), ("wait", 0.1), ("cost", 2.0), ("until_cancelled",))

    second = await scene.ended(await continued(scene, session))

    assert (second.state.value, second.error_code, second.cost_usd) == ("failed", "budget_exhausted", pytest.approx(1.5))
    assert (await scene.agor.sessions.get(session.id)).usage.cost_usd == pytest.approx(2.0)
    await scene.eventually_async(lambda: scene.agor.store.read(runs.every), [])  # it would go on spending


async def test_one_that_has_no_budget_left_is_stopped_as_it_begins(scene, tmp_path):
    session, go = await scene.session(agent="lingering"), tmp_path / "go"
    await prompt(scene, session, ("cost", 1.5), ("end",), ("until_there", str(go)), ("say", "more"), ("until_cancelled",))
    await scene.eventually_async(lambda: _cost(scene, session), 1.5)
    request = BudgetSet(scope="session", subject=session.id, hard_usd=1.0)
    await scene.agor.budgets.set(scene.caller, request, scene.key())
    go.touch()

    second = await scene.ended(await continued(scene, session))

    assert (second.state.value, second.error_code) == ("failed", "budget_exhausted")
    assert await text(scene, second) == "more"


async def test_what_it_says_of_its_turn_right_after_a_cancel_begins_none(scene):
    session = await scene.session(agent="deaf")
    first = await prompt(scene, session, ("say", "I work"), ("until_cancelled",), ("end", "cancelled"), ("say", "I was interrupted"))
    await scene.until(first, "running")
    await scene.eventually_async(lambda: text(scene, first), "I work")
    await scene.agor.turns.cancel(scene.caller, first.id)
    await scene.ended(first)
    await another_goes_on(scene)

    assert len(await turns(scene, session)) == 1


async def test_a_turn_that_no_prompt_began_is_resumed_and_not_retried(scene):
    session = await scene.session(agent="lingering")
    await prompt(scene, session, ("end",), ("wait", 0.1), ("say", "."), ("die", 3))
    second = await scene.ended(await continued(scene, session))

    with pytest.raises(errors.Conflict, match="This turn did not start with a prompt"):
        await scene.agor.turns.retry(scene.caller, second.id, scene.key())


async def test_an_agent_that_waits_for_its_tools_gives_its_place_to_another(scene):
    scene.agor.runner._context.running.count = scene.agor.runner._context.running._free = 1
    session, other = await scene.session(agent="lingering"), await scene.session(agent="lingering")
    await prompt(
        scene, session,
        *(("tool", "a", "in_progress", "list"), ("tool", "a", "completed"), ("tool", "build", "in_progress", "make all"), ("end",)),
        *(("wait", 0.1), ("say", "it builds"), ("until_cancelled",)),
    )  # fmt: skip
    second = await continued(scene, session)

    theirs = await prompt(scene, other, ("say", "hello"), ("end",))

    assert (await scene.ended(theirs)).state.value == "done"
    assert (await scene.agor.turns.get(second.id)).state.value == "running"
    await scene.agor.turns.cancel(scene.caller, second.id)
    await scene.ended(second)
    await scene.eventually(lambda: scene.agor.runner._context.running.taken == 0)


# Its process is kept


@pytest.fixture
async def hasty(config, owner, key, repository):
    """Sessions at rest give up their processes at once, and soon those of what goes on in the background."""
    changed = dataclasses.replace(config, idle_timeout=timedelta(seconds=0.2), background_timeout=timedelta(seconds=0.6))
    async with Agor(changed) as app:
        yield await _scene(app, owner, key, repository)


@pytest.fixture
async def patient(config, owner, key, repository):
    """Sessions at rest give up their processes at once; what goes on in the background keeps them for longer than any test."""
    changed = dataclasses.replace(config, idle_timeout=timedelta(seconds=0.2), background_timeout=timedelta(hours=1))
    async with Agor(changed) as app:
        yield await _scene(app, owner, key, repository)


async def _scene(app, owner, key, repository):
    repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
    made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
    return Scene(app, owner, key, await app.worktrees.wait_ready(made.id))


async def test_a_process_is_kept_for_what_goes_on_in_the_background(patient):
    session, other = await patient.session(agent="lingering"), await patient.session(agent="lingering")
    await patient.ended(await prompt(patient, session, ("detach", "t", "npm run dev"), ("end",)))
    [kept] = await patient.agor.store.read(runs.every)

    await patient.ended(await prompt(patient, other, ("say", "hello"), ("end",)))

    await patient.eventually_async(lambda: patient.agor.store.read(runs.every), [kept])  # the other's, which rests for less long, is gone
    shown = await patient.agor.sessions.get(session.id)
    assert (shown.state.value, shown.background) == ("done", ["npm run dev"])


async def test_a_process_is_not_kept_for_ever_for_what_goes_on_in_the_background(hasty):
    session = await hasty.session(agent="lingering")
    first = await prompt(hasty, session, ("detach", "t", "npm run dev"), ("end",))
    await hasty.ended(first)

    await hasty.eventually_async(lambda: hasty.agor.store.read(runs.every), [])

    await hasty.eventually_async(lambda: _background(hasty, session), [])
    [notice] = [body for body in await bodies(hasty, first) if body["kind"] == "notice"]
    assert (notice["code"], "npm run dev" in notice["text"]) == ("given_up", True)


async def test_a_task_that_it_tells_of_keeps_it_until_it_has_ended(config, owner, key, repository, tmp_path):
    changed = dataclasses.replace(config, idle_timeout=timedelta(seconds=0.2), background_timeout=timedelta(seconds=5))
    async with Agor(changed) as app:
        scene, go = await _scene(app, owner, key, repository), tmp_path / "go"
        session = await scene.session(agent="lingering")
        ended = ("task", "w", None, "completed")
        first = await prompt(scene, session, ("task", "w", "Watch the log"), ("end",), ("until_there", str(go)), ended)
        await scene.ended(first)

        await scene.eventually_async(lambda: _background(scene, session), ["Watch the log"])
        assert len(await app.store.read(runs.every)) == 1
        go.touch()
        await scene.eventually_async(lambda: app.store.read(runs.every), [])

        assert "given_up" not in [body.get("code") for body in await bodies(scene, first)]  # nobody had to doubt that it runs


async def test_a_subagent_that_the_turn_waited_for_keeps_nothing(patient):
    session = await patient.session(agent="lingering")
    more = {"rawInput": {"subagent_type": "explore", "run_in_background": True}}
    first = await prompt(patient, session, ("tool", "t", "in_progress", "Explore", more), ("tool", "t", "completed"), ("end",))
    await patient.ended(first)

    await patient.eventually_async(lambda: patient.agor.store.read(runs.every), [])


async def test_an_agent_that_never_says_that_a_tool_ended_is_not_believed_that_one_runs(patient):
    session = await patient.session(agent="lingering")
    first = await prompt(patient, session, ("tool", "t", "in_progress", "make"), ("end",))
    await patient.ended(first)

    await patient.eventually_async(lambda: patient.agor.store.read(runs.every), [])


async def test_a_tool_that_never_ends_does_not_keep_the_turn_open_for_ever(hasty):
    session = await hasty.session(agent="lingering")
    await prompt(
        hasty, session, *(("tool", "a", "in_progress", "list"), ("tool", "a", "completed"), ("tool", "b", "in_progress", "make")),
        *(("end",), ("wait", 0.1), ("say", "it runs")),
    )  # fmt: skip

    second = await hasty.ended(await continued(hasty, session))

    assert (second.state.value, second.stop_reason) == ("done", "given_up")
    assert [body["code"] for body in await bodies(hasty, second) if body["kind"] == "notice"] == ["continued", "given_up"]


async def test_a_worktree_is_not_taken_away_from_work_in_the_background_and_cancelling_ends_that(scene):
    session = await scene.session(agent="lingering")
    first = await scene.ended(await prompt(scene, session, ("run", "sleep", "987.5"), ("detach", "t", "npm run dev"), ("end",)))
    await scene.eventually_async(lambda: _background(scene, session), ["npm run dev"])

    with pytest.raises(errors.WouldLoseWork):
        await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())
    with pytest.raises(errors.SessionBusy, match="npm run dev"):
        await scene.agor.sessions.archive(scene.caller, session.id)
    told = await scene.agor.sessions.cancel(scene.caller, session.id)

    await scene.eventually_async(lambda: _background(scene, session), [])
    assert told.id == first.id
    assert not _sleeping("987.5")
    await scene.agor.worktrees.archive(scene.caller, scene.worktree.id, scene.key())


# After a stop


async def test_a_server_that_stops_in_it_leaves_it_interrupted(config, owner, key, repository):
    async with Agor(config) as app:
        scene = await _scene(app, owner, key, repository)
        session = await scene.session(agent="lingering")
        await prompt(scene, session, ("end",), *[("say", "."), ("wait", 0.1)] * 200)
        second = await continued(scene, session)
    async with Agor(config) as app:
        scene = Scene(app, owner, key, scene.worktree)
        second = await app.turns.get(second.id)
        resumed = await app.turns.resume(owner, second.id, key())

        assert (second.state.value, second.error, second.origin) == ("interrupted", INTERRUPTED, "continued")
        assert resumed.prompt.startswith("Continue where you stopped")
        assert (await scene.ended(resumed)).state.value == "done"


async def test_a_server_that_died_shows_nothing_in_the_background_when_it_is_back(config, owner, key, repository):
    async with Agor(config) as app:
        scene = await _scene(app, owner, key, repository)
        session = await scene.session(agent="lingering")
        await scene.ended(await prompt(scene, session, ("detach", "t", "npm run dev"), ("end",)))
        await scene.eventually_async(lambda: _background(scene, session), ["npm run dev"])
        before = await app.store.read(runs.every)
        kept = await app.sessions.get(session.id)
    async with Agor(config) as app:  # as if it had been killed: its run and its session stand as they were

        def die(transaction):
            runs.insert(transaction, before[0], app.clock.now())
            sessions.save(transaction, kept)

        await app.store.write(die)
    async with Agor(config) as app:
        assert (await app.sessions.get(session.id)).background == []


async def _background(scene, session):
    return (await scene.agor.sessions.get(session.id)).background


async def _cost(scene, session):
    return (await scene.agor.sessions.get(session.id)).usage.cost_usd


def _sleeping(token):
    wanted, left = f"sleep\0{token}\0".encode(), []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes() == wanted:
                left.append(entry.name)
    return left
