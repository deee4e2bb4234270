"""`python -m harness.install`: puts the pinned agents into the cache, with our own installer. What is there stays."""

import asyncio
import sys
import time

from agor_jupyter.agents import catalogue
from agor_jupyter.services.agents.installs import Installs
from harness.kits import CACHE

_AT_ONCE = 2


async def main() -> None:
    installs, slots = Installs(CACHE), asyncio.Semaphore(_AT_ONCE)

    async def put(agent) -> None:
        async def step(text: str) -> None:
            if sys.stderr.isatty():
                print(f"{agent.name}: {text}", file=sys.stderr)

        async with slots:
            began = time.monotonic()
            await installs.install(agent, step)
            print(f"{agent.install.package} is there ({time.monotonic() - began:.0f} s)", flush=True)

    await asyncio.gather(*(put(agent) for agent in catalogue.discover().values() if agent.install.package))


if __name__ == "__main__":
    asyncio.run(main())
