"""Puts away what old slots left in view: their sessions, and the worktrees that were made for them. Nothing is deleted."""

import contextlib
import logging

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import ScheduleId
from agor_jupyter.domain.schedules import Schedule
from agor_jupyter.domain.slots import Slot
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.services.sessions.sessions import Sessions
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import slots
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)


class Retention:
    def __init__(self, store: Store, clock: Clock, sessions: Sessions, worktrees: Worktrees) -> None:
        self._store, self._clock, self._sessions, self._worktrees = store, clock, sessions, worktrees

    async def tidy(self, schedule_id: ScheduleId) -> None:
        """Of a schedule whose slot has ended."""
        schedule = await self._store.read(kept.find_schedule, schedule_id)
        if schedule.keep is None:
            return
        for slot in await self._store.read(slots.in_view, schedule_id, schedule.keep):
            if await self._put_away(schedule, slot):
                await self._store.write(self._note, slot)

    def _note(self, transaction: Transaction, slot: Slot) -> None:
        now = kept.find(transaction.connection, slot.id)
        kept.save(transaction, now, self._clock.now(), is_kept=False)

    async def _put_away(self, schedule: Schedule, slot: Slot) -> bool:
        """Whether it is done. What is at work is left, and looked at after the next slot."""
        caller = kept.caller_of(schedule)
        for run in slot.runs:
            if run.session_id is not None:
                try:
                    await self._sessions.archive(caller, run.session_id)
                except errors.SessionBusy:
                    return False
                except errors.NotFound:
                    pass
        if schedule.target.kind == "fresh" and slot.worktree_id is not None:
            try:
                with contextlib.suppress(errors.NotFound):
                    await self._worktrees.archives.archive(caller, slot.worktree_id, f"{slot.id}.archive")
            except errors.Conflict as error:
                log.info("The worktree of slot %s stays: %s", slot.id, error.message)
                return False
        return True
