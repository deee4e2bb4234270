"""Where the objects of checkpoints lie: what a worktree held before and after a turn, which git would not find again in its repository.

Each turn has a folder of its own in the data folder, which is dropped when the turn's patch is stored; that of an agent's last turn
when the next one's is, or when its process ends, because the agent may go on by itself. So looking at files that nobody commits leaves
the repository as large as it was.
"""

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from agor_jupyter.domain.ids import TurnId
from agor_jupyter.domain.own_files import NOBODYS, OwnFiles, named
from agor_jupyter.domain.turns import Patch, Turn, TurnState
from agor_jupyter.domain.work import shown
from agor_jupyter.git.inspection import snapshots
from agor_jupyter.git.inspection.snapshots import Checkpoint
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.config import Config

_NAMED = 5


class Checkpoints:
    def __init__(self, config: Config, clock: Clock) -> None:
        self._clock, self._limit = clock, config.snapshot_bytes
        self._folder = Path(os.path.realpath(config.data_dir)) / "checkpoints"

    async def start(self, parked: Iterable[TurnId]) -> None:
        """Drop what a server that was killed left, but for turns that are tried again."""
        await asyncio.to_thread(self._tidy, set(parked))

    def _tidy(self, parked: set[TurnId]) -> None:
        if self._folder.is_dir():
            for folder in self._folder.iterdir():
                if folder.name not in parked:
                    shutil.rmtree(folder, ignore_errors=True)

    async def take(self, repository: Repository, worktree: Path, beside: Checkpoint | None = None) -> Checkpoint:
        """What the worktree holds now. With `beside` it is kept together with that one, so that what both hold is there once."""
        store = beside.store if beside is not None and beside.store is not None else self._folder / self._clock.new_id("turn")
        try:
            return await snapshots.checkpoint(repository, worktree, limit=self._limit, store=store)
        except BaseException:
            if beside is None:
                await asyncio.to_thread(_remove, {store})
            raise

    async def keep(self, checkpoint: Checkpoint, turn_id: TurnId) -> Checkpoint:
        """For a turn, which may be tried again after the server's next start."""
        if checkpoint.store is None:
            return checkpoint
        place = self._place(turn_id)
        await asyncio.to_thread(_move, checkpoint.store, place)
        return replace(checkpoint, store=place)

    def of(self, checkpoint: Checkpoint, turn_id: TurnId) -> Checkpoint:
        """One that was taken for the turn's first attempt."""
        return replace(checkpoint, store=self._place(turn_id))

    async def settle(self, turn: Turn, *taken: Checkpoint | None, keep: Checkpoint | None = None) -> None:
        """An attempt at `turn` is written down: only `keep` is kept, and what one that is tried again will be compared with."""
        place = self._place(turn.id)
        stores = {one.store for one in taken if one is not None and one.store is not None} | {place}
        if turn.state is TurnState.PARKED:
            stores -= {place}
        if keep is not None and keep.store is not None:
            stores -= {keep.store}
        await asyncio.to_thread(_remove, stores)

    async def drop(self, checkpoint: Checkpoint) -> None:
        if checkpoint.store is not None:
            await asyncio.to_thread(_remove, {checkpoint.store})

    async def patch(self, repository: Repository, before: Checkpoint, after: Checkpoint, own: OwnFiles = NOBODYS) -> Patch:
        """What changed in between. Files that agents keep for themselves are told of, and not in it."""
        left_out = {file.path: file for file in (*before.left_out, *after.left_out)}
        notes = (snapshots.note(list(left_out.values())), snapshots.note_untried(dict((*before.untried, *after.untried))))
        not_shown = [note for note in notes if note]
        if before.tree == after.tree:
            return Patch(files=[], text="", not_shown=not_shown)
        stores = [store for store in dict.fromkeys((before.store, after.store)) if store is not None]
        without = sorted(left_out)
        found = await snapshots.patch(repository, before.tree, after.tree, stores=stores, without=without)
        apart = _apart(found, (*before.untracked, *after.untracked), own)
        if apart:
            kept = [path for paths in apart.values() for path in paths]
            found = await snapshots.patch(repository, before.tree, after.tree, stores=stores, without=[*without, *kept])
            not_shown += [f"{named(label, len(paths))}, not shown: {_list(paths)}" for label, paths in apart.items()]
        return found.replace(not_shown=not_shown)

    def _place(self, turn_id: TurnId) -> Path:
        return self._folder / turn_id


def _apart(found: Patch, untracked: Iterable[str], own: OwnFiles) -> dict[str, list[str]]:
    """Those of the files in a patch that are agents' own, by the agents' labels."""
    if not own:
        return {}
    changed = {path for file in found.files for path in (file.path, file.old_path)}
    return own.tell_apart(path for path in dict.fromkeys(untracked) if shown(path) in changed)[1]


def _list(paths: Sequence[str]) -> str:
    return ", ".join(map(shown, paths[:_NAMED])) + (f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else "")


def _remove(stores: Iterable[Path]) -> None:
    for store in stores:
        shutil.rmtree(store, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    if source.is_dir() and source != target:
        shutil.rmtree(target, ignore_errors=True)
        source.rename(target)
