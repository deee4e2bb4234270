"""How the records of worktrees are written: a change at a time, told of as it commits, and once for the command that asked."""

from datetime import datetime
from typing import TypeVar

from agor_jupyter.domain import errors
from agor_jupyter.domain.events import WorktreeChanged
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.worktrees import Worktree, WorktreeState, standing_ways
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.commands import check_key, fingerprint, once
from agor_jupyter.services.transitions import find_worktree, follow_board
from agor_jupyter.storage import commands as kept_commands
from agor_jupyter.storage import worktrees as kept
from agor_jupyter.storage.store import Store, Transaction

R = TypeVar("R", bound=Record)


class Register:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def change(self, worktree_id: WorktreeId, **changes: object) -> Worktree:
        return await self._store.write(_update, worktree_id, self._clock.now(), changes)

    async def finish(  # noqa: PLR0917 the parts of one command
        self, caller: Caller, worktree: Worktree, changes: dict[str, object], action: str, request: object, key: str
    ) -> Worktree:
        """As `change`, once for this key."""
        now = self._clock.now()

        def job(transaction: Transaction) -> Worktree:
            return _update(transaction, worktree.id, now, changes)

        outcome = await self._store.write(once, key, caller, action, request, now, job, Worktree)
        return outcome.record

    async def answered(self, key: str, caller: Caller, action: str, request: object, answer: type[R]) -> R | None:
        """What this command was answered before, so that a repeated one is not checked against a world it changed itself."""

        def query(connection: object) -> kept_commands.Command | None:
            return kept_commands.find(Transaction(connection), check_key(key))  # type: ignore[arg-type]  # only reads

        known = await self._store.read(query)
        if known is None:
            return None
        if known.fingerprint != fingerprint(action, caller.person.username, request) or known.answer is None:
            raise errors.KeyReused(key)
        return answer.model_validate_json(known.answer)


def _update(transaction: Transaction, worktree_id: WorktreeId, at: datetime, changes: dict[str, object]) -> Worktree:
    found = find_worktree(transaction.connection, worktree_id)
    if not changes:
        return found
    changed = found.replace(**changes, updated_at=at)
    if changed.board != found.board:
        changed = changed.replace(zone_id=None)  # which is one of the old board
    if changed.state is not WorktreeState.FAILED:
        changed = changed.replace(failure=None)
    is_standing = changed.state is not WorktreeState.READY or found.state is not changed.state
    if is_standing and "ways" not in changes and {"state", "step", "reason"} & changes.keys():
        changed = changed.replace(ways=standing_ways(changed))
    is_renamed = kept.name_key(changed.name) != kept.name_key(found.name)
    if is_renamed and kept.is_taken(transaction.connection, found.repo_id, changed.name):
        raise errors.AlreadyExists("Worktree", changed.name)
    kept.update(transaction.connection, changed)
    transaction.append(changed.updated_at, WorktreeChanged(worktree=changed))
    if changed.board != found.board:
        follow_board(transaction, changed, changed.updated_at)
    return changed
