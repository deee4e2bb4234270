"""A card's way through the zones of a board, followed from a cell."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from agor_jupyter.domain.errors import BadRequest, FiringFailed, ObjectNotFound
from agor_jupyter.domain.zones import LIVE, FiringState
from agor_jupyter.notebook.display import live
from agor_jupyter.notebook.firings import Firing, handles_of, listed
from agor_jupyter.notebook.handles import Handles
from agor_jupyter.notebook.link import Link
from agor_jupyter.notebook.zones import Zone, listing

if TYPE_CHECKING:  # they use each other
    from agor_jupyter.notebook.worktrees import Worktree


async def run(
    link: Link, board: str, worktree: "Worktree", *, until: Zone | str | None = None, start: Zone | str | None = None
) -> Handles[Firing]:
    """As `Board.run`, for the board at that path."""
    zones = {one.id: one for one in await asyncio.to_thread(listing, link, board)}
    goal = _named(zones, until) if until is not None else None
    await asyncio.to_thread(worktree.refresh)
    here = zones.get(worktree.record.zone_id or "")
    if start is not None or here is None:
        first = _named(zones, start) if start is not None else _first(zones, goal)
        await asyncio.to_thread(first.drop, worktree)
        return await _follow(link, worktree, goal, worktree.record.arrival)
    before = await asyncio.to_thread(listed, link, worktree=worktree.record.id)
    if before and before[0].record.arrival == worktree.record.arrival and before[0].record.state is FiringState.FAILED:
        await asyncio.to_thread(before[0].retry)
    return await _follow(link, worktree, goal, _begin(before))


async def _follow(link: Link, worktree: "Worktree", goal: Zone | None, begun_at: int) -> Handles[Firing]:
    line = live.line()
    async with aclosing(link.changes(worktree.record.id)) as changes:
        async for _ in changes:
            passed = await asyncio.to_thread(_since, link, worktree, begun_at)
            current = passed[-1] if passed and passed[-1].record.arrival == worktree.record.arrival else None
            if current is not None and current.record.state in LIVE:
                line.say(current.progress)
                continue
            if current is not None and current.record.moved_to is not None:
                continue  # on its way
            line.clear()
            return _outcome(worktree, goal, passed, current)
    raise AssertionError("the stream of changes has no end")


def _outcome(worktree: "Worktree", goal: Zone | None, passed: list[Firing], current: Firing | None) -> Handles[Firing]:
    is_there = goal is None or worktree.record.zone_id == goal.id
    if is_there and (current is None or current.record.state is FiringState.PASSED):
        return handles_of(passed)
    failed = next((one for one in reversed(passed) if one.record.state is not FiringState.PASSED), None)
    if failed is not None:
        raise FiringFailed(failed.zone, failed.record.reason or failed.record.state.value)
    where = passed[-1].zone if passed else "where it was"
    raise FiringFailed(where, f"the card rests there and no zone leads from it to {goal.name if goal else 'another'}")


def _since(link: Link, worktree: "Worktree", begun_at: int) -> list[Firing]:
    """The oldest first, as of one moment: no firing is of a later arrival than the worktree has."""
    while True:
        worktree.refresh()
        found = [one for one in reversed(listed(link, worktree=worktree.record.id)) if one.record.arrival >= begun_at]
        if not found or found[-1].record.arrival <= worktree.record.arrival:
            return found


def _begin(newest_first: Handles[Firing]) -> int:
    """The arrival with which the card's last way through the zones began: what follows was caused by it."""
    for one in newest_first:
        if one.record.caused_by is None:
            return one.record.arrival
    return 0


def _named(zones: dict[str, Zone], wanted: Zone | str) -> Zone:
    found = next((one for one in zones.values() if (wanted.id if isinstance(wanted, Zone) else wanted) in {one.id, one.name}), None)
    if found is None:
        name = wanted.name if isinstance(wanted, Zone) else wanted
        raise ObjectNotFound(name, [one.name for one in zones.values()])
    return found


def _first(zones: dict[str, Zone], goal: Zone | None) -> Zone:
    """The only zone that acts, to which none leads, and from which the goal is reached."""
    following = {one.policy.next for one in zones.values() if one.policy is not None}
    found = [
        one
        for one in zones.values()
        if one.policy is not None and one.policy.starts and one.id not in following and (goal is None or goal.id in _reached(zones, one))
    ]
    if len(found) != 1:
        names = ", ".join(one.name for one in found) or "none that starts something leads there"
        raise BadRequest([f"start: name the zone to begin with; the card lies in none, and these could be first: {names}"])
    return found[0]


def _reached(zones: dict[str, Zone], one: Zone) -> list[str]:
    found: list[str] = []
    at: Zone | None = one
    while at is not None and at.id not in found:
        found.append(at.id)
        at = zones.get(at.policy.next) if at.policy is not None and at.policy.next is not None else None
    return found
