"""Runs agents on the server's own machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agor_jupyter.processes import guarded
from agor_jupyter.processes.guarded import Process


class LocalExecutor:
    """Processes of this machine."""

    async def spawn(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], run_id: str) -> Process:
        """As `guarded.spawn`: on the main thread, with exactly `env` and the run's mark."""
        return await guarded.spawn(command, cwd, env, run_id)
