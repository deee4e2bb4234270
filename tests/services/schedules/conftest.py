"""Schedules of one board, on a real engine with the real `script` agent, and a clock that a test can set."""

import dataclasses
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.repos import RepoAdd
from agor_jupyter.domain.schedules import Interval, ScheduleCreate
from agor_jupyter.domain.slots import LIVE_SLOTS
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.services.app import Agor
from agor_jupyter.storage import slots
from tests.fakes import FakeClock
from tests.scene import Scene

BOARD = "team.agor"
START = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Stage(Scene):
    """A scene with a board, and shorthand for schedules on it."""

    clock: FakeClock

    def target(self):
        return {"kind": "worktree", "worktree_id": self.worktree.id}

    async def schedule(self, *, caller=None, key=None, **fields):
        given = {"name": "nightly", "board": BOARD, "when": Interval(seconds=3600), "target": self.target(), "allow": True}
        if fields.get("target", {}).get("kind") != "zone" and not {"prompt", "notebook"} & fields.keys():
            given["script"] = "true"
        request = ScheduleCreate.model_validate({**given, **fields})
        made = await self.agor.schedules.create(caller or self.caller, request, key or self.key())
        return made.schedule

    async def slots(self, schedule=None):
        """The oldest first."""
        found = await self.agor.store.read(slots.last, schedule.id, 1000) if schedule else []
        return list(reversed(found))

    async def at(self, moment):
        """The clock shows this, and the planner looks."""
        self.clock.show(moment)
        await self.agor.planner.look()

    async def after(self, seconds):
        await self.at(self.clock.now() + timedelta(seconds=seconds))

    async def settled(self, schedule):
        """Its slots, when none is live any more."""

        async def count():
            return sum(one.state in LIVE_SLOTS for one in await self.slots(schedule))

        await self.eventually_async(count, 0)
        return await self.slots(schedule)

    async def states(self, schedule):
        return [one.state.value for one in await self.slots(schedule)]


@pytest.fixture
async def stages(config, owner, key, repository):
    """Makes a stage; keyword arguments change the configuration."""
    async with AsyncExitStack() as stack:

        async def make(at=START, app=Agor, **changes):
            clock = FakeClock()
            clock.show(at)
            opened = await stack.enter_async_context(app(dataclasses.replace(config, **changes), clock))
            repo = await opened.repos.add(owner, RepoAdd(path=str(repository)), key())
            await opened.boards.open(owner, BoardOpen(path=BOARD))
            made = await opened.worktrees.create(owner, WorktreeCreate(repo=repo.id, name="fix", board=BOARD), key())
            stage = Stage(opened, owner, key, await opened.worktrees.wait_ready(made.id))
            stage.clock, stage.repo = clock, repo
            return stage

        yield make


@pytest.fixture
async def stage(stages):
    return await stages()
