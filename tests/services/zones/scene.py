"""Shorthand for cards and zones in tests: a real board file, a real worktree on it, and the real `script` agent."""

import asyncio
import time

from agor_jupyter.domain.boards import BoardOpen, ZoneAdd
from agor_jupyter.domain.worktrees import WorktreeChange, WorktreeCreate
from agor_jupyter.domain.zones import LIVE, Gate, ZoneChange, ZoneDrop, ZonePolicy
from tests.scene import PATIENCE_S

BOARD = "flow.agor"


def block(*lines: str) -> str:
    return "```sh\n" + "\n".join(lines) + "\n```"


class Flow:
    """One board, and a card on it."""

    def __init__(self, agor, caller, key, worktree):
        self.agor, self.caller, self.key, self.worktree = agor, caller, key, worktree
        self.x = 0

    async def open(self):
        await self.agor.boards.open(self.caller, BoardOpen(path=BOARD))
        await self.agor.worktrees.change(self.caller, self.worktree.id, WorktreeChange(board=BOARD))
        return self

    async def card(self, name):
        """Another worktree on the board."""
        made = await self.agor.worktrees.create(self.caller, WorktreeCreate(repo=self.worktree.repo, name=name, board=BOARD), self.key())
        return await self.agor.worktrees.wait_ready(made.id)

    async def zone(self, name, *, allow=True, **policy):
        """A zone to the right of those before; its id. A `prompt` goes to the agent `script`, whose commands are allowed."""
        self.x += 400
        if "prompt" in policy:
            policy.setdefault("agent", "script")
        entry = await self.agor.boards.add_zone(self.caller, BOARD, ZoneAdd(name=name, x=self.x, y=1000), self.key())
        if policy:
            await self.agor.zones.change(self.caller, BOARD, entry.id, ZoneChange(policy=ZonePolicy(**policy), allow=allow))
        return entry.id

    async def change(self, zone, caller=None, **policy):
        return await self.agor.zones.change(caller or self.caller, BOARD, zone, ZoneChange(policy=ZonePolicy(**policy)))

    async def policy(self, zone):
        view = await self.agor.boards.edits.view(BOARD)
        return view.objects[zone].policy

    async def drop(self, zone, *, worktree=None, caller=None, key=None, **fields):
        worktree = worktree or self.worktree
        request = ZoneDrop(zone_id=zone, **fields)
        return await self.agor.zones.drop(caller or self.caller, worktree.id, request, key or self.key())

    async def fire(self, zone, **fields):
        """Drop, and the firing as it is when it is over or waits for a person."""
        return await self.settled((await self.drop(zone, **fields)).firing)

    async def settled(self, firing):
        return await self.until(firing, "passed", "failed", "withdrawn", "asking", "approval")

    async def until(self, firing, *states, timeout=PATIENCE_S):
        end = time.monotonic() + timeout
        while True:
            found = await self.agor.firings.get(firing.id)
            if found.state.value in states:
                return found
            assert time.monotonic() < end, found
            await asyncio.sleep(0.01)

    async def waits(self, firing, text):
        """Until it says that it waits for this."""
        end = time.monotonic() + PATIENCE_S
        while text not in ((found := await self.agor.firings.get(firing.id)).waits_for or ""):
            assert time.monotonic() < end, found
            assert found.state in LIVE, found
            await asyncio.sleep(0.01)
        return found

    async def eventually(self, ask, wanted):
        end = time.monotonic() + PATIENCE_S
        while (found := await ask()) != wanted:
            assert time.monotonic() < end, found
            await asyncio.sleep(0.01)

    async def where(self, worktree=None):
        return (await self.agor.worktrees.get((worktree or self.worktree).id)).zone_id

    async def lies_in(self, worktree=None):
        """The zone in which the board's document shows the card."""
        return await self.agor.boards.zone_of(await self.agor.worktrees.get((worktree or self.worktree).id))

    async def firings(self, **filters):
        import json

        from agor_jupyter.domain.zones import Firing

        return [Firing.model_validate(one) for one in json.loads(await self.agor.firings.list(**filters))]

    async def turns(self, firing):
        return [await self.agor.turns.get(run.turn_id) for run in firing.runs if run.turn_id]


def command(run, when="after"):
    return Gate(kind="command", run=run, when=when)
