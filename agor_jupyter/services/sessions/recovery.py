"""After a stop, orderly or not: no process lives, no turn seems to run, and what waited goes on."""

import asyncio
import logging
from datetime import datetime

from agor_jupyter.domain.turns import TurnState
from agor_jupyter.executors import reaper
from agor_jupyter.processes import table
from agor_jupyter.services.transitions import derive, end
from agor_jupyter.storage import runs, sessions, turns
from agor_jupyter.storage.store import Store, Transaction

log = logging.getLogger(__name__)

INTERRUPTED = "The server stopped while this turn ran."


def _forget(transaction: Transaction, row: runs.RunRow, at: datetime) -> None:
    """Nothing of it goes on in the background."""
    runs.delete(transaction, row.id)
    session = sessions.get(transaction.connection, row.session_id)
    if session is not None and session.background:
        derive(transaction, session.id, at, background=[])


async def reap_dead(store: Store, at: datetime) -> None:
    """Kill the processes of every recorded run. Only with the data directory's lock held: then each is of a dead server."""
    recorded = await store.read(runs.every)
    await reaper.reap(reaper.RunIdentity(row.id, row.boot_id, row.pid, row.start_ticks) for row in recorded)
    for row in recorded:
        if await asyncio.to_thread(table.marked, row.id):
            log.error("Processes of run %s could not be ended", row.id)
        else:
            await store.write(_forget, row, at)


def interrupt_open(transaction: Transaction, at: datetime) -> int:
    """End every open turn as interrupted, or as cancelled if a person had cancelled it. Returns how many there were."""
    found = turns.all_open(transaction.connection)
    for turn in found:
        if turn.state is TurnState.STOPPING:
            end(transaction, turn, TurnState.CANCELLED, at)
        else:
            end(transaction, turn, TurnState.INTERRUPTED, at, error=INTERRUPTED, error_code="interrupted")
        derive(transaction, turn.session_id, at)
    return len(found)
