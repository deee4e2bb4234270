"""Tools about what turns used, and what is left."""

from typing import Literal

from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.mcp.paging import Paged, page
from agor_jupyter.mcp.tool import Input, Tool
from agor_jupyter.services.sessions.delegation import Delegation

By = Literal["session", "worktree", "user", "agent", "model", "day"]


class Sum(Input):
    by: By = "session"


class Budgets(Paged):
    pass


def _key(row: LedgerRow, by: By) -> str:
    keys = {"session": row.session_id, "worktree": row.worktree_id, "user": row.username, "agent": row.agent, "model": row.model}
    return row.at.date().isoformat() if by == "day" else str(keys[by] or "unknown")


async def _sum(engine: Delegation, request: Sum) -> object:
    sums: dict[str, dict[str, float]] = {}
    for row in await engine.costs():
        one = sums.setdefault(_key(row, request.by), {"cost_usd": 0.0, "input_tokens": 0, "output_tokens": 0, "turns": 0})
        one["cost_usd"] += row.cost_usd or 0.0
        one["input_tokens"] += row.input_tokens or 0
        one["output_tokens"] += row.output_tokens or 0
        one["turns"] += 1
    found = sorted(sums.items(), key=lambda pair: -pair[1]["cost_usd"])
    return {
        "total_usd": round(sum(one["cost_usd"] for one in sums.values()), 6),
        "items": [{request.by: key, **one, "cost_usd": round(one["cost_usd"], 6)} for key, one in found[:100]],
    }


async def _budgets(engine: Delegation, request: Budgets) -> object:
    return page(await engine.budgets(), request, ("scope", "subject", "soft_usd", "hard_usd", "spent_usd", "state"))


TOOLS = (
    Tool(
        name="cost_summary",
        description="What the turns on your board used and cost, summed by session, worktree, person, agent, model or day.",
        input=Sum,
        run=_sum,
        reads_only=True,
    ),
    Tool(
        name="budget_list",
        description="The budgets that count for your board, its worktrees, sessions and trees, and what is left of them.",
        input=Budgets,
        run=_budgets,
        reads_only=True,
    ),
)
