"""A new worktree from what another one held, after a turn or now: its commit, and on top of that what nobody had committed."""

import hashlib
from pathlib import Path

from sqlalchemy import Connection

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.turns import Turn
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate, WorktreeState
from agor_jupyter.git import carrying
from agor_jupyter.git.inspection import snapshots
from agor_jupyter.git.repository import Repository
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import commands, patches, turns
from agor_jupyter.storage.store import Store, Transaction

_MOST_TURNS = 200


class Branching:
    def __init__(self, store: Store, repos: Repos, worktrees: Worktrees) -> None:
        self._store, self._repos, self._worktrees = store, repos, worktrees

    async def branch(self, caller: Caller, origin_id: WorktreeId, name: str, turn: Turn | None, key: str, *, carry: bool) -> Worktree:
        """Make it, on the same board, and wait until it is ready. With `turn` from what was there after that turn. The same `key` gives
        the same worktree.

        Errors:
            WorkNotKept: what was there after the turn cannot be had again, or is too large to be carried.
            Those of `Worktrees.create`, and WorktreeNotReady: it could not be made.
        """
        own_key = hashlib.sha256(f"{key} {caller.person.username} worktree".encode()).hexdigest()
        made = await self._store.write(_made_by, own_key) or await self._make(caller, origin_id, name, turn, own_key, carry=carry)
        made = await self._worktrees.wait_ready(made.id)
        if made.state is not WorktreeState.READY:
            raise errors.WorktreeNotReady(made.name, made.state.value, made.reason)
        return made

    async def _make(self, caller: Caller, origin_id: WorktreeId, name: str, turn: Turn | None, key: str, *, carry: bool) -> Worktree:
        origin = await self._worktrees.get(origin_id)
        repository = self._repos.repository(await self._repos.get(origin.repo_id))
        base, carried = (
            await self._now(origin, repository, carry=carry) if turn is None else await self._after(origin, repository, turn, carry=carry)
        )
        request = WorktreeCreate(
            repo=origin.repo_id,
            name=name,
            base=base,
            board=origin.board,
            issue_url=origin.issue_url,
            notes=origin.notes,
            context=origin.context,
        )
        return await self._worktrees.create(caller, request, key, carried=carried)

    async def _now(self, origin: Worktree, repository: Repository, *, carry: bool) -> tuple[str, str | None]:
        now = await snapshots.checkpoint(repository, Path(origin.path))
        if not now.commit:
            raise errors.Conflict(f"Worktree {origin.name!r} has no commit to begin from. Make a first commit in it.", subject=origin.name)
        if not carry:
            return now.commit, None
        if now.left_out:
            raise errors.Conflict(
                f"Not everything uncommitted in {origin.name!r} can be carried along: {snapshots.note(list(now.left_out))} Commit or "
                "remove it, or fork with carry=False. Nothing was made.",
                subject=origin.name,
            )
        return now.commit, await carrying.commit(repository, now.tree, now.commit) if now.dirty else None

    async def _after(self, origin: Worktree, repository: Repository, turn: Turn, *, carry: bool) -> tuple[str, str | None]:
        commit = turn.commit_after or turn.commit_before
        if commit is None:
            raise errors.WorkNotKept(turn.number, "it ended before it began to work")
        if not carry or not turn.dirty_after:
            return commit, None
        if turn.tree_after is None:
            raise errors.WorkNotKept(turn.number, "an earlier version ran it, which did not write it down")
        now = await snapshots.checkpoint(repository, Path(origin.path))
        tree: str | None = now.tree
        if now.tree != turn.tree_after:
            tree = await self._rebuild(repository, turn)
        if tree != turn.tree_after:
            raise errors.WorkNotKept(turn.number, "its patches do not hold all of it, such as binary or very large files")
        return commit, await carrying.commit(repository, turn.tree_after, commit)

    async def _rebuild(self, repository: Repository, turn: Turn) -> str | None:
        """From the last moment at which nothing was uncommitted, by the patches of the turns since. The caller compares the outcome."""
        chain = await self._store.read(_chain, turn)
        if chain is None:
            return None
        texts = await self._store.read(_patches, chain)
        return await carrying.rebuild(repository, chain[0].tree_before or chain[0].commit_before or "", texts) if texts else None


def _made_by(transaction: Transaction, key: str) -> Worktree | None:
    """What the same command made before. Its base may have moved on since, so it is not asked again in the same words."""
    known = commands.find(transaction, key)
    return Worktree.model_validate_json(known.answer) if known is not None and known.answer is not None else None


def _chain(connection: Connection, turn: Turn) -> list[Turn] | None:
    """The turns that led to what was there after `turn`, each from what the one before it had left; the first from a commit."""
    left_by = {one.tree_after: one for one in turns.ended_in(connection, turn.worktree_id) if one.tree_after is not None}
    chain = [turn]
    while chain[0].tree_before != chain[0].commit_before:
        before = left_by.get(chain[0].tree_before or "")
        if before is None or before in chain or len(chain) == _MOST_TURNS:
            return None
        chain.insert(0, before)
    return chain


def _patches(connection: Connection, chain: list[Turn]) -> list[str] | None:
    """`None`: one is not whole."""
    found = [patches.get(connection, turn.id) for turn in chain]
    if any(patch is not None and patch.is_cut for patch in found):
        return None
    return [patch.text for patch in found if patch is not None]
