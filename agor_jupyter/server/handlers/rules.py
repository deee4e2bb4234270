"""Rules: what agents need not ask again. Only people make them."""

from agor_jupyter.domain.ids import RuleId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.records import Request
from agor_jupyter.domain.rules import Rule, RuleCreate
from agor_jupyter.server.operations import Call, operation


class RuleQuery(Request):
    """Those that count there: its own, and those of what it lies in. Without any: all there ever were."""

    session: str | None = None
    worktree: str | None = None
    zone: str | None = None
    repo: str | None = None


@operation()
async def index(call: Call, query: RuleQuery) -> list[Rule]:
    """List rules, including revoked and expired ones."""
    return await call.agor.rules.list(session=query.session, worktree=query.worktree, zone=query.zone, repo=query.repo)


@operation(Role.OWNER)
async def create(call: Call, body: RuleCreate) -> Rule:
    """Allow a kind of tool, or commands with a given start, without asking."""
    return await call.agor.rules.create(call.caller, body, call.key)


@operation(Role.OWNER)
async def revoke(call: Call, rule: RuleId) -> Rule:
    """Revoke a rule; what it allowed remains on record."""
    return await call.agor.rules.revoke(call.caller, rule, call.key)
