"""Slots that come because something happened on the board: a turn ended, changed files, or a zone was through with a card.

It follows events durably, so that none is missed when the server is killed; a slot's key names what happened, so that none counts twice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from agor_jupyter.domain.events import Event, FiringChanged, TurnChanged
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.schedules import PathChanged, Schedule, SessionFinished, ZoneFinished
from agor_jupyter.domain.slots import MAX_HOPS, Slot
from agor_jupyter.domain.turns import ENDED, Turn, TurnState
from agor_jupyter.domain.zones import LIVE, Firing, FiringState
from agor_jupyter.services.clock import Clock
from agor_jupyter.services.events import Events
from agor_jupyter.services.followers import Follower
from agor_jupyter.services.schedules import slots as kept
from agor_jupyter.storage import patches, schedules, sessions, slots
from agor_jupyter.storage.store import Store, Transaction

_KINDS = ("session_finished", "path_changed")
_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_WILD = re.compile(r"\*\*/|\*\*|\*|\?")


@dataclass(frozen=True, kw_only=True)
class _Found:
    schedule_id: str
    key: str
    caused_by: str
    before: Slot | None
    """The slot that it follows from."""


class Triggers:
    def __init__(self, store: Store, clock: Clock, events: Events) -> None:
        self._store, self._clock, self._events = store, clock, events

    async def start(self) -> Follower:
        return await self._events.follow("schedules", (TurnChanged, FiringChanged), self._react)

    async def _react(self, body: Record, event: Event) -> Callable[[Transaction], object] | None:
        match body:
            case TurnChanged(turn=turn):
                found = await self._store.read(_of_turn, turn) if turn.state in ENDED else []
            case FiringChanged(firing=firing):
                found = await self._store.read(_of_firing, firing) if firing.state not in LIVE else []
            case _:
                found = []
        if not found:
            return None

        def job(transaction: Transaction) -> None:
            for one in found:
                _add(transaction, one, event)

        return job


def _add(transaction: Transaction, found: _Found, event: Event) -> None:
    schedule = schedules.hold(transaction, found.schedule_id)
    if schedule is None or not schedule.is_waiting:
        return
    hops = found.before.hops + 1 if found.before is not None else 0
    reason = f"It follows from {MAX_HOPS} other slots. Do the schedules form a circle?" if hops > MAX_HOPS else None
    happening = kept.Happening(key=found.key, planned_at=event.at, cause="event", caused_by=found.caused_by[:200], hops=hops, reason=reason)
    schedule, slot = kept.add(transaction, schedule, happening, event.at)
    if slot is not None:
        kept.save_schedule(transaction, schedule, event.at)


def _of_turn(connection: Connection, turn: Turn) -> list[_Found]:
    known = schedules.of_kinds(connection, _KINDS)
    session = sessions.get(connection, turn.session_id) if known else None
    if session is None:
        return []
    before = slots.of_turn(connection, turn.id)
    found = []
    for one in known:
        place = one.target.worktree_id == turn.worktree_id if one.target.kind == "worktree" else one.board == session.board
        if not place or (before is not None and before.schedule_id == one.id):
            continue
        why = ""
        if isinstance(one.when, SessionFinished):
            is_outcome = one.when.outcome == "any" or (one.when.outcome == "done") is (turn.state is TurnState.DONE)
            why = f"a turn of “{session.title}” ended" if is_outcome and one.when.title in {"", session.title} else ""
        elif isinstance(one.when, PathChanged):
            patch = patches.get(connection, turn.id)
            pattern = one.when.path
            path = next((file.path for file in patch.files if matches(file.path, pattern)), "") if patch is not None else ""
            why = f"a turn of “{session.title}” changed {path}" if path else ""
        if why:
            found.append(_Found(schedule_id=one.id, key=f"turn {turn.id}", caused_by=why, before=before))
    return found


def _of_firing(connection: Connection, firing: Firing) -> list[_Found]:
    before = slots.of_firing(connection, firing.id)
    return [
        _Found(schedule_id=one.id, key=f"firing {firing.id}", caused_by=f"zone “{firing.zone}” {firing.state.value}", before=before)
        for one in schedules.of_kinds(connection, ("zone_finished",))
        if _is_of(one, firing) and (before is None or before.schedule_id != one.id)
    ]


def _is_of(schedule: Schedule, firing: Firing) -> bool:
    when = schedule.when
    if not isinstance(when, ZoneFinished) or (schedule.board, when.zone_id) != (firing.board, firing.zone_id):
        return False
    return when.outcome == "any" or (when.outcome == "passed") is (firing.state is FiringState.PASSED)


def matches(path: str, pattern: str) -> bool:
    """Whether a path is `pattern`, lies below it, or is of its form. A form without a slash is one of the file's name."""
    if _WILD.search(pattern) is None:
        return path == pattern.rstrip("/") or path.startswith(pattern.rstrip("/") + "/")
    form, at = "", 0
    for found in _WILD.finditer(pattern):
        form += re.escape(pattern[at : found.start()]) + _PARTS[found.group()]
        at = found.end()
    form += re.escape(pattern[at:])
    return re.fullmatch(form, path if "/" in pattern else path.rpartition("/")[2]) is not None
