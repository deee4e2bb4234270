"""Conversations that agents' own programs kept on this machine."""

from agor_jupyter.domain.history import Conversation, ConversationImport
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.sessions import Session
from agor_jupyter.server.operations import Call, operation


@operation(Role.OWNER)
async def index(call: Call, worktree: str) -> list[Conversation]:
    """List the conversations that took place in a worktree's folder or its repository's, outside of this server."""
    return await call.agor.history.list(call.caller, worktree)


@operation(Role.OWNER)
async def import_(call: Call, worktree: str, body: ConversationImport) -> Session:
    """Import one of these conversations as a session, with its turns."""
    return await call.agor.history.import_(call.caller, worktree, body, call.key)
