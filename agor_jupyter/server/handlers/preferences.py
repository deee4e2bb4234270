"""Preferences: what you want from each agent."""

from agor_jupyter.domain.options import Preference, PreferenceChange
from agor_jupyter.domain.people import Role
from agor_jupyter.server.operations import Call, operation


@operation()
async def index(call: Call) -> list[Preference]:
    """List your preferences, one for each agent."""
    return await call.agor.options.preferences(call.caller)


@operation(Role.STEERER)
async def change(call: Call, agent: str, body: PreferenceChange) -> Preference:
    """Set your preferred options for new sessions with an agent, replacing earlier ones."""
    return await call.agor.options.prefer(call.caller, agent, body)
