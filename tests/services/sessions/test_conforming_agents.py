"""Agents that keep to the protocol, each in its own way, as processes of a whole server: turns end, people are asked, the ledger is true."""

import asyncio
import dataclasses
import json
import sys
import time
from pathlib import Path

import pytest

from agor_jupyter.domain.agents import AgentType, UsageForm
from agor_jupyter.domain.permissions import choose
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.sessions import Answer, Prompt
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.storage import runs
from tests.conforming_agent import Ask, Draw, Profile
from tests.scene import Scene

AGENT = Path(__file__).parents[2] / "conforming_agent.py"
TOKENS = ("inputTokens", "outputTokens", "cachedReadTokens", "cachedWriteTokens")


def chosen(count: int) -> list[int]:
    """Seeds whose profiles together play every way of counting, of ending and of asking."""
    wanted, seeds = set(), []
    for seed in range(1000):
        traits = traits_of(Draw(seed).profile())
        if not traits <= wanted:
            wanted |= traits
            seeds.append(seed)
        if len(seeds) == count:
            break
    return seeds


def traits_of(profile: Profile) -> set[str]:
    traits = {profile.scope, profile.cached, f"in updates: {profile.in_updates}", f"modes: {profile.has_modes}"}
    for turn in profile.turns:
        traits |= {"hangs"} if turn.hangs else {turn.stop}
        traits |= {f"{type(step).__name__} {getattr(step, 'told', '')}" for step in turn.steps if not isinstance(step, dict)}
    return traits


@pytest.mark.timeout(90)
@pytest.mark.parametrize("seed", chosen(6))
async def test_its_turns_end_its_questions_reach_a_person_and_the_ledger_is_its_own_count(config, owner, key, repository, seed):
    profile = Draw(seed).profile()
    form = UsageForm(scope=profile.scope, cached=profile.cached, at="own.tokens" if profile.in_updates else None)
    agent = AgentType(name="conforming", label="Conforming", icon="x", command=[sys.executable, "-I", str(AGENT), str(seed)], usage=form)

    async with Agor(dataclasses.replace(config, agents=(agent,))) as app:
        repo = await app.repos.add(owner, RepoAdd(path=str(repository)), key())
        made = await app.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix"), key())
        scene = Scene(app, owner, key, await app.worktrees.wait_ready(made.id))
        session = await scene.session(agent="conforming")
        for played in profile.turns:
            turn = await app.sessions.prompt(owner, session.id, Prompt(text="go"), key())

            asked = await see_through(scene, turn, played)

            turn = await app.turns.get(turn.id)
            state = "cancelled" if played.hangs else "done" if played.stop == "end_turn" else "failed"
            assert (turn.state.value, turn.origin) == (state, "prompt"), turn.error
            calls = [step.call for step in played.steps if isinstance(step, Ask)]
            assert [(one.title, one.tool_kind, one.command) for one in asked] == [(call["title"], call["kind"], "ls -a") for call in calls]

        rows = json.loads(await app.ledger.page(session=session.id))
        truth = tuple(sum(request[part] for turn in profile.turns for request in turn.requests) for part in range(4))
        assert tuple(sum(row[name] or 0 for row in rows) for name in TOKENS) == truth
        found = await app.turns.list(session.id)
        assert len(found) == len(profile.turns)
        assert tuple(sum(getattr(turn, snake(name)) or 0 for turn in found) for name in TOKENS) == truth
        events = await scene.transcript(await scene.consistent(session))
        assert [event["body"]["kind"] for event in events].count("turn_ended") == len(found)
        assert [event for event in events if event["body"].get("code") in {"unknown_update", "malformed_update", "garbage", "late"}] == []
        assert len(await app.store.read(runs.every)) == 1  # all of it in one process
        assert await app.permissions.list() == []


async def see_through(scene: Scene, turn, played) -> list:
    """Answer every question of the turn as people do, and cancel it when it would never end."""
    asked, quiet_since, asks = [], time.monotonic(), sum(isinstance(step, Ask) for step in played.steps)
    while not (await scene.agor.turns.get(turn.id)).ended_at:
        for question in await scene.agor.permissions.list():
            answer = choose(question.options, "once") or choose(question.options, "no")
            option = answer.option if answer else question.options[0]
            await scene.agor.permissions.answer(scene.caller, question.id, Answer(option_id=option.id), scene.key())
            asked.append(question)
            quiet_since = time.monotonic()
        is_running = (await scene.agor.turns.get(turn.id)).state.value == "running"
        quiet_since = quiet_since if is_running else time.monotonic()
        if played.hangs and len(asked) == asks and time.monotonic() - quiet_since > 0.5:
            await scene.agor.turns.cancel(scene.caller, turn.id)
        await asyncio.sleep(0.02)
    return asked


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
