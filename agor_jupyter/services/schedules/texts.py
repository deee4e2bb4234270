"""What a slot sends: the prompt with its names filled in, a script, or the line that runs a notebook; and the name of its own branch."""

import base64
import json
import shlex
from datetime import datetime

from agor_jupyter.domain import errors, times
from agor_jupyter.domain.issues import marked_json
from agor_jupyter.domain.records import JsonObject
from agor_jupyter.domain.schedules import Cron, InFresh, Schedule
from agor_jupyter.domain.slots import Slot
from agor_jupyter.domain.templates import BranchContext, RepoNames, ScheduleNames, SessionNames, SlotNames, UserNames, make_context
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.domain.zones import Gate
from agor_jupyter.git.names import slugify
from agor_jupyter.services.sessions.templates import MESSAGE, Templates
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.zones import gates
from agor_jupyter.storage import slots
from agor_jupyter.storage.store import Store

_MAX_VARIABLE = 64 << 10


def zone_of(schedule: Schedule) -> str:
    """The time zone of its days."""
    return schedule.when.zone if isinstance(schedule.when, Cron) else "UTC"


class Texts:
    def __init__(self, store: Store, repos: Repos, templates: Templates) -> None:
        self._store, self._repos, self._templates = store, repos, templates

    async def prompt(self, schedule: Schedule, slot: Slot, worktree: Worktree, agent: str) -> str:
        """What the session is sent.

        Errors:
            BadTemplate. NotebookGate: papermill is not installed.
        """
        payload = await self._store.read(slots.payload, slot.id)
        if schedule.script:
            return gates.fenced(script(schedule.script, slot, payload))
        if schedule.notebook:
            if not gates.has_papermill():
                raise errors.NotebookGate(schedule.name)
            return gates.fenced(notebook(schedule, slot, payload))
        context = make_context(
            worktree=worktree,
            repo=await self._repos.get(worktree.repo_id),
            session=SessionNames(title=schedule.name, agent=agent),
            person=schedule.by,
            schedule=ScheduleNames(name=schedule.name),
            slot=names(schedule, slot, marked_json(payload, MESSAGE)),
        )
        text = await self._templates.fill(schedule.prompt, context)
        if not text.strip():
            raise errors.BadTemplate("it is empty once its names are filled in")
        return text

    async def branch(self, schedule: Schedule, slot: Slot, target: InFresh) -> str:
        """The name of the slot's own branch and worktree.

        Errors:
            BadTemplate. RepoNotFound.
        """
        repo = await self._repos.get(target.repo_id)
        context = BranchContext(
            schedule=ScheduleNames(name=schedule.name),
            slot=names(schedule, slot, {}),
            repo=RepoNames(**{name: getattr(repo, name) for name in RepoNames.model_fields}),
            user=UserNames(username=schedule.by.username, name=schedule.by.name),
        )
        filled = await self._templates.name_branch(target.branch, context)
        parts = [slugify(part) for part in filled.split("/")]
        return "/".join(part for part in parts if part) or f"slot-{slot.number}"


def names(schedule: Schedule, slot: Slot, payload: JsonObject) -> SlotNames:
    return SlotNames(
        number=slot.number,
        planned_at=_iso(slot.planned_at),
        date=f"{slot.planned_at.astimezone(times.zone_of(zone_of(schedule))):%Y-%m-%d}",
        attempt=slot.attempt,
        cause=slot.caused_by or "its time",
        payload=payload,
    )


def script(code: str, slot: Slot, payload: JsonObject) -> str:
    """Its lines, as they are, so that a rule can name them. What came from outside is in a variable, and can be no command."""
    if not payload:
        return code
    sent = json.dumps(payload)
    if len(sent) > _MAX_VARIABLE:
        raise errors.BadRequest([f"what came to the address has {len(sent):,} bytes; a script can take {_MAX_VARIABLE:,}. Use a notebook"])
    given = {"AGOR_SLOT": slot.key, "AGOR_PAYLOAD": sent}
    return "\n".join([*(f"export {name}={shlex.quote(value)}" for name, value in given.items()), code])


def notebook(schedule: Schedule, slot: Slot, payload: JsonObject) -> str:
    """The line of shell. In base64 no parameter can be read as anything else."""
    values = {**schedule.parameters, "schedule": schedule.name, "slot": names(schedule, slot, payload).model_dump(by_alias=False)}
    encoded = base64.b64encode(json.dumps(values).encode()).decode()
    gate = Gate(kind="notebook", run=schedule.notebook)
    return f"{' '.join(gates.notebook_words(gate))} -b {encoded}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
