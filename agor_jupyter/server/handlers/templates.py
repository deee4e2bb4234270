"""Templates: see what a prompt would be before it is sent."""

from agor_jupyter.domain.ids import SessionId
from agor_jupyter.domain.people import Role
from agor_jupyter.domain.templates import Rendered, TemplateRender
from agor_jupyter.server.operations import Call, operation


@operation(Role.STEERER)
async def render(call: Call, session: SessionId, body: TemplateRender) -> Rendered:
    """Render a template as a prompt of this session, without sending it."""
    return await call.agor.templates.render(call.caller, session, body.source)
