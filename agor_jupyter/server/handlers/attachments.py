"""Attachments: pictures and long texts that come with a prompt."""

from agor_jupyter.domain.attachments import Attachment, AttachmentContent, AttachmentCreate
from agor_jupyter.domain.ids import AttachmentId
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation(Role.STEERER)
async def create(call: Call, worktree: str, body: AttachmentCreate) -> Attachment:
    """Keep a picture or a long text, for prompts in this worktree."""
    found = await call.agor.worktrees.get(worktree)
    return await call.agor.attachments.create(call.caller, found.id, body)


@operation()
async def get(call: Call, worktree: str, attachment: AttachmentId) -> AttachmentContent:
    """Get an attachment with its content."""
    found = await call.agor.worktrees.get(worktree)
    return await call.agor.attachments.content(found.id, attachment)
