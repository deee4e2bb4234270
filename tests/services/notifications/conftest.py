"""Destinations of one person, a real place that they lead to, fake agents, and a clock that a test can set."""

from datetime import UTC, datetime, timedelta

import pytest

from agor_jupyter.domain.boards import BoardOpen
from agor_jupyter.domain.destinations import DestinationAdd
from agor_jupyter.domain.worktrees import WorktreeCreate
from agor_jupyter.storage import tables
from tests.fakes import FakeClock
from tests.receiver import Receiver

BOARD = "team.agor"
START = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Post:
    """The scene, the place, and shorthand for both."""

    def __init__(self, scene, clock, place):
        self.scene, self.clock, self.place, self.agor, self.caller = scene, clock, place, scene.agor, scene.caller

    async def add(self, *, caller=None, **fields):
        request = DestinationAdd.model_validate({"name": "hook", "address": self.place.address, **fields})
        return await self.agor.destinations.add(caller or self.caller, request, self.scene.key())

    async def get(self, destination):
        return await self.agor.destinations.get(self.caller, destination.id)

    async def stored(self, count=1):
        """Wait until so many messages were ever stored."""

        async def rows():
            return len(await self.agor.store.read(lambda c: c.execute(tables.messages.select()).all()))

        await self.scene.eventually_async(rows, count)

    async def at(self, moment):
        """The clock shows this, and what is due is sent."""
        self.clock.show(moment)
        await self.agor.outbox.look()

    async def after(self, seconds):
        await self.at(self.clock.now() + timedelta(seconds=seconds))

    async def asks(self, text="go", **fields):
        """A session whose agent asks a question, with the agent and the question."""
        session = await self.scene.session(agent="script")
        turn, agent = await self.scene.running(session, text)
        task = agent.ask_to_run("rm -rf /home/ann/secret-plans", **fields)
        return turn, agent, await self.scene.question(turn), task


@pytest.fixture
async def posts(fake, owner, key, monkeypatch):
    """Makes a post; keyword arguments change the configuration. The server's own sender sleeps: a test says when it looks."""
    from agor_jupyter.services.notifications import outbox

    monkeypatch.setattr(outbox.Outbox, "wake", lambda _self: None)
    with Receiver() as place:

        async def make(at=START, **changes):
            clock = FakeClock()
            clock.show(at)
            scene = await fake(clock, **{"server_url": "https://hub.example.org/user/ann/", **changes})
            await scene.agor.boards.open(owner, BoardOpen(path=BOARD))
            made = await scene.agor.worktrees.create(
                owner, WorktreeCreate(repo=scene.worktree.repo_id, name="fix-login", board=BOARD), key()
            )
            scene.worktree = await scene.agor.worktrees.wait_ready(made.id)
            return Post(scene, clock, place)

        yield make


@pytest.fixture
async def post(posts):
    return await posts()
