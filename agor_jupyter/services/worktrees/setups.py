"""The setup commands of a repository, run in a new worktree: one after the other, until one fails or somebody stops them."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import SETUP, Worktree
from agor_jupyter.executors import commands
from agor_jupyter.executors.commands import Ended
from agor_jupyter.services.config import Config
from agor_jupyter.services.crash import crash_point
from agor_jupyter.services.worktrees.changes import Change

_SHOWN = 200
_SETTLE = "git update-index -q --refresh --force-write-index"


class Setups:
    """`change` writes which command runs."""

    def __init__(self, config: Config, change: Change) -> None:
        self._config, self._change = config, change
        self._running: dict[WorktreeId, asyncio.Task[Ended | None]] = {}
        self._stopped: dict[WorktreeId, str] = {}

    async def run(self, worktree: Worktree, lines: Sequence[str]) -> None:
        """Each may take as long as the setup timeout says.

        Errors:
            SetupFailed: one ended with another code than 0, took too long, was stopped, or could not be started. The files stay as it
                left them.
        """
        for line in lines:
            await self._change(worktree.id, step=f"{SETUP}{line[:_SHOWN]}", is_filled=True)
            crash_point("worktree.setup")
            limit_s = self._config.setup_timeout.total_seconds()
            try:
                ended = await self._end_of(worktree, line, limit_s)
            except OSError as error:
                why = error.strerror or str(error)
                raise errors.SetupFailed(line[:_SHOWN], f"could not be started: {why[:1].lower()}{why[1:]}") from error
            who = self._stopped.pop(worktree.id, None)
            if who is not None:
                raise errors.SetupFailed(line[:_SHOWN], f"was stopped by {who}", ended.tail if ended else "")
            if ended is not None:
                how = f"failed with code {ended.code}" if ended.code is not None else f"took longer than {limit_s:g} s and was stopped"
                raise errors.SetupFailed(line[:_SHOWN], how, ended.tail)

    def is_running(self, worktree_id: WorktreeId) -> bool:
        return worktree_id in self._running

    async def stop(self, worktree_id: WorktreeId, who: str) -> None:
        """End the command that runs, with every process that it started."""
        task = self._running.get(worktree_id)
        if task is not None:
            self._stopped[worktree_id] = who
            task.cancel()
            await asyncio.wait([task])

    async def settle(self, worktree: Worktree) -> None:
        """Let git, with the person's filters, write down what it knows of the files that the setup filled.

        git doubts a file that is as young as its index, by the second, and would compare what a filter wrote with what it stored.
        """
        await asyncio.sleep(1 - time.time() % 1)
        await self._end_of(worktree, _SETTLE, self._config.git_timeout.total_seconds())

    async def _end_of(self, worktree: Worktree, line: str, limit_s: float) -> Ended | None:
        environment = {"AGOR_WORKTREE_PATH": worktree.path, "AGOR_WORKTREE_NAME": worktree.name, "AGOR_BRANCH": worktree.branch}
        work = commands.run([line], cwd=Path(worktree.path), mark=worktree.id, env=environment, timeout_s=limit_s)
        task = self._running[worktree.id] = asyncio.create_task(work)
        try:
            await asyncio.wait([task])
            return None if task.cancelled() else task.result()
        finally:
            del self._running[worktree.id]
            if not task.done():  # the server stops
                task.cancel()
                await asyncio.wait([task])
