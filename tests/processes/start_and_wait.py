"""A stand-in for a server: starts one service, says so, and waits to be killed."""

import asyncio
import os
import sys
from pathlib import Path

from agor_jupyter.processes import lasting


async def main() -> None:
    line, run_id, log = sys.argv[1:]
    service = await lasting.start(["sh", "-c", line], cwd=Path("/"), env={"PATH": os.environ["PATH"]}, run_id=run_id, log=Path(log))
    print(service.identity, flush=True)
    await asyncio.sleep(1000)


asyncio.run(main())
