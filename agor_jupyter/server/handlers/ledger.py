"""The ledger: what turns used."""

from pydantic import Field

from agor_jupyter.domain.costs import LedgerRow
from agor_jupyter.domain.records import Moment, Request
from agor_jupyter.server.operations import Call, operation


class LedgerQuery(Request):
    session: str | None = None
    worktree: str | None = None
    board: str | None = None
    user: str | None = None
    since: Moment | None = None
    limit: int = Field(default=10_000, ge=1, le=100_000)


@operation(answers=list[LedgerRow])
async def index(call: Call, query: LedgerQuery) -> bytes:
    """List what turns used, by model, newest first."""
    return await call.agor.ledger.page(
        session=query.session, worktree=query.worktree, board=query.board, user=query.user, since=query.since, limit=query.limit
    )
