"""A stand-in for a server: starts one run, says so, and waits to be killed."""

import asyncio
import os
import sys
from pathlib import Path

from agor_jupyter.executors.local import LocalExecutor


async def main() -> None:
    script, run_id = sys.argv[1:]
    process = await LocalExecutor().spawn(["sh", "-c", script], Path.cwd(), {"PATH": os.environ["PATH"]}, run_id)
    await process.stdout.readline()
    print(process.pid, process.start_ticks, flush=True)
    await asyncio.sleep(1000)


asyncio.run(main())
