"""Permissions: the questions that agents ask, and the answers."""

from agor_jupyter.domain.ids import PermissionId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.sessions import Answer
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Permission]:
    """List the open questions."""
    return await call.agor.permissions.list()


@operation(Role.OWNER)
async def answer(call: Call, permission: PermissionId, body: Answer) -> Permission:
    """Answer a question; the first answer counts."""
    return await call.agor.permissions.answer(call.caller, permission, body, call.key)
