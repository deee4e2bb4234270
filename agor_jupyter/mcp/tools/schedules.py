"""Tools about schedules: work that starts by itself on your board."""

from typing import Literal

from pydantic import Field

from agor_jupyter.domain.schedules import When
from agor_jupyter.domain.templates import MAX_SOURCE_BYTES
from agor_jupyter.mcp.paging import Choosing, Paged, chosen, page, shown
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

_SHOWN = ("id", "name", "when", "target", "next_at", "is_paused", "needs_yes", "is_over", "trouble", "created_by")


class Create(Input):
    name: str = Field(min_length=1, max_length=100)
    """Unique on the board."""
    when: When
    """Such as `{"kind": "cron", "expression": "0 3 * * *", "zone": "Europe/Vienna"}`."""
    worktree_id: str
    """Id or name of the worktree in which a session starts each time."""
    fresh: bool = False
    """Each time in a new worktree, which starts from the branch of this one."""
    zone: str | None = Field(default=None, max_length=100)
    """Id or name of a zone. The worktree's card is brought there each time, and the zone says what starts."""
    prompt: str = Field(default="", max_length=MAX_SOURCE_BYTES)
    """For an agent. Without a zone, give one of `prompt`, `script` and `notebook`."""
    script: str = Field(default="", max_length=20_000)
    """Lines of shell."""
    notebook: str = Field(default="", max_length=500)
    """Path of a notebook in the worktree, which papermill runs."""
    agent: str = Field(default="", max_length=100)
    """Who gets the prompt. Default: the server's default."""
    late: Literal["skip", "latest", "all"] = "latest"
    """What happens to moments that passed while no server ran."""
    overlap: Literal["queue", "skip", "cancel", "allow"] = "skip"
    """What happens while an earlier slot is at work."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a slot that failed is tried again."""
    budget_usd: float | None = Field(default=None, ge=0)
    """For one slot."""


class Which(Input):
    schedule_id: str = Field(max_length=100)
    """Its id or its name."""


async def _list(engine: Delegation, request: Paged) -> object:
    return page(await engine.plans.list(), request, _SHOWN)


async def _create(engine: Delegation, request: Create) -> object:
    given = request.model_dump(exclude={"when", "worktree_id", "fresh", "zone"}, exclude_unset=True)
    made = await engine.plans.create(request.worktree_id, request.when, given, is_fresh=request.fresh, zone=request.zone)
    return chosen(made, Choosing(), _SHOWN)


async def _run(engine: Delegation, request: Which) -> object:
    return shown(await engine.plans.run(request.schedule_id), "id", "schedule_id", "number", "state", "reason")


async def _pause(engine: Delegation, request: Which) -> object:
    return chosen(await engine.plans.pause(request.schedule_id), Choosing(), _SHOWN)


TOOLS = (
    Tool(
        name="schedule_list",
        description="The schedules of your board, by name: what starts by itself, and when it does so next.",
        input=Paged,
        run=_list,
        reads_only=True,
    ),
    Tool(
        name="schedule_create",
        description=(
            "Make a schedule on your board: at times, or when a branch, files, a session or a zone says so. One that an agent makes "
            "waits for a person's yes, comes no more often than the server allows, and has a budget for each day."
        ),
        input=Create,
        run=_create,
        reads_only=False,
    ),
    Tool(
        name="schedule_run",
        description="Start a schedule now, once. An agent may do so with those that it or an agent below it made, after a person's yes.",
        input=Which,
        run=_run,
        reads_only=False,
    ),
    Tool(
        name="schedule_pause",
        description=(
            "Let nothing of a schedule start, until a person resumes it. An agent may do so with those that it or an agent below it made."
        ),
        input=Which,
        run=_pause,
        reads_only=False,
    ),
)
