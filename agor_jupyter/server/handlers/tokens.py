"""Personal tokens for a person's own MCP clients. The secret is in one answer only."""

from agor_jupyter.domain.ids import TokenId
from agor_jupyter.domain.tokens import Token, TokenCreate, TokenMade
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Token]:
    """List your personal tokens; an owner gets everyone's."""
    return await call.agor.tokens.list(call.caller)


@operation()
async def create(call: Call, body: TokenCreate) -> TokenMade:
    """Create a personal token, with which your own client can use a board over MCP. Its secret is shown once."""
    return await call.agor.tokens.create(call.caller, body, call.key, is_asked=call.is_plain)


@operation()
async def revoke(call: Call, token: TokenId) -> None:
    """Revoke a personal token."""
    await call.agor.tokens.revoke(call.caller, token)
