"""Shorthand for the life of sessions in tests."""

import asyncio
import json
import time

from agor_jupyter.domain.sessions import Answer, Prompt, SessionCreate, derive_state
from agor_jupyter.domain.turns import TurnState

PATIENCE_S = 50
"""A test that passes never waits for so long, however busy the machine is; one that does not is told where it waited."""


def sh(*lines: str) -> Prompt:
    return Prompt(text="```sh\n" + "\n".join(lines) + "\n```")


class Scene:
    """Shorthand for one session's life."""

    def __init__(self, agor, caller, key, worktree):
        self.agor, self.caller, self.key, self.worktree = agor, caller, key, worktree

    async def session(self, **fields):
        return await self.agor.sessions.create(self.caller, SessionCreate(worktree_id=self.worktree.id, **fields), self.key())

    async def prompt(self, session, *lines):
        return await self.agor.sessions.prompt(self.caller, session.id, sh(*lines), self.key())

    async def until(self, turn, *states, timeout=PATIENCE_S):
        end = time.monotonic() + timeout
        while True:
            found = await self.agor.turns.get(turn.id)
            if found.state.value in states:
                return found
            assert time.monotonic() < end, found
            await asyncio.sleep(0.01)

    async def eventually(self, claim, timeout=PATIENCE_S):
        """Wait until `claim()` is true."""
        end = time.monotonic() + timeout
        while not claim():
            assert time.monotonic() < end
            await asyncio.sleep(0.01)

    async def eventually_async(self, ask, wanted, timeout=PATIENCE_S):
        """Wait until `await ask()` is `wanted`."""
        end = time.monotonic() + timeout
        while (found := await ask()) != wanted:
            assert time.monotonic() < end, found
            await asyncio.sleep(0.01)

    async def running(self, session, text="go"):
        """A turn that runs in a fake agent, with that agent."""
        turn = await self.agor.sessions.prompt(self.caller, session.id, Prompt(text=text), self.key())
        await self.until(turn, "running")
        fakes = self.agor.fakes.started
        await self.eventually(lambda: any(one.prompts and one.prompts[-1] == text and one._turn for one in fakes))
        return turn, next(one for one in fakes if one.prompts and one.prompts[-1] == text and one._turn)

    async def ended(self, turn, timeout=PATIENCE_S):
        return await self.until(turn, "done", "failed", "cancelled", "interrupted", timeout=timeout)

    async def question(self, turn):
        await self.until(turn, "waiting")
        [found] = [one for one in await self.agor.permissions.list() if one.turn_id == turn.id]
        return found

    async def allow(self, turn, kind="allow_once"):
        question = await self.question(turn)
        option = next(option.id for option in question.options if option.kind == kind)
        return await self.agor.permissions.answer(self.caller, question.id, Answer(option_id=option), self.key())

    async def transcript(self, session):
        items, last_seq = await self.agor.sessions.events(session.id)
        events = json.loads(items)
        assert [event["seq"] for event in events] == list(range(1, last_seq + 1))
        return events

    async def consistent(self, session):
        """The stored session says what its turns say."""
        session = await self.agor.sessions.get(session.id)
        turns = await self.agor.turns.list(session.id)
        assert session.state is derive_state(turns)
        assert session.turn_count == len(turns)
        assert set(session.queue) == {turn.id for turn in turns if turn.state is TurnState.QUEUED}
        return session
