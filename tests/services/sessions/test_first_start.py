"""The first start of an agent goes alone."""

import asyncio

import pytest

from agor_jupyter.services.sessions.runs.first_start import FirstStartLock


class Starts:
    def __init__(self):
        self.lock, self.inside, self.most = FirstStartLock(), 0, 0

    async def start(self, agent="fussy", *, fails=False):
        async with self.lock.held(agent):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.01)
            self.inside -= 1
            if fails:
                raise RuntimeError


async def test_starts_go_together_after_one_went_well():
    starts = Starts()
    await starts.start()

    await asyncio.gather(starts.start(), starts.start(), starts.start())

    assert starts.most == 3


async def test_those_that_wait_for_the_first_go_one_by_one():
    starts = Starts()

    await asyncio.gather(starts.start(), starts.start(), starts.start())

    assert starts.most == 1


async def test_after_a_failure_the_next_goes_alone_too():
    starts = Starts()
    with pytest.raises(RuntimeError):
        await starts.start(fails=True)

    await asyncio.gather(starts.start(), starts.start())

    assert starts.most == 1


async def test_agents_do_not_wait_for_each_other():
    starts = Starts()

    await asyncio.gather(starts.start("one"), starts.start("other"))

    assert starts.most == 2
