"""What somebody sees over MCP of the schedules of its board, and may do to them."""

import uuid
from collections.abc import Mapping
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from agor_jupyter.domain import errors
from agor_jupyter.domain.ids import ObjectId
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.schedules import HOOKED, InFresh, InWorktree, InZone, Schedule, ScheduleCreate, Target, When
from agor_jupyter.domain.slots import Slot
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.sessions.means import Means

_SCHEDULES = TypeAdapter(list[Schedule])


class Planner(Protocol):
    """Who plans: a delegation."""

    caller: Caller

    async def worktree(self, worktree_id: str) -> Worktree: ...

    async def zone(self, wanted: str) -> ObjectId: ...

    async def create_schedule(self, request: ScheduleCreate) -> Schedule: ...

    async def require_scheduling(self, schedule: Schedule, action: str) -> None: ...

    def path(self) -> str: ...


class Plans:
    """The schedules of a planner's board. Each takes a schedule's id or name.

    Errors of each:
        Conflict: it sees no board. ScheduleNotFound: there is none on its board.
    """

    def __init__(self, means: Means, planner: Planner) -> None:
        self._means, self._planner = means, planner

    async def list(self) -> list[Schedule]:
        """By name."""
        return _SCHEDULES.validate_json(await self._means.schedules.list(self._planner.path()))

    async def create(self, worktree_id: str, when: When, given: Mapping[str, object], *, is_fresh: bool, zone: str | None) -> Schedule:
        """In this worktree; or each time in a new one that starts from its branch, or by bringing its card to a zone.

        Args:
            worktree_id: an id or a name.
            when: at which times, or what has to happen.
            given: further fields of `SchedulePlan`.
            is_fresh: each time in a new worktree.
            zone: an id or a name.

        Errors:
            BadRequest: the fields do not fit together; or it would have an address, whose secret only people are shown.
            NotAllowed: it is over a limit. WorktreeNotFound. ObjectNotFound: there is no such zone. Further as making a schedule.

        """
        if when.kind in HOOKED:
            raise errors.BadRequest(["when: one with an address is made by a person in the app, where its secret is shown once"])
        if is_fresh and zone is not None:
            raise errors.BadRequest(["zone: the card of a new worktree is in none. Leave out zone or fresh"])
        worktree = await self._planner.worktree(worktree_id)
        target: Target = InWorktree(worktree_id=worktree.id)
        if is_fresh:
            target = InFresh(repo_id=worktree.repo_id, base=worktree.branch)
        elif zone is not None:
            target = InZone(worktree_id=worktree.id, zone_id=await self._planner.zone(zone))
        try:
            request = ScheduleCreate.model_validate({**given, "when": when, "target": target, "board": self._planner.path()})
        except ValidationError as error:
            raise errors.BadRequest.of(error) from None
        return await self._planner.create_schedule(request)

    async def run(self, schedule: str) -> Slot:
        """Now, once. Raises `NotAllowed`; and `Conflict` while it waits for a person's yes."""
        found = await self._find(schedule)
        await self._planner.require_scheduling(found, "run")
        return await self._means.schedules.run(self._planner.caller, found.id, uuid.uuid4().hex)

    async def pause(self, schedule: str) -> Schedule:
        """Raises `NotAllowed`."""
        found = await self._find(schedule)
        await self._planner.require_scheduling(found, "pause")
        return await self._means.schedules.pause(self._planner.caller, found.id)

    async def _find(self, wanted: str) -> Schedule:
        found = [one for one in await self.list() if wanted in {one.id, one.name}]
        if not found:
            raise errors.ScheduleNotFound(wanted)
        return next((one for one in found if one.id == wanted), found[0])
