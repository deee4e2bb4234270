"""Ends what an earlier server left behind. Called at server start, with the data directory's lock held: every recorded run is dead."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from agor_jupyter.processes import table


class RunIdentity(NamedTuple):
    """A run as it was recorded. `pid` is `None` when the server died between writing the record and the fork."""

    run_id: str
    boot_id: str
    pid: int | None = None
    start_ticks: int | None = None


def _reap(run: RunIdentity) -> int:
    def find() -> set[table.Identity]:
        is_there = run.pid is not None and table.start_ticks(run.pid) == run.start_ticks
        return table.of_run(run.run_id, run.pid if is_there else None)

    before = find()
    left = table.sweep(find) if before else set()
    return len(before) - len(left)


async def reap(runs: Iterable[RunIdentity]) -> dict[str, int]:
    """Kill what is left of `runs`. Returns how many processes each run had left; runs of an earlier boot have none."""
    boot = table.boot_id()
    recorded = list(runs)
    return {run.run_id: await asyncio.to_thread(_reap, run) if run.boot_id == boot else 0 for run in recorded}
