"""Trees of sessions: forks at a turn and into worktrees of their own, limits, side questions, and several sessions in one worktree."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.domain.budgets import BudgetSet
from agor_jupyter.domain.sessions import Prompt, SessionFork, SessionState, Usage
from agor_jupyter.domain.turns import TurnState
from agor_jupyter.services.sessions.conversations.forks import plan
from agor_jupyter.storage.store import Store

AUTO = {"mode": "auto"}


async def work(scene, session, *lines):
    return await scene.ended(await scene.prompt(session, *lines))


async def fork(scene, session, key=None, **fields):
    return await scene.agor.sessions.fork(scene.caller, session.id, SessionFork(**fields), key or scene.key())


async def place(scene, session) -> Path:
    return Path((await scene.agor.worktrees.get(session.worktree_id)).path)


def git(folder, *argv):
    return subprocess.run(["git", *argv], cwd=folder, check=True, capture_output=True, text=True).stdout


def contents(folder):
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file() and ".git" not in one.parts}


# Forks


async def test_a_fork_at_a_turn_knows_what_was_said_until_then_and_no_more(fake):
    scene = await fake()
    session = await scene.session(agent="script")
    turns = []
    for number in range(3):
        turn, agent = await scene.running(session, f"prompt {number}")
        await agent.say(f"answer {number}", message_id=f"m{number}")
        agent.finish()
        turns.append(await scene.ended(turn))

    copy = await fork(scene, session, turn=turns[1].id)
    further = await fork(scene, copy)

    claude = scene.agor.agents.get("claude")
    store: Store = scene.agor.store
    for one in (copy, further):
        told = (await store.read(plan, one, claude)).background
        assert (told.turns, "answer 1" in told.text, "answer 2" in told.text) == (2, True, False)
    assert (await store.read(plan, copy, claude)).why_primed == "the original session has continued since"
    assert (copy.origin_id, copy.origin_turn_id, copy.root_id) == (session.id, turns[1].id, session.id)
    assert further.root_id == session.id


async def test_a_turn_to_fork_at_is_one_of_the_session_and_has_ended(fake):
    scene = await fake()
    session, other = await scene.session(agent="script"), await scene.session(agent="script")
    turn, agent = await scene.running(session, "go")

    with pytest.raises(errors.Conflict, match="has not ended yet"):
        await fork(scene, session, turn=turn.id)
    with pytest.raises(errors.TurnNotFound):
        await fork(scene, other, turn=turn.id)
    agent.finish()


async def test_a_fork_into_a_worktree_of_its_own_takes_what_nobody_committed(scene):
    session = await scene.session(options=AUTO)
    await work(
        scene, session, "echo committed > c.txt; git add c.txt; git -c user.name=t -c user.email=t@t commit -qm c", "echo new > n.txt"
    )
    here = await place(scene, session)
    (here / "README.md").write_text("changed\n")
    (here / "binary").write_bytes(bytes(range(256)))

    copy = await fork(scene, session, worktree="another way")

    there = await place(scene, copy)
    made = await scene.agor.worktrees.get(copy.worktree_id)
    assert copy.worktree_id != session.worktree_id
    assert (made.branch, made.carried) == ("another-way", None)
    assert contents(there) == contents(here)
    assert git(there, "rev-parse", "HEAD") == git(here, "rev-parse", "HEAD")
    assert git(there, "status", "--short") == git(here, "status", "--short")
    assert git(there, "for-each-ref", "refs/agor/carried") == ""
    assert (await scene.agor.worktrees.status([made.id]))[0].dirty
    (there / "n.txt").write_text("theirs\n")
    assert (here / "n.txt").read_text() == "new\n"


async def test_a_fork_at_an_earlier_turn_has_the_files_as_they_were_then(scene):
    session = await scene.session(options=AUTO)
    await work(scene, session, "echo 1 > a.txt")
    then = await work(scene, session, "echo 2 >> a.txt; mkdir d; echo x > d/b.txt; rm model.sql")
    expected = contents(await place(scene, session))
    await work(scene, session, "echo 3 >> a.txt; rm -r d; git add -A; git -c user.name=t -c user.email=t@t commit -qm later")

    copy = await fork(scene, session, turn=then.id, worktree="as it was")

    there = await place(scene, copy)
    assert contents(there) == expected
    assert git(there, "log", "--format=%s").split() == ["first"]


async def test_what_cannot_be_had_again_is_refused_and_nothing_is_made(scene):
    session = await scene.session(options=AUTO)
    then = await work(scene, session, "head -c 3000 /dev/urandom > binary")
    await work(scene, session, "echo more > binary")
    before = len(await scene.agor.worktrees.list())

    with pytest.raises(errors.WorkNotKept, match="turn 1 cannot be restored"):
        await fork(scene, session, turn=then.id, worktree="lost")

    assert len(await scene.agor.worktrees.list()) == before
    bare = await fork(scene, session, turn=then.id, worktree="bare", carry=False)
    assert git(await place(scene, bare), "status", "--short") == ""


async def test_ten_requests_with_one_key_make_one_worktree_and_one_session(scene):
    session = await scene.session(options=AUTO)
    await work(scene, session, "echo new > n.txt")
    key = scene.key()

    made = await asyncio.gather(*(fork(scene, session, key, worktree="once", prompt="```sh\ntrue\n```") for _ in range(10)))

    assert len({one.id for one in made}) == 1
    assert [one.name for one in await scene.agor.worktrees.list()] == ["fix", "once"]


# Limits


async def test_a_tree_is_so_deep_and_so_wide_and_no_more(fake):
    scene = await fake(max_tree_depth=2, max_children=2)
    root = await scene.session(agent="script")
    child = await scene.session(agent="script", parent_id=root.id)
    low = await scene.session(agent="script", parent_id=child.id)
    second = await scene.session(agent="script", parent_id=root.id)

    with pytest.raises(errors.TreeFull, match="at most 2 deep"):
        await scene.session(agent="script", parent_id=low.id)
    with pytest.raises(errors.TreeFull, match="at most 2 sessions below it; archive one"):
        await scene.session(agent="script", parent_id=root.id)
    await scene.agor.sessions.archive(scene.caller, second.id)
    third = await scene.session(agent="script", parent_id=root.id)

    tree = await scene.agor.trees.of(low.id)
    assert tree.root_id == root.id
    assert [(one.session.id, one.depth, one.above) for one in tree.nodes] == [
        (root.id, 0, None),
        (child.id, 1, root.id),
        (low.id, 2, child.id),
        (second.id, 1, root.id),
        (third.id, 1, root.id),
    ]


async def test_children_that_are_spawned_at_once_are_counted_one_by_one(fake):
    scene = await fake(max_children=8)
    root = await scene.session(agent="script")

    made = await asyncio.gather(*(scene.session(agent="script", parent_id=root.id) for _ in range(12)), return_exceptions=True)

    assert sum(isinstance(one, errors.TreeFull) for one in made) == 4


async def test_the_budget_of_a_tree_counts_all_of_it(fake):
    scene = await fake()
    root = await scene.session(agent="script")
    child = await scene.session(agent="script", parent_id=root.id)
    copy = await fork(scene, child)
    for session, usd in ((root, 1.0), (child, 2.0), (copy, 3.0)):
        turn, agent = await scene.running(session, f"go {session.id}")
        agent.finish(usage=Usage(cost_usd=usd))
        await scene.ended(turn)

    budget = await scene.agor.budgets.set(scene.caller, BudgetSet(scope="tree", subject=copy.id, hard_usd=6.5), scene.key())
    assert (budget.subject, budget.spent_usd) == (root.id, 6.0)
    with pytest.raises(errors.TreeFull, match=r"a budget of \$1\.00 is more than the \$0\.50 that its tree has left"):
        await scene.session(agent="script", parent_id=root.id, budget_usd=1.0)
    turn, agent = await scene.running(child, "a last one")
    agent.finish(usage=Usage(cost_usd=0.5))
    await scene.ended(turn)

    with pytest.raises(errors.BudgetExhausted):
        await scene.session(agent="script", parent_id=root.id, prompt="more")
    tree = await scene.agor.trees.of(root.id)
    assert (tree.cost_usd, tree.budget_usd) == (6.5, 6.5)


async def test_a_child_may_be_given_a_budget_of_its_own(fake):
    scene = await fake()
    root = await scene.session(agent="script")
    child = await scene.session(agent="script", parent_id=root.id, budget_usd=0.5)
    turn, agent = await scene.running(child, "go")

    await agent.spend(0.6)

    assert (await scene.ended(turn)).error_code == "budget_exhausted"
    assert (await scene.agor.sessions.get(root.id)).state is SessionState.IDLE


# Side questions


async def test_a_side_question_is_answered_and_folds_away(scene):
    session = await scene.session(options=AUTO)
    await work(scene, session, "echo 1")

    side = await fork(scene, session, prompt="```sh\necho the-answer\n```", is_side=True)
    [turn] = await scene.agor.turns.list(side.id)
    await scene.ended(turn)

    await scene.eventually_async(lambda: _is_archived(scene, side), True)
    assert "the-answer" in json.dumps(await scene.transcript(side))
    await scene.eventually(lambda: side.id not in scene.agor.runner._loops)
    assert (await scene.agor.sessions.get(session.id)).archived_at is None


async def _is_archived(scene, session):
    return (await scene.agor.sessions.get(session.id)).archived_at is not None


async def test_one_that_failed_stays_to_be_seen(scene):
    session = await scene.session(options=AUTO)
    side = await fork(scene, session, prompt="```sh\nfalse\n```", is_side=True)

    assert (await scene.ended((await scene.agor.turns.list(side.id))[0])).state is TurnState.FAILED
    assert not await _is_archived(scene, side)


# Several sessions in one worktree


async def notices(scene, session):
    return [event["body"] for event in await scene.transcript(session) if event["body"].get("code") == "beside_others"]


@pytest.mark.parametrize("setting", ["allow", "warn", "refuse"])
async def test_a_second_session_that_would_work_in_the_same_worktree(fake, setting):
    scene = await fake(concurrent_edits=setting)
    first, second = await scene.session(agent="script", title="The first"), await scene.session(agent="script")
    turn, agent = await scene.running(first, "work")

    if setting == "refuse":
        with pytest.raises(errors.WorktreeInUse, match="“The first” works in worktree 'fix'"):
            await scene.running(second, "work too")
        side = await fork(scene, first, prompt="what is it?", is_side=True)
        await scene.until((await scene.agor.turns.list(side.id))[0], "running")
    else:
        _, other = await scene.running(second, "work too")
        other.finish()

    assert await notices(scene, first) == []
    words = [one["text"] for one in await notices(scene, second)]
    assert words == (["“The first” is working in this worktree too. Both may edit the same files."] if setting == "warn" else [])
    agent.finish()
    await scene.ended(turn)
    if setting == "refuse":
        await scene.running(second, "now it may")


async def test_of_two_prompts_at_the_same_moment_one_is_refused(fake):
    scene = await fake(concurrent_edits="refuse")
    sessions = [await scene.session(agent="script") for _ in range(4)]

    asked = [scene.agor.sessions.prompt(scene.caller, one.id, Prompt(text="go"), scene.key()) for one in sessions]
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(one, errors.WorktreeInUse) for one in answers) == 3
