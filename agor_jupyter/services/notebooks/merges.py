"""What notebooks of worktrees need when their files are written past the people who have them open.

Agents are told, so that they look at it again. No file is read or written through a link that leads out of its worktree: an agent may make
such a link, and the server sees more than its sandbox does.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from agor_jupyter.documents.notebooks import MAX_BYTES, name_aside
from agor_jupyter.domain.events import Notice
from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.text import quoted
from agor_jupyter.domain.worktrees import Worktree, WorktreeState
from agor_jupyter.git.files import opened_folder, read_beneath
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.tasks import Tasks
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store, Transaction

_MOST = 10_000


class Merges:
    """Files are named by absolute paths, as people opened them: there may be links of theirs on the way to a worktree."""

    def __init__(self, store: Store, clock: Clock, worktrees: Worktrees) -> None:
        self._store, self._clock, self._worktrees = store, clock, worktrees
        self._told: set[tuple[TurnId, str]] = set()
        self._tasks = Tasks()

    async def close(self) -> None:
        await self._tasks.close()

    def tell(self, file: Path, conflicts: Sequence[str]) -> None:
        """A notebook that people have open was written by somebody else, and merged; `conflicts` are the cells that both had changed.

        It becomes a notice in the transcript of each turn that runs in its worktree: one for each notebook, and for each that had conflicts.
        """
        self._tasks.start(self._tell(file, conflicts), f"tell that {file.name} was merged")

    async def leads_out(self, file: Path) -> bool:
        """Whether it lies in a worktree by its path, but not by where that leads."""
        worktree, path = await self._find(file)
        if worktree is None:
            return False
        real = Path(os.path.realpath(worktree.path))
        return not Path(await asyncio.to_thread(os.path.realpath, real / path)).is_relative_to(real)

    async def put_aside(self, file: Path) -> bool:
        """Keep what an unreadable file holds beside it, as it is about to be written over. `False`: it is in no worktree."""
        worktree, path = await self._find(file)
        if worktree is not None:
            await asyncio.to_thread(_copy, Path(worktree.path), path)
        return worktree is not None

    async def _tell(self, file: Path, conflicts: Sequence[str]) -> None:
        worktree, path = await self._find(file)
        if worktree is None:
            return
        text = (
            f"{quoted(path)} was written while people have it open. Both versions were merged cell by cell. "
            "The notebook tools show what stands there now."
        )
        if conflicts:
            count = f"{len(conflicts)} cell{'s' if len(conflicts) > 1 else ''}"
            text += f" {count} had been changed by both: people's version stayed, and the file's is in a cell beneath it."
        if len(self._told) > _MOST:
            self._told.clear()

        def job(transaction: Transaction) -> None:
            for session in sessions.of_worktree(transaction.connection, worktree.id):
                turn_id = session.current_turn_id
                if turn_id is not None and (conflicts or (turn_id, path) not in self._told):
                    self._told.add((turn_id, path))
                    body = Notice(code="notebook_merged", text=text)
                    transaction.append(self._clock.now(), body, session_id=session.id, turn_id=turn_id)

        await self._store.write(job)

    async def _find(self, file: Path) -> tuple[Worktree | None, str]:
        """The worktree that its path passes, and the rest of the path."""
        ready = [one for one in await self._worktrees.list() if one.state is WorktreeState.READY]

        def look() -> tuple[Worktree | None, str]:
            known = {os.path.realpath(one.path): one for one in ready}
            for folder in reversed(file.parents):  # the outermost: what is below it, agents may have made
                if (found := known.get(os.path.realpath(folder))) is not None:
                    return found, file.relative_to(folder).as_posix()
            return None, ""

        return await asyncio.to_thread(look)


def _copy(root: Path, path: str) -> None:
    content = read_beneath(root, path, MAX_BYTES)
    if content is None:
        return
    *parts, name = path.split("/")
    aside = name_aside(name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with opened_folder(root, parts) as folder, os.fdopen(os.open(aside, flags, 0o666, dir_fd=folder), "wb") as file:
        file.write(content)
