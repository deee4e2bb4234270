"""A schedule, from a cell: work of a board that starts by itself, and its slots."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.records import Record
from agor_jupyter.domain.schedules import Cron, Interval, NextTimes, Once, ScheduleChange, ScheduleCreate, ScheduleMade, in_words
from agor_jupyter.domain.schedules import Schedule as ScheduleRecord
from agor_jupyter.domain.slots import LIVE_SLOTS
from agor_jupyter.domain.slots import Slot as SlotRecord
from agor_jupyter.notebook.display import views
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link

if TYPE_CHECKING:  # they use each other
    from agor_jupyter.notebook.worktrees import Worktree


class Schedule:
    """Work that starts by itself. `schedule.secret` is there only in the cell that made it, where something is posted to it."""

    def __init__(self, link: Link, record: ScheduleRecord, secret: str | None = None, hook: str | None = None) -> None:
        self._link, self.record, self.secret, self.hook = link, record, secret, hook

    @property
    def _at(self) -> str:
        return f"schedules/{self.record.id}"

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def slots(self) -> Handles[SlotRecord]:
        """Its history, newest first."""
        return _slots([SlotRecord.model_validate(one) for one in self._link.items(f"{self._at}/slots")])

    @property
    def next_times(self) -> list[datetime]:
        """The next five, in UTC. None while it is paused, over, or waits for something to happen."""
        return NextTimes.model_validate(self._link.get(f"{self._at}/next")).moments

    async def run(self) -> SlotRecord:
        """Run it now, and wait for the end of that slot. It passed, failed, was skipped or cancelled; `reason` says why."""
        slot = SlotRecord.model_validate(self._link.post(f"{self._at}/run"))
        async with aclosing(self._link.changes(slot.id)) as changes:
            async for _ in changes:
                slot = SlotRecord.model_validate(await asyncio.to_thread(self._link.get, f"slots/{slot.id}"))
                if slot.state not in LIVE_SLOTS:
                    break
        return slot

    def pause(self) -> "Schedule":
        """Let nothing start. What runs goes on."""
        return self._take(self._link.post(f"{self._at}/pause"))

    def resume(self) -> "Schedule":
        """Go on with the next moment."""
        return self._take(self._link.post(f"{self._at}/resume"))

    def remove(self) -> None:
        """List it no more, and start nothing of it. Its slots stay."""
        self._take(self._link.delete(self._at))

    def _take(self, answer: object) -> "Schedule":
        self.record = ScheduleRecord.model_validate(answer)
        return self

    def __repr__(self) -> str:
        record = self.record
        state = "removed, " if record.is_removed else "paused, " if record.is_paused else "over, " if record.is_over else ""
        return views.visible(f"Schedule {record.name!r}: {state}{in_words(record.when)}")

    def _repr_html_(self) -> str:
        return views.card("Schedule", self.name, "paused" if self.record.is_paused else None, [("when", in_words(self.record.when))])


def listed(link: Link, board: str) -> Handles[Schedule]:
    """By name."""
    found = [Schedule(link, ScheduleRecord.model_validate(one)) for one in link.items("schedules", board=board)]
    return Handles("schedule", found, lambda one: columns(one.record), lambda one: one.name, kind=ScheduleRecord)


def put(link: Link, board: str, name: str, fields: Mapping[str, Any]) -> Schedule:
    """The schedule of this name with these settings, made if there is none."""
    known = {one.name: one for one in listed(link, board)}.get(name)
    with checked():
        if known is not None:
            plain = {key: one.model_dump() if isinstance(one, Record) else one for key, one in fields.items()}
            change = ScheduleChange.model_validate(plain)  # from plain values: the kind counts as set, and only what is set is sent
            made = ScheduleMade.model_validate(link.patch(f"schedules/{known.record.id}", change))
        else:
            made = ScheduleMade.model_validate(
                link.post("schedules", ScheduleCreate.model_validate({"name": name, "board": board, **fields}))
            )
    return Schedule(link, made.schedule, made.secret, made.hook)


def when_of(cron: str | None, tz: str, every: float | None, at: datetime | None, on: object) -> object:
    """One of them.

    Raises:
        BadRequest: none is given, or several.

    """
    given = [one for one in (cron, every, at, on) if one is not None]
    if len(given) != 1:
        raise BadRequest(["when: give one of cron, every, at and on"])
    with checked():
        if cron is not None:
            return Cron(expression=cron, zone=tz)
        if every is not None:
            return Interval(seconds=round(every))
        return Once(at=at) if at is not None else on


def target_of(link: Link, board: str, worktree: "Worktree | None", zone: str | None, repo: str | None) -> dict[str, object]:
    """Where it runs: in a worktree, by a zone, or in a worktree of its own for each slot.

    Raises:
        BadRequest: nothing says which repository.

    """
    if worktree is not None and zone is not None:
        return {"kind": "zone", "worktree_id": worktree.record.id, "zone_id": zone}
    if worktree is not None:
        return {"kind": "worktree", "worktree_id": worktree.record.id}
    repos = {one["repo"]: one["repoId"] for one in link.items("worktrees", board=board)}
    if repo is not None:
        known = {one["slug"]: one["id"] for one in link.items("repos")}
        return {"kind": "fresh", "repo_id": known.get(repo, repo)}
    if len(repos) != 1:
        raise BadRequest([f"repo: name the repository for its worktrees; on this board are {', '.join(sorted(repos)) or 'none yet'}"])
    return {"kind": "fresh", "repo_id": next(iter(repos.values()))}


def _slots(found: list[SlotRecord]) -> Handles[SlotRecord]:
    def line(one: SlotRecord) -> str:
        reason = f": {one.reason}" if one.reason else ""
        return views.visible(f"Slot {one.number} of {one.schedule!r}, {one.planned_at:%Y-%m-%d %H:%M} UTC, {one.state.value}{reason}")

    return Handles("slot", found, columns, lambda one: one.key, line, kind=SlotRecord)
