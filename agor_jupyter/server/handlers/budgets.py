"""Budgets: what sessions, worktrees, boards and people may use. Only people set them."""

from agor_jupyter.domain.budgets import Budget, BudgetScope, BudgetSet
from agor_jupyter.domain.ids import BudgetId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.server.operations import Call, operation


class BudgetQuery(Request):
    scope: BudgetScope | None = None
    subject: str | None = None


@operation()
async def index(call: Call, query: BudgetQuery) -> list[Budget]:
    """List budgets and how much of each is spent."""
    return await call.agor.budgets.list(query.scope, query.subject)


@operation(Role.OWNER)
async def put(call: Call, body: BudgetSet) -> Budget:
    """Set the budget of a session, a worktree, a board or a person."""
    return await call.agor.budgets.set(call.caller, body, call.key)


@operation(Role.OWNER)
async def remove(call: Call, budget: BudgetId) -> Budget:
    """Remove a budget; turns that waited for it continue."""
    return await call.agor.budgets.remove(call.caller, budget, call.key)
